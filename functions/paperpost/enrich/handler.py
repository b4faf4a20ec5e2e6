"""enrich: the entry for its queue and for the sweep's schedule."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from paperpost import clients, settings
from paperpost.batches import take_batch
from paperpost.domain.errors import InvalidInputError
from paperpost.enrich.providers import provider
from paperpost.enrich.sweep import sweep
from paperpost.enrich.work import Provider, enrich_paper
from paperpost.observe import logger, metrics
from paperpost.settings import EnrichSettings
from paperpost.storage.papers import PaperTable
from paperpost.storage.queues import Queue


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    """Enrich a batch of papers, each failing by itself, or sweep up what fell through."""
    metrics.add_metric("EnrichRuns", MetricUnit.Count, 1)
    chosen = EnrichSettings.from_env()
    papers = PaperTable(clients.table(chosen.papers_table))
    asked, now = provider(chosen), settings.now()
    if "Records" in event:
        return _batch(event, context, papers=papers, asked=asked, now=now)
    if event.get("task") != "sweep":
        raise InvalidInputError(f"enrich knows no task {event.get('task')!r}")
    queued = sweep(
        papers=papers,
        queue=Queue(clients.sqs(), chosen.enrichment_queue_url),
        provider=asked,
        categories=chosen.categories,
        languages=chosen.languages,
        now=now,
    )
    metrics.add_metric("EnrichSwept", MetricUnit.Count, queued)
    logger.info("sweep done", extra={"queued": queued})
    return {"queued": queued}


def _batch(
    event: dict[str, Any],
    context: LambdaContext,
    *,
    papers: PaperTable,
    asked: Provider,
    now: datetime,
) -> Mapping[str, Any]:
    def enrich(record: SQSRecord) -> None:
        message = json.loads(record.body)
        written = enrich_paper(
            message["arxiv_id"], message["languages"], papers=papers, provider=asked, now=now
        )
        for enrichment in written:
            metrics.add_metric(f"Enrich{enrichment.state.title()}", MetricUnit.Count, 1)

    metrics.add_metric("EnrichMessages", MetricUnit.Count, len(event["Records"]))
    return take_batch(event, enrich, context=context)
