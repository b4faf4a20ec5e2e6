"""Storing one day: listings, papers, announcements, then the queue, then the watermark."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from paperpost.domain.announcements import Announcement, AnnouncementState, type_in_category
from paperpost.domain.enrichments import is_current, text_hash
from paperpost.domain.papers import AnnounceType, Listing, Paper, listed_as, merge_papers
from paperpost.fetch.sightings import Day
from paperpost.storage.papers import PaperTable
from paperpost.storage.queues import Queue

NO_PAPERS = "no papers"  # a category may be quiet on a day of announcements


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What changed: papers and listings written, papers queued, and categories incomplete."""

    papers: int
    listings: int
    queued: int
    partial: int


def store_day(
    day: Day,
    *,
    papers: PaperTable,
    queue: Queue | None,
    languages: Sequence[str],
    now: datetime,
    empty: AnnouncementState = AnnouncementState.COMPLETE,
    reason: str = "",
    is_whole: bool = False,
) -> Stored:
    """
    Store what *day* tells and return what changed; the same day again changes and queues nothing.

    *empty* is the state of a category without a listing, *reason* how the day came to us if not by
    its feed, *is_whole* whether it then tells all that arXiv has of the day: items that a feed
    counted and nobody can read are no longer owed. Without a *queue* enrichment is left to enrich's
    sweep.
    An error leaves what is stored so far; the next poll goes on there, and enrich's sweep queues
    what was stored but not queued. A paper tells only of listings that are stored.
    """
    known = papers.get_papers(paper.arxiv_id for paper in day.papers)
    day = _as_announced(day, known, papers)
    written = sum(
        _store_listings(category, day.announced_on, listings, papers=papers)
        for category, listings in day.listings.items()
    )
    sightings = [_as_known(known.get(paper.arxiv_id), paper) for paper in day.papers]
    changed = papers.put_papers(sightings, known=known)
    settled = list[str]()
    for category, listings in day.listings.items():
        if not listings and empty is AnnouncementState.QUIET:
            put_unless_begun(category, day.announced_on, empty, NO_PAPERS, papers=papers, now=now)
            settled.append(category)
        elif _announce(category, day, papers=papers, now=now, reason=reason, is_whole=is_whole):
            settled.append(category)
    queued = 0
    if queue is not None:
        queued = queue.send(_messages(known, sightings, papers=papers, languages=languages))
    for category in settled:
        papers.put_watermark(category, day.announced_on)
    return Stored(
        papers=changed,
        listings=written,
        queued=queued,
        partial=len(day.listings) - len(settled),
    )


def put_unless_begun(
    category: str,
    on: date,
    state: AnnouncementState,
    reason: str,
    *,
    papers: PaperTable,
    now: datetime,
) -> AnnouncementState:
    """Note an announcement without listings unless more is known of it; return its state."""
    stored = papers.get_announcement(category, on)
    if stored is not None and (stored.state.is_settled or stored.state.has_begun):
        return stored.state
    papers.put_announcement(
        Announcement(
            category=category,
            announced_on=on,
            state=state,
            announced=0,
            stored=0,
            updated_at=now,
            reason=reason,
        )
    )
    return state


def _as_announced(day: Day, known: Mapping[str, Paper], papers: PaperTable) -> Day:
    """
    *day* as its categories see it: a paper is new, or a cross-list, in a category once.

    A combined feed tells that a paper was added to a category, and names all of its categories;
    a new version that came on the same day is told by the same item.
    Source: arXiv/arxiv-feed on GitHub (items are grouped by paper), read 2026-11-25.
    """
    listings = {
        category: tuple(
            told
            for listing in some
            if (told := _as_seen(listing, known.get(listing.arxiv_id), papers))
        )
        for category, some in day.listings.items()
    }
    mine = {paper.arxiv_id: replace(paper, listed={}, replaced={}) for paper in day.papers}
    for listing in (listing for some in listings.values() for listing in some):
        mine[listing.arxiv_id] = listed_as(mine[listing.arxiv_id], listing)
    return replace(day, papers=tuple(mine.values()), listings=listings)


def _as_seen(listing: Listing, known: Paper | None, papers: PaperTable) -> Listing | None:
    """*listing* where the paper was never listed, a replacement where it was, None if repeated."""
    category = listing.category
    first = known.listed.get(category) if known else None
    is_first = first is None or first.announced_on >= listing.announced_on
    if known is None or is_first or listing.announce_type.is_replacement:
        return listing
    # The paper may be known at a version that no feed has listed yet: days that were missed are
    # filled with what papers are now.
    versions = papers.listed_versions(known, category, before=listing.announced_on)
    if listing.version <= max(versions, default=1):
        return None
    told = type_in_category(AnnounceType.REPLACE, primary=known.primary, category=category)
    return replace(listing, announce_type=told)


def _as_known(known: Paper | None, seen: Paper) -> Paper:
    """*seen* without what the feed tells worse than the API has told of the same version."""
    if known is None or known.version != seen.version or known.updated_at is None:
        return seen
    return replace(
        seen,
        authors=known.authors,
        doi=known.doi or seen.doi,
        journal_ref=known.journal_ref or seen.journal_ref,
    )


def _store_listings(
    category: str, on: date, listings: Sequence[Listing], *, papers: PaperTable
) -> int:
    """Store the listings of papers that are not listed yet; a type, once told, stays."""
    stored = {listing.arxiv_id for listing in papers.list_listings(category, on)}
    return papers.put_listings(listing for listing in listings if listing.arxiv_id not in stored)


def _announce(
    category: str, day: Day, *, papers: PaperTable, now: datetime, reason: str, is_whole: bool
) -> bool:
    """
    Set the announcement by what is really stored, read back; return whether everything is.

    What earlier feeds of the date announced counts too: a feed that has lost items takes none away,
    also not those of which nothing but their number is known.
    """
    on, before = day.announced_on, papers.get_announcement(category, day.announced_on)
    stored = {listing.arxiv_id for listing in papers.list_listings(category, on)}
    announced = stored | {listing.arxiv_id for listing in day.listings[category]}
    told = before.announced if before and not is_whole else 0
    owed = max(day.owed.get(category, 0), told - len(announced))
    complete = stored == announced and not owed
    if owed:
        reason = f"{owed} of {len(announced) + owed} items cannot be read"
    elif not announced:
        reason = reason or NO_PAPERS
    papers.put_announcement(
        Announcement(
            category=category,
            announced_on=on,
            state=AnnouncementState.COMPLETE if complete else AnnouncementState.PARTIAL,
            announced=len(announced) + owed,
            stored=len(stored),
            updated_at=now,
            completed_at=((before and before.completed_at) or now) if complete else None,
            reason=reason,
        )
    )
    return complete


def _messages(
    known: Mapping[str, Paper],
    sightings: Sequence[Paper],
    *,
    papers: PaperTable,
    languages: Sequence[str],
) -> Iterator[dict[str, Any]]:
    """One message for each paper whose text is new and not enriched in every language."""
    changed = [
        merged
        for seen in sightings
        for before in [known.get(seen.arxiv_id)]
        for merged in [merge_papers(before, seen)]
        if before is None or text_hash(before) != text_hash(merged)
    ]
    enriched = papers.get_enrichments((paper.arxiv_id for paper in changed), languages)
    for paper in changed:
        has = enriched.get(paper.arxiv_id, {})
        wanted = [language for language in languages if not is_current(has.get(language), paper)]
        if wanted:
            yield {"arxiv_id": paper.arxiv_id, "languages": wanted}
