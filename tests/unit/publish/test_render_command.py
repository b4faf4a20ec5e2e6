"""`paperpost render`: the same functions as publish, from files, without AWS."""

import json
import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from paperpost.domain.errors import InvalidInputError, RecordError
from paperpost.domain.papers import AnnounceType, FirstListing
from paperpost.domain.records import to_json
from paperpost.publish.entries import tag_of
from paperpost_cli.laptop import ROOT
from paperpost_cli.main import main
from paperpost_cli.render import render
from paperpost_cli.render_named import render_named
from support.records import DAY, make_paper, make_record

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


@pytest.fixture
def once() -> list[str]:
    """One paper a line: new in cs.CV and crossed to cs.LG the day after; another of cs.CV alone."""
    listed = {
        "cs.CV": FirstListing(announced_on=DAY, announce_type=AnnounceType.NEW),
        "cs.LG": FirstListing(announced_on=NEXT, announce_type=AnnounceType.CROSS),
    }
    records = [
        make_record(paper=make_paper("2604.99001", listed=listed)),
        make_record("2604.99002"),
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


def test_a_category_shows_what_it_lists_itself(lines: list[str]) -> None:
    other = json.dumps({**json.loads(lines[0]), "category": "cs.LG", "id": "2604.99009"})

    assert ids(render("json", records_lines=[*lines, other], category="cs.lg")) == [
        tag_of("2604.99009")
    ]


def test_a_category_shows_the_records_of_others_with_its_own_listing(once: list[str]) -> None:
    """The type and the date are those of the category that is asked for."""
    shown = json.loads(render("json", records_lines=once, category="cs.LG"))["items"]
    digest = render("markdown", records_lines=once, category="cs.LG").decode()

    assert [item["id"] for item in shown] == [tag_of("2604.99001")]
    assert shown[0]["date_published"] == "2026-04-22T04:00:00Z"
    assert "交叉列表" in digest
    assert "交叉列表" not in render("markdown", records_lines=once, category="cs.CV").decode()


def test_the_window_closes_by_the_date_of_the_categorys_own_listing(once: list[str]) -> None:
    early = datetime(2026, 4, 21, 12, tzinfo=UTC)

    assert ids(render("json", records_lines=once, category="cs.CV", now=early))
    with pytest.raises(InvalidInputError, match=r"no new or cross-listed paper of cs\.LG"):
        render("json", records_lines=once, category="cs.LG", now=early)


def test_a_paper_that_two_records_list_is_one_row_of_the_category(once: list[str]) -> None:
    """The record of the category itself wins over what another one tells of it."""
    own = {
        **json.loads(once[0]),
        "category": "cs.LG",
        "announced_on": NEXT.isoformat(),
        "announce_type": "cross",
    }

    digest = render("markdown", records_lines=[*once, json.dumps(own)], category="cs.LG")

    assert digest.count(b"| [^") == 1


def test_without_a_category_several_make_one_feed_of_each_paper_once(once: list[str]) -> None:
    """It stands where its primary category lists it; the title says that all are meant."""
    other = {**json.loads(once[0]), "category": "cs.LG", "announce_type": "cross"}

    feed = json.loads(render("json", records_lines=[json.dumps(other), *once]))
    digest = render("markdown", records_lines=[json.dumps(other), *once]).decode()

    assert [item["id"] for item in feed["items"]] == [tag_of("2604.99002"), tag_of("2604.99001")]
    assert feed["title"].startswith("all 全部分类")
    assert digest.count("| [^") == 2
    assert "交叉列表" not in digest


def test_a_letter_is_the_newest_dates_for_a_reader_of_the_category(lines: list[str]) -> None:
    """A message as it would be sent, dated by the data: the same bytes whenever it is rendered."""
    raw = render("letter", records_lines=lines, category="cs.CV")
    mail = message_from_bytes(raw, policy=policy.default)
    text = mail.get_body(("plain",))

    assert mail["Date"].datetime.date() == NEXT
    assert "List-Unsubscribe" in mail
    assert text is not None
    assert "2604.99002" in text.get_content()
    assert "2604.99001" not in text.get_content()
    assert raw == render("letter", records_lines=lines[::-1], category="cs.CV")


def test_a_letter_without_a_category_is_for_a_reader_of_all(once: list[str]) -> None:
    other = {**json.loads(once[1]), "category": "quant-ph", "id": "2604.99009"}

    raw = render("letter", records_lines=[*once, json.dumps(other)])

    assert {b"2604.99001" in raw, b"2604.99002" in raw, b"2604.99009" in raw} == {True}


@pytest.mark.parametrize("kind", ["rss", "letter"])
def test_a_category_without_records_is_said(once: list[str], kind: str) -> None:
    with pytest.raises(InvalidInputError, match=r"quant-ph"):
        render(kind, records_lines=once, category="quant-ph")


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
    with pytest.raises(InvalidInputError, match="atom, json, letter, markdown, rss"):
        render("pdf", records_lines=lines)


FEEDS = """
[chosen]
title_zh = "选择"
categories = ["cs.LG", "cs.CV"]
exclude = ["title: survey"]

[nothing]
categories = ["math"]
"""


def test_a_named_feed_chooses_of_records_by_its_rules(once: list[str]) -> None:
    """Each paper at its first listing in any of the feed's categories, by the title it has."""
    again = {**json.loads(once[0]), "category": "cs.LG", "announce_type": "cross"}
    survey = {**json.loads(once[1]), "id": "2604.99003", "title": "A Survey"}
    other = {**json.loads(once[1]), "id": "2604.99004", "category": "math.CO"}
    lines = [json.dumps(again), *once, json.dumps(survey), json.dumps(other)]

    feed = json.loads(render_named("json", "chosen", records_lines=lines, feeds_toml=FEEDS))

    assert [item["id"] for item in feed["items"]] == [tag_of("2604.99002"), tag_of("2604.99001")]
    assert {item["date_published"] for item in feed["items"]} == {"2026-04-21T04:00:00Z"}
    assert feed["title"].startswith("选择")


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("letter", "chosen", "not as letter"),
        ("rss", "other", "there are chosen, nothing"),
        ("rss", "nothing", "nothing chooses no paper of records"),
    ],
)
def test_what_a_named_feed_cannot_render_is_said(
    once: list[str], kind: str, name: str, said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        render_named(kind, name, records_lines=once, feeds_toml=FEEDS)


def test_the_command_takes_named_feeds_of_a_file(
    once: list[str], tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    records, feeds = tmp_path / "records.jsonl", tmp_path / "feeds.toml"
    records.write_text("\n".join(once), encoding="utf-8")
    feeds.write_text(FEEDS, encoding="utf-8")

    status = main(
        ["render", "json", "--records", str(records), "--named", "chosen", "--feeds", str(feeds)]
    )

    assert status == 0
    assert ids(capsysbinary.readouterr().out) == [tag_of("2604.99002"), tag_of("2604.99001")]


def test_the_documented_record_is_what_is_written(once: list[str]) -> None:
    """Every field has a row in docs/data-model.md, and every row is a field."""
    text = (ROOT / "docs" / "data-model.md").read_text(encoding="utf-8")
    record, enrichment = text.split("## The record")[1].split("An enrichment that succeeded")
    written = json.loads(once[0])

    assert set(re.findall(r"^\| `(\w+)` \|", record, re.MULTILINE)) == set(written)
    assert set(re.findall(r"^\| `(\w+)` \|", enrichment, re.MULTILINE)) == set(
        written["enrichments"]["zh"]
    )
