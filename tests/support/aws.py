"""The three tables, the bucket and the queues under moto, as template.yaml declares them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from moto import mock_aws

from paperpost import clients

REGION = "us-east-1"
BUCKET = "paperpost-site"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """Names of what was made."""

    papers: str
    subscribers: str
    deliveries: str
    bucket: str
    queues: dict[str, str]


@contextmanager
def moto_cloud() -> Iterator[Cloud]:
    """A fresh account in process: no network, nothing kept; cached clients are forgotten."""
    saved = dict(os.environ)
    os.environ.update(
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION=REGION,
        AWS_EC2_METADATA_DISABLED="true",
    )
    os.environ.pop("AWS_ENDPOINT_URL", None)
    forget_clients()
    try:
        with mock_aws():
            yield _make()
    finally:
        forget_clients()
        os.environ.clear()
        os.environ.update(saved)


def forget_clients() -> None:
    """Drop the cached boto3 clients, so that the next call makes them for the present environment."""
    for maker in (
        clients.table,
        clients.s3,
        clients.sqs,
        clients.ssm,
        clients.ses,
        clients.bedrock,
    ):
        maker.cache_clear()


def _make() -> Cloud:
    dynamodb = boto3.client("dynamodb")
    attributes = [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")]
    schema = [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    for name in ("papers", "deliveries"):
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=attributes,
            KeySchema=schema,
            BillingMode="PAY_PER_REQUEST",
        )
    dynamodb.create_table(
        TableName="subscribers",
        AttributeDefinitions=[
            *attributes,
            {"AttributeName": "audience", "AttributeType": "S"},
            {"AttributeName": "id", "AttributeType": "S"},
        ],
        KeySchema=schema,
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {
                "IndexName": "audience",
                "KeySchema": [
                    {"AttributeName": "audience", "KeyType": "HASH"},
                    {"AttributeName": "id", "KeyType": "RANGE"},
                ],
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": ["zone", "hour", "paused_until", "confirmed_at"],
                },
            }
        ],
    )
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    sqs = boto3.client("sqs")
    queues = {
        name: sqs.create_queue(QueueName=name)["QueueUrl"]
        for name in ("enrichment", "confirmation", "delivery", "feedback")
    }
    return Cloud(
        papers="papers",
        subscribers="subscribers",
        deliveries="deliveries",
        bucket=BUCKET,
        queues=queues,
    )
