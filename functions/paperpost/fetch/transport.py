"""Where announcement feeds come from: arXiv, politely, or a folder of recorded files."""

import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from paperpost.domain.errors import FeedError

# The version that pyproject.toml states; a test compares them.
VERSION = "0.1.0"
# arXiv asks for at most one request in three seconds over RSS, API and OAI-PMH together.
# Source: https://info.arxiv.org/help/api/tou.html, read 2026-11-23.
GAP_S = 3.0
TIMEOUTS_S = (5.0, 30.0)  # to connect, and between two bytes
MAX_BYTES = 20_000_000  # after decompression; arXiv's largest feed (2,000 items) has about 4 MB
HOSTS = frozenset({"rss.arxiv.org", "export.arxiv.org", "oaipmh.arxiv.org"})
_CHUNK = 1 << 16


class Pace:
    """Keeps requests apart, whatever endpoint they go to."""

    def __init__(
        self,
        gap_s: float = GAP_S,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap_s, self._monotonic, self._sleep = gap_s, monotonic, sleep
        self._last: float | None = None

    def wait(self) -> None:
        """Return once the last request is long enough ago, and count this moment as the next."""
        if self._last is not None:
            left = self._last + self._gap_s - self._monotonic()
            if left > 0:
                self._sleep(left)
        self._last = self._monotonic()


class _PoliteAdapter(HTTPAdapter):
    """
    Every request that leaves, redirected ones too: known host, https, paced, named, bounded.

    The body is read here, so that the cap holds for callers that ask for it as a whole.
    """

    def __init__(self, *, user_agent: str, pace: Pace) -> None:
        self._user_agent, self._pace = user_agent, pace
        super().__init__()

    def send(  # type: ignore[override]  # requests' own arguments, passed on by name
        self,
        request: requests.PreparedRequest,
        **options: Any,  # noqa: ANN401
    ) -> requests.Response:
        url = request.url or ""
        address = urlsplit(url)
        if address.scheme != "https" or address.hostname not in HOSTS:
            raise FeedError(url, "not an address that may be fetched")
        request.headers["User-Agent"] = self._user_agent
        options.update(timeout=TIMEOUTS_S, stream=True)
        self._pace.wait()
        response = super().send(request, **options)
        # requests reads a plain file as it reads a socket, and urllib3 has undone the compression.
        response.raw = io.BytesIO(_capped_body(response, url))
        return response


def polite_session(contact_mail: str, pace: Pace) -> requests.Session:
    """A session that can only talk to arXiv, and only politely."""
    session = requests.Session()
    user_agent = f"Paperpost/{VERSION} (+mailto:{contact_mail})"
    adapter = _PoliteAdapter(user_agent=user_agent, pace=pace)
    session.mount("https://", adapter)
    session.mount("http://", adapter)  # refused there
    return session


class HttpSource:
    """The announcement feeds below an https address, one request a category."""

    is_replay = False

    def __init__(self, base: str, session: requests.Session) -> None:
        self._base, self._session = base.rstrip("/"), session

    def requests(self, categories: Sequence[str]) -> list[str]:
        """The addresses to ask."""
        return [f"{self._base}/rss/{quote(category)}" for category in categories]

    def read(self, request: str) -> bytes:
        """
        Return the body of *request*.

        Raises: FeedError: With the status, if arXiv gave no usable answer.
        """
        try:
            response = self._session.get(request)
        except requests.RequestException as exc:
            raise FeedError(request, f"no answer: {type(exc).__name__}") from exc
        if response.status_code != requests.codes.ok:
            raise FeedError(request, "no feed in the answer", status=response.status_code)
        return response.content


class FolderSource:
    """Recorded feeds in a folder: whatever lies there is announced."""

    is_replay = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def requests(self, categories: Sequence[str]) -> list[str]:  # noqa: ARG002  the files say it
        """
        The folder's XML files in the order of their names.

        Raises: FeedError: If there is no such folder.
        """
        if not self._folder.is_dir():
            raise FeedError(str(self._folder), "no such folder")
        return [str(path) for path in sorted(self._folder.glob("*.xml"))]

    def read(self, request: str) -> bytes:
        """
        Return the bytes of the file *request*.

        Raises: FeedError: If it cannot be read or is too large.
        """
        try:
            with Path(request).open("rb") as file:
                body = file.read(MAX_BYTES + 1)
        except OSError as exc:
            raise FeedError(request, f"cannot be read: {exc.strerror}") from exc
        if len(body) > MAX_BYTES:
            raise FeedError(request, f"larger than {MAX_BYTES:,} bytes")
        return body


def folder_of(address: str) -> Path | None:
    """The folder that a `file:` address names, or None for any other address."""
    parts = urlsplit(address)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _capped_body(response: requests.Response, url: str) -> bytes:
    body = bytearray()
    try:
        for chunk in response.raw.stream(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > MAX_BYTES:
                response.close()
                problem = f"larger than {MAX_BYTES:,} bytes"
                raise FeedError(url, problem, status=response.status_code)
    except HTTPError as exc:
        raise requests.ConnectionError(exc, response=response) from exc
    return bytes(body)
