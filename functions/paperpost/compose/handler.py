"""compose: decides who is due for which issue; it sees no address and writes no mail."""

import time
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from paperpost import clients, settings
from paperpost.compose.fanout import FanOut
from paperpost.compose.freezing import Freezer
from paperpost.compose.ledger import Ledger
from paperpost.compose.planning import Planner
from paperpost.compose.reconciling import Reconciler
from paperpost.compose.reporting import Reporter
from paperpost.observe import logger, metrics
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.guard import Guard
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
    deliveries = DeliveryTable(clients.table(own.deliveries_table))
    site = SiteBucket(clients.s3(), own.site_bucket)
    ledger = Ledger(
        deliveries=deliveries,
        planner=Planner(
            deliveries=deliveries,
            audience=SubscriberTable(clients.table(own.subscribers_table)),
            cutoff=own.cutoff,
            may_go_on=lambda: context.get_remaining_time_in_millis() > _RESERVE_MS,
        ),
        reconciler=Reconciler(deliveries=deliveries, policy=own.ambiguous_sends),
        fan_out=FanOut(deliveries=deliveries, queue=Queue(clients.sqs(), own.delivery_queue_url)),
        reporter=Reporter(site=site),
        guard=Guard(
            site=site,
            tables={
                "Deliveries": clients.table(own.deliveries_table),
                "Subscribers": clients.table(own.subscribers_table),
            },
        ),
    )
    # DynamoDB expires by the real clock, also while a replay moves ours.
    expires_at = int(time.time()) + _KEEP_S
    done = {"frozen": 0, "queued": 0, "closed": 0}
    locked = ledger.why_locked(now=now)
    if not locked:
        freezer = Freezer(
            settings=own,
            papers=PaperTable(clients.table(own.papers_table)),
            deliveries=deliveries,
            site=site,
        )
        done["frozen"] = len(freezer.freeze_due(now=now, expires_at=expires_at))
        advanced, locked = ledger.advance(now=now, expires_at=expires_at)
        done |= advanced
    for name, value in done.items():
        metrics.add_metric(name=f"Issues{name.title()}", unit=MetricUnit.Count, value=value)
    metrics.add_metric("SendingLocked", MetricUnit.Count, int(bool(locked)))
    return done
