"""Requests together and in parts: what a feed's cut at 2,000 items must not cost."""

from collections.abc import Mapping, Sequence

import pytest

from paperpost import data
from paperpost.domain.errors import FeedError
from paperpost.fetch.reading import CUT, NEAR_CUT, Reading, read_all
from paperpost.fetch.sources import Request
from support.feeds import DAY, Item, rss

SIZES = {"cs.AI": 700, "cs.CL": 650, "cs.LG": 600}


def items(category: str, number: int) -> list[Item]:
    first = 10_000 * (1 + list(SIZES).index(category))
    return [
        Item(arxiv_id=f"2604.{first + n}", categories=(category,), abstract="A.")
        for n in range(number)
    ]


class ArxivOfSizes:
    """Feeds of so many papers in each category, cut as arXiv cuts them."""

    is_replay = False

    def __init__(self, sizes: Mapping[str, int], *, broken: str = "") -> None:
        self.sizes, self.broken = sizes, broken
        self.asked: list[tuple[str, ...]] = []

    def requests(self, categories: Sequence[str]) -> list[Request]:
        return [Request(address="+".join(categories), categories=tuple(categories))]

    def read(self, request: Request, *, if_changed: bool = False) -> bytes | None:
        self.asked.append(request.categories)
        if if_changed:
            return None
        if request.address == self.broken:
            raise FeedError(request.address, "no answer")
        found = [item for c in request.categories for item in items(c, self.sizes[c])]
        return rss(found[-CUT:], names=", ".join(request.categories))

    def keep(self, request: Request) -> None:
        """Nothing is kept here."""


def read(source: ArxivOfSizes, *, settled: Sequence[str] = (), held: int = 0) -> Reading:
    return read_all(
        source,
        taxonomy=data.taxonomy(),
        categories=list(source.sizes),
        today=DAY,
        is_settled=lambda category: category in settled,
        held=lambda _category: held,
    )


def test_an_answer_near_the_cut_is_asked_for_in_parts() -> None:
    """Down to single categories if need be; every paper is there once."""
    source = ArxivOfSizes(SIZES)

    told = read(source)

    assert source.asked == [tuple(SIZES), ("cs.AI",), ("cs.CL", "cs.LG")]
    ids = [item.arxiv_id for feed in told.feeds for item in feed.items]
    assert len(ids) == len(set(ids)) == sum(SIZES.values())
    assert told.problems == []


def test_an_answer_below_is_believed() -> None:
    source = ArxivOfSizes({"cs.AI": NEAR_CUT - 2, "cs.CL": 1})

    assert len(read(source).feeds[0].items) == NEAR_CUT - 1
    assert source.asked == [("cs.AI", "cs.CL")]


class NamingAnother(ArxivOfSizes):
    """An item of cs.CL names a category that nobody asked for."""

    def read(self, request: Request, *, if_changed: bool = False) -> bytes | None:  # noqa: ARG002
        self.asked.append(request.categories)
        found = [item for c in request.categories for item in items(c, self.sizes[c])]
        if "cs.CL" in request.categories:
            found.append(Item(arxiv_id="2604.99001", categories=("math.OC",)))
        return rss(found, names=", ".join(request.categories))


def test_an_item_that_names_no_category_asked_for_is_looked_for_in_each() -> None:
    """In the feed of a single category it belongs to that."""
    source = NamingAnother({"cs.AI": 1, "cs.CL": 1, "cs.LG": 1})

    told = read(source)

    assert source.asked == [tuple(SIZES), ("cs.AI",), ("cs.CL", "cs.LG"), ("cs.CL",), ("cs.LG",)]
    found = {feed.names: [item.arxiv_id for item in feed.items] for feed in told.feeds}
    assert found["cs.CL",][1:] == ["2604.99001"]


def test_a_part_that_does_not_come_does_not_take_the_other_with_it() -> None:
    told = read(ArxivOfSizes(SIZES, broken="cs.AI"))

    assert [feed.names for feed in told.feeds] == [("cs.CL", "cs.LG")]
    assert [str(problem) for problem in told.problems] == ["cs.AI: no answer"]


def test_one_category_near_the_cut_is_whole_and_one_at_the_cut_owes_the_rest() -> None:
    """It cannot be split; its announcement stays partial until it is filled."""
    near = read(ArxivOfSizes({"cs.AI": CUT - 1}))
    cut = read(ArxivOfSizes({"cs.AI": CUT + 1}))

    assert (near.problems, near.feeds[0].refused) == ([], ())
    assert "what is beyond them is cut off" in str(cut.problems[0])
    assert len(cut.feeds[0].items) == CUT
    assert len(cut.feeds[0].refused) == 1
    assert cut.whole == []


class AlwaysNew(ArxivOfSizes):
    """Answers, whatever was kept."""

    def read(self, request: Request, *, if_changed: bool = False) -> bytes | None:  # noqa: ARG002
        return super().read(request)


@pytest.mark.parametrize(("held", "problems"), [(CUT + 1, 0), (CUT - 1, 1)])
def test_a_cut_feed_that_was_filled_from_elsewhere_owes_nothing(held: int, problems: int) -> None:
    """It would fail every later poll; a day that was settled below the cut has grown beyond it."""
    told = read(AlwaysNew({"cs.AI": CUT + 1}), settled=["cs.AI"], held=held)

    assert len(told.problems) == problems


def test_only_what_is_settled_in_every_category_is_asked_for_if_it_changed() -> None:
    """Else an old answer that was not stored whole would never come again."""
    sizes = {"cs.AI": 1, "cs.CL": 1}

    assert read(ArxivOfSizes(sizes), settled=["cs.AI"]).unchanged == set()
    assert read(ArxivOfSizes(sizes), settled=list(sizes)).unchanged == set(sizes)


class HalfDeaf(ArxivOfSizes):
    """Answers for the first category alone."""

    def read(self, request: Request, *, if_changed: bool = False) -> bytes | None:  # noqa: ARG002
        return rss(items("cs.AI", 1), names=request.categories[0])


def test_an_answer_for_a_part_of_the_question_is_refused() -> None:
    """What is not named would look like a category without papers."""
    told = read(HalfDeaf({"cs.AI": 1, "cs.CL": 1}))

    assert told.feeds == []
    assert "the feed says nothing of cs.CL" in str(told.problems[0])
