"""A session that gives one prepared answer to every request: what a reader makes of a body."""

from collections.abc import Mapping
from typing import Any

import arxiv
import requests

from paperpost.fetch.search import ApiSearch


class Answered(requests.Session):
    """Answers every GET with *body*; nothing is sent, nothing waits."""

    def __init__(
        self, body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        self._answer = requests.Response()
        self._answer.status_code, self._answer._content = status, body
        self._answer.headers.update(headers or {})

    def get(self, url: str | bytes, **_: Any) -> requests.Response:
        """The answer."""
        self._answer.url = str(url)
        return self._answer


def read_api(body: bytes, *, status: int = 200, asked: int = 1) -> list[arxiv.Result]:
    """What the API's reader takes from *body*, as the answer to *asked* ids. Raises: FeedError."""
    return ApiSearch(Answered(body, status=status)).by_ids([f"2604.{n:05}" for n in range(asked)])
