"""Announcements: what arXiv announced in one category on one Eastern date, and its state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from paperpost.domain.papers import AnnounceType

EASTERN = ZoneInfo("America/New_York")

# The announcement feed is filled soon after midnight Eastern time, Monday to Friday, and empty at
# the weekend. Source: https://info.arxiv.org/help/availability.html, read 2026-11-23.
FEED_READY = time(0, 20)
# Eastern time from which a batch that has not come is late: four hours after it was due.
LATE = time(4, 0)
_LAST_WEEKDAY = 4


class AnnouncementState(StrEnum):
    """How far an announcement has come; fetch alone sets it."""

    WAITING = "waiting"
    PARTIAL = "partial"
    COMPLETE = "complete"
    QUIET = "quiet"
    STALLED = "stalled"
    FAILED = "failed"

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is waited for."""
        return self in {AnnouncementState.COMPLETE, AnnouncementState.QUIET}

    @property
    def has_begun(self) -> bool:
        """Whether a batch has come, be it empty in this category."""
        return self in {AnnouncementState.COMPLETE, AnnouncementState.PARTIAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One category on one Eastern date: items announced, items stored, and the state of both."""

    category: str
    announced_on: date
    state: AnnouncementState
    announced: int
    stored: int
    updated_at: datetime
    completed_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The days on which arXiv announces nothing although they are weekdays: date → reason."""

    holidays: Mapping[date, str] = field(default_factory=dict)

    @property
    def until(self) -> date | None:
        """The end of the last year of which holidays are known, None for an empty calendar."""
        return max(self.holidays).replace(month=12, day=31) if self.holidays else None

    def quiet_reason(self, on: date) -> str:
        """Why no batch is due on the Eastern date *on*: `weekend`, the holiday's name, or ''."""
        if on.weekday() > _LAST_WEEKDAY:
            return "weekend"
        return self.holidays.get(on, "")

    def holiday_before(self, on: date) -> date | None:
        """
        The holiday, if one stands between *on* and the last due day before it.

        arXiv does not say whether a holiday empties the feed of its own date or, since mailings go
        out in the evening, that of the next due day: a batch on the holiday tells.
        """
        before = on - timedelta(days=1)
        while before.weekday() > _LAST_WEEKDAY:
            before -= timedelta(days=1)
        return before if before in self.holidays else None

    def as_told(self, announcements: Iterable[Announcement]) -> "Calendar":
        """The same corrected by what came: a batch on a holiday, none on the due day behind it."""
        holidays = dict(self.holidays)
        for told in announcements:
            if told.state.has_begun:
                holidays.pop(told.announced_on, None)
            elif told.state is AnnouncementState.QUIET:
                holidays.setdefault(told.announced_on, told.reason)
        return Calendar(holidays=holidays)

    def next_announcement(self, now: datetime) -> datetime:
        """The next moment (UTC) after *now* at which a new batch can be in the feed."""
        on = eastern_date(now)
        while True:
            ready = datetime.combine(on, FEED_READY, EASTERN).astimezone(UTC)
            if ready > now and not self.quiet_reason(on):
                return ready
            on += timedelta(days=1)


def eastern_date(at: datetime) -> date:
    """The Eastern calendar date at the aware time *at*."""
    if at.tzinfo is None:
        raise ValueError("a time without zone has no Eastern date")
    return at.astimezone(EASTERN).date()


def type_in_category(announced_as: AnnounceType, *, primary: str, category: str) -> AnnounceType:
    """
    Return the announce type of a paper in one *category*, whatever feed it was read from.

    A combined feed's type is relative to the union of its categories: `new` there is a cross-list
    in every category but the primary. `cross` of a paper whose primary is in the union tells that a
    category was added later, not which one; it is new in none.
    Source: arXiv/arxiv-feed on GitHub, feed/database.py, read 2026-11-25.
    """
    if announced_as.is_replacement:
        return AnnounceType.REPLACE if primary == category else AnnounceType.REPLACE_CROSS
    is_new = announced_as is AnnounceType.NEW and primary == category
    return AnnounceType.NEW if is_new else AnnounceType.CROSS
