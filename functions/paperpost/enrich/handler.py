"""enrich: the entry for its queue and for the sweep's schedule."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from paperpost import clients, data, settings
from paperpost.batches import take_batch
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.spending import Budget, Tokens, spare_calls, utc_day
from paperpost.enrich.answers import TransientProviderError
from paperpost.enrich.guard import Guard
from paperpost.enrich.prompt import MAX_TOKENS
from paperpost.enrich.providers import provider
from paperpost.enrich.sweep import sweep
from paperpost.enrich.work import CAP, DOWN, Enricher
from paperpost.observe import logger, metrics
from paperpost.settings import EnrichSettings, SettingsError
from paperpost.storage.enrichnotes import EnrichNotes
from paperpost.storage.papers import PaperTable
from paperpost.storage.queues import Queue

_RECEIVES = 5  # maxReceiveCount of the queue in template.yaml; a test compares them
_FIRST_WAIT_S = 30
_CLEANED_UP_AFTER = timedelta(days=1)
# What a long paper's call may cost at its worst; the sweep counts with it.
_LARGE_CALL = Tokens(input=6_000, output=MAX_TOKENS)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    """Enrich a batch of papers, each failing by itself, or sweep up what fell through."""
    metrics.add_metric("EnrichRuns", MetricUnit.Count, 1)
    chosen, now = EnrichSettings.from_env(), settings.now()
    if "Records" in event:
        return _batch(event, context, chosen, now)
    if event.get("task") != "sweep":
        raise InvalidInputError(f"enrich knows no task {event.get('task')!r}")
    return _sweep(chosen, now)


def _batch(
    event: dict[str, Any], context: LambdaContext, chosen: EnrichSettings, now: datetime
) -> Mapping[str, Any]:
    enricher = _enricher(chosen, owner=context.aws_request_id, now=now)
    queue = Queue(clients.sqs(), chosen.enrichment_queue_url)

    def enrich(record: SQSRecord) -> None:
        message = json.loads(record.body)
        receives = int(record.attributes.approximate_receive_count)
        try:
            enricher.enrich(
                message["arxiv_id"], message["languages"], last_try=receives >= _RECEIVES
            )
        except TransientProviderError as exc:
            wait_s = _FIRST_WAIT_S * 2 ** (receives - 1)
            queue.hide(record.receipt_handle, seconds=max(wait_s, exc.retry_after_s))
            raise

    result = take_batch(event, enrich, context=context)
    metrics.add_metric("EnrichMessages", MetricUnit.Count, len(event["Records"]))
    _report(enricher.counts)
    return result


def _sweep(chosen: EnrichSettings, now: datetime) -> Mapping[str, Any]:
    notes = EnrichNotes(clients.table(chosen.papers_table))
    queued = sweep(
        papers=PaperTable(clients.table(chosen.papers_table)),
        queue=Queue(clients.sqs(), chosen.enrichment_queue_url),
        provider=provider(chosen, now=now),
        categories=chosen.categories,
        languages=chosen.languages,
        now=now,
        spare=spare_calls(notes.get_spend(utc_day(now)), _budget(chosen), _LARGE_CALL),
    )
    metrics.add_metric("EnrichSwept", MetricUnit.Count, queued)
    logger.info("sweep done", extra={"queued": queued})
    return {"queued": queued}


def _enricher(chosen: EnrichSettings, *, owner: str, now: datetime) -> Enricher:
    asked = provider(chosen, now=now)
    table = clients.table(chosen.papers_table)
    return Enricher(
        papers=PaperTable(table),
        guard=Guard(notes=EnrichNotes(table), model=asked.model, budget=_budget(chosen), now=now),
        provider=asked,
        glossary=data.glossary,
        owner=owner,
        now=now,
        expires_at=settings.epoch_s() + int(_CLEANED_UP_AFTER.total_seconds()),
    )


def _budget(chosen: EnrichSettings) -> Budget:
    """Raises: SettingsError: If money is capped and the prices are not known."""
    if chosen.enrich_usd_a_day and not (chosen.enrich_input_price and chosen.enrich_output_price):
        raise SettingsError("ENRICH_USD_A_DAY needs ENRICH_INPUT_PRICE and ENRICH_OUTPUT_PRICE")
    return Budget(
        input_price=chosen.enrich_input_price,
        output_price=chosen.enrich_output_price,
        most_tokens=chosen.enrich_tokens_a_day,
        most_usd=chosen.enrich_usd_a_day,
    )


def _report(counts: Counter[str]) -> None:
    """What happened to papers, by state and by check; what alarms watch, also when it is 0."""
    metrics.add_metric("EnrichOk", MetricUnit.Count, counts.pop("ok", 0))
    metrics.add_metric("EnrichRejected", MetricUnit.Count, counts.pop("rejected", 0))
    metrics.add_metric("EnrichFailed", MetricUnit.Count, counts.pop("failed", 0))
    metrics.add_metric("EnrichProviderDown", MetricUnit.Count, counts.pop(DOWN, 0))
    metrics.add_metric("EnrichCapReached", MetricUnit.Count, counts.pop(CAP, 0))
    for name, value in counts.items():
        words = name.title().replace(" ", "")
        metrics.add_metric(f"Enrich{words}", MetricUnit.Count, value)
