"""Old news under a new date: arXiv has served a past batch as today's, and only the ids show it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from paperpost.domain.papers import Listing
from paperpost.fetch.sightings import Day
from paperpost.storage.papers import PaperTable

# A feed may stay on an old batch for days, while its category is filled from elsewhere: so many
# announcements with papers are compared, among so many of the last (weekends and holidays too).
_COMPARED, _BACK = 5, 12
_FEW = 10


def without_stale(day: Day, *, papers: PaperTable) -> tuple[Day, frozenset[str]]:
    """
    *day* without categories whose papers are those of their announcements before, and these.

    A version is announced once in a category, so half of them coming again is no new batch.
    Source: ZJU-REAL/Polaris#414 on GitHub (cs.AI a batch behind, dated today), read 2026-11-23.
    """
    # A cross-list that was added to yesterday's paper is no sign: it is the same paper again.
    told = {
        category: [listing for listing in listings if listing.arxiv_id not in day.crossed]
        for category, listings in day.listings.items()
    }
    listed = [category for category, listings in told.items() if listings]
    judged = {
        category: _is_stale(category, day.announced_on, told[category], papers=papers)
        for category in listed
    }
    stale = frozenset(category for category, is_stale in judged.items() if is_stale)
    if stale and all(is_stale is not False for is_stale in judged.values()):
        # What nothing is known of came in the same old feed.
        stale = frozenset(judged)
    if not stale:
        return day, stale
    # What came empty in the same old feed says nothing of today either.
    empty = frozenset(told) - frozenset(listed)
    gone = stale | (empty if stale == frozenset(listed) else frozenset())
    kept = {c: listings for c, listings in day.listings.items() if c not in gone}
    ids = {listing.arxiv_id for listings in kept.values() for listing in listings}
    left = tuple(
        replace(
            paper,
            listed={c: first for c, first in paper.listed.items() if c in kept},
            replaced={c: dates for c, dates in paper.replaced.items() if c in kept},
        )
        for paper in day.papers
        if paper.arxiv_id in ids
    )
    return replace(day, papers=left, listings=kept), gone


def _is_stale(
    category: str, on: date, listings: Sequence[Listing], *, papers: PaperTable
) -> bool | None:
    """Whether it is an old batch; None where nothing is known to compare it with."""
    begun = papers.get_announcement(category, on)
    if begun is not None and begun.stored:
        return False  # the batch of this date is known already
    before = papers.list_announcements(category, last=on - timedelta(days=1), limit=_BACK)
    known = {
        (listing.arxiv_id, listing.version)
        for announcement in [a for a in before if a.stored][:_COMPARED]
        for listing in papers.list_listings(category, announcement.announced_on)
    }
    if not known:
        return None
    told = {(li.arxiv_id, li.version) for li in listings}
    # Of a few, one may be a paper that a missed day was filled with too early.
    return told <= known if len(told) < _FEW else 2 * len(told & known) >= len(told)
