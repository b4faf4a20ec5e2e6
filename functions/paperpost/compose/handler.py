"""compose: decides who is due for which issue; it sees no address and writes no mail."""

import time
from collections import Counter
from datetime import datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from paperpost import clients, settings
from paperpost.compose.fanout import FanOut
from paperpost.compose.freezing import Freezer
from paperpost.compose.planning import Planner
from paperpost.compose.reconciling import Reconciler
from paperpost.compose.reporting import Reporter
from paperpost.domain.announcements import eastern_date
from paperpost.domain.deliveries import IssueRow, IssueState, is_overdue
from paperpost.domain.issues import candidate_dates, issue_id
from paperpost.domain.mailed import Mailed, mailed
from paperpost.domain.subscribers import Cadence
from paperpost.observe import logger, metrics
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.papers import PaperTable
from paperpost.storage.queues import Queue
from paperpost.storage.site import SiteBucket
from paperpost.storage.subscribers import SubscriberTable

_KEEP_S = 400 * 24 * 3600
# Planning stops here and goes on with the next tick, so that fanning out still finds time.
_RESERVE_MS = 60_000


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001  there is one task
    """One tick: freeze, plan, reconcile, fan out, close, report. Every step may be repeated."""
    own = settings.ComposeSettings.from_env()
    now = settings.now()
    # DynamoDB expires by the real clock, also while a replay moves ours.
    expires_at = int(time.time()) + _KEEP_S
    deliveries = DeliveryTable(clients.table(own.deliveries_table))
    site = SiteBucket(clients.s3(), own.site_bucket)
    freezer = Freezer(
        settings=own,
        papers=PaperTable(clients.table(own.papers_table)),
        deliveries=deliveries,
        site=site,
    )
    planner = Planner(
        deliveries=deliveries,
        audience=SubscriberTable(clients.table(own.subscribers_table), shards=own.shards),
        may_go_on=lambda: context.get_remaining_time_in_millis() > _RESERVE_MS,
    )
    fan_out = FanOut(deliveries=deliveries, queue=Queue(clients.sqs(), own.delivery_queue_url))
    reconciler = Reconciler(deliveries=deliveries, policy=own.ambiguous_sends)

    done = {
        "frozen": len(freezer.freeze_due(now=now, expires_at=expires_at)),
        "queued": 0,
        "closed": 0,
    }
    told: list[Mailed] = []
    for row in _recent_issues(deliveries, now=now):
        if row.state is IssueState.CLOSED:
            told.append(mailed(row, row.state, row.totals))
            continue
        if row.state is IssueState.PLANNING and not planner.plan(row, expires_at=expires_at):
            told.append(mailed(row, row.state, {}))
            continue
        rows = reconciler.settle(row, now=now)
        done["queued"] += fan_out.send(row, rows, now=now)
        closed = reconciler.close(row, rows, now=now)
        done["closed"] += closed
        state = IssueState.CLOSED if closed else IssueState.SENDING
        counts = Counter(delivery.state.value for delivery in rows)
        overdue = sum(is_overdue(delivery, now=now) for delivery in rows)
        told.append(mailed(row, state, counts, overdue=overdue))
    Reporter(site=site).tell(told)
    for name, value in done.items():
        metrics.add_metric(name=f"Issues{name.title()}", unit=MetricUnit.Count, value=value)
    return done


def _recent_issues(deliveries: DeliveryTable, *, now: datetime) -> list[IssueRow]:
    """The issues of the last 14 days, of each cadence the oldest first."""
    today = eastern_date(now)
    rows = [
        deliveries.get_issue(issue_id(cadence, on))
        for cadence in Cadence
        for on in candidate_dates(cadence, today)
    ]
    return [row for row in rows if row is not None]
