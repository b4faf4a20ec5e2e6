"""Money in whole micro-dollars, days in UTC."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.domain.spending import Budget, Spend, Tokens, resets_at, spare_calls, utc_day

DAY = date(2026, 4, 21)
BUDGET = Budget(input_price=Decimal("0.06"), output_price=Decimal("0.24"))
WORST = Tokens(input=6000, output=4000)
counts = st.integers(0, 10**7)


def test_a_price_for_a_million_tokens_is_micro_dollars_for_one() -> None:
    assert BUDGET.micro_usd(Tokens(input=1_000_000)) == 60_000
    assert BUDGET.micro_usd(Tokens(input=1, output=1)) == 1


@given(read=counts, written=counts)
def test_a_cost_is_never_rounded_down(read: int, written: int) -> None:
    """Else a day of small calls would cost more than its cap."""
    exact = Decimal("0.06") * read + Decimal("0.24") * written

    assert 0 <= BUDGET.micro_usd(Tokens(input=read, output=written)) - exact < 1


def test_a_day_ends_at_midnight_utc() -> None:
    """Wherever the clock that is asked hangs."""
    tokyo = timezone(timedelta(hours=9))

    assert utc_day(datetime(2026, 4, 22, 8, 59, tzinfo=tokyo)) == DAY
    assert resets_at(DAY) == datetime(2026, 4, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("budget", "held_tokens", "held_micro_usd", "calls"),
    [
        (BUDGET, 10**9, 10**9, None),
        (replace(BUDGET, most_tokens=200_000), 0, 0, 10),
        (replace(BUDGET, most_tokens=200_000), 45_000, 0, 5),
        (replace(BUDGET, most_tokens=200_000), 150_000, 0, 0),
        (replace(BUDGET, most_usd=Decimal("0.02")), 0, 0, 7),
        (replace(BUDGET, most_tokens=200_000, most_usd=Decimal("0.02")), 70_000, 0, 3),
    ],
)
def test_what_was_skipped_gets_half_of_the_day(
    budget: Budget, held_tokens: int, held_micro_usd: int, calls: int | None
) -> None:
    """The other half waits for what is announced later."""
    spend = Spend(on=DAY, held_tokens=held_tokens, held_micro_usd=held_micro_usd)

    assert spare_calls(spend, budget, WORST) == calls
