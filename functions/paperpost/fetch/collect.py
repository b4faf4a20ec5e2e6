"""One poll: read and judge every feed, store what it announces, say what is missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from paperpost.domain.announcements import (
    EASTERN,
    FEED_READY,
    LATE,
    Announcement,
    AnnouncementState,
    Calendar,
    eastern_date,
)
from paperpost.domain.categories import Taxonomy
from paperpost.domain.errors import FeedError
from paperpost.fetch.feeds import AnnouncementFeed
from paperpost.fetch.reading import Reading, read_all
from paperpost.fetch.sightings import Day, covered, days
from paperpost.fetch.sources import Source
from paperpost.fetch.staleness import without_stale
from paperpost.fetch.store import put_unless_begun, store_day
from paperpost.storage.papers import PaperTable
from paperpost.storage.queues import Queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """
    What a poll did. `ids`: the papers that are listed today, as far as they are known.

    `problems`: feeds that could not be believed or were due and did not come.
    """

    feeds: int
    papers: int
    listings: int
    queued: int
    partial: int
    ids: tuple[str, ...]
    problems: tuple[FeedError, ...]


def collect(
    source: Source,
    *,
    papers: PaperTable,
    queue: Queue,
    taxonomy: Taxonomy,
    calendar: Calendar,
    categories: Sequence[str],
    languages: Sequence[str],
    now: datetime,
) -> Polled:
    """
    Store what the feeds of *source* announce in *categories* (canonical codes).

    In a replay everything is judged before anything is stored. Otherwise a category whose feed is
    bad or late does not hold back the others, nor an item that cannot be read the rest of its feed:
    the announcement says so (a count of items owed keeps it partial), and so does the result.

    Raises: FeedError: In a replay, for a file that cannot be believed; nothing was stored.
    """
    today = eastern_date(now)
    settled = _Settled(papers, today)
    told = read_all(
        source,
        taxonomy=taxonomy,
        categories=categories,
        today=today,
        is_settled=settled,
        held=settled.held,
    )
    if source.is_replay:
        _refuse_empty(told.feeds, calendar)
    announced = days(
        (feed for feed in told.feeds if feed.items),
        taxonomy=taxonomy,
        categories=categories,
        now=now,
    )
    stale = frozenset[str]()
    if not source.is_replay:
        announced, stale = _without_stale(announced, today, papers)
    stored = [
        store_day(
            day,
            papers=papers,
            queue=queue,
            languages=languages,
            now=now,
            empty=AnnouncementState.QUIET if source.is_replay else AnnouncementState.COMPLETE,
        )
        for day in announced
    ]
    note = _Notes(papers=papers, taxonomy=taxonomy, calendar=calendar, now=now)
    problems = told.problems
    if source.is_replay:
        note.quiet_in_replay(told.feeds, announced, categories)
    else:
        problems += note.missing(told, announced, categories, stale=stale)
        settled.forget()
        # Last: a poll that broke off before must read all of it again.
        for request in told.whole:
            if all(map(settled, request.categories)):
                source.keep(request)
    ids = [paper.arxiv_id for day in announced for paper in day.papers]
    return Polled(
        feeds=len(told.feeds),
        papers=sum(s.papers for s in stored),
        listings=sum(s.listings for s in stored),
        queued=sum(s.queued for s in stored),
        partial=sum(s.partial for s in stored),
        ids=(*ids, *_listed(told.unchanged, today, papers)),
        problems=tuple(problems),
    )


class _Settled:
    """Whether nothing more is waited for in a category today; each is looked up once."""

    def __init__(self, papers: PaperTable, today: date) -> None:
        self._papers, self._today = papers, today
        self._known = dict[str, Announcement | None]()

    def __call__(self, category: str) -> bool:
        found = self._announcement(category)
        return found is not None and found.state.is_settled

    def held(self, category: str) -> int:
        found = self._announcement(category)
        return found.stored if found else 0

    def forget(self) -> None:
        self._known.clear()

    def _announcement(self, category: str) -> Announcement | None:
        if category not in self._known:
            self._known[category] = self._papers.get_announcement(category, self._today)
        return self._known[category]


def _without_stale(
    announced: Iterable[Day], today: date, papers: PaperTable
) -> tuple[list[Day], frozenset[str]]:
    """The days without old batches under a new date, and the categories that have one today."""
    kept, stale = list[Day](), frozenset[str]()
    for day in announced:
        fresh, gone = without_stale(day, papers=papers)
        if fresh.listings:
            kept.append(fresh)
        if day.announced_on == today:
            stale |= gone
    return kept, stale


def _refuse_empty(feeds: Iterable[AnnouncementFeed], calendar: Calendar) -> None:
    for feed in feeds:
        if not feed.items and not calendar.quiet_reason(feed.announced_on):
            problem = f"no item, although {feed.announced_on} is a day of announcements"
            raise FeedError(feed.source, problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notes:
    """Announcements without listings: nothing due, not here yet, not readable."""

    papers: PaperTable
    taxonomy: Taxonomy
    calendar: Calendar
    now: datetime

    def quiet_in_replay(
        self, feeds: Sequence[AnnouncementFeed], stored: Sequence[Day], categories: Sequence[str]
    ) -> None:
        """On each date of the files, note quiet for every category that none of them lists."""
        listed = {day.announced_on: day.listings.keys() for day in stored}
        for on in sorted({feed.announced_on for feed in feeds}):
            empty = [
                category
                for feed in feeds
                if feed.announced_on == on and not feed.items
                for category in covered(feed, self.taxonomy, categories)
            ]
            for category in categories:
                if category in listed.get(on, ()):
                    continue
                reason = self.calendar.quiet_reason(on) if category in empty else "replay"
                self._put(category, on, AnnouncementState.QUIET, reason)

    def missing(
        self,
        told: Reading,
        stored: Sequence[Day],
        categories: Sequence[str],
        *,
        stale: frozenset[str],
    ) -> list[FeedError]:
        """Note what today brought no listing for, and return what was due and did not come."""
        today = eastern_date(self.now)
        came = {c for day in stored if day.announced_on == today for c in day.listings}
        quiet = self.calendar.quiet_reason(today)
        empty = {
            c for f in told.feeds if not f.items for c in covered(f, self.taxonomy, categories)
        }
        problems = list[FeedError]()
        for category in (c for c in categories if c not in came | told.unchanged):
            if reason := quiet or (category in empty and self._holiday_passed_on(category, today)):
                self._put(category, today, AnnouncementState.QUIET, reason)
            elif self._eastern_time() >= FEED_READY:
                problems += self._due(category, today, told.feeds, is_stale=category in stale)
        return problems

    def _due(
        self, category: str, today: date, feeds: Sequence[AnnouncementFeed], *, is_stale: bool
    ) -> list[FeedError]:
        feed = next((f for f in feeds if category in covered(f, self.taxonomy, [category])), None)
        if feed is None:  # its own problem is told already
            self._put(category, today, AnnouncementState.FAILED, "the feed could not be read")
            return []
        state, problem = AnnouncementState.WAITING, "no item yet"
        if is_stale:
            state, problem = AnnouncementState.STALLED, "the batch before under the date of today"
        elif feed.items:
            problem = f"still the batch of {feed.announced_on}"
        if self._eastern_time() >= LATE:
            state = AnnouncementState.STALLED
        if self._put(category, today, state, problem) is AnnouncementState.COMPLETE:
            return []
        return [
            FeedError(feed.source, f"{category}: {problem}, although a batch is due on {today}")
        ]

    def _holiday_passed_on(self, category: str, today: date) -> str:
        """The holiday that empties the feed of *today*, since its own had a batch; '' if none."""
        holiday = self.calendar.holiday_before(today)
        found = self.papers.get_announcement(category, holiday) if holiday else None
        has_come = found and found.state.has_begun
        return self.calendar.holidays[found.announced_on] if found and has_come else ""

    def _put(
        self, category: str, on: date, state: AnnouncementState, reason: str
    ) -> AnnouncementState:
        return put_unless_begun(category, on, state, reason, papers=self.papers, now=self.now)

    def _eastern_time(self) -> time:
        return self.now.astimezone(EASTERN).time()


def _listed(categories: Iterable[str], on: date, papers: PaperTable) -> list[str]:
    return [li.arxiv_id for category in categories for li in papers.list_listings(category, on)]
