"""Reconcile and close: no claim stays open for ever, and the counts add up to the audience."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from paperpost.domain.deliveries import Delivery, DeliveryState, IssueRow, reconciled
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

    def _settled(self, issue: str, shard: int, *, now: datetime) -> Iterator[Delivery]:
        for delivery in self.deliveries.list_standings(issue, shard):
            state = reconciled(delivery, now=now, policy=self.policy)
            if state is None:
                yield delivery
                continue
            reason = _REASONS[state]
            if self.deliveries.reconcile(delivery, state, now=now, reason=reason):
                logger.warning(
                    "delivery reconciled",
                    extra={
                        "issue": issue,
                        "subscriber": delivery.subscriber_id,
                        "state": state.value,
                        "reason": reason,
                    },
                )
                due_at = now if state is DeliveryState.RELEASED else delivery.due_at
                yield replace(delivery, state=state, updated_at=now, due_at=due_at)
            else:
                # Somebody was faster; the next tick looks again.
                yield delivery

    def close(self, row: IssueRow, rows: Sequence[Delivery], *, now: datetime) -> bool:
        """Close the issue if no row is open; False if one is."""
        if any(delivery.state.is_open for delivery in rows):
            return False
        totals = Counter(delivery.state.value for delivery in rows)
        self.deliveries.close_issue(row.issue, totals, now=now)
        logger.info("issue closed", extra={"issue": row.issue, "audience": len(rows), **totals})
        return True
