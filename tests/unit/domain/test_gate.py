"""What may replace what readers see."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.domain.errors import RefusedError
from paperpost.domain.gate import Shown, check_day, check_feed, check_places

MON, TUE, WED, THU = (date(2026, 4, day) for day in (20, 21, 22, 23))


def shown(*entries: tuple[str, date]) -> list[Shown]:
    return [Shown(arxiv_id, on) for arxiv_id, on in entries]


PUBLISHED = shown(("d", WED), ("c", TUE), ("b", TUE), ("a", MON))


def test_a_new_day_may_push_the_oldest_one_out() -> None:
    check_feed(
        "f", published=PUBLISHED, candidate=shown(("e", THU), ("d", WED), ("c", TUE), ("b", TUE))
    )


def test_a_first_feed_passes() -> None:
    check_feed("f", published=[], candidate=shown(("a", MON)))


def test_the_same_feed_passes() -> None:
    check_feed("f", published=PUBLISHED, candidate=PUBLISHED)


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        ([], "it is empty"),
        (shown(("c", TUE), ("b", TUE), ("a", MON)), "goes back from 2026-04-22 to 2026-04-21"),
        (shown(("d", WED), ("c", TUE), ("a", MON)), "b missing"),
        (shown(("d", WED), ("c", TUE), ("c", TUE), ("b", TUE), ("a", MON)), "c repeated"),
    ],
)
def test_a_worse_feed_is_refused_with_the_reason(candidate: list[Shown], reason: str) -> None:
    with pytest.raises(RefusedError, match=reason) as refused:
        check_feed("cs.CV/rss.xml", published=PUBLISHED, candidate=candidate)

    assert refused.value.path == "cs.CV/rss.xml"


def test_a_feed_of_the_newest_day_alone_is_refused() -> None:
    """The two newest days are always whole, so yesterday cannot have left the window."""
    with pytest.raises(RefusedError, match="d missing"):
        check_feed("f", published=PUBLISHED, candidate=shown(("e", THU)))


def test_a_repeated_id_is_refused_in_a_first_feed_too() -> None:
    with pytest.raises(RefusedError, match="a repeated"):
        check_feed("f", published=[], candidate=shown(("a", MON), ("a", MON)))


def test_many_missing_ids_are_counted() -> None:
    published = shown(*((f"p{n}", MON) for n in range(9)), ("z", TUE))

    with pytest.raises(RefusedError, match="p0, p1, p2 and 6 more missing"):
        check_feed("f", published=published, candidate=shown(("z", TUE)))


def test_a_day_page_never_loses_papers() -> None:
    check_day("p", published=3, candidate=3)
    check_day("p", published=0, candidate=0)

    with pytest.raises(RefusedError, match="it has 2 papers, 3 are published"):
        check_day("p", published=3, candidate=2)


def test_an_entry_is_not_set_back_to_an_earlier_day() -> None:
    """Every id is there, and yet it would leave with a day that is not its own."""
    candidate = shown(("d", WED), ("c", TUE), ("b", MON), ("a", MON))

    with pytest.raises(RefusedError, match="b set back"):
        check_places("f", published=PUBLISHED, candidate=candidate)


@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from("abcdef"), st.sampled_from((MON, TUE, WED, THU))),
            max_size=6,
        ),
        max_size=8,
    )
)
def test_whatever_is_tried_in_a_row_readers_never_lose_what_came_on_the_two_newest_days(
    candidates: list[list[tuple[str, date]]],
) -> None:
    """A reader remembers on which day each entry was first seen, across all that passed."""
    published: list[Shown] = []
    first_seen: dict[str, date] = {}
    for candidate in (shown(*entries) for entries in candidates):
        with suppress(RefusedError):
            check_feed("f", published=published, candidate=candidate)
            check_places("f", published=published, candidate=candidate)
            published = candidate
            first_seen = {**{s.arxiv_id: s.announced_on for s in candidate}, **first_seen}

        there = {s.arxiv_id for s in published}
        newest = sorted({*first_seen.values()}, reverse=True)[:2]
        assert {i for i, on in first_seen.items() if on in newest} <= there
        assert len(there) == len(published)
