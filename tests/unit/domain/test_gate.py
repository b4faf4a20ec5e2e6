"""What may replace what readers see."""

from datetime import date

import pytest

from paperpost.domain.errors import RefusedError
from paperpost.domain.gate import Shown, check_day, check_feed

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
