"""Which days were missed: the calendar, corrected by what came, beside what is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from paperpost.domain.announcements import (
    EASTERN,
    LATE,
    Announcement,
    AnnouncementState,
    Calendar,
    eastern_date,
)

# How far back a poll looks for missed days: as far as their replacements can still be found.
HEALED_DAYS = 45
# A feed that could be read and had nothing new may mean that arXiv put its mailing off: its papers
# then come with the next batch. Once so many more batches were due, the feed is not waited for.
_MOST_WAITED_FOR = 2
_NOTHING_NEW = frozenset({AnnouncementState.WAITING, AnnouncementState.STALLED})
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is stored of a category, and the calendar as that corrects it."""

    category: str
    stored: Mapping[date, Announcement]
    calendar: Calendar

    def is_gap(self, on: date) -> bool:
        """Whether something was due on *on*, and is not all here."""
        state = self._state(on)
        return not self.calendar.quiet_reason(on) and not (state and state.is_settled)

    def gaps(self, now: datetime) -> list[date]:
        """
        The last due dates that lack something; before the first poll nothing was due.

        Today is one of them only when its batch has come and some of it could not be read. While
        it may still come, nothing is: a paper that was held back is in it, and history cannot tell
        such a paper from one of the missed day.
        """
        today = eastern_date(now)
        if not self.stored or self._comes_soon(now):
            return []
        first = max(min(self.stored), today - HEALED_DAYS * _DAY)
        wanted = [first + n * _DAY for n in range((today - first).days)]
        if self._state(today) is AnnouncementState.PARTIAL:
            wanted.append(today)
        return [on for on in wanted if self.is_gap(on) and not self._may_come(on, today)]

    def _state(self, on: date) -> AnnouncementState | None:
        found = self.stored.get(on)
        return found.state if found else None

    def _comes_soon(self, now: datetime) -> bool:
        """Whether today's batch is still to come, and not late yet."""
        today = eastern_date(now)
        state = self._state(today)
        has_come = state is not None and (state.is_settled or state.has_begun)
        is_due = not self.calendar.quiet_reason(today) and not has_come
        return is_due and now.astimezone(EASTERN).time() < LATE

    def _may_come(self, on: date, today: date) -> bool:
        """Whether what was due on *on* may still be announced, with the next batch."""
        if self._state(on) not in _NOTHING_NEW:
            return False
        later = [on + n * _DAY for n in range(1, (today - on).days + 1)]
        due = [day for day in later if not self.calendar.quiet_reason(day)]
        has_come = any(day in self.stored and self.stored[day].stored for day in later)
        return not has_come and len(due) < _MOST_WAITED_FOR
