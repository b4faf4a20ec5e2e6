"""Stored papers completed by what the API knows beyond the feed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Protocol

from paperpost.domain.papers import Paper
from paperpost.storage.fetchnotes import FetchNotes
from paperpost.storage.items import chunks
from paperpost.storage.papers import PaperTable

# What the API tells is stored after so many papers: it may take longer than a poll can.
_ASKED_AT_ONCE = 100
# The API has been dead, or days behind: so long it is asked again for what it did not tell.
_ASKED_FOR = timedelta(days=7)
# An item holds 400 kB: this many ids fit, and no poll can ask for more.
_MOST_REMEMBERED = 10_000


class Metadata(Protocol):
    """Who knows more of a paper than the feed."""

    def completed(self, papers: Sequence[Paper]) -> Iterable[Paper]:
        """Those papers of which there is more to tell, with it; it never fails."""


def remember(
    ids: Iterable[str], *, on: date, papers: PaperTable, notes: FetchNotes
) -> dict[str, date]:
    """
    What the API still owes, newest first: of *ids*, listed *on*, and of earlier polls for a week.

    It is written down at once: the run may be over before the API is asked.
    """
    known = notes.get_incomplete()
    wanted = {i: day for day, some in known.items() if on - day < _ASKED_FOR for i in some}
    wanted |= dict.fromkeys(ids, on)
    stored = papers.get_papers(wanted)
    left = {
        arxiv_id: wanted[arxiv_id]
        for arxiv_id in sorted(wanted, key=lambda i: (-wanted[i].toordinal(), i))
        if arxiv_id in stored and stored[arxiv_id].updated_at is None
    }
    _remember(left, notes, known)
    return left


def complete(
    left: dict[str, date], *, papers: PaperTable, notes: FetchNotes, metadata: Metadata
) -> int:
    """Add what the API knows to the papers *left* (see remember); how many still lack it."""
    before = _by_day(left)
    stored = papers.get_papers(left)
    for some in chunks([stored[arxiv_id] for arxiv_id in left], _ASKED_AT_ONCE):
        completed = list(metadata.completed(some))
        papers.put_papers(completed)
        for paper in completed:
            if paper.updated_at is not None:
                left.pop(paper.arxiv_id, None)  # an answer may tell of one twice
    _remember(left, notes, before)
    return len(left)


def _remember(
    left: Mapping[str, date], notes: FetchNotes, before: Mapping[date, Sequence[str]]
) -> None:
    now = _by_day(left)
    if now != before:
        notes.put_incomplete(now)


def _by_day(left: Mapping[str, date]) -> dict[date, tuple[str, ...]]:
    remembered = dict(list(left.items())[:_MOST_REMEMBERED])
    days = dict.fromkeys(remembered.values())
    return {day: tuple(i for i, of in remembered.items() if of == day) for day in days}
