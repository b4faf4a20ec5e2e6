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


def complete(
    ids: Iterable[str],
    *,
    on: date,
    papers: PaperTable,
    notes: FetchNotes,
    metadata: Metadata,
) -> int:
    """
    Add what the API knows to papers that lack it: *ids*, listed *on*, and those of earlier polls.

    Returns how many still lack it; they are asked for again, for a week. The newest come first.
    """
    known = notes.get_incomplete()
    wanted = {day: list(some) for day, some in known.items() if on - day < _ASKED_FOR}
    wanted.setdefault(on, []).extend({*ids} - {i for some in wanted.values() for i in some})
    asked = {i: day for day in sorted(wanted, reverse=True) for i in sorted(wanted[day])}
    stored = papers.get_papers(asked)
    left = {i: day for i, day in asked.items() if i in stored and stored[i].updated_at is None}
    _remember(left, notes, known)  # at once: the time may be over in the middle
    before = _by_day(left)
    for some in chunks([stored[arxiv_id] for arxiv_id in left], _ASKED_AT_ONCE):
        completed = list(metadata.completed(some))
        papers.put_papers(completed)
        for paper in completed:
            if paper.updated_at is not None:
                del left[paper.arxiv_id]
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
