"""The proofs of feeds can fail: what they are to find is found."""

import json
from pathlib import Path

import pytest

from paperpost_cli.proofs import feed_records
from paperpost_cli.proofs.feed_readers import by_feedparser, check_schemas
from paperpost_cli.proofs.proof import ProofError
from paperpost_cli.proofs.reading_feeds import _made, active, difference
from support.publish_fuzz import Reader
from support.records import make_record

FILES = _made([make_record("2604.99001"), make_record("2604.99002")]).files


def test_the_feeds_of_the_tests_are_valid() -> None:
    check_schemas(FILES)


@pytest.mark.parametrize(
    ("path", "right", "wrong"),
    [
        ("cs.CV/atom.xml", b"<updated>", b"<updated>on "),
        ("cs.CV/atom.xml", b'rel="related"', b'rel="pdf"'),
        ("cs.CV/atom.xml", b"<name>Ada Example</name>", b""),
        ("cs.CV/atom.en.xml", b"<id>tag:", b"<id>"),
        ("cs.CV/feed.json", b'"date_modified":"2', b'"date_modified":"on 2'),
        ("cs.CV/feed.json", b'"content_html"', b'"html"'),
        ("cs.CV/feed.zh.json", b'"tags"', b'"categories"'),
    ],
)
def test_a_feed_that_is_not_valid_is_found(path: str, right: bytes, wrong: bytes) -> None:
    assert right in FILES[path]

    with pytest.raises(ProofError, match=path):
        check_schemas({path: FILES[path].replace(right, wrong, 1)})


def test_a_feed_that_is_not_well_formed_is_found(tmp_path: Path) -> None:
    with pytest.raises(ProofError, match="feedparser finds fault"):
        by_feedparser({"rss.xml": FILES["cs.CV/rss.xml"][:-9]}, tmp_path)


@pytest.mark.parametrize(
    "seen",
    [
        [("a", "One")],
        [("b", "Two"), ("a", "One")],
        [("a", "One"), ("b", "Two"), ("b", "Two")],
        [("a", "One"), ("b", "Tw")],
    ],
)
def test_lost_moved_repeated_and_changed_entries_differ(seen: list[tuple[str, str]]) -> None:
    wanted = [("a", "One"), ("b", "Two")]

    assert difference(wanted, seen)
    assert not difference(wanted, [("a", "One"), ("b", " Two\u200b")])


def test_payloads_would_run_where_they_are_not_escaped() -> None:
    """At least nine in ten are active by themselves; plain markup of an entry is not."""
    texts = feed_records.payloads(5_000)

    assert len(set(texts)) == 5_000
    assert sum(bool(active(text)) for text in texts) > 4_500
    assert not active('<p lang="en">x<br/><a href="https://arxiv.org/abs/1">y</a></p>')


def feed(*entries: tuple[str, int]) -> bytes:
    items = [{"id": i, "date_published": f"2026-04-{on:02}T04:00:00Z"} for i, on in entries]
    return json.dumps({"items": items}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        feed(),
        feed(("b", 22)),
        feed(("a", 21)),
        feed(("b", 22), ("a", 21), ("a", 21)),
        feed(("c", 20), ("a", 21)),
    ],
)
def test_a_reader_who_polls_finds_a_feed_that_became_worse(body: bytes) -> None:
    reader = Reader()
    reader.look("feed.json", feed(("b", 22), ("a", 21)))
    assert reader.bad == []

    reader.look("feed.json", body)

    assert reader.bad
