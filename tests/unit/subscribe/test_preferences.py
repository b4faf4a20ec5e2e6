"""A form changes what it shows and nothing else."""

import dataclasses
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.data import calendar, taxonomy
from paperpost.domain.subscribers import Cadence, Preferences, Rule
from paperpost.storage.profiles import preferences_item, preferences_of
from paperpost.subscribe.arrivals import expected_arrival
from paperpost.subscribe.forms import Fields, RequestError, read_fields
from paperpost.subscribe.preferences import read_preferences
from support.readers import NOW

STORED = Preferences(
    categories=("cs.CV",),
    include=(Rule(field="text", phrase="diffusion"),),
    language="zh",
    hour=7,
    most=9,
    paused_until=date(2026, 4, 25),
)
TODAY = date(2026, 4, 21)


def read(fields: Fields, stored: Preferences = STORED) -> Preferences:
    """The preferences that *fields* make of *stored*."""
    return read_preferences(
        {"categories": ["cs.CV"], **fields},
        stored,
        configured=("cs.CV", "cs.AI", "math.ST"),
        taxonomy=taxonomy(),
        today=TODAY,
    )


def problem_of(fields: Fields) -> tuple[str, str]:
    """The problem and field that *fields* end with."""
    with pytest.raises(RequestError) as refused:
        read(fields)
    return refused.value.problem, refused.value.field


def test_what_the_form_does_not_show_stays() -> None:
    """Rules, the cap and whatever a short form leaves out."""
    assert read({}) == STORED


def test_every_field_is_taken() -> None:
    """All of them at once."""
    changed = read(
        {
            "categories": ["cs.AI", "cs.CV"],
            "language": ["en"],
            "cadence": ["weekly"],
            "length": ["full"],
            "hour": ["0"],
            "zone": ["Asia/Kolkata"],
            "paused_until": ["2026-05-01"],
        }
    )

    assert changed.categories == ("cs.AI", "cs.CV")
    assert (changed.language, changed.cadence, changed.length) == ("en", Cadence.WEEKLY, "full")
    assert (changed.hour, changed.zone) == (0, "Asia/Kolkata")
    assert changed.paused_until == date(2026, 5, 1)
    assert changed.include == STORED.include


def test_an_emptied_hour_means_as_soon_as_it_is_ready() -> None:
    """An empty field is a choice here; so is an empty end of the pause."""
    changed = read({"hour": [""], "paused_until": [""]})

    assert (changed.hour, changed.paused_until) == (None, None)


def test_a_pause_that_is_over_is_none() -> None:
    """Until today means not at all."""
    assert read({"paused_until": ["2026-04-21"]}).paused_until is None


@pytest.mark.parametrize(
    "sent", [["cs.ai", "stat.TH"], ["cs.AI, stat.TH"], ["CS.AI math.st cs.AI"]]
)
def test_categories_are_taken_in_any_spelling(sent: list[str]) -> None:
    """Case and aliases do not matter, each counts once."""
    assert read({"categories": sent}).categories == ("cs.AI", "math.ST")


@pytest.mark.parametrize(
    ("sent", "problem", "word"),
    [
        ([], "categories", ""),
        ([""], "categories", ""),
        (["cs.AI", "cs.XX"], "no-category", "cs.XX"),
        (["cs"], "no-category", "cs"),
        (["x" * 99], "no-category", "x" * 40),
        (["cs.AI", "hep-th"], "not-carried", "hep-th"),
    ],
)
def test_a_category_that_the_site_does_not_have_is_refused_by_name(
    sent: list[str], problem: str, word: str
) -> None:
    """At least one; what arXiv lacks is told from what this site does not carry."""
    with pytest.raises(RequestError) as refused:
        read({"categories": sent})

    assert (refused.value.problem, refused.value.field) == (problem, "categories")
    assert refused.value.word == word


def test_an_empty_list_of_types_is_refused() -> None:
    """It would be a subscription to nothing; a form without the boxes sends no such field."""
    assert problem_of({"announce_types": []}) == ("field", "announce_types")


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("language", "fr", "field"),
        ("cadence", "hourly", "field"),
        ("length", "epic", "field"),
        ("hour", "24", "field"),
        ("hour", "-1", "field"),
        ("hour", "7.5", "field"),
        ("hour", "٧", "field"),
        ("hour", "0000007", "field"),
        ("zone", "Mars/Olympus", "zone"),
        ("zone", "../../etc/passwd", "zone"),
        ("zone", "America", "zone"),
        ("zone", "localtime", "zone"),
        ("zone", "Factory", "zone"),
        ("paused_until", "tomorrow", "field"),
        ("paused_until", "2036-01-01", "pause"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(field: str, value: str, problem: str) -> None:
    """The answer names the field."""
    assert problem_of({field: [value]}) == (problem, field)


WORDS = st.sampled_from(
    ["cs.CV", "cs.AI", "math.ST", "en", "weekly", "full", "7", "24", "-0", "1e3", "²", "",
     "Asia/Shanghai", "US/../Eastern", "2026-05-01", "2026-02-30", "9999-12-31", "0001-01-01",
     "new", "replace-cross", "author: Y. LeCun", "title:", "\n", " ", "x" * 101]
)  # fmt: skip
VALUES = WORDS | st.text(max_size=30) | st.integers() | st.booleans() | st.none() | st.floats()
FIELDS = st.sampled_from([f.name for f in dataclasses.fields(Preferences)])
SENT = st.dictionaries(FIELDS, VALUES | st.lists(VALUES, max_size=4), max_size=5)


@given(SENT)
def test_whatever_is_sent_is_refused_or_can_be_kept_and_served(sent: dict[str, Any]) -> None:
    """What is accepted comes back from its stored form, and a next mail can be told for it."""
    body = json.dumps({"categories": "cs.CV", **sent})
    try:
        wanted = read(read_fields(body, is_base64=False, content_type="application/json"))
    except RequestError:
        return

    assert preferences_of(preferences_item(wanted)) == wanted
    assert expected_arrival(wanted, calendar(), now=NOW) > NOW
