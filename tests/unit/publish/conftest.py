"""Feeds of a few invented papers, and of hostile text."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from paperpost.data import calendar, taxonomy
from paperpost.domain.receipts import Receipt
from paperpost.domain.records import Record
from paperpost.publish.entries import feed_days
from paperpost.publish.feedmeta import about
from paperpost.publish.feeds import FeedFiles, category_metas, feed_files
from paperpost.publish.pages import SiteFacts
from support.records import DAY, hostile_record

MakeFeeds = Callable[[Sequence[Record]], FeedFiles]


@pytest.fixture
def make_feeds() -> MakeFeeds:
    """All feed files of cs.CV for some records."""

    def made(records: Sequence[Record]) -> FeedFiles:
        said = about(
            DAY,
            receipt=Receipt(announced=2, stored=2, enriched=1, pending=1),
            next_at=datetime.fromisoformat("2026-04-22T12:20+08:00"),
        )
        metas = category_metas(
            taxonomy().categories["cs.CV"], site_url="https://paperpost.example", said=said
        )
        return feed_files(feed_days(records), metas, contact_mail="help@paperpost.example")

    return made


@pytest.fixture
def facts() -> SiteFacts:
    """The facts of a site with mail."""
    return SiteFacts(
        site_url="https://paperpost.example",
        contact_mail="help@paperpost.example",
        mail=True,
        languages=("zh", "en"),
        calendar=calendar(),
    )


@pytest.fixture(scope="session")
def hostile(shared_data: Path) -> list[Record]:
    """A record for each hostile string, which stands in every field that takes text."""
    lines = (shared_data / "hostile" / "hostile.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    return [hostile_record(n, text) for n, text in enumerate(texts, 1)]
