"""Made-up papers, listings, announcements and issues for the tests of mail."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.enrichments import Enrichment, EnrichmentState, text_hash
from paperpost.domain.issues import FrozenIssue, Settled, freeze
from paperpost.domain.papers import AnnounceType, Author, FirstListing, Listing, Paper
from paperpost.domain.records import Record
from paperpost.domain.subscribers import Cadence
from paperpost.storage.papers import PaperTable

# A Tuesday; the freeze is half an hour after midnight in New York.
DAY = date(2024, 3, 26)
FROZEN_AT = datetime(2024, 3, 26, 4, 30, tzinfo=UTC)


def arxiv_id(number: int) -> str:
    """An id for paper *number*."""
    return f"2403.{number:05}"


def make_paper(
    number: int = 1,
    *,
    categories: tuple[str, ...] = ("cs.CV",),
    listed: Mapping[str, tuple[date, str]] | None = None,
    title: str = "",
    abstract: str = "We propose a method. It works well.",
    authors: Sequence[str] = ("Ada Lovelace", "Alan Turing"),
    withdrawn: bool = False,
    version: int = 1,
) -> Paper:
    """Paper *number*, announced nowhere unless *listed* says so."""
    return Paper(
        arxiv_id=arxiv_id(number),
        version=version,
        title=title or f"Paper number {number}",
        abstract=abstract,
        authors=tuple(Author(name=name) for name in authors),
        categories=categories,
        withdrawn=withdrawn,
        listed={
            category: FirstListing(announced_on=on, announce_type=AnnounceType(kind))
            for category, (on, kind) in (listed or {}).items()
        },
    )


def make_listing(
    number: int = 1, category: str = "cs.CV", on: date = DAY, kind: str = "new"
) -> Listing:
    """Paper *number* as *category* lists it on the date *on*."""
    return Listing(
        category=category,
        announced_on=on,
        arxiv_id=arxiv_id(number),
        version=1,
        announce_type=AnnounceType(kind),
        stored_at=FROZEN_AT - timedelta(minutes=20),
    )


def make_enrichment(
    paper: Paper,
    language: str = "zh",
    *,
    state: EnrichmentState = EnrichmentState.OK,
    tag: str = "",
) -> Enrichment:
    """An enrichment of the paper's present text."""
    chinese = language == "zh"
    return Enrichment(
        arxiv_id=paper.arxiv_id,
        language=language,
        state=state,
        text_hash=text_hash(paper),
        model="tiny-model",
        prompt_version="1",
        updated_at=FROZEN_AT,
        title=f"第 {tag or paper.arxiv_id} 篇论文的中文标题" if chinese else "",
        abstract="本文提出一种方法。它很有效。" if chinese else "",
        tldr="提出一种有效的方法。" if chinese else "A method that works.",
    )


def make_record(listing: Listing, paper: Paper, *, enriched: bool = True) -> Record:
    """A record in both languages, or in none."""
    enrichments = (
        {language: make_enrichment(paper, language) for language in ("zh", "en")}
        if enriched
        else {}
    )
    return Record(paper=paper, listing=listing, enrichments=enrichments)


def make_issue(
    listings: Sequence[Listing],
    papers: Sequence[Paper] | None = None,
    *,
    on: date = DAY,
    cadence: Cadence = Cadence.DAILY,
    earlier: Sequence[FrozenIssue] = (),
    settled: Sequence[Settled] = (),
    is_first: bool = False,
    frozen_at: datetime = FROZEN_AT,
    first_complete: Mapping[str, date | None] | None = None,
    enriched: bool = True,
) -> FrozenIssue:
    """The frozen issue of *listings*; unless told, every category began long ago."""
    known = {p.arxiv_id: p for p in papers or ()}
    for listing in listings:
        number = int(listing.arxiv_id.rpartition(".")[2])
        known.setdefault(listing.arxiv_id, make_paper(number))
    began = {listing.category: date(2024, 1, 2) for listing in listings}
    return freeze(
        cadence=cadence,
        on=on,
        listings=listings,
        papers=known,
        enrichments={
            i: {language: make_enrichment(p, language) for language in ("zh", "en")}
            for i, p in known.items()
        }
        if enriched
        else {},
        earlier=earlier,
        settled=settled,
        is_first=is_first,
        first_complete={**began, **(first_complete or {})},
        counts={},
        frozen_at=frozen_at,
        reason="ready",
    )


def make_announcement(
    category: str = "cs.CV",
    on: date = DAY,
    *,
    state: AnnouncementState = AnnouncementState.COMPLETE,
    stored: int = 1,
    announced: int | None = None,
    at: datetime | None = None,
) -> Announcement:
    """An announcement, complete 25 minutes after midnight Eastern time."""
    done = at or datetime(on.year, on.month, on.day, 4, 25, tzinfo=UTC)
    return Announcement(
        category=category,
        announced_on=on,
        state=state,
        announced=stored if announced is None else announced,
        stored=stored,
        updated_at=done,
        completed_at=done if state is AnnouncementState.COMPLETE else None,
    )


def store_day(
    table: PaperTable,
    listings: Sequence[Listing],
    *,
    papers: Sequence[Paper] = (),
    enriched: bool = True,
    at: datetime | None = None,
) -> None:
    """Store *listings* with their papers and complete announcements, as fetch and enrich do."""
    known = {p.arxiv_id: p for p in papers}
    for listing in listings:
        number = int(listing.arxiv_id.rpartition(".")[2])
        known.setdefault(listing.arxiv_id, make_paper(number))
    table.put_papers(known.values())
    table.put_listings(listings)
    for category, on in sorted({(x.category, x.announced_on) for x in listings}):
        count = sum((x.category, x.announced_on) == (category, on) for x in listings)
        table.put_announcement(make_announcement(category, on, stored=count, at=at))
    if enriched:
        for paper in known.values():
            for language in ("zh", "en"):
                table.put_enrichment(make_enrichment(paper, language))
