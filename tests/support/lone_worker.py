"""
The deliver function in a process of its own: takes messages until the queue is empty.

Usage: python -m support.lone_worker QUEUE_URL QUEUE_ARN, with the function's own environment. As
Lambda does, it deletes a message only when the handler has returned without a failure.
"""

import sys
from typing import Any

import boto3

from paperpost.deliver.handler import handler
from support.api import FakeContext


def main() -> int:
    """Work until nothing is left."""
    url, arn = sys.argv[1:]
    sqs = boto3.client("sqs")
    while found := sqs.receive_message(QueueUrl=url, AttributeNames=["All"]).get("Messages"):
        for message in found:
            result: Any = handler({"Records": [_record(message, arn)]}, FakeContext())
            if not result["batchItemFailures"]:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return 0


def _record(message: Any, arn: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": "us-east-1",
    }


if __name__ == "__main__":
    sys.exit(main())
