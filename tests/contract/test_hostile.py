"""Every hostile string that was recorded, through the tables and through the whole of fetch."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from contract.conftest import Storage
from paperpost import data
from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.enrichments import Enrichment, EnrichmentState
from paperpost.domain.papers import AnnounceType, Author, Listing, Paper
from paperpost.fetch.collect import collect
from paperpost.fetch.feeds import read_feed
from paperpost.fetch.sources import FolderSource
from paperpost.fetch.tex import readable
from support.feeds import Item, rss

NOW = datetime(2026, 4, 21, 4, 30, tzinfo=UTC)
ON = date(2026, 4, 21)
# Beside what was recorded: nothing, space alone, every control character, what Unicode never gives.
MADE_UP = ("", " ", "\t\r\n", "".join(map(chr, range(0x20))), "\x7f\x85\ufffe\uffff", "\U0010ffff")
# What no XML document can hold: https://www.w3.org/TR/xml/#charsets, read 2026-11-25.
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@pytest.fixture
def texts(shared_data: Path) -> list[str]:
    """All recorded strings, each once, and some of our own."""
    lines = (shared_data / "hostile" / "hostile.jsonl").read_text(encoding="utf-8").splitlines()
    recorded = [json.loads(line)["text"] for line in lines]
    assert len(recorded) == 153
    return list(dict.fromkeys((*recorded, *MADE_UP)))


def paper_of(number: int, text: str) -> Paper:
    """A paper with *text* in every field; an optional one without text is one that is absent."""
    return Paper(
        arxiv_id=f"2604.{number:05}",
        version=1,
        title=text,
        abstract=text,
        authors=(Author(name=text, affiliations=(text, "There")), Author(name="Ada Example")),
        categories=("cs.AI",),
        licence=text or None,
        doi=text or None,
        journal_ref=text or None,
        comment=text or None,
        submitted_at=NOW,
    )


def test_every_string_comes_back_from_every_field_of_a_paper(
    storage: Storage, texts: list[str]
) -> None:
    """Read by its id, by way of its listing, and once more after it was merged with itself."""
    papers = {paper.arxiv_id: paper for paper in map(paper_of, count(), texts)}
    listings = [
        Listing(
            category="cs.AI",
            announced_on=ON,
            arxiv_id=arxiv_id,
            version=1,
            announce_type=AnnounceType.NEW,
            stored_at=NOW,
        )
        for arxiv_id in papers
    ]

    assert storage.papers.put_papers(papers.values()) == len(texts)
    assert storage.papers.put_listings(listings) == len(texts)
    assert storage.papers.put_papers(papers.values()) == 0

    listed = storage.papers.list_listings("cs.AI", ON)
    assert listed == listings
    assert storage.papers.get_papers(listing.arxiv_id for listing in listed) == papers


def test_every_string_comes_back_as_the_reason_of_an_announcement(
    storage: Storage, texts: list[str]
) -> None:
    """A reason may quote what a source said."""
    announcements = [
        Announcement(
            category="cs.AI",
            announced_on=ON + timedelta(days=number),
            state=AnnouncementState.PARTIAL,
            announced=1,
            stored=0,
            updated_at=NOW,
            reason=text,
        )
        for number, text in enumerate(texts)
    ]
    for announcement in announcements:
        assert storage.papers.put_announcement(announcement)

    last = ON + timedelta(days=len(texts))
    assert storage.papers.list_announcements("cs.AI", last=last) == announcements[::-1]


def test_every_string_comes_back_from_every_field_of_an_enrichment(
    storage: Storage, texts: list[str]
) -> None:
    """A model says what it likes."""
    enrichments = [
        Enrichment(
            arxiv_id=f"2604.{number:05}",
            language="zh",
            state=EnrichmentState.OK,
            text_hash="a" * 16,
            model=text,
            prompt_version="1",
            updated_at=NOW,
            title=text,
            abstract=text,
            tldr=text,
            reason=text,
        )
        for number, text in enumerate(texts)
    ]
    for enrichment in enrichments:
        assert storage.papers.put_enrichment(enrichment)

    found = storage.papers.get_enrichments((e.arxiv_id for e in enrichments), ["zh"])
    assert found == {e.arxiv_id: {"zh": e} for e in enrichments}


def test_every_string_goes_from_a_feed_into_the_table(
    storage: Storage, texts: list[str], tmp_path: Path
) -> None:
    """What the reader tells of an announced paper is what stands in the table."""
    writable = [text for text in texts if not UNWRITABLE.search(text)]
    items = [
        Item(
            arxiv_id=f"2604.{number:05}",
            title=text,
            abstract=text,
            creator=text,
            doi=text,
            journal_ref=text,
        )
        for number, text in enumerate(writable)
    ]
    feed = tmp_path / "feed.xml"
    feed.write_bytes(rss(items))

    collect(
        FolderSource(tmp_path),
        papers=storage.papers,
        queue=storage.queue,
        taxonomy=data.taxonomy(),
        calendar=data.calendar(),
        categories=["cs.AI"],
        languages=["zh"],
        now=NOW,
    )

    told = {item.arxiv_id: item for item in read_feed(feed.read_bytes(), source="feed").items}
    stored = storage.papers.get_papers(told)
    fields = ("title", "abstract", "authors", "categories", "licence", "doi", "journal_ref")
    assert {i: [getattr(paper, name) for name in fields] for i, paper in stored.items()} == {
        i: [getattr(item, name) for name in fields] for i, item in told.items()
    }
    assert len(stored) == len(writable) == len(texts) - 4
    # XML makes every end of a line a line feed: https://www.w3.org/TR/xml/#sec-line-ends
    ends = [re.sub("\r\n?", "\n", text).strip() for text in writable]
    assert [stored[item.arxiv_id].title for item in items] == [readable(text) for text in ends]
