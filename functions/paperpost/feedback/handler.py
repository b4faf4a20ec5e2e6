"""Feedback from SES over SNS and SQS: obeyed once, counted always, never swallowed."""

from functools import partial
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from paperpost import clients, settings
from paperpost.batches import take_batch
from paperpost.feedback.apply import Outcome, apply
from paperpost.feedback.events import UnknownEventError, parse_feedback, read_envelope
from paperpost.observe import logger, metrics
from paperpost.settings import FeedbackSettings
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.subscribers import SubscriberTable

# An alarm watches it: SES took the letter, and yet its reader knows nothing. It rings until a
# morning letter arrives, so what becomes of other mail must say nothing.
_BOUNCED = {Outcome.UNHEARD: 1, Outcome.HEARD: 0}


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Take a batch; a record that fails alone goes back to the queue, then to the dead letters."""
    stage = FeedbackSettings.from_env()
    _count("FeedbackRecords", len(event["Records"]))
    return take_batch(event, partial(_take, stage=stage), context=context)


def _take(record: SQSRecord, *, stage: FeedbackSettings) -> None:
    """Obey one message, or say why it is ignored."""
    envelope = read_envelope(record.body)
    if envelope.topic_arn != stage.feedback_topic_arn:
        logger.warning("feedback of an unexpected topic ignored")
        _count("FeedbackForeign")
        return
    if envelope.is_test:
        logger.info("test message of SES ignored")
        _count("FeedbackTest")
        return
    subscribers = SubscriberTable(clients.table(stage.subscribers_table))
    ledger = DeliveryTable(clients.table(stage.deliveries_table))
    try:
        told = parse_feedback(envelope.message)
    except UnknownEventError:
        _count("FeedbackUnknown")
        raise
    for feedback in told:
        outcome = apply(feedback, subscribers=subscribers, ledger=ledger, now=settings.now())
        _count(outcome.value)
        if outcome in _BOUNCED:
            metrics.add_metric("MorningLetterBounced", MetricUnit.Count, _BOUNCED[outcome])
        logger.info(
            "feedback taken",
            extra={
                "event_type": feedback.event_type[:40],
                "kind": feedback.kind.value,
                "outcome": outcome.name.lower(),
                "issue": feedback.issue,
                "subscriber": feedback.subscriber_id,
            },
        )


def _count(name: str, value: int = 1) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
