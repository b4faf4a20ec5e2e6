"""Papers, records and announcements for tests; every word in them is invented."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.enrichments import Enrichment, EnrichmentState, text_hash
from paperpost.domain.papers import AnnounceType, Author, FirstListing, Listing, Paper
from paperpost.domain.records import Record

DAY = date(2026, 4, 21)  # a Tuesday


def make_paper(
    arxiv_id: str = "2604.99001",
    *,
    version: int = 1,
    title: str = "A Made-Up Title",
    abstract: str = "We propose nothing. It works.",
    categories: tuple[str, ...] = ("cs.CV", "cs.LG"),
    authors: tuple[str, ...] = ("Ada Example", "Bo Sample"),
    withdrawn: bool = False,
    listed: dict[str, FirstListing] | None = None,
) -> Paper:
    """A paper that arXiv never saw."""
    return Paper(
        arxiv_id=arxiv_id,
        version=version,
        title=title,
        abstract=abstract,
        authors=tuple(Author(name=name) for name in authors),
        categories=categories,
        withdrawn=withdrawn,
        listed=listed or {},
    )


def make_listing(
    paper: Paper,
    *,
    category: str = "cs.CV",
    on: date = DAY,
    announce_type: AnnounceType = AnnounceType.NEW,
) -> Listing:
    """The paper in one announcement."""
    return Listing(
        category=category,
        announced_on=on,
        arxiv_id=paper.arxiv_id,
        version=paper.version,
        announce_type=announce_type,
        stored_at=stored_at(on),
    )


def make_enrichment(
    paper: Paper,
    language: str = "zh",
    *,
    state: EnrichmentState = EnrichmentState.OK,
    title: str = "虚构的标题",
    abstract: str = "本文什么也没有提出，但很有效。",
    tldr: str = "什么也没提出。",
    at: datetime | None = None,
) -> Enrichment:
    """A model's answer about the paper's present text."""
    return Enrichment(
        arxiv_id=paper.arxiv_id,
        language=language,
        state=state,
        text_hash=text_hash(paper),
        model="test-model",
        prompt_version="1",
        updated_at=at or stored_at(DAY) + timedelta(minutes=3),
        title=title if language == "zh" else "",
        abstract=abstract if language == "zh" else "",
        tldr=tldr if language == "zh" else "Nothing was proposed.",
    )


def make_record(
    arxiv_id: str = "2604.99001",
    *,
    on: date = DAY,
    announce_type: AnnounceType = AnnounceType.NEW,
    enriched: bool = True,
    paper: Paper | None = None,
) -> Record:
    """A record of cs.CV, with both languages if *enriched*."""
    shown = paper or make_paper(arxiv_id)
    enrichments = {lang: make_enrichment(shown, lang) for lang in ("zh", "en")} if enriched else {}
    return Record(
        paper=shown,
        listing=make_listing(shown, on=on, announce_type=announce_type),
        enrichments=enrichments,
    )


def hostile_record(number: int, text: str) -> Record:
    """A paper whose title, abstract, authors, comment and enrichments are all *text*."""
    paper = make_paper(f"2604.{90000 + number}", title=text, abstract=text, authors=(text, text))
    record = make_record(paper=paper)
    return replace(
        record,
        enrichments={
            language: replace(found, title=text, abstract=text, tldr=text, model=text)
            for language, found in record.enrichments.items()
        },
    )


def make_announcement(
    count: int,
    *,
    category: str = "cs.CV",
    on: date = DAY,
    state: AnnouncementState = AnnouncementState.COMPLETE,
    reason: str = "",
) -> Announcement:
    """An announcement of *count* papers, completed when they were stored."""
    return Announcement(
        category=category,
        announced_on=on,
        state=state,
        announced=count,
        stored=count,
        updated_at=stored_at(on),
        completed_at=stored_at(on) if state is AnnouncementState.COMPLETE else None,
        reason=reason,
    )


def stored_at(on: date) -> datetime:
    """Soon after midnight Eastern."""
    return datetime.combine(on, time(4, 25), UTC)
