"""The circuit breaker, as the workers' writes change it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from paperpost.domain.breaker import FAILURES, Breaker

NOW = datetime(2026, 4, 21, 5, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def failed(times: int) -> Breaker:
    """A breaker after failures in a row."""
    made = Breaker()
    for _ in range(times):
        made = made.failed(NOW)
    return made


def test_it_opens_with_the_fifth_failure_in_a_row() -> None:
    assert not failed(FAILURES - 1).is_open(NOW)
    assert failed(FAILURES).is_open(NOW)


def test_an_answer_forgets_the_failures_before() -> None:
    assert failed(FAILURES - 1).succeeded() == Breaker()


@pytest.mark.parametrize("change", [Breaker.succeeded, lambda b: b.failed(NOW)])
def test_who_asked_before_it_opened_changes_nothing_any_more(change: object) -> None:
    """Neither closes it nor makes the pause longer."""
    opened = failed(FAILURES)

    assert change(opened) == opened  # type: ignore[operator]  # both take a breaker


def test_each_probe_that_fails_makes_the_pause_longer_up_to_a_bound() -> None:
    """Shorter than the hour between two sweeps, each of which brings a probe."""
    breaker, now, pauses = failed(FAILURES), NOW, list[int]()
    for _ in range(6):
        assert breaker.until is not None
        pauses.append((breaker.until - now) // MINUTE)
        now = breaker.until
        probed = breaker.probed(now)
        breaker = probed.failed(now, probe=probed.until)

    assert pauses == [5, 10, 20, 40, 45, 45]


def test_a_provider_that_is_dead_for_months_is_probed_as_often_as_after_a_day() -> None:
    """However often the pause was to double: an exponent knows no bound, a duration does."""
    breaker, now = failed(FAILURES), NOW
    for _ in range(24 * 100):
        now = max(now, breaker.until or now)
        probed = breaker.probed(now)
        breaker = probed.failed(now, probe=probed.until)

    assert breaker.until == now + 45 * MINUTE
    assert breaker.opened == 24 * 100 + 1


def test_a_probe_that_is_answered_closes_it() -> None:
    probed = failed(FAILURES).probed(NOW + 5 * MINUTE)

    assert probed.is_open(NOW + 6 * MINUTE)
    assert probed.succeeded(probe=probed.until) == Breaker()


def test_a_probe_whose_worker_died_holds_the_others_back_for_minutes_alone() -> None:
    probed = failed(FAILURES).probed(NOW + 5 * MINUTE)

    assert not probed.is_open(NOW + 11 * MINUTE)


class Workers(RuleBasedStateMachine):
    """
    Workers that ask a provider which is alive or dead, in any order, while time passes.

    A call's outcome is told when it ends, possibly long after it began.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now, self.breaker = NOW, Breaker()
        self.running: list[tuple[datetime | None, bool]] = []  # probe, whether it will succeed
        self.failed_in_a_row = 0

    @rule(minutes=st.integers(0, 50))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(alive=st.booleans())
    def ask(self, alive: bool) -> None:  # noqa: FBT001  hypothesis passes it by name
        if self.breaker.until is None:
            self.running.append((None, alive))
        elif not self.breaker.is_open(self.now):
            self.breaker = self.breaker.probed(self.now)
            self.running.append((self.breaker.until, alive))

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def a_call_ends(self, data: st.DataObject) -> None:
        n = data.draw(st.integers(0, len(self.running) - 1))
        probe, alive = self.running.pop(n)
        if alive:
            self.breaker = self.breaker.succeeded(probe=probe)
        else:
            self.breaker = self.breaker.failed(self.now, probe=probe)

    @invariant()
    def nobody_waits_longer_than_the_bound(self) -> None:
        assert self.breaker.until is None or self.breaker.until <= self.now + 45 * MINUTE

    @invariant()
    def it_is_open_only_after_enough_failures(self) -> None:
        assert self.breaker.until is None or self.breaker.failures >= FAILURES

    @invariant()
    def a_living_provider_is_asked_again_after_one_pause(self) -> None:
        later = self.now + 45 * MINUTE
        probed = self.breaker.probed(later)
        assert not self.breaker.is_open(later)
        assert probed.succeeded(probe=probed.until).until is None


Workers.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestWorkers = Workers.TestCase
