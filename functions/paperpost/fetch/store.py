"""Storing one day: papers, listings, announcements, then the queue, then the watermark."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.enrichments import is_current, text_hash
from paperpost.domain.papers import Listing, Paper, merge_papers
from paperpost.fetch.sightings import Day
from paperpost.storage.papers import PaperTable
from paperpost.storage.queues import Queue

NO_PAPERS = "no papers"  # a category may be quiet on a day of announcements
_BEGUN = frozenset({AnnouncementState.PARTIAL, AnnouncementState.COMPLETE})


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
) -> Stored:
    """
    Store what *day* tells and return what changed; the same day again changes and queues nothing.

    *empty* is the state of a category without a listing, *reason* how the day came to us if not by
    its feed. Without a *queue* enrichment is left to enrich's sweep.
    An error leaves what is stored so far; the next poll goes on there, and enrich's sweep queues
    what was stored but not queued.
    """
    known = papers.get_papers(paper.arxiv_id for paper in day.papers)
    day = _without_known(day, known)
    sightings = [_as_known(known.get(paper.arxiv_id), paper) for paper in day.papers]
    changed = papers.put_papers(sightings, known=known)
    written, settled = 0, list[str]()
    for category, listings in day.listings.items():
        written += _store_listings(category, day.announced_on, listings, papers=papers)
        if not listings and empty is AnnouncementState.QUIET:
            put_unless_begun(category, day.announced_on, empty, NO_PAPERS, papers=papers, now=now)
            settled.append(category)
        elif _announce(category, day, papers=papers, now=now, reason=reason):
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
    """Note an announcement without listings, unless listings of it are stored; return its state."""
    stored = papers.get_announcement(category, on)
    if stored is not None and stored.state in _BEGUN:
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


def _without_known(day: Day, known: Mapping[str, Paper]) -> Day:
    """
    *day* without `new` and `cross` in categories that have listed the paper on an earlier date.

    A category sees a paper for the first time once. A combined feed tells that a paper was added to
    a category, and names all of its categories.
    """

    def is_known(listing: Listing) -> bool:
        paper = known.get(listing.arxiv_id)
        first = paper.listed.get(listing.category) if paper else None
        return (
            not listing.announce_type.is_replacement
            and first is not None
            and first.announced_on < day.announced_on
        )

    kept = {c: tuple(li for li in some if not is_known(li)) for c, some in day.listings.items()}
    return replace(day, listings=kept)


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


def _announce(category: str, day: Day, *, papers: PaperTable, now: datetime, reason: str) -> bool:
    """
    Set the announcement by what is really stored, read back; return whether everything is.

    What earlier feeds of the date announced counts too: a feed that has lost items takes none away.
    """
    on, owed = day.announced_on, day.owed.get(category, 0)
    stored = {listing.arxiv_id for listing in papers.list_listings(category, on)}
    announced = stored | {listing.arxiv_id for listing in day.listings[category]}
    complete = stored == announced and not owed
    if owed:
        reason = f"{owed} of {len(announced) + owed} items cannot be read"
    elif not announced:
        reason = reason or NO_PAPERS
    before = papers.get_announcement(category, on)
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
