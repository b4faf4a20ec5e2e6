"""Where announcement feeds come from: arXiv's addresses, or a folder of recorded files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, unquote, urlsplit

import requests

from paperpost.domain.categories import Taxonomy
from paperpost.domain.errors import (
    ErrorFeedError,
    FeedError,
    NotAFeedError,
    RateLimitedError,
    UnavailableError,
)
from paperpost.fetch.feeds import evidence
from paperpost.fetch.transport import MAX_BYTES
from paperpost.storage.fetchnotes import FetchNotes
from paperpost.storage.items import chunks

# One request may name several categories (https://info.arxiv.org/help/rss.html, read 2026-11-23);
# addresses stay short all the same.
_MOST_TOGETHER = 24
_VALIDATORS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An address or file to read; `categories`: what it is asked for, empty for a file."""

    address: str
    categories: tuple[str, ...] = ()


class Source(Protocol):
    """Where feeds come from."""

    @property
    def is_replay(self) -> bool:
        """Whether the feeds are recorded: then one that cannot be believed stops the poll."""

    def requests(self, categories: Sequence[str]) -> list[Request]:
        """What to read for *categories*."""

    def read(self, request: Request, *, if_changed: bool = False) -> bytes | None:
        """The bytes, or None if they are as when they were kept last. Raises: FeedError."""

    def keep(self, request: Request) -> None:
        """Remember that all that the last answer to *request* told is stored."""


class HttpSource:
    """The announcement feeds below an https address, categories together in one request."""

    is_replay = False

    def __init__(
        self, base: str, session: requests.Session, notes: FetchNotes, taxonomy: Taxonomy
    ) -> None:
        self._base, self._session, self._notes = base.rstrip("/"), session, notes
        self._taxonomy = taxonomy
        self._validators = dict[str, dict[str, str]]()

    def requests(self, categories: Sequence[str]) -> list[Request]:
        """The addresses to ask: whole archives, then the rest together; see halves() for cuts."""
        left, asked = list(categories), list[Request]()
        for archive in self._taxonomy.archives:
            members = self._taxonomy.members(archive)
            if {*members} <= {*categories}:
                asked.append(self._request(archive, members))
                left = [category for category in left if category not in members]
        together = (tuple(some) for some in chunks(left, _MOST_TOGETHER))
        return [*asked, *(self._request("+".join(map(quote, some)), some) for some in together)]

    def read(self, request: Request, *, if_changed: bool = False) -> bytes | None:
        """
        The body of the answer, or None if it has not changed since it was kept.

        Raises: FeedError: With the status, if arXiv gave no usable answer.
        """
        address = request.address
        headers = self._notes.get_validators(address) if if_changed else {}
        try:
            response = self._session.get(address, headers=headers)
        except requests.RequestException as exc:
            raise UnavailableError(address, f"no answer: {type(exc).__name__}") from exc
        if headers and response.status_code == requests.codes.not_modified:
            return None
        body = response.content
        refuse_answer(address, response.status_code, response.headers.get("Content-Type"), body)
        self._validators[address] = {
            asked: response.headers[told]
            for told, asked in _VALIDATORS.items()
            if told in response.headers
        }
        return body

    def keep(self, request: Request) -> None:
        """Ask next time only whether the answer to *request* has changed."""
        validators = self._validators.get(request.address)
        if validators and validators != self._notes.get_validators(request.address):
            self._notes.put_validators(request.address, validators)

    def _request(self, names: str, categories: tuple[str, ...]) -> Request:
        return Request(address=f"{self._base}/rss/{names}", categories=categories)


class FolderSource:
    """Recorded feeds in a folder: whatever lies there is announced."""

    is_replay = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def requests(self, categories: Sequence[str]) -> list[Request]:  # noqa: ARG002  files say it
        """
        The folder's XML files in the order of their names.

        Raises: FeedError: If there is no such folder.
        """
        if not self._folder.is_dir():
            raise FeedError(str(self._folder), "no such folder")
        return [Request(address=str(path)) for path in sorted(self._folder.glob("*.xml"))]

    # A file has no validators: it is read whatever *if_changed* says.
    def read(self, request: Request, *, if_changed: bool = False) -> bytes | None:  # noqa: ARG002
        """
        The bytes of the file *request*.

        Raises: FeedError: If it cannot be read or is too large.
        """
        try:
            with Path(request.address).open("rb") as file:
                body = file.read(MAX_BYTES + 1)
        except OSError as exc:
            raise FeedError(request.address, f"cannot be read: {exc.strerror}") from exc
        if len(body) > MAX_BYTES:
            raise FeedError(request.address, f"larger than {MAX_BYTES:,} bytes")
        return body

    def keep(self, request: Request) -> None:
        """Files are read anew each time."""


def halves(source: Source, request: Request) -> Iterator[Request]:
    """The same categories in two requests."""
    middle = len(request.categories) // 2
    for part in (request.categories[:middle], request.categories[middle:]):
        yield from source.requests(part)


def refuse_answer(url: str, status: int, content_type: str | None, body: bytes) -> None:
    """Judge an answer by what its headers say. Raises: FeedError: If it is not a document."""
    said = evidence(body)
    if status == requests.codes.too_many_requests:
        raise RateLimitedError(url, "asked too often", status=status, said=said)
    if status == requests.codes.bad_request:
        raise ErrorFeedError(url, "arXiv does not understand the request", status=status, said=said)
    if status != requests.codes.ok:
        raise UnavailableError(url, "no feed in the answer", status=status, said=said)
    if (content_type or "").partition(";")[0].strip().lower() == "text/html":
        raise NotAFeedError(url, "an HTML page instead of a feed", status=status, said=said)


def folder_of(address: str) -> Path | None:
    """The folder that a `file:` address names, or None for any other address."""
    parts = urlsplit(address)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None
