"""The circuit breaker: a provider that fails in a row is left alone, ever longer, then probed."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FAILURES = 5  # in a row, over all workers, until the provider is left alone
_FIRST_PAUSE = timedelta(minutes=5)
# Shorter than the time between two sweeps, so that each sweep's probe finds the pause over.
_LONGEST_PAUSE = timedelta(minutes=45)
# Enough for the longest pause; without a bound, the pause of a provider that is dead for two days
# would be more than a duration can hold.
_MOST_DOUBLINGS = 4
# So long a worker that probes has the provider for itself; longer than its function may run.
_PROBE = timedelta(minutes=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """
    What the workers know together of a provider.

    `until`: None while it is asked as usual; before that time nobody asks, from then on one worker
    may take the probe. `opened`: how often in a row. `version`: counts writes.
    """

    failures: int = 0
    opened: int = 0
    until: datetime | None = None
    version: int = 0

    def is_open(self, now: datetime) -> bool:
        """Whether nobody may ask now."""
        return self.until is not None and now < self.until

    def probed(self, now: datetime) -> "Breaker":
        """The same while one worker asks and the others wait for what it finds."""
        return replace(self, until=now + _PROBE)

    def failed(self, now: datetime, *, probe: datetime | None = None) -> "Breaker":
        """
        The breaker after a failure; *probe* is `until` of the probe that failed.

        One that began before the others left the provider alone changes nothing.
        """
        if self.until != probe:
            return self
        failures = self.failures + 1
        if probe is None and failures < FAILURES:
            return replace(self, failures=failures)
        doublings = min(self.opened, _MOST_DOUBLINGS)
        pause = min(_FIRST_PAUSE * 2**doublings, _LONGEST_PAUSE)
        return replace(self, failures=failures, opened=self.opened + 1, until=now + pause)

    def succeeded(self, *, probe: datetime | None = None) -> "Breaker":
        """The breaker after an answer, with the same meaning of *probe*."""
        return self if self.until != probe else Breaker(version=self.version)
