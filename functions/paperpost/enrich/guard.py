"""Whether a call to the provider may leave, and what came of it: the breaker and the day's caps."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from paperpost.domain.breaker import Breaker
from paperpost.domain.spending import Budget, Tokens, utc_day
from paperpost.observe import logger
from paperpost.storage.enrichnotes import EnrichNotes

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to ask; *probe* is the time until which the others wait for what a probe finds."""

    probe: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Shared by all workers through the table."""

    notes: EnrichNotes
    model: str
    budget: Budget
    now: datetime

    def permit(self) -> Permit | None:
        """Leave to ask the provider, or None while it is left alone."""
        breaker = self.notes.get_breaker(self.model)
        if breaker.until is None:
            return Permit()
        if breaker.is_open(self.now):
            return None
        probed = breaker.probed(self.now)
        return Permit(probed.until) if self.notes.put_breaker(self.model, probed) else None

    def failed(self, permit: Permit) -> bool:
        """Count a failure; whether the provider is left alone now."""
        breaker = self._change(lambda b: b.failed(self.now, probe=permit.probe))
        if breaker.is_open(self.now):
            logger.warning(
                "provider left alone",
                extra={"model": self.model, "until": str(breaker.until), "times": breaker.opened},
            )
        return breaker.is_open(self.now)

    def answered(self, permit: Permit) -> None:
        """The provider works: forget what failed before."""
        self._change(lambda b: b.succeeded(probe=permit.probe))

    def _change(self, change: Callable[[Breaker], Breaker]) -> Breaker:
        """Apply *change*; not at all after some lost races, since the winners told the same."""
        for _ in range(_ATTEMPTS):
            stored = self.notes.get_breaker(self.model)
            changed = change(stored)
            if changed == stored or self.notes.put_breaker(self.model, changed):
                return changed
        return self.notes.get_breaker(self.model)

    def reserve(self, worst: Tokens) -> bool:
        """Hold the worst case of a call; False if a cap of the UTC day has no room for it."""
        on = utc_day(self.now)
        if self.notes.reserve(on, worst, self.budget):
            return True
        self.notes.note_capped(on, self.now)
        return False

    def settle(self, worst: Tokens, real: Tokens) -> None:
        """What was held for the call becomes what it cost."""
        self.notes.settle(utc_day(self.now), worst, real, self.budget)
