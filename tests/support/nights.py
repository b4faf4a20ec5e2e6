"""A stack of Paperpost in process, polled on a virtual clock."""

import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from paperpost import clients
from paperpost.domain.announcements import EASTERN
from paperpost.domain.errors import FeedError
from paperpost.fetch.handler import run
from paperpost.settings import FetchSettings
from paperpost.storage.fetchnotes import FetchNotes
from paperpost.storage.papers import PaperTable
from support.arxiv_script import ScriptedDay
from support.arxiv_server import ArxivServer, Fault
from support.aws import Cloud

POLL = {"task": "poll"}
_REMAINING = timedelta(minutes=10)  # the function's time-out in template.yaml


class Night:
    """One stack of Paperpost, its clock, and polls of *categories* on that clock."""

    def __init__(self, cloud: Cloud, categories: Sequence[str], *, at: datetime) -> None:
        self.at, self.categories = at, tuple(categories)
        self.table = clients.table(cloud.papers)
        self.papers, self.notes = PaperTable(self.table), FetchNotes(self.table)
        self._cloud, self._lock = cloud, threading.Lock()

    def clock(self) -> datetime:
        """The virtual time."""
        return self.at

    def pause(self, seconds: float) -> None:
        """Let virtual time pass."""
        with self._lock:
            self.at += timedelta(seconds=seconds)

    def wait_until(self, on: date, eastern: time) -> None:
        """Let time pass until then; time that has passed already stays so."""
        self.at = max(self.at, datetime.combine(on, eastern, EASTERN).astimezone(UTC))

    def run(
        self,
        event: dict[str, Any] = POLL,
        *,
        categories: Sequence[str] = (),
        api: bool = False,
    ) -> dict[str, int]:
        """What the function does, with ten minutes of time."""
        settings = FetchSettings(
            papers_table=self._cloud.papers,
            enrichment_queue_url=self._cloud.queues["enrichment"],
            categories=tuple(categories) or self.categories,
            contact_mail="ops@example.org",
            api_metadata=api,
        )
        return run(event, settings, clock=self.clock, sleep=self.pause, remaining=_REMAINING)

    def poll_at(self, on: date, eastern: time, **options: Any) -> dict[str, int] | FeedError:
        """The poll at that time: its counts, or the error that it failed with."""
        self.wait_until(on, eastern)
        try:
            return self.run(**options)
        except FeedError as exc:
            return exc

    def serving(self, script: Sequence[ScriptedDay], *faults: Fault, **how: Any) -> ArxivServer:
        """A made-up arXiv on the same clock."""
        return ArxivServer(script, clock=self.clock, faults=faults, pause=self.pause, **how)

    def told(self, on: date, category: str) -> dict[str, tuple[int, str]]:
        """What is listed: id → version and type."""
        return {
            listing.arxiv_id: (listing.version, listing.announce_type.value)
            for listing in self.papers.list_listings(category, on)
        }

    def state(self, on: date, category: str) -> tuple[str, int, int, str] | None:
        """An announcement's state, counts and reason."""
        found = self.papers.get_announcement(category, on)
        return (found.state.value, found.announced, found.stored, found.reason) if found else None

    def items(self) -> dict[tuple[str, str], Any]:
        """All that is stored, but the lease."""
        found, start = list[Any](), dict[str, Any]()
        while True:
            page = self.table.scan(ConsistentRead=True, **start)
            found += page["Items"]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        return {(str(i["pk"]), str(i["sk"])): i for i in found if i["sk"] != "LEASE"}
