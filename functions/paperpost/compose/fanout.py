"""Fan out: open rows that are due go to the delivery queue as ids, in messages of at most 25."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from paperpost.domain.deliveries import (
    REQUEUE_AFTER,
    Delivery,
    IssueRow,
    is_overdue,
    is_startable,
)
from paperpost.observe import logger
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.items import chunks
from paperpost.storage.queues import Queue

_IDS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """Queues deliveries; a message that is lost or repeated does no harm."""

    deliveries: DeliveryTable
    queue: Queue

    def send(self, row: IssueRow, rows: Sequence[Delivery], *, now: datetime) -> int:
        """
        Queue what is due and not queued within the last 30 minutes; return how many letters.

        When something was queued is kept by due time on the issue's row, not on 100,000 rows. An
        issue that was stopped is queued whole: its messages were acknowledged.
        """
        self._warn_of_overdue(row, rows, now=now)
        recently = {} if row.stopped else row.queued
        due = [
            delivery
            for delivery in rows
            if is_startable(delivery, now=now)
            and not now - recently.get(delivery.due_at, datetime.min.replace(tzinfo=now.tzinfo))
            < REQUEUE_AFTER
        ]
        if not due and not row.stopped:
            return 0
        # Lifted before the messages go: a worker that meets the old stop would drop them again.
        queued = {**row.queued, **dict.fromkeys((d.due_at for d in due), now)}
        if row.stopped:
            self.deliveries.note_queued(row.issue, row.queued)
        self.queue.send(_messages(row, due))
        self.deliveries.note_queued(row.issue, queued)
        return len(due)

    def _warn_of_overdue(self, row: IssueRow, rows: Sequence[Delivery], *, now: datetime) -> None:
        overdue = sum(is_overdue(delivery, now=now) for delivery in rows)
        if overdue:
            logger.warning(
                "letters are overdue and wait for the operator",
                extra={"issue": row.issue, "letters": overdue},
            )


def _messages(row: IssueRow, due: Sequence[Delivery]) -> Iterator[dict[str, Any]]:
    for shard in sorted({d.shard for d in due}):
        ids = sorted(d.subscriber_id for d in due if d.shard == shard)
        for part in chunks(ids, _IDS):
            yield {"issue": row.issue, "shard": shard, "subscribers": list(part)}
