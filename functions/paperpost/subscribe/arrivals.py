"""When a reader's next mail is expected, by their own clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from paperpost.domain.announcements import Calendar
from paperpost.domain.issues import due_at
from paperpost.domain.subscribers import Cadence, Preferences

# From the announcement to a frozen issue on most days: translations, and compose's next tick.
_READY_AFTER = timedelta(minutes=20)


def expected_arrival(wanted: Preferences, calendar: Calendar, *, now: datetime) -> datetime:
    """The expected moment of the next mail, in the reader's zone, holidays and a pause counted."""
    zone = ZoneInfo(wanted.zone)
    if wanted.paused_until is not None:
        resumes = datetime.combine(wanted.paused_until, time(0), zone).astimezone(UTC)
        now = max(now, resumes)
    ready = now
    if wanted.cadence is Cadence.DAILY:
        ready = calendar.next_announcement(now) + _READY_AFTER
    return due_at(wanted.cadence, ready, hour=wanted.hour, zone=wanted.zone).astimezone(zone)
