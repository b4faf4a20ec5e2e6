"""The queues between stages: JSON messages without addresses, sent in tens."""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from paperpost.domain.errors import PaperpostError
from paperpost.storage.items import chunks

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

_BATCH = 10  # SQS's limit for SendMessageBatch


class QueueError(PaperpostError):
    """SQS refused some messages of a batch; the caller's own retry sends all of them again."""


def waiting(client: "SQSClient", url: str) -> int:
    """About how many messages lie in the queue at *url*."""
    name: Literal["ApproximateNumberOfMessages"] = "ApproximateNumberOfMessages"
    return int(client.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


class Queue:
    """One queue: messages are sent, or put off."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._sqs, self._url = client, url

    def send(self, messages: Iterable[Mapping[str, Any]]) -> int:
        """
        Send every message and return how many.

        Raises: QueueError: If SQS refused one; those before it are sent.
        """
        bodies = [json.dumps(m, ensure_ascii=False, sort_keys=True) for m in messages]
        for part in chunks(bodies, _BATCH):
            answer = self._sqs.send_message_batch(
                QueueUrl=self._url,
                Entries=[{"Id": str(n), "MessageBody": body} for n, body in enumerate(part)],
            )
            if answer.get("Failed"):
                refused = answer["Failed"][0]
                raise QueueError(f"{len(answer['Failed'])} messages refused: {refused['Code']}")
        return len(bodies)

    def hide(self, receipt_handle: str, *, seconds: int) -> None:
        """Let a message that is being worked on come back in *seconds* if it is not deleted."""
        self._sqs.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
        )
