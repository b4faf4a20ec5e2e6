"""Days that were missed: found by the calendar, filled from what arXiv tells of its past."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from paperpost.domain.announcements import (
    Announcement,
    AnnouncementState,
    Calendar,
    eastern_date,
)
from paperpost.domain.errors import DamagedError, FeedError
from paperpost.fetch.history import History, days, submissions_of
from paperpost.fetch.store import store_day
from paperpost.fetch.told import Told, with_listings
from paperpost.storage.papers import PaperTable
from paperpost.storage.queues import Queue

# How far back a poll looks for missed days, and how many of a category it fills at most.
HEALED_DAYS = 14
MOST_AT_ONCE = 10
# From so many days back on, replacements are no longer looked for: finding them means to follow
# all that changed since.
_LONG_AGO = timedelta(days=45)
# The API's index has been days behind; what it does not show yet must not count as nothing.
_INDEX_LAG = timedelta(days=3)
# A feed that could be read and had nothing new may mean that arXiv put its mailing off: its papers
# then come with the next batch. Once so many more batches were due, the feed is not waited for.
_MOST_WAITED_FOR = 2
_DAY = timedelta(days=1)
BACKFILLED = "backfilled"
_NOTHING_NEW = frozenset({AnnouncementState.WAITING, AnnouncementState.STALLED})


class Past(Protocol):
    """Who knows when versions came in. All raise FeedError."""

    def harvested(self, category: str, since: datetime) -> list[History]:
        """All papers that changed since then, with all their versions."""

    def changed(self, category: str, since: datetime) -> list[History]:
        """Papers whose newest version came in since then, without versions in between."""

    def submitted(self, category: str, since: datetime, until: datetime) -> list[History]:
        """Papers whose first version came in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Healed:
    """What was filled: days and papers; `left`: days that are still missing."""

    days: int
    papers: int
    left: int
    problems: tuple[FeedError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Healer:
    """Fills missed days. *has_time*: whether there is time for one more day."""

    past: Past
    papers: PaperTable
    queue: Queue
    calendar: Calendar
    languages: Sequence[str]
    now: datetime
    has_time: Callable[[], bool]

    def heal(self, categories: Sequence[str]) -> Healed:
        """Fill what the last days lack."""
        today = eastern_date(self.now)
        missed = {category: self._gaps(category, today) for category in categories}
        found, problems = list[int](), list[FeedError]()
        room = MOST_AT_ONCE
        for category, gaps in missed.items():
            chosen = gaps[:room]
            if not chosen or not self.has_time():
                continue
            try:
                filled = self._fill(category, chosen, queue=self.queue)
            except FeedError as exc:
                problems.append(exc)
            else:
                room -= len(filled)
                found += filled
        return Healed(
            days=len(found),
            papers=sum(found),
            left=sum(map(len, missed.values())) - len(found),
            problems=tuple(problems),
        )

    def backfill(self, category: str, first: date, last: date) -> Healed:
        """
        Fill the due days from *first* to *last* that are not complete.

        Nothing is queued for enrichment: its sweep takes what is recent enough.

        Raises: FeedError: If neither OAI-PMH nor the API answers.
        """
        wanted = [first + n * _DAY for n in range((last - first).days + 1)]
        stored = {a.announced_on: a for a in self.papers.list_announcements(category, last=last)}
        gaps = [on for on in wanted if self._is_gap(on, stored)]
        filled = self._fill(category, gaps, queue=None) if gaps else []
        return Healed(days=len(filled), papers=sum(filled), left=len(gaps) - len(filled))

    def _gaps(self, category: str, today: date) -> list[date]:
        """
        Due dates that lack something; before the first poll nothing was due.

        *today* is one of them only when its batch has come and some of it could not be read.
        """
        known = self.papers.list_announcements(category, last=today, limit=3 * HEALED_DAYS)
        if not known:
            return []
        stored = {a.announced_on: a for a in known}
        first = max(min(stored), today - HEALED_DAYS * _DAY)
        wanted = [first + n * _DAY for n in range((today - first).days)]
        if today in stored and stored[today].state is AnnouncementState.PARTIAL:
            wanted.append(today)
        return [on for on in wanted if self._is_gap(on, stored) and not self._may_come(on, stored)]

    def _may_come(self, on: date, stored: Mapping[date, Announcement]) -> bool:
        """Whether what was due on *on* may still be announced, with the next batch."""
        found = stored.get(on)
        if found is None or found.state not in _NOTHING_NEW:
            return False
        today = eastern_date(self.now)
        later = [on + n * _DAY for n in range(1, (today - on).days + 1)]
        due = [day for day in later if not self.calendar.quiet_reason(day)]
        has_come = any(day in stored and stored[day].stored for day in later)
        return not has_come and len(due) < _MOST_WAITED_FOR

    def _is_gap(self, on: date, stored: Mapping[date, Announcement]) -> bool:
        if self.calendar.quiet_reason(on):
            return False
        found = stored.get(on)
        return found is None or not found.state.is_settled

    def _fill(self, category: str, gaps: Sequence[date], *, queue: Queue | None) -> list[int]:
        """Store what must have been announced on *gaps*; return how many papers each day had."""
        histories, reason = self._histories(category, gaps[0], gaps[-1])
        told = Told(category=category, papers=self.papers, calendar=self.calendar, now=self.now)
        also = told.announced_later(histories, gaps)
        found = list[int]()
        for day in days(
            histories,
            categories=[category],
            calendar=self.calendar,
            first=gaps[0],
            last=gaps[-1],
            now=self.now,
        ):
            if day.announced_on not in gaps:
                continue
            if not self.has_time():
                break
            corrected = told.corrected(with_listings(day, also.get(day.announced_on, ())))
            store_day(
                corrected,
                papers=self.papers,
                queue=queue,
                languages=self.languages,
                now=self.now,
                reason=reason,
            )
            found.append(len(corrected.papers))
        return found

    def _histories(self, category: str, first: date, last: date) -> tuple[Sequence[History], str]:
        """
        What came in for these days, and how it came to us.

        OAI-PMH is asked first: it alone tells every version's date, so that a replacement which
        was replaced again is not lost. The API stands in when it does not answer.
        """
        since, _ = submissions_of(first, self.calendar)
        _, until = submissions_of(last, self.calendar)
        if eastern_date(self.now) - last > _LONG_AGO:
            told = self.past.submitted(category, since, until)
            return told, f"{BACKFILLED} without replacements"
        try:
            harvested = self.past.harvested(category, since)
        except FeedError:
            harvested = []
        if harvested:
            return harvested, BACKFILLED
        # Nothing at all since then is as doubtful as no answer.
        changed = self.past.changed(category, since)
        is_behind = not any(max(h.versions.values()) >= until for h in changed)
        if is_behind and eastern_date(self.now) - last < _INDEX_LAG:
            raise DamagedError(category, f"the API's index does not reach beyond {last} yet")
        told = [*changed, *self.past.submitted(category, since, until)]
        lacks = any(_may_lack(history, since, until) for history in told)
        return told, BACKFILLED + (" without some replacements" if lacks else "")


def _may_lack(history: History, since: datetime, until: datetime) -> bool:
    """Whether a version that is not known may have come in from *since* to *until*."""
    first, last = min(history.versions.values()), max(history.versions.values())
    is_whole = len(history.versions) == max(history.versions)
    return not is_whole and first < until and last >= since
