"""Less mail instead of none: what the unsubscribe page offers; nothing here can bring more."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta

from paperpost.domain.subscribers import Cadence, Preferences, Subscriber, SubscriberStatus

_PAUSE = timedelta(days=30)


def _pause(wanted: Preferences, today: date) -> Preferences:
    until = today + _PAUSE
    return replace(wanted, paused_until=max(until, wanted.paused_until or until))


# By the button's value. Each is harmless in the hands of whoever has an old mail's link.
LESS: Mapping[str, Callable[[Preferences, date], Preferences]] = {
    "weekly": lambda wanted, _today: replace(wanted, cadence=Cadence.WEEKLY),
    "brief": lambda wanted, _today: replace(wanted, length="brief"),
    "pause": _pause,
}


def less_offers(subscriber: Subscriber) -> tuple[str, ...]:
    """The values of LESS that would change something for *subscriber*."""
    wanted = subscriber.preferences
    if subscriber.status is not SubscriberStatus.CONFIRMED:
        return ()
    changes = {
        "weekly": wanted.cadence is not Cadence.WEEKLY,
        "brief": wanted.length != "brief",
        "pause": wanted.paused_until is None,
    }
    return tuple(name for name, is_change in changes.items() if is_change)
