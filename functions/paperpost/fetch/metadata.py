"""What arXiv's API knows beyond the feed: dates, comment, DOI, journal reference, clean names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import arxiv
import requests

from paperpost.domain.errors import FeedError, InvalidInputError
from paperpost.domain.ids import parse_id
from paperpost.domain.papers import Author, Paper
from paperpost.fetch.feeds import whole_document
from paperpost.observe import logger
from paperpost.storage.items import chunks

_PAGE = 100  # keeps the address below the length that arXiv's front accepts


class ArxivMetadata:
    """Asks the API through the `arxiv` package, with our own session underneath."""

    def __init__(self, session: requests.Session) -> None:
        # The session paces itself over all of arXiv's endpoints, so the package need not wait too.
        self._client = arxiv.Client(page_size=_PAGE, delay_seconds=0, num_retries=1)
        # The package has no parameter for it (lukasschwab/arxiv.py 4.0.2, read 2026-11-23).
        self._client._session = _JudgingSession(session)  # noqa: SLF001

    def completed(self, papers: Sequence[Paper]) -> Iterator[Paper]:
        """
        Those of *papers* of which the API tells more, with what it tells.

        It never fails: the API is slow, limited and sometimes wrong, and no paper waits for it. A
        page that does not come is logged, and its papers are asked for again by the next poll.
        """
        for page in chunks(papers, _PAGE):
            by_id = {paper.arxiv_id: paper for paper in page}
            for result in self._results(list(by_id)):
                told = _completed(by_id, result)
                if told is not None:
                    yield told

    def _results(self, arxiv_ids: Sequence[str]) -> list[arxiv.Result]:
        search = arxiv.Search(id_list=list(arxiv_ids), max_results=len(arxiv_ids))
        try:
            return list(self._client.results(search))
        # ValueError: the package parses dates and numbers of a page unchecked.
        except (arxiv.ArxivError, requests.RequestException, FeedError, ValueError) as exc:
            logger.warning(
                "no metadata from the API",
                extra={"papers": len(arxiv_ids), "problem": type(exc).__name__},
            )
            return []


class _JudgingSession:
    """
    What the package asks of a session, with each body judged before the package believes it.

    By itself it reads half an entry as an entry, and an HTML page as no results.
    """

    def __init__(self, session: requests.Session) -> None:
        self._session = session

    def get(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        """The answer of *url*. Raises: FeedError: If it is 200 and no whole document."""
        response = self._session.get(url, headers=headers)
        if response.status_code == requests.codes.ok:
            whole_document(response.content, source=url)
        return response


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
            comment=_text(result.comment) or paper.comment,
            doi=_text(result.doi) or paper.doi,
            journal_ref=_text(result.journal_ref) or paper.journal_ref,
            authors=_authors(paper, result),
        )
    return None if completed == paper else completed


def _authors(paper: Paper, result: arxiv.Result) -> tuple[Author, ...]:
    """The API's names in Unicode, where it counts the same authors as the feed."""
    if len(result.authors) != len(paper.authors):
        return paper.authors
    return tuple(
        Author(
            name=_text(told.name) or known.name,
            affiliations=tuple(told.affiliation) or known.affiliations,
        )
        for told, known in zip(result.authors, paper.authors, strict=True)
    )


def _text(text: str | None) -> str | None:
    return " ".join(text.split()) or None if text else None
