"""What arXiv's API knows beyond the feed: dates, comment, DOI, journal reference, clean names."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import arxiv

from paperpost.domain.errors import FeedError, InvalidInputError
from paperpost.domain.ids import parse_id
from paperpost.domain.papers import Author, Paper
from paperpost.fetch.search import ASKED_BY_ID, ApiSearch
from paperpost.fetch.tidy import line, named
from paperpost.fetch.withdrawals import is_withdrawn
from paperpost.observe import logger
from paperpost.storage.items import chunks

# An API that has failed so many times in a row is left alone until the next poll.
_MOST_FAILURES = 2


class ArxivMetadata:
    """Asks the API, and takes what it tells."""

    def __init__(self, search: ApiSearch) -> None:
        self._search = search
        self._failures = 0

    def completed(self, papers: Sequence[Paper]) -> Iterator[Paper]:
        """
        Those of *papers* of which the API tells more, with what it tells.

        It never fails: the API is slow, limited and sometimes wrong, and no paper waits for it. A
        page that does not come is logged, and its papers are asked for again by the next poll.
        """
        for page in chunks(papers, ASKED_BY_ID):
            by_id = {paper.arxiv_id: paper for paper in page}
            for result in self._results(list(by_id)):
                told = _completed(by_id, result)
                if told is not None:
                    yield told

    def _results(self, arxiv_ids: Sequence[str]) -> list[arxiv.Result]:
        if self._failures >= _MOST_FAILURES:
            return []
        try:
            results = self._search.by_ids(arxiv_ids)
        except FeedError as exc:
            self._failures += 1
            logger.warning(
                "no metadata from the API",
                extra={"papers": len(arxiv_ids), "problem": exc.problem, "said": exc.said},
            )
            return []
        self._failures = 0
        return results


def _completed(papers: dict[str, Paper], result: arxiv.Result) -> Paper | None:
    """The paper that *result* is about, completed, or None if there is nothing new."""
    try:
        told = parse_id(result.entry_id)
    except InvalidInputError:
        return None
    paper = papers.get(told.arxiv_id)
    if paper is None:
        return None
    completed = replace(paper, submitted_at=result.published)
    if told.version == paper.version:  # the API's index may be a version behind, or ahead
        completed = replace(
            completed,
            updated_at=result.updated,
            comment=line(result.comment) or paper.comment,
            withdrawn=paper.withdrawn or is_withdrawn(comment=line(result.comment) or ""),
            doi=line(result.doi) or paper.doi,
            journal_ref=line(result.journal_ref) or paper.journal_ref,
            authors=_authors(paper, result),
        )
    return None if completed == paper else completed


def _authors(paper: Paper, result: arxiv.Result) -> tuple[Author, ...]:
    """The API's names and places, where it counts the same authors as the feed."""
    people = named(Author(name=a.name, affiliations=tuple(a.affiliation)) for a in result.authors)
    if len(people) != len(paper.authors):
        return paper.authors
    return tuple(
        replace(told, affiliations=told.affiliations or known.affiliations)
        for told, known in zip(people, paper.authors, strict=True)
    )
