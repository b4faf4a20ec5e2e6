"""Bounces for now: five within a month pause, in whatever order and however often they are told."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.domain.bounces import MOST, PAUSE, WITHIN, noted, paused_until

START = datetime(2026, 4, 1, 5, tzinfo=UTC)


def after(*days: float) -> dict[str, datetime]:
    """Letters that bounced so many days after the start."""
    return {f"m{n}": START + timedelta(days=day) for n, day in enumerate(days)}


@pytest.mark.parametrize(
    ("days", "until"),
    [
        ((), None),
        ((0, 1, 2, 3), None),
        ((0, 1, 2, 3, 4), date(2026, 5, 5)),
        ((0, 1, 2, 3, 30), date(2026, 5, 31)),
        ((0, 1, 2, 3, 30.1), None),
        ((0, 20, 40, 60, 80, 100), None),
        ((0, 1, 2, 3, 4, 31), date(2026, 6, 1)),
        ((0, 1, 2, 3, 4, 40), date(2026, 5, 5)),
    ],
)
def test_five_within_thirty_days_pause_for_thirty(
    days: tuple[float, ...], until: date | None
) -> None:
    assert paused_until(after(*days)) == until


events = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 100)), max_size=12).map(
    lambda told: [(i, START + timedelta(days=day)) for i, day in told]
)


@given(told=events, data=st.data())
def test_order_and_repeats_of_events_do_not_matter(
    told: list[tuple[str, datetime]], data: st.DataObject
) -> None:
    """SES tells at least once, in any order."""
    permuted = data.draw(st.permutations([*told, *told[:3]]))
    first: dict[str, datetime] = {}
    second: dict[str, datetime] = {}
    for message_id, at in told:
        first = noted(first, message_id, at)
    for message_id, at in permuted:
        second = noted(second, message_id, at)

    assert first == second
    assert paused_until(first) == paused_until(second)


@given(times=st.lists(st.integers(0, 2000), max_size=120, unique=True))
def test_what_is_forgotten_would_not_have_paused_longer(times: list[int]) -> None:
    """So many letters a reader never gets: a pause comes first."""
    bounces = {f"m{n}": START + timedelta(hours=hours) for n, hours in enumerate(sorted(times))}
    kept: dict[str, datetime] = {}
    for message_id, at in bounces.items():
        kept = noted(kept, message_id, at)

    assert len(kept) <= 60
    assert paused_until(kept) == paused_until(bounces)


def test_the_pause_is_as_long_as_what_is_looked_at() -> None:
    """After it the letters that led to it are too old to pause again."""
    assert PAUSE >= WITHIN
    assert MOST > 1
