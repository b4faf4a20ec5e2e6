"""arXiv's API through the `arxiv` package: our own session underneath, each answer judged first."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import arxiv
import requests
from lxml import etree

from paperpost.domain.errors import (
    DamagedError,
    ErrorFeedError,
    FeedError,
    InvalidInputError,
    NotAFeedError,
    UnavailableError,
)
from paperpost.domain.text import clean
from paperpost.fetch.feeds import evidence, whole_document
from paperpost.fetch.history import History, from_result
from paperpost.fetch.sources import refuse_answer
from paperpost.fetch.tidy import ABSTRACT_BYTES, TITLE_BYTES, line, named, prose
from paperpost.fetch.withdrawals import is_withdrawn

ASKED_BY_ID = 100  # keeps the address below the length that arXiv's front accepts
# A slice has at most 2,000 results, and 1,000 are answered sooner.
# Source: https://info.arxiv.org/help/api/user-manual.html, read 2026-11-23.
_PAGE = 1_000
# More is not asked of the API at once; what is beyond would look as if it had never come in.
_MOST = 20_000
_ADDRESS = "https://export.arxiv.org/api/query"
_NS = {
    "atom": "http://www.w3.org/2005/Atom",
    "opensearch": "http://a9.com/-/spec/opensearch/1.1/",
}
_ROOT = "{http://www.w3.org/2005/Atom}feed"
# As in https://www.rfc-editor.org/rfc/rfc4287#section-3.3, read 2026-11-25.
_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2})", re.ASCII
)
_YEARS = range(1900, 2200)  # some papers are older than arXiv; anything else is damage

# lxml's elements carry no types of their own that would help here.
_Element = Any


class ApiSearch:
    """What the API knows, by id or by time; of *most* papers or more it tells nothing."""

    def __init__(self, session: requests.Session, *, most: int = _MOST) -> None:
        self._session, self._most = _JudgingSession(session), most

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

        Raises: FeedError: As by_ids, and if there are too many.
        """
        span = f"[{since.astimezone(UTC):%Y%m%d%H%M} TO {until.astimezone(UTC):%Y%m%d%H%M}]"
        search = arxiv.Search(
            query=f"cat:{category} AND submittedDate:{span}",
            max_results=self._most,
            sort_by=arxiv.SortCriterion.SubmittedDate,
            sort_order=arxiv.SortOrder.Ascending,
        )
        found = [_history(result) for result in self._results(search, page=_PAGE)]
        return self._whole(found, f"of {category} came in since {since:%F}")

    def changed(self, category: str, since: datetime) -> list[History]:
        """
        Papers of *category* whose newest version came in since then, the newest first.

        A range of `lastUpdatedDate` would match first versions, but that order sorts by the newest.
        Raises: FeedError: As by_ids, and if there are too many.
        """
        search = arxiv.Search(
            query=f"cat:{category}",
            max_results=self._most,
            sort_by=arxiv.SortCriterion.LastUpdatedDate,
            sort_order=arxiv.SortOrder.Descending,
        )
        found = list[History]()
        for result in self._results(search, page=_PAGE):
            if result.updated < since:
                return found
            found.append(_history(result))
        return self._whole(found, f"of {category} changed since {since:%F}")

    def _whole(self, found: list[History], what: str) -> list[History]:
        if len(found) >= self._most:
            raise FeedError(_ADDRESS, f"{self._most:,} papers or more {what}")
        return found

    def _results(self, search: arxiv.Search, *, page: int) -> Iterator[arxiv.Result]:
        # The session paces itself over all of arXiv's endpoints and tries again by itself.
        client = arxiv.Client(page_size=page, delay_seconds=0, num_retries=0)
        # The package has no parameter for it (lukasschwab/arxiv.py 4.0.2, read 2026-11-23).
        client._session = self._session  # noqa: SLF001
        try:
            yield from client.results(search)
        except (arxiv.ArxivError, requests.RequestException) as exc:
            raise UnavailableError(_ADDRESS, f"no answer: {type(exc).__name__}") from exc


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What the package asks of an answer."""

    status_code: int
    content: bytes


class _JudgingSession:
    """
    What the package asks of a session, with each body judged before the package believes it.

    By itself it reads half an entry as an entry, and an HTML page as no results. It is given the
    judged document written anew, so that it cannot read another one in the same bytes: it takes
    only the part of a text that stands before a comment.
    """

    def __init__(self, session: requests.Session) -> None:
        self._session = session

    def get(self, url: str, headers: Mapping[str, str]) -> _Judged:
        """The answer of *url*. Raises: FeedError: If it is not what the API answers, whole."""
        response = self._session.get(url, headers=headers)
        told = response.headers.get("Content-Type")
        refuse_answer(url, response.status_code, told, response.content)
        root = _believed(response.content, url)
        return _Judged(status_code=response.status_code, content=etree.tostring(root))


def _history(result: arxiv.Result) -> History:
    try:
        told = from_result(result)
    except InvalidInputError as exc:
        raise DamagedError(result.entry_id, str(exc)) from exc
    title, abstract = line(result.title, TITLE_BYTES) or "", prose(result.summary, ABSTRACT_BYTES)
    comment = line(result.comment)
    paper = replace(
        told.paper,
        title=title,
        abstract=abstract,
        authors=named(told.paper.authors),
        doi=line(result.doi),
        journal_ref=line(result.journal_ref),
        comment=comment,
        withdrawn=is_withdrawn(title=title, abstract=abstract, comment=comment or ""),
    )
    return replace(told, paper=paper)


def _believed(body: bytes, url: str) -> _Element:
    """The document, unless it tells an error or holds less than it says. Raises: FeedError."""
    root, said = whole_document(body, source=url), evidence(body)
    if root.tag != _ROOT:
        problem = f"not an answer of the API: the root element is {etree.QName(root).localname}"
        raise NotAFeedError(url, problem, said=said)
    entries = root.findall("atom:entry", _NS)
    if any("/api/errors" in entry.findtext("atom:id", "", _NS) for entry in entries):
        told = clean(entries[0].findtext("atom:summary", "", _NS))
        raise ErrorFeedError(url, f"the API's error: {told[:160]}", said=said)
    expected = _expected(root, url, said)
    if len(entries) != expected:
        problem = f"{len(entries)} of {expected} results that the API's answer counts"
        raise DamagedError(url, problem, said=said)
    for entry in entries:
        _refuse_entry(entry, url, said)
    return root


def _expected(root: _Element, url: str, said: str) -> int:
    """How many results the page must hold, by its own counts. Raises: DamagedError."""
    numbers = [
        root.findtext(f"opensearch:{name}", fallback, _NS).strip()
        for name, fallback in (("totalResults", ""), ("startIndex", "0"), ("itemsPerPage", "2000"))
    ]
    if not all(number.isdecimal() and len(number) < len("9" * 10) for number in numbers):
        raise DamagedError(url, "the API's answer does not count its results", said=said)
    total, start, page = map(int, numbers)
    asked = parse_qs(urlsplit(url).query).get("start", ["0"])
    if [str(start)] != asked:
        problem = f"results from {start} on, where those from {asked[0]} on were asked for"
        raise DamagedError(url, problem, said=said)
    if total and not page:
        problem = f"no room on the page for {total:,} results that the API's answer counts"
        raise DamagedError(url, problem, said=said)
    return max(0, min(total - start, page))


def _refuse_entry(entry: _Element, url: str, said: str) -> None:
    """Refuse what the package leaves out without a word, or trips over."""
    named_by = entry.findtext("atom:id", "", _NS).strip()
    if not named_by:
        raise DamagedError(url, "a result without an id", said=said)
    for name in ("updated", "published"):
        text = entry.findtext(f"atom:{name}", "", _NS).strip()
        if not _is_date(text):
            problem = f"{named_by[:80]} has no date in {name}: {text[:40]!r}"
            raise DamagedError(url, problem, said=said)


def _is_date(text: str) -> bool:
    """Whether the package reads *text* as the time that it tells."""
    if not _DATE.fullmatch(text):
        return False
    try:
        return datetime.fromisoformat(text).year in _YEARS
    except ValueError:
        return False
