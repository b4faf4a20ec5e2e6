"""Days that were missed: found by the calendar, filled from what arXiv tells of its past."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from paperpost.domain.announcements import EASTERN, LATE, Calendar, eastern_date
from paperpost.domain.errors import DamagedError, FeedError
from paperpost.fetch.gaps import HEALED_DAYS, Known
from paperpost.fetch.history import History, announced_on, days, submissions_of
from paperpost.fetch.store import store_day
from paperpost.fetch.told import Told, with_listings
from paperpost.storage.papers import PaperTable
from paperpost.storage.queues import Queue

MOST_AT_ONCE = 10  # days that a poll fills at most
# Further back, replacements are no longer looked for: finding them means to follow all that
# changed since.
_LONG_AGO = timedelta(days=HEALED_DAYS)
# An API that finds nothing at all in so long before a day does not answer for the day either.
_AROUND = timedelta(days=30)
# The API's index has been days behind; what it does not show yet must not count as nothing.
_INDEX_LAG = timedelta(days=3)
_DAY = timedelta(days=1)
BACKFILLED = "backfilled"


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
        known = {category: self._known(category, last=today) for category in categories}
        missed = {category: known[category].gaps(self.now) for category in categories}
        found, problems = list[int](), list[FeedError]()
        room = MOST_AT_ONCE
        for category, gaps in missed.items():
            chosen = gaps[:room]
            if not chosen or not self.has_time():
                continue
            try:
                filled = self._fill(known[category], chosen, queue=self.queue)
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
        known = self._known(category, last=last, limit=None)
        wanted = [first + n * _DAY for n in range((last - first).days + 1)]
        gaps = [on for on in wanted if known.is_gap(on)]
        filled = self._fill(known, gaps, queue=None) if gaps else []
        return Healed(days=len(filled), papers=sum(filled), left=len(gaps) - len(filled))

    def _known(self, category: str, *, last: date, limit: int | None = 2 * HEALED_DAYS) -> Known:
        stored = self.papers.list_announcements(category, last=last, limit=limit)
        return Known(
            category=category,
            stored={announcement.announced_on: announcement for announcement in stored},
            calendar=self.calendar.as_told(stored),
        )

    def _fill(self, known: Known, gaps: Sequence[date], *, queue: Queue | None) -> list[int]:
        """Store what must have been announced on *gaps*; return how many papers each day had."""
        category = known.category
        histories, reason, gaps = self._histories(known, gaps)
        told = Told(category=category, papers=self.papers, calendar=known.calendar, now=self.now)
        also = told.announced_later(histories, gaps)
        found = list[int]()
        for day in days(
            histories,
            categories=[category],
            calendar=known.calendar,
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
                is_whole=reason == BACKFILLED and self._is_over(day.announced_on),
            )
            found.append(len(corrected.papers))
        return found

    def _is_over(self, on: date) -> bool:
        """Whether OAI-PMH, once it shows anything of *on*, surely shows all: hours have passed."""
        here = self.now.astimezone(EASTERN)
        return here.date() > on or here.time() >= LATE

    def _histories(
        self, known: Known, gaps: Sequence[date]
    ) -> tuple[Sequence[History], str, Sequence[date]]:
        """
        What came in for these days, how it came to us, and which of the days it reaches.

        OAI-PMH is asked first: it alone tells every version's date, so that a replacement which
        was replaced again is not lost. The API stands in when it does not answer.
        """
        category, calendar, first, last = known.category, known.calendar, gaps[0], gaps[-1]
        since, _ = submissions_of(first, calendar)
        _, until = submissions_of(last, calendar)
        if eastern_date(self.now) - last > _LONG_AGO:
            told = self.past.submitted(category, since, until)
            if not told and not self.past.submitted(category, since - _AROUND, until):
                raise DamagedError(category, f"the API knows of nothing around {first} to {last}")
            return told, f"{BACKFILLED} without replacements", gaps
        try:
            harvested = self.past.harvested(category, since)
        except FeedError:
            harvested = []
        if reached := [on for on in gaps if _reach(harvested, on, calendar)]:
            return harvested, BACKFILLED, reached
        # A list that ends before these days is as doubtful as no answer.
        changed = self.past.changed(category, since)
        is_behind = not any(max(h.versions.values()) >= until for h in changed)
        if is_behind and eastern_date(self.now) - last < _INDEX_LAG:
            raise DamagedError(category, f"the API's index does not reach beyond {last} yet")
        told = [*changed, *self.past.submitted(category, since, until)]
        lacks = any(_may_lack(history, since, until) for history in told)
        return told, BACKFILLED + (" without some replacements" if lacks else ""), gaps


def _reach(histories: Iterable[History], on: date, calendar: Calendar) -> bool:
    """Whether they tell of *on* or later: arXiv shows no version before it is announced."""
    return any(
        (history.changed_on is not None and history.changed_on > on)
        or announced_on(max(history.versions.values()), calendar) >= on
        for history in histories
    )


def _may_lack(history: History, since: datetime, until: datetime) -> bool:
    """Whether a version that is not known may have come in from *since* to *until*."""
    first, last = min(history.versions.values()), max(history.versions.values())
    is_whole = len(history.versions) == max(history.versions)
    return not is_whole and first < until and last >= since
