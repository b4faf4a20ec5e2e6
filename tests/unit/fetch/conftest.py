"""A poll against tables and a queue in process."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from paperpost import clients, data
from paperpost.domain.errors import FeedError
from paperpost.fetch.collect import Polled, collect
from paperpost.fetch.sources import Request
from paperpost.storage.papers import PaperTable
from paperpost.storage.queues import Queue
from support.aws import Cloud

NIGHT = datetime(2026, 4, 21, 4, 20, tzinfo=UTC)  # 00:20 Eastern, Tuesday


class FakeSource:
    """Feeds by name; an error in place of one is raised when it is read."""

    def __init__(self, feeds: Mapping[str, bytes | FeedError], *, is_replay: bool) -> None:
        self.feeds, self.is_replay = feeds, is_replay
        self.kept: list[Request] = []

    def requests(self, categories: Sequence[str]) -> list[Request]:  # noqa: ARG002
        return [Request(address=name) for name in self.feeds]

    def read(self, request: Request, *, if_changed: bool = False) -> bytes | None:  # noqa: ARG002
        found = self.feeds[request.address]
        if isinstance(found, FeedError):
            raise found
        return found

    def keep(self, request: Request) -> None:
        self.kept.append(request)


class RecordingQueue(Queue):
    """The real queue, which also remembers what went through it."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(clients.sqs(), cloud.queues["enrichment"])
        self.sent: list[dict[str, Any]] = []

    def send(self, messages: Any) -> int:
        told = [dict(message) for message in messages]
        self.sent += json.loads(json.dumps(told))
        return super().send(told)


@pytest.fixture
def papers(cloud: Cloud) -> PaperTable:
    """The Papers table."""
    return PaperTable(clients.table(cloud.papers))


@pytest.fixture
def queue(cloud: Cloud) -> RecordingQueue:
    """The enrichment queue."""
    return RecordingQueue(cloud)


Poll = Callable[..., Polled]


@pytest.fixture
def poll(papers: PaperTable, queue: RecordingQueue) -> Poll:
    """Poll the given feeds, as arXiv's at 00:20 Eastern unless told otherwise."""

    def run(
        *feeds: bytes | FeedError,
        categories: Sequence[str] = ("cs.AI", "cs.LG"),
        replay: bool = False,
        now: datetime = NIGHT,
        table: PaperTable = papers,
    ) -> Polled:
        named = {f"feed-{n}": feed for n, feed in enumerate(feeds)}
        return collect(
            FakeSource(named, is_replay=replay),
            papers=table,
            queue=queue,
            taxonomy=data.taxonomy(),
            calendar=data.calendar(),
            categories=categories,
            languages=("zh", "en"),
            now=now,
        )

    return run
