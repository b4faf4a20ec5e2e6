"""Stored papers completed by what the API knows beyond the feed."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from paperpost.domain.papers import Paper
from paperpost.storage.items import chunks
from paperpost.storage.papers import PaperTable

# What the API tells is stored after so many papers: it may take longer than a poll can.
_ASKED_AT_ONCE = 100


class Metadata(Protocol):
    """Who knows more of a paper than the feed."""

    def completed(self, papers: Sequence[Paper]) -> Iterable[Paper]:
        """Those papers of which there is more to tell, with it; it never fails."""


def complete(ids: Iterable[str], *, papers: PaperTable, metadata: Metadata) -> int:
    """Add what the API knows to stored papers that lack it; return how many still lack it."""
    lacking = [p for p in papers.get_papers(ids).values() if p.updated_at is None]
    left = len(lacking)
    for some in chunks(lacking, _ASKED_AT_ONCE):
        completed = list(metadata.completed(some))
        papers.put_papers(completed)
        left -= sum(paper.updated_at is not None for paper in completed)
    return left
