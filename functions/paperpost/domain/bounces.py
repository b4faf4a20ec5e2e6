"""Letters that bounced for now: some in a row of weeks pause a subscription, a few do nothing."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

# A full mailbox or a server that is down: five letters within a month are no accident.
MOST = 5
WITHIN = timedelta(days=30)
PAUSE = timedelta(days=30)
# As many are remembered as can matter: twice a month of daily letters.
_REMEMBERED = 60


def noted(bounces: Mapping[str, datetime], message_id: str, at: datetime) -> dict[str, datetime]:
    """
    *bounces* (message id → when it bounced, UTC) with one more, the newest of them.

    What comes back does not depend on the order of events, nor on how often they come.
    """
    known = {**bounces, message_id: min(at, bounces.get(message_id, at))}
    newest = sorted(known.items(), key=lambda bounce: (bounce[1], bounce[0]))[-_REMEMBERED:]
    return dict(newest)


def paused_until(bounces: Mapping[str, datetime]) -> date | None:
    """The (UTC) date on which mail may go out again because of *bounces*, None for no pause."""
    times = sorted(bounces.values())
    ends = [
        (last + PAUSE).astimezone(UTC).date()
        for first, last in zip(times, times[MOST - 1 :], strict=False)
        if last - first <= WITHIN
    ]
    return max(ends, default=None)
