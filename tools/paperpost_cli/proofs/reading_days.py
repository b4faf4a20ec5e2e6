"""Recorded days as records: real papers, each beside a real translation of some other paper."""

import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.enrichments import Enrichment, EnrichmentState, text_hash
from paperpost.domain.papers import AnnounceType, Author, Listing, Paper
from paperpost.domain.records import Record
from paperpost.publish.days import Day, make_day
from paperpost_cli.laptop import ROOT
from paperpost_cli.proofs.proof import ProofError

_DATA = ROOT.parent / "shared" / "data"
_SERIES = _DATA / "arxiv-rss" / "daily-series"
_TRANSLATIONS = _DATA / "papers" / "papers-2000.jsonl.gz"
CATEGORY = "cs.CV"


def recorded_days() -> list[Day]:
    """
    The days of the recorded series that have papers, the heaviest first.

    The translations are real in length and wording, though not of the papers they stand beside.
    Raises: ProofError: If the recorded data is not here.
    """
    if not _SERIES.exists() or not _TRANSLATIONS.exists():
        raise ProofError("the recorded days (../shared/data) are not here")
    translations = list(_lines(_TRANSLATIONS))
    days = [
        _day(json.loads(gzip.decompress(path.read_bytes())), translations)
        for path in sorted(_SERIES.glob("*.json.gz"))
    ]
    return sorted((day for day in days if day.records), key=lambda day: -len(day.records))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _day(told: Mapping[str, Any], translations: list[dict[str, Any]]) -> Day:
    on = date.fromisoformat(told["date"])
    at = datetime.combine(on, time(4, 25), UTC)
    records = [
        _record(one, translations[n % len(translations)], at)
        for n, one in enumerate(told["papers"])
    ]
    announcement = Announcement(
        category=CATEGORY,
        announced_on=on,
        state=AnnouncementState.COMPLETE,
        announced=len(records),
        stored=len(records),
        updated_at=at,
        completed_at=at,
    )
    return make_day(announcement, records)


def _record(one: Mapping[str, Any], translated: Mapping[str, Any], at: datetime) -> Record:
    paper = Paper(
        arxiv_id=one["arxiv_id"],
        version=1,
        title=one["title"],
        abstract=one["abstract"],
        authors=tuple(Author(name=name) for name in one["authors"]),
        categories=tuple(one["categories"]),
    )
    listing = Listing(
        category=CATEGORY,
        announced_on=at.date(),
        arxiv_id=paper.arxiv_id,
        version=1,
        announce_type=AnnounceType(one["announce_type"]),
        stored_at=at,
    )
    enrichment = Enrichment(
        arxiv_id=paper.arxiv_id,
        language="zh",
        state=EnrichmentState.OK,
        text_hash=text_hash(paper),
        model="recorded",
        prompt_version="1",
        updated_at=at,
        title=translated["translated_title"],
        abstract=translated["translated_abstract"],
        tldr=translated["tldr"],
    )
    return Record(paper=paper, listing=listing, enrichments={"zh": enrichment})
