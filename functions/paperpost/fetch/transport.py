"""One polite way to arXiv: known hosts, https, paced, named, bounded, tried again with care."""

import io
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.exceptions import HTTPError

from paperpost.domain.errors import FeedError
from paperpost.fetch.feeds import is_rate_limit
from paperpost.fetch.pace import Pace

# The version that pyproject.toml states; a test compares them.
VERSION = "0.1.0"
TIMEOUTS_S = (5.0, 30.0)  # to connect, and between two bytes
BODY_TIME = timedelta(seconds=90)  # for the whole of a body, however steadily it drips
MAX_BYTES = 20_000_000  # after decompression; arXiv's largest feed (2,000 items) has about 4 MB
HOSTS = frozenset({"rss.arxiv.org", "export.arxiv.org", "oaipmh.arxiv.org"})
MOST_REDIRECTS = 3
ATTEMPTS = 4
# Full jitter: anything from 0 to 4, 8, 16 s. arXiv is asked by many machines at the same minute.
_BACKOFF_S = 4.0
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})
_CHUNK = 1 << 16


def polite_session(
    contact_mail: str, pace: Pace, *, jitter: Callable[[float, float], float] = random.uniform
) -> requests.Session:
    """A session that can only talk to arXiv, and only politely."""
    session = requests.Session()
    session.max_redirects = MOST_REDIRECTS
    user_agent = f"Paperpost/{VERSION} (+mailto:{contact_mail})"
    adapter = _PoliteAdapter(user_agent=user_agent, pace=pace, jitter=jitter)
    session.mount("https://", adapter)
    session.mount("http://", adapter)  # refused there
    return session


class _PoliteAdapter(BaseAdapter):
    """
    Every request that leaves, redirected and repeated ones too, passes here.

    The body is read here, so that the cap holds for callers that ask for it as a whole.
    """

    def __init__(
        self, *, user_agent: str, pace: Pace, jitter: Callable[[float, float], float]
    ) -> None:
        super().__init__()
        self._user_agent, self._pace, self._jitter = user_agent, pace, jitter
        self._wire = HTTPAdapter()

    def send(  # type: ignore[override]  # requests' own arguments, passed on by name
        self,
        request: requests.PreparedRequest,
        **options: Any,  # noqa: ANN401  passed on to requests
    ) -> requests.Response:
        """
        The answer, whatever its status, after some tries.

        Raises:
            FeedError: For an address that may not be fetched, a body that is too large, no time.
            requests.RequestException: If no answer came.
        """
        url = request.url or ""
        host = _allowed_host(url)
        request.headers["User-Agent"] = self._user_agent
        options.update(timeout=TIMEOUTS_S, stream=True)
        for attempt in range(ATTEMPTS):
            self._pace.wait(url, host)
            is_last = attempt == ATTEMPTS - 1
            try:
                response, body = self._sent(request, url, options)
            except (requests.ConnectionError, requests.Timeout):
                if is_last:
                    raise
            else:
                if not self._is_refused(response, body, host) or is_last:
                    return response
            self._pace.hold(host, self._jitter(0.0, _BACKOFF_S * 2**attempt))
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """Close what is below."""
        self._wire.close()

    def _sent(
        self, request: requests.PreparedRequest, url: str, options: dict[str, Any]
    ) -> tuple[requests.Response, bytes]:
        try:
            response = self._wire.send(request, **options)
            # requests reads a plain file as it reads a socket; urllib3 has undone the compression.
            body = self._capped_body(response, url)
            response.raw = io.BytesIO(body)
            return response, body
        finally:
            self._pace.done()

    def _is_refused(self, response: requests.Response, body: bytes, host: str) -> bool:
        """Whether it makes sense to ask again; keeps to what Retry-After asks for."""
        if response.status_code not in _TRY_AGAIN:
            return is_rate_limit(body)
        asked_s = self._pace.asked_to_wait_s(response.headers.get("Retry-After"))
        if asked_s is not None:
            self._pace.hold(host, asked_s)
        return True

    def _capped_body(self, response: requests.Response, url: str) -> bytes:
        body, end = bytearray(), self._pace.now() + BODY_TIME
        try:
            for chunk in response.raw.stream(_CHUNK, decode_content=True):
                body += chunk
                if len(body) > MAX_BYTES:
                    response.close()
                    problem = f"larger than {MAX_BYTES:,} bytes"
                    raise FeedError(url, problem, status=response.status_code)
                if self._pace.now() > end:
                    response.close()
                    raise requests.ReadTimeout(f"no end after {BODY_TIME}", response=response)
        except HTTPError as exc:
            raise requests.ConnectionError(exc, response=response) from exc
        return bytes(body)


def _allowed_host(url: str) -> str:
    """The host of *url*. Raises: FeedError: If it is not arXiv's, over https, at the usual port."""
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError as exc:
        raise FeedError(url, "not an address that may be fetched") from exc
    if address.scheme != "https" or address.hostname not in HOSTS or port not in {None, 443}:
        raise FeedError(url, "not an address that may be fetched")
    return str(address.hostname)
