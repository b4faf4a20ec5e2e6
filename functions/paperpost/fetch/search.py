"""arXiv's API through the `arxiv` package: our own session underneath, each answer judged first."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import arxiv
import requests

from paperpost.domain.errors import (
    DamagedError,
    ErrorFeedError,
    FeedError,
    InvalidInputError,
    UnavailableError,
)
from paperpost.fetch.feeds import whole_document
from paperpost.fetch.history import History, from_result
from paperpost.fetch.sources import refuse_answer

ASKED_BY_ID = 100  # keeps the address below the length that arXiv's front accepts
# A slice has at most 2,000 results, and 1,000 are answered sooner.
# Source: https://info.arxiv.org/help/api/user-manual.html, read 2026-11-23.
_PAGE = 1_000
# How far back what changed is followed: more is not asked of the API.
_MOST_CHANGED = 20_000
_ADDRESS = "https://export.arxiv.org/api/query"
_NS = {
    "atom": "http://www.w3.org/2005/Atom",
    "opensearch": "http://a9.com/-/spec/opensearch/1.1/",
}


class ApiSearch:
    """What the API knows, by id or by time."""

    def __init__(self, session: requests.Session) -> None:
        self._session = _JudgingSession(session)

    def by_ids(self, arxiv_ids: Sequence[str]) -> list[arxiv.Result]:
        """
        The newest version of each of at most 100 papers; what the API does not know is left out.

        Raises: FeedError: If the API gives no answer that can be believed.
        """
        search = arxiv.Search(id_list=list(arxiv_ids), max_results=len(arxiv_ids))
        return list(self._results(search, page=ASKED_BY_ID))

    def submitted(self, category: str, since: datetime, until: datetime) -> list[History]:
        """
        Papers of *category* whose first version came in from *since* to *until*.

        Raises: FeedError: As by_ids.
        """
        span = f"[{since.astimezone(UTC):%Y%m%d%H%M} TO {until.astimezone(UTC):%Y%m%d%H%M}]"
        search = arxiv.Search(
            query=f"cat:{category} AND submittedDate:{span}",
            max_results=_MOST_CHANGED,
            sort_by=arxiv.SortCriterion.SubmittedDate,
            sort_order=arxiv.SortOrder.Ascending,
        )
        return [_history(result) for result in self._results(search, page=_PAGE)]

    def changed(self, category: str, since: datetime) -> list[History]:
        """
        Papers of *category* whose newest version came in since then, the newest first.

        A range of `lastUpdatedDate` would match first versions, but that order sorts by the newest.
        Raises: FeedError: As by_ids, and if there are too many.
        """
        search = arxiv.Search(
            query=f"cat:{category}",
            max_results=_MOST_CHANGED,
            sort_by=arxiv.SortCriterion.LastUpdatedDate,
            sort_order=arxiv.SortOrder.Descending,
        )
        found = list[History]()
        for result in self._results(search, page=_PAGE):
            if result.updated < since:
                return found
            found.append(_history(result))
        if len(found) >= _MOST_CHANGED:
            problem = f"more than {_MOST_CHANGED:,} papers of {category} changed since {since:%F}"
            raise FeedError(_ADDRESS, problem)
        return found

    def _results(self, search: arxiv.Search, *, page: int) -> Iterator[arxiv.Result]:
        # The session paces itself over all of arXiv's endpoints and tries again by itself.
        client = arxiv.Client(page_size=page, delay_seconds=0, num_retries=0)
        # The package has no parameter for it (lukasschwab/arxiv.py 4.0.2, read 2026-11-23).
        client._session = self._session  # noqa: SLF001
        try:
            yield from client.results(search)
        # ValueError: the package parses dates and numbers of a page unchecked.
        except (arxiv.ArxivError, requests.RequestException, ValueError) as exc:
            raise UnavailableError(_ADDRESS, f"no answer: {type(exc).__name__}") from exc


class _JudgingSession:
    """
    What the package asks of a session, with each body judged before the package believes it.

    By itself it reads half an entry as an entry, and an HTML page as no results.
    """

    def __init__(self, session: requests.Session) -> None:
        self._session = session

    def get(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        """The answer of *url*. Raises: FeedError: If it is not what the API answers, whole."""
        response = self._session.get(url, headers=headers)
        told = response.headers.get("Content-Type")
        refuse_answer(url, response.status_code, told, response.content)
        _refuse_page(response.content, url)
        return response


def _history(result: arxiv.Result) -> History:
    try:
        return from_result(result)
    except InvalidInputError as exc:
        raise DamagedError(result.entry_id, str(exc)) from exc


def _refuse_page(body: bytes, url: str) -> None:
    """Refuse an answer of the API that tells an error, or holds less than it says."""
    root = whole_document(body, source=url)
    said = body[:160].decode("utf-8", "replace")
    entries = root.findall("atom:entry", _NS)
    if any("/api/errors" in entry.findtext("atom:id", "", _NS) for entry in entries):
        told = entries[0].findtext("atom:summary", "", _NS).strip()
        raise ErrorFeedError(url, f"the API's error: {told[:160]}", said=said)
    numbers = [
        root.findtext(f"opensearch:{name}", fallback, _NS)
        for name, fallback in (("totalResults", ""), ("startIndex", "0"), ("itemsPerPage", "2000"))
    ]
    if not all(number.isdecimal() and len(number) < len("9" * 10) for number in numbers):
        raise DamagedError(url, "the API's answer does not count its results", said=said)
    total, start, page = map(int, numbers)
    expected = max(0, min(total - start, page))
    if len(entries) != expected:
        problem = f"{len(entries)} of {expected} results that the API's answer counts"
        raise DamagedError(url, problem, said=said)
