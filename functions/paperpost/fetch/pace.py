"""When the next request to arXiv may leave: three seconds apart, and not before it is asked."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from paperpost.domain.errors import FeedError, RateLimitedError
from paperpost.storage.fetchnotes import Waits

# arXiv asks for at most one request in three seconds over RSS, API and OAI-PMH together.
# Source: https://info.arxiv.org/help/api/tou.html, read 2026-11-23.
GAP = timedelta(seconds=3)
# What Retry-After may ask for and is still kept to: an answer must not silence us for days.
MOST_WAIT_S = 3600.0


class Pace:
    """
    Keeps requests apart, whatever endpoint they go to, and hosts unasked that want to be.

    *until*: when the last request must have left; None for no end. The gap is counted from the end
    of an answer, so that it holds at arXiv's side however long a request is on its way.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
        waits: Waits | None = None,
        until: datetime | None = None,
    ) -> None:
        waits = waits or Waits()
        self.now = now
        self._sleep, self._until = sleep, until
        self._asked_at = waits.asked_at
        self._hosts = dict(waits.hosts)

    @property
    def waits(self) -> Waits:
        """What the next fetcher has to keep to."""
        now = self.now()
        return Waits(
            asked_at=self._asked_at, hosts={h: at for h, at in self._hosts.items() if at > now}
        )

    def wait(self, url: str, host: str) -> None:
        """
        Return once *host* may be asked.

        Raises: FeedError: If that is after the end; at once, nothing is waited for.
        """
        now = self.now()
        ready = now
        if self._asked_at is not None:
            # A clock that was set back must not stop us longer than the gap.
            ready = max(ready, min(self._asked_at, now) + GAP)
        asked_to = self._hosts.get(host, now)
        if self._until is not None and max(ready, asked_to) > self._until:
            if asked_to > ready:
                raise RateLimitedError(url, f"{host} asked us to wait until {asked_to:%H:%M} UTC")
            raise FeedError(url, "not asked: no time is left in this run")
        left_s = (max(ready, asked_to) - now).total_seconds()
        if left_s > 0:
            self._sleep(left_s)
        self._asked_at = self.now()

    def done(self) -> None:
        """Note that the answer is here, or that none will come."""
        self._asked_at = self.now()

    def hold(self, host: str, seconds: float) -> None:
        """Leave *host* alone for so long, an hour at most."""
        at = self.now() + timedelta(seconds=min(seconds, MOST_WAIT_S))
        self._hosts[host] = max(at, self._hosts.get(host, at))

    def asked_to_wait_s(self, retry_after: str | None) -> float | None:
        """Seconds that a Retry-After header asks for, as a number or as a date; None without."""
        text = (retry_after or "").strip()
        if text.isascii() and text.isdecimal():
            return float(text[:9])
        try:
            at = parsedate_to_datetime(text)
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
            return max(0.0, (at - self.now()).total_seconds())
        except (ValueError, OverflowError):
            return None
