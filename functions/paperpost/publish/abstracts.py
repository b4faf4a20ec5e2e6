"""How many abstracts a page holds: a day of 500 papers must open on a phone at breakfast."""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

# What a page may weigh as it is sent, compressed. Its papers alone take 0.35 kB each, abstracts in
# two languages 0.8 kB (measured with cs.CV of 2026-04-21, 501 papers).
PAGE_LIMIT = 250_000
# CloudFront compresses by other means than we measure with.
_TARGET = PAGE_LIMIT - 10_000
_LEVEL = 6
_NEW = "new"


class Passage(Protocol):
    """An abstract in one language."""

    @property
    def lang(self) -> str:
        """Its language tag."""


P = TypeVar("P", bound=Passage)


class Abstracts(StrEnum):
    """Which abstracts of a paper stand on the page."""

    ALL = "all"
    ONE = "one"  # the first: a translation, or else the author's own
    NONE = "none"

    def of(self, passages: Sequence[P]) -> Sequence[P]:
        """Those of *passages* (a translation first) that stand on the page."""
        most = {Abstracts.ALL: len(passages), Abstracts.ONE: 1, Abstracts.NONE: 0}[self]
        return passages[:most]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    Which abstracts the sections of a page hold.

    `of`: section → Abstracts, where it is not all. `most_new`: how many of the new papers have any.
    """

    of: Mapping[str, Abstracts]
    most_new: int | None = None

    @property
    def is_short(self) -> bool:
        """Whether anything is left out."""
        return bool(self.of)

    def abstracts(self, section: str, place: int) -> Abstracts:
        """What the paper at *place* (from 0) of *section* shows."""
        if section == _NEW and self.most_new is not None and place >= self.most_new:
            return Abstracts.NONE
        return self.of.get(section, Abstracts.ALL)


def fitting(body: Callable[[Plan], bytes], sizes: Mapping[str, int]) -> bytes:
    """
    The page with as many abstracts as fit below the limit; *sizes*: section → papers.

    First replacements go without (they are folded anyway), then English where a translation stands,
    then everything but the new papers, then the new papers from the end.
    """
    made = b""
    for plan in _steps(sizes):
        made = body(plan)
        if _weight(made) <= _TARGET:
            return made
    few, many = 0, sizes.get(_NEW, 0)
    while few < many:  # `few` fits or is 0, more than `many` do not
        middle = (few + many + 1) // 2
        made = body(_shortest(sizes, middle))
        few, many = (middle, many) if _weight(made) <= _TARGET else (few, middle - 1)
    return body(_shortest(sizes, few))


def _steps(sizes: Mapping[str, int]) -> Iterator[Plan]:
    yield Plan(of={})
    folded = {"replacements": Abstracts.NONE}
    yield Plan(of=folded)
    yield Plan(of={**dict.fromkeys(sizes, Abstracts.ONE), **folded})


def _shortest(sizes: Mapping[str, int], most_new: int) -> Plan:
    return Plan(of={**dict.fromkeys(sizes, Abstracts.NONE), _NEW: Abstracts.ONE}, most_new=most_new)


def _weight(body: bytes) -> int:
    return len(zlib.compress(body, _LEVEL))
