"""Days to look at: real papers beside real translations of other papers, as page and letter."""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from paperpost.data import calendar, taxonomy
from paperpost.deliver.letters import Imprint
from paperpost.deliver.preview import preview
from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.enrichments import Enrichment, EnrichmentState, text_hash
from paperpost.domain.issues import issue_of_records
from paperpost.domain.papers import AnnounceType, Author, Listing, Paper
from paperpost.domain.records import Record
from paperpost.domain.subscribers import Preferences
from paperpost.publish.days import Day, make_day
from paperpost.publish.pages import SiteFacts, day_page
from paperpost_cli.laptop import ROOT
from paperpost_cli.proofs.proof import ProofError

_DATA = ROOT.parent / "shared" / "data"
_SERIES = _DATA / "arxiv-rss" / "daily-series"
_TRANSLATIONS = _DATA / "papers" / "papers-2000.jsonl.gz"
CATEGORY = "cs.CV"
FACTS = SiteFacts(
    site_url="https://paperpost.example",
    contact_mail="help@paperpost.example",
    mail=True,
    languages=("zh",),
    calendar=calendar(),
)
IMPRINT = Imprint(
    site_url=FACTS.site_url, contact_mail=FACTS.contact_mail, postal_address="1 Sample Street"
)


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
    return day_of(
        _recorded(one, translations[n % len(translations)], on)
        for n, one in enumerate(told["papers"])
    )


def _recorded(one: Mapping[str, Any], translated: Mapping[str, Any], on: date) -> Record:
    return record_of(
        one["arxiv_id"],
        on=on,
        title=one["title"],
        abstract=one["abstract"],
        authors=one["authors"],
        categories=one["categories"],
        announce_type=one["announce_type"],
        zh=(
            translated["translated_title"],
            translated["translated_abstract"],
            translated["tldr"],
        ),
    )


def record_of(
    arxiv_id: str,
    *,
    on: date,
    title: str,
    abstract: str,
    authors: Sequence[str],
    zh: tuple[str, str, str],
    categories: Sequence[str] = (CATEGORY,),
    announce_type: str = "new",
) -> Record:
    """A paper of cs.CV. `zh`: its title, abstract and TL;DR in Chinese."""
    paper = Paper(
        arxiv_id=arxiv_id,
        version=1,
        title=title,
        abstract=abstract,
        authors=tuple(Author(name=name) for name in authors),
        categories=tuple(categories),
    )
    at = datetime.combine(on, time(4, 25), UTC)
    listing = Listing(
        category=CATEGORY,
        announced_on=on,
        arxiv_id=arxiv_id,
        version=1,
        announce_type=AnnounceType(announce_type),
        stored_at=at,
    )
    enrichment = Enrichment(
        arxiv_id=arxiv_id,
        language="zh",
        state=EnrichmentState.OK,
        text_hash=text_hash(paper),
        model="recorded",
        prompt_version="1",
        updated_at=at,
        title=zh[0],
        abstract=zh[1],
        tldr=zh[2],
    )
    return Record(paper=paper, listing=listing, enrichments={"zh": enrichment})


def day_of(records: Iterable[Record]) -> Day:
    """The complete announcement of *records*."""
    listed = list(records)
    on = listed[0].listing.announced_on if listed else date.min
    at = datetime.combine(on, time(4, 25), UTC)
    announcement = Announcement(
        category=CATEGORY,
        announced_on=on,
        state=AnnouncementState.COMPLETE,
        announced=len(listed),
        stored=len(listed),
        updated_at=at,
        completed_at=at,
    )
    return make_day(announcement, listed)


def page_of(day: Day, *, previous: date | None = None, following: date | None = None) -> bytes:
    """
    The day's page.

    Raises: ProofError: If a paper on it is in minimal form.
    """
    category = taxonomy().categories[CATEGORY]
    made = day_page(FACTS, category, day, previous=previous, following=following, has_feed=True)
    if made.minimal:
        raise ProofError(f"not rendered: {dict(made.minimal)}")
    return made.body


def letter_of(
    records: Sequence[Record],
    *,
    language: str = "both",
    length: str = "full",
    **wishes: Any,  # noqa: ANN401  more of the reader's preferences, by their names
) -> bytes:
    """The HTML of the letter of *records* for a reader of such preferences."""
    at = records[0].listing.stored_at
    raw = preview(
        issue_of_records(records, frozen_at=at),
        Preferences(categories=(CATEGORY,), language=language, length=length, **wishes),
        imprint=IMPRINT,
        sender="paperpost@paperpost.example",
        now=at,
    )
    part = message_from_bytes(raw, policy=policy.default).get_body(("html",))
    if part is None:
        raise ProofError("a letter without HTML")
    return str(part.get_content()).encode()
