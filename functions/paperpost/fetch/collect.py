"""One poll: read and judge every feed, store what it announces, say what is missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Protocol

from paperpost.domain.announcements import (
    EASTERN,
    FEED_READY,
    AnnouncementState,
    Calendar,
    eastern_date,
)
from paperpost.domain.categories import Taxonomy
from paperpost.domain.errors import FeedError
from paperpost.domain.papers import Paper
from paperpost.fetch.feeds import AnnouncementFeed, read_feed
from paperpost.fetch.sightings import Day, covered, days
from paperpost.fetch.store import put_unless_begun, store_day
from paperpost.storage.items import chunks
from paperpost.storage.papers import PaperTable
from paperpost.storage.queues import Queue

# Eastern time from which a batch that has not come is late: four hours after it was due.
_LATE = time(4, 0)
# What the API tells is stored after so many papers: it may take longer than a poll can.
_ASKED_AT_ONCE = 100


class Source(Protocol):
    """Where feeds come from."""

    @property
    def is_replay(self) -> bool:
        """Whether the feeds are recorded: then one that cannot be believed stops the poll."""

    def requests(self, categories: Sequence[str]) -> list[str]:
        """What to read for *categories*."""

    def read(self, request: str) -> bytes:
        """The bytes of one of these. Raises: FeedError."""


class Metadata(Protocol):
    """Who knows more of a paper than the feed."""

    def completed(self, papers: Sequence[Paper]) -> Iterable[Paper]:
        """Those papers of which there is more to tell, with it; it never fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """
    What a poll did. `incomplete`: papers for which the API has told nothing yet, None if not asked.

    `problems`: feeds that could not be believed or were due and did not come.
    """

    feeds: int
    papers: int
    listings: int
    queued: int
    partial: int
    incomplete: int | None
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
    metadata: Metadata | None = None,
) -> Polled:
    """
    Store what the feeds of *source* announce in *categories* (canonical codes).

    In a replay everything is judged before anything is stored. Otherwise a category whose feed is
    bad or late does not hold back the others: its announcement says so, and so does the result.

    Raises: FeedError: In a replay, for a file that cannot be believed; nothing was stored.
    """
    today = eastern_date(now)
    feeds, problems = _read(source, taxonomy, categories, today)
    if source.is_replay:
        _refuse_empty(feeds, calendar)
    announced = days(
        (feed for feed in feeds if feed.items), taxonomy=taxonomy, categories=categories, now=now
    )
    stored = [
        store_day(day, papers=papers, queue=queue, languages=languages, now=now)
        for day in announced
    ]
    note = _Notes(papers=papers, taxonomy=taxonomy, calendar=calendar, now=now)
    if source.is_replay:
        note.quiet_in_replay(feeds, announced, categories)
    else:
        problems += note.missing(feeds, announced, categories)
    incomplete = None
    if metadata is not None:
        incomplete = _complete(announced, papers=papers, metadata=metadata)
    return Polled(
        feeds=len(feeds),
        papers=sum(s.papers for s in stored),
        listings=sum(s.listings for s in stored),
        queued=sum(s.queued for s in stored),
        partial=sum(s.partial for s in stored),
        incomplete=incomplete,
        problems=tuple(problems),
    )


def _read(
    source: Source, taxonomy: Taxonomy, categories: Sequence[str], today: date
) -> tuple[list[AnnouncementFeed], list[FeedError]]:
    """The feeds that can be believed, and why others cannot; a replay raises the first why."""
    feeds, problems = list[AnnouncementFeed](), list[FeedError]()
    for request in source.requests(categories):
        try:
            feed = read_feed(source.read(request), source=request)
            asked_for = covered(feed, taxonomy, categories)
            if not source.is_replay:
                _refuse_other(feed, asked_for, today)
        except FeedError as exc:
            if source.is_replay:
                raise
            problems.append(exc)
        else:
            # A recorded file whose date the replay's clock has not reached is not announced yet.
            if feed.announced_on <= today:
                feeds.append(feed)
    return feeds, problems


def _refuse_other(feed: AnnouncementFeed, asked_for: Sequence[str], today: date) -> None:
    if not asked_for:
        raise FeedError(feed.source, f"the feed announces {', '.join(feed.names)[:80]} instead")
    if feed.announced_on > today:
        raise FeedError(feed.source, f"the feed is dated ahead of time: {feed.announced_on}")


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
        self, feeds: Sequence[AnnouncementFeed], stored: Sequence[Day], categories: Sequence[str]
    ) -> list[FeedError]:
        """Note what today brought no listing for, and return what was due and did not come."""
        today = eastern_date(self.now)
        came = {c for day in stored if day.announced_on == today for c in day.listings}
        reason = self.calendar.quiet_reason(today)
        problems = list[FeedError]()
        for category in (c for c in categories if c not in came):
            if reason:
                self._put(category, today, AnnouncementState.QUIET, reason)
            elif self._eastern_time() >= FEED_READY:
                problems += self._due(category, today, feeds)
        return problems

    def _due(
        self, category: str, today: date, feeds: Sequence[AnnouncementFeed]
    ) -> list[FeedError]:
        feed = next((f for f in feeds if category in covered(f, self.taxonomy, [category])), None)
        if feed is None:  # its own problem is told already
            self._put(category, today, AnnouncementState.FAILED, "the feed could not be read")
            return []
        late = self._eastern_time() >= _LATE
        problem = f"still the batch of {feed.announced_on}" if feed.items else "no item yet"
        state = self._put(
            category,
            today,
            AnnouncementState.STALLED if late else AnnouncementState.WAITING,
            problem,
        )
        if state is AnnouncementState.COMPLETE:
            return []
        return [FeedError(feed.source, f"{problem}, although a batch is due on {today}")]

    def _put(
        self, category: str, on: date, state: AnnouncementState, reason: str
    ) -> AnnouncementState:
        return put_unless_begun(category, on, state, reason, papers=self.papers, now=self.now)

    def _eastern_time(self) -> time:
        return self.now.astimezone(EASTERN).time()


def _complete(announced: Iterable[Day], *, papers: PaperTable, metadata: Metadata) -> int:
    """Add what the API knows to stored papers that lack it; return how many still lack it."""
    ids = [paper.arxiv_id for day in announced for paper in day.papers]
    lacking = [p for p in papers.get_papers(ids).values() if p.updated_at is None]
    left = len(lacking)
    for some in chunks(lacking, _ASKED_AT_ONCE):
        completed = list(metadata.completed(some))
        papers.put_papers(completed)
        left -= sum(paper.updated_at is not None for paper in completed)
    return left
