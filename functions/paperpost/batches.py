"""Batches from a queue: each message alone; one that fails is named in the log and goes back."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    ExceptionInfo,
    FailureResponse,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

from paperpost.domain.errors import PaperpostError
from paperpost.observe import logger, metrics


def take_batch(
    event: dict[str, Any], take: Callable[[SQSRecord], None], *, context: LambdaContext
) -> PartialItemFailureResponse:
    """Call *take* with each message and name those that failed; only they go back to the queue."""
    return process_partial_response(
        event=event,
        record_handler=take,
        processor=_Processor(event_type=EventType.SQS, raise_on_entire_batch_failure=False),
        context=context,
    )


def describe(error: BaseException) -> dict[str, str]:
    """
    What may be logged of *error*: its kind, where it was raised, and what our own errors say.

    Of an answer of AWS the code; other texts stay out, since they may quote what was sent.
    """
    last = traceback.extract_tb(error.__traceback__)[-1:]
    problem = ""
    if isinstance(error, PaperpostError):
        problem = str(error)[:300]
    elif isinstance(error, ClientError):
        problem = error.response["Error"].get("Code", "")
    return {
        "error": type(error).__name__,
        "at": "".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in last),
        "problem": problem,
    }


class _Processor(BatchProcessor):
    """The base class keeps to itself why a record failed."""

    # The base class gives the record no narrower type.
    def failure_handler(self, record: Any, exception: ExceptionInfo) -> FailureResponse:  # noqa: ANN401
        """Log and count the failure."""
        error = exception[1]
        logger.warning(
            "message left to the queue",
            extra={"message_id": record["messageId"], **(describe(error) if error else {})},
        )
        metrics.add_metric(name="MessagesFailed", unit=MetricUnit.Count, value=1)
        return super().failure_handler(record, exception)
