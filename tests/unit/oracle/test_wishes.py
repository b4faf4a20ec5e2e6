"""The oracle reads a form as its text says, and no more leniently."""

from datetime import UTC, datetime
from typing import Any

import pytest

from oracle.source import Announced
from oracle.wishes import matches, read_rule, wishes_of


def paper(title: str, *, authors: str = "Björn Ommer, Yang Li", abstract: str = "") -> Announced:
    return Announced(
        arxiv_id="2604.00001",
        title=title,
        abstract=abstract,
        authors=authors,
        categories=("cs.CV",),
        is_replacement=False,
    )


def form(**fields: Any) -> dict[str, Any]:
    return {"categories": ["cs.CV"], **fields}


@pytest.mark.parametrize(
    ("rule", "told", "expected"),
    [
        ("diffusion", paper("Latent Diffusion, again"), True),
        ("diffusion", paper("Diffusions"), False),
        ("3D", paper("In 3D-space"), True),
        ("3D", paper("In 13D"), False),
        ("plucker", paper("Plücker lines"), True),
        ('"language models"', paper("Large language\n models"), True),
        ("标题：segmentation", paper("x", abstract="segmentation"), False),
        ("abstract: segmentation", paper("x", abstract="segmentation"), True),
        ("author: ommer bjorn", paper("x"), True),
        ("author: Yang Ommer", paper("x"), False),
        ("作者：li", paper("x", authors="Lin Yang"), False),
    ],
)
def test_a_rule_means_whole_words_without_case_and_accents(
    rule: str, told: Announced, *, expected: bool
) -> None:
    assert matches(read_rule(rule), told) is expected


@pytest.mark.parametrize(
    ("fields", "frozen_at", "due"),
    [
        ({}, "2026-04-23T04:21", "2026-04-23T04:21"),
        ({"hour": 7, "zone": "Asia/Kolkata"}, "2026-04-23T04:21", "2026-04-24T01:30"),
        ({"hour": 20, "zone": "Pacific/Chatham"}, "2026-04-23T04:21", "2026-04-23T07:15"),
        # Clocks go from 00:00 to 01:00 there on 24 April 2026.
        ({"hour": 0, "zone": "Africa/Cairo"}, "2026-04-23T04:21", "2026-04-23T22:00"),
        # An hour that comes twice, in New York on 1 November 2026: the first counts.
        ({"hour": 1, "zone": "America/New_York"}, "2026-11-01T04:21", "2026-11-01T05:00"),
        ({"cadence": "weekly"}, "2026-04-24T11:31", "2026-04-25T00:00"),
        (
            {"cadence": "weekly", "hour": 0, "zone": "Africa/Cairo"},
            "2026-04-24T11:31",
            "2026-04-24T21:00",
        ),
    ],
)
def test_a_letter_is_due_at_the_first_such_hour(
    fields: dict[str, Any], frozen_at: str, due: str
) -> None:
    found = wishes_of(form(**fields)).due(datetime.fromisoformat(frozen_at).replace(tzinfo=UTC))

    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_what_a_later_form_does_not_show_stays() -> None:
    before = form(most=5, include=["video"])

    found = wishes_of({"categories": ["cs.LG"], "include": []}, before)

    assert (found.categories, found.most, found.include) == (("cs.LG",), 5, ())
