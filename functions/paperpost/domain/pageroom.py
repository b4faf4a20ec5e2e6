"""How much of each paper a day page shows, so that the page stays light on a phone's connection."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

# A page of 500 papers may weigh 250 kB with gzip; the rest is for the head, for what stands around
# the papers, and for a server that packs less tightly than zlib's level 6.
MOST_PACKED_BYTES = 240_000
_LAST = ("withdrawn", "replacements")


class Abstracts(IntEnum):
    """Which abstracts stand on the page; each step is smaller than the one before."""

    ALL = 0
    CHINESE = 1
    NONE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePaper:
    """A paper of the page. `bilingual`: it has a Chinese abstract beside the English one."""

    section: str
    bilingual: bool


def abstracts_shown(
    papers: Sequence[PagePaper],
    packed_size: Callable[[Sequence[Abstracts]], int],
    *,
    room: int = MOST_PACKED_BYTES,
) -> tuple[Abstracts, ...]:
    """
    Return what is shown of each of *papers*, so that *packed_size* of it is at most *room* bytes.

    First the replacements' abstracts go, then the cross-lists', then the English ones beside a
    Chinese one, then all others; in each step from the end of the page, and no further than
    needed. If even a page without abstracts is too big, it is that page.
    """
    cuts = _cuts(papers)
    kept, needed = 0, len(cuts)
    if packed_size(_after(papers, ())) <= room:
        needed = 0
    while needed - kept > 1:
        middle = (kept + needed) // 2
        if packed_size(_after(papers, cuts[:middle])) <= room:
            needed = middle
        else:
            kept = middle
    return _after(papers, cuts[:needed])


def _cuts(papers: Sequence[PagePaper]) -> list[tuple[int, Abstracts]]:
    """Every cut in the order in which they are made: which paper, and what is left of it."""
    backwards = list(reversed(list(enumerate(papers))))
    steps: list[tuple[Callable[[PagePaper], bool], Abstracts]] = [
        (lambda paper: paper.section in _LAST, Abstracts.NONE),
        (lambda paper: paper.section == "cross", Abstracts.NONE),
        (lambda paper: not _goes_early(paper) and paper.bilingual, Abstracts.CHINESE),
        (lambda paper: not _goes_early(paper), Abstracts.NONE),
    ]
    return [(n, left) for concerns, left in steps for n, paper in backwards if concerns(paper)]


def _goes_early(paper: PagePaper) -> bool:
    return paper.section in (*_LAST, "cross")


def _after(
    papers: Sequence[PagePaper], cuts: Sequence[tuple[int, Abstracts]]
) -> tuple[Abstracts, ...]:
    shown = [Abstracts.ALL] * len(papers)
    for n, left in cuts:
        shown[n] = left
    return tuple(shown)
