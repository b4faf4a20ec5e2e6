"""`paperpost render`: the same functions as publish, from files, without AWS."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from paperpost.domain.errors import InvalidInputError, RecordError
from paperpost.domain.papers import AnnounceType
from paperpost.domain.records import to_json
from paperpost.publish.entries import tag_of
from paperpost_cli.render import render
from support.records import DAY, make_record

NEXT = DAY + timedelta(days=1)


@pytest.fixture
def lines() -> list[str]:
    """Two days of cs.CV."""
    records = [
        make_record("2604.99001"),
        make_record("2604.99002", on=NEXT),
        make_record("2604.99003", on=NEXT, announce_type=AnnounceType.REPLACE),
    ]
    return [json.dumps(to_json(record)) for record in records]


def ids(body: bytes) -> list[str]:
    return [item["id"] for item in json.loads(body)["items"]]


@pytest.mark.parametrize("kind", ["rss", "atom", "json", "markdown"])
def test_each_kind_renders(lines: list[str], kind: str) -> None:
    body = render(kind, records_lines=lines)

    assert b"2604.99001" in body
    assert b"2604.99002" in body


def test_now_only_closes_the_window(lines: list[str]) -> None:
    """Later dates are left out, and the time itself is nowhere in the bytes."""
    early, later = (datetime(2026, 4, 21, hour, tzinfo=UTC) for hour in (12, 20))

    assert ids(render("json", records_lines=lines, now=early)) == [tag_of("2604.99001")]
    assert render("rss", records_lines=lines, now=early) == render(
        "rss", records_lines=lines, now=later
    )
    assert ids(render("json", records_lines=lines)) == [tag_of("2604.99002"), tag_of("2604.99001")]


def test_the_order_of_the_lines_does_not_matter(lines: list[str]) -> None:
    assert render("atom", records_lines=lines) == render("atom", records_lines=lines[::-1])


def test_several_categories_need_a_choice(lines: list[str]) -> None:
    other = json.dumps({**json.loads(lines[0]), "category": "cs.LG", "id": "2604.99009"})

    with pytest.raises(InvalidInputError, match=r"cs\.CV, cs\.LG"):
        render("json", records_lines=[*lines, other])

    assert ids(render("json", records_lines=[*lines, other], category="cs.lg")) == [
        tag_of("2604.99009")
    ]


def test_a_bad_line_is_named(lines: list[str]) -> None:
    with pytest.raises(RecordError, match=r"day\.jsonl, line 2: "):
        render("rss", records_lines=[lines[0], "{}"], name="day.jsonl")


def test_nothing_to_render_is_said(lines: list[str]) -> None:
    with pytest.raises(InvalidInputError, match="no new or cross-listed paper"):
        render("rss", records_lines=lines[2:])


def test_an_archive_is_markdown_only() -> None:
    with pytest.raises(InvalidInputError, match="not as rss"):
        render("rss", archive_lines=[])


def test_an_unknown_kind_names_those_that_there_are(lines: list[str]) -> None:
    with pytest.raises(InvalidInputError, match="atom, json, markdown, rss"):
        render("pdf", records_lines=lines)
