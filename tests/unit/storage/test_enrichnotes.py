"""A day's cost under any order of calls: what is held never exceeds the caps."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paperpost import clients
from paperpost.domain.spending import Budget, Tokens
from paperpost.storage.enrichnotes import EnrichNotes
from support.aws import moto_cloud

DAY = date(2026, 4, 21)
BUDGET = Budget(
    input_price=Decimal("0.06"),
    output_price=Decimal("0.24"),
    most_tokens=20_000,
    most_usd=Decimal("0.003"),
)
# One call: its worst case, and how much of that it really took; or the oldest call ends.
calls = st.tuples(st.integers(1, 6000), st.integers(1, 4000), st.integers(0, 100))
steps = st.lists(st.one_of(calls, st.none()), max_size=25)


@pytest.fixture(scope="module")
def notes() -> Iterator[EnrichNotes]:
    """A table whose days the examples use up one after the other."""
    with moto_cloud() as cloud:
        yield EnrichNotes(clients.table(cloud.papers))


days = iter(range(1, 1_000_000))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps)
def test_calls_in_any_order_stay_below_both_caps(
    notes: EnrichNotes, steps: list[tuple[int, int, int] | None]
) -> None:
    """And in the end exactly what they really took is counted."""
    on = date.fromordinal(next(days))
    running: list[tuple[Tokens, Tokens]] = []
    done: list[Tokens] = []

    def end() -> None:
        worst, real = running.pop(0)
        notes.settle(on, worst, real, BUDGET)
        done.append(real)

    for step in steps:
        if step is None:
            for _ in running[:1]:
                end()
            continue
        read, written, percent = step
        worst = Tokens(input=read, output=written)
        real = Tokens(input=read * percent // 100, output=written * percent // 100)
        running += [(worst, real)] * notes.reserve(on, worst, BUDGET)
        spend = notes.get_spend(on)
        assert spend.held_tokens <= BUDGET.most_tokens
        assert spend.held_micro_usd <= BUDGET.most_micro_usd
        assert spend.tokens.total <= spend.held_tokens
    while running:
        end()

    spend = notes.get_spend(on)
    assert spend.calls == len(done)
    assert spend.held_tokens == spend.tokens.total == sum(real.total for real in done)
    assert spend.held_micro_usd == spend.micro_usd == sum(map(BUDGET.micro_usd, done))
