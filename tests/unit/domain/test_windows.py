"""Which days a feed holds, and how much of each entry."""

from collections.abc import Iterator
from datetime import date, timedelta

from paperpost.domain.windows import (
    MOST_BYTES,
    Chosen,
    Detail,
    WindowDay,
    WindowEntry,
    window,
)

NEWEST = date(2026, 4, 30)


def make_day(age: int, count: int, sizes: tuple[int, int, int] = (1000, 400, 200)) -> WindowDay:
    return WindowDay(
        announced_on=NEWEST - timedelta(days=age),
        entries=tuple(WindowEntry(arxiv_id=f"{age}-{n}", sizes=sizes) for n in range(count)),
    )


def size(chosen: tuple[Chosen, ...], sizes: tuple[int, int, int]) -> int:
    return sum(sizes[entry.detail] for entry in chosen)


def test_seven_days_fit_and_the_eighth_is_left_out() -> None:
    chosen = window([make_day(age, 3) for age in range(9)])

    assert [c.arxiv_id for c in chosen] == [f"{age}-{n}" for age in range(7) for n in range(3)]
    assert {c.detail for c in chosen} == {Detail.FULL}


def test_the_two_newest_days_are_whole_though_they_exceed_the_number_of_entries() -> None:
    chosen = window([make_day(0, 400), make_day(1, 300), make_day(2, 1)])

    assert len(chosen) == 700


def test_an_older_day_enters_whole_or_not_at_all() -> None:
    chosen = window([make_day(0, 200), make_day(1, 200), make_day(2, 101), make_day(3, 1)])

    assert {c.announced_on for c in chosen} == {NEWEST, NEWEST - timedelta(days=1)}


def test_an_older_day_that_is_too_big_ends_the_window() -> None:
    chosen = window([make_day(0, 1), make_day(1, 1), make_day(2, 1, (MOST_BYTES, 1, 1))])

    assert [c.arxiv_id for c in chosen] == ["0-0", "1-0"]


def test_what_stands_around_the_entries_counts() -> None:
    days = [make_day(0, 1), make_day(1, 1), make_day(2, 1)]

    assert len(window(days, head_bytes=MOST_BYTES - 3000)) == 3
    assert len(window(days, head_bytes=MOST_BYTES - 2999)) == 2


def test_the_oldest_entries_of_the_newest_days_lose_their_abstracts_first() -> None:
    sizes = (100_000, 50_000, 10_000)

    chosen = window([make_day(0, 3, sizes), make_day(1, 3, sizes)])

    assert [c.detail for c in chosen] == [Detail.FULL] * 4 + [Detail.NO_ABSTRACTS] * 2
    assert size(chosen, sizes) <= MOST_BYTES


def test_a_second_step_shrinks_further_but_drops_nothing() -> None:
    sizes = (100_000, 60_000, 10_000)

    chosen = window([make_day(0, 5, sizes), make_day(1, 5, sizes)])

    assert [c.detail for c in chosen] == [Detail.NO_ABSTRACTS] * 8 + [Detail.TLDR_ONLY] * 2
    assert size(chosen, sizes) <= MOST_BYTES


def test_two_days_that_no_step_can_shrink_enough_stay_whole() -> None:
    sizes = (90_000, 90_000, 90_000)

    chosen = window([make_day(0, 10, sizes), make_day(1, 10, sizes)])

    assert len(chosen) == 20
    assert {c.detail for c in chosen} == {Detail.TLDR_ONLY}


def test_days_without_entries_take_no_place() -> None:
    days = [make_day(age, count) for age, count in enumerate([0, 1, 0, 1, 1, 1, 1, 1, 1, 1])]

    assert len({c.announced_on for c in window(days)}) == 7


def test_no_days_give_an_empty_window() -> None:
    assert window([]) == ()


def test_what_cannot_be_in_the_feed_is_not_measured() -> None:
    """Measuring is rendering: a week of a large category costs more than its newest days."""
    asked: list[int] = []

    def measured() -> Iterator[WindowDay]:
        for n in range(7):
            asked.append(n)
            yield make_day(n, 400)

    window(measured())

    assert asked == [0, 1, 2]
