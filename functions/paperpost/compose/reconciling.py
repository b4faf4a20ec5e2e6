"""Reconcile and close: no claim stays open for ever, and the counts add up to the audience."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from paperpost.domain.deliveries import STARTABLE, Delivery, DeliveryState, IssueRow, reconciled
from paperpost.observe import logger
from paperpost.storage.deliveries import DeliveryTable

_REASONS = {
    DeliveryState.UNKNOWN: "claim expired",
    DeliveryState.SKIPPED: "ambiguous",
    DeliveryState.RELEASED: "ambiguous, sent again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """Settles what no worker will. `policy`: what becomes of ambiguous sends, skip or resend."""

    deliveries: DeliveryTable
    policy: str

    def settle(self, row: IssueRow, *, now: datetime) -> list[Delivery]:
        """All deliveries of the issue, those that were ambiguous for too long changed."""
        return [
            settled
            for shard in range(row.shards)
            for settled in self._settled(row.issue, shard, now=now)
        ]

    def end(self, row: IssueRow, *, now: datetime) -> list[Delivery]:
        """The same of an issue that is too old to be mailed: what has not started is skipped."""
        return [
            self._changed(delivery, DeliveryState.SKIPPED, "too old", now=now)
            if delivery.state in STARTABLE
            else delivery
            for delivery in self.settle(row, now=now)
        ]

    def _settled(self, issue: str, shard: int, *, now: datetime) -> Iterator[Delivery]:
        for delivery in self.deliveries.list_standings(issue, shard):
            state = reconciled(delivery, now=now, policy=self.policy)
            yield self._changed(delivery, state, _REASONS[state], now=now) if state else delivery

    def _changed(
        self, delivery: Delivery, state: DeliveryState, reason: str, *, now: datetime
    ) -> Delivery:
        if not self.deliveries.reconcile(delivery, state, now=now, reason=reason):
            # Somebody was faster; the next tick looks again.
            return delivery
        logger.warning(
            "delivery reconciled",
            extra={
                "issue": delivery.issue,
                "subscriber": delivery.subscriber_id,
                "state": state.value,
                "reason": reason,
            },
        )
        due_at = now if state is DeliveryState.RELEASED else delivery.due_at
        return replace(delivery, state=state, updated_at=now, due_at=due_at)

    def close(self, row: IssueRow, rows: Sequence[Delivery], *, now: datetime) -> bool:
        """Close the issue if no row is open; False if one is."""
        if any(delivery.state.is_open for delivery in rows):
            return False
        totals = Counter(delivery.state.value for delivery in rows)
        self.deliveries.close_issue(row.issue, totals, now=now)
        logger.info("issue closed", extra={"issue": row.issue, "audience": len(rows), **totals})
        return True
