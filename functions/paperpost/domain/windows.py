"""The window of a feed: which announcement days it holds, and how much of each entry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from itertools import islice

# A reader that was away for a week misses nothing; above 500 kB some readers refuse a feed
# (leafac/kill-the-newsletter#59 on GitHub, read 2026-11-23).
MOST_DAYS = 7
MOST_ENTRIES = 500
MOST_BYTES = 500_000
_ALWAYS_WHOLE = 2


class Detail(IntEnum):
    """How much of a paper an entry shows; each step is smaller than the one before."""

    FULL = 0
    NO_ABSTRACTS = 1
    TLDR_ONLY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowEntry:
    """One entry and its size in bytes at each Detail, in that order."""

    arxiv_id: str
    sizes: tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowDay:
    """One announcement day's entries, in reading order."""

    announced_on: date
    entries: tuple[WindowEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """An entry that is in the feed, at the detail that it is shown with."""

    arxiv_id: str
    announced_on: date
    detail: Detail


def window(days: Iterable[WindowDay], *, head_bytes: int = 0) -> tuple[Chosen, ...]:
    """
    Return what the feed holds of *days* (newest first), in feed order.

    The two newest days are always whole: if they are too big, their entries shrink, oldest first,
    but none is dropped. Older days follow whole as long as days, entries and bytes suffice.
    *head_bytes* is the size of a feed without entries. *days* are taken one by one: what the feed
    cannot hold need not be measured.
    """
    filled = (day for day in days if day.entries)
    kept = list(islice(filled, _ALWAYS_WHOLE))
    entries = [(day.announced_on, entry) for day in kept for entry in day.entries]
    details = _shrunk([entry for _, entry in entries], MOST_BYTES - head_bytes)
    size = head_bytes + sum(
        entry.sizes[detail] for (_, entry), detail in zip(entries, details, strict=True)
    )
    for day in islice(filled, MOST_DAYS - _ALWAYS_WHOLE):
        size += sum(entry.sizes[Detail.FULL] for entry in day.entries)
        if size > MOST_BYTES or len(entries) + len(day.entries) > MOST_ENTRIES:
            break
        entries += [(day.announced_on, entry) for entry in day.entries]
        details += [Detail.FULL] * len(day.entries)
    return tuple(
        Chosen(arxiv_id=entry.arxiv_id, announced_on=on, detail=detail)
        for (on, entry), detail in zip(entries, details, strict=True)
    )


def _shrunk(entries: Sequence[WindowEntry], room: int) -> list[Detail]:
    """The detail of each of *entries* (newest first) so that they fit, as far as shrinking can."""
    details = [Detail.FULL] * len(entries)
    size = sum(entry.sizes[Detail.FULL] for entry in entries)
    for step in (Detail.NO_ABSTRACTS, Detail.TLDR_ONLY):
        for n in reversed(range(len(entries))):
            if size <= room:
                return details
            size -= entries[n].sizes[details[n]] - entries[n].sizes[step]
            details[n] = step
    return details
