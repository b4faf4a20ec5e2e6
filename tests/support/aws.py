"""The three tables, the bucket and the queues under moto, as template.yaml declares them."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import boto3
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws

from paperpost import clients
from paperpost.storage import keys
from support.canary import watch_queues

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
    """
    A fresh account in process: no network, nothing kept.

    Clients are made once for all tests, since making them is most of what a test would cost; moto
    answers them only inside the mock.
    """
    saved = dict(os.environ)
    os.environ.update(
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION=REGION,
        AWS_EC2_METADATA_DISABLED="true",
    )
    os.environ.pop("AWS_ENDPOINT_URL", None)
    try:
        with mock_aws():
            watch_queues()
            yield make_cloud(_client)
    finally:
        clients.ses.cache_clear()  # tests put their own wire under the mail client
        os.environ.clear()
        os.environ.update(saved)


def forget_clients() -> None:
    """Drop the handlers' cached clients, for a test that needs them made anew."""
    for maker in (
        clients.table,
        clients.s3,
        clients.sqs,
        clients.ssm,
        clients.ses,
        clients.bedrock,
    ):
        maker.cache_clear()


@contextmanager
def no_turns(cloud: Cloud) -> Iterator[None]:
    """Meanwhile the row of turns, which every worker writes to, does not answer."""
    events = clients.table(cloud.deliveries).meta.client.meta.events

    def refuse(params: dict[str, Any], **_: Any) -> None:
        if json.loads(params["body"])["Key"]["pk"] == {"S": keys.PACE_KEY}:
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

    events.register_first("before-call.dynamodb.UpdateItem", refuse)
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb.UpdateItem", refuse)


@lru_cache
def _client(name: str) -> Any:
    return boto3.client(name, region_name=REGION)  # type: ignore[call-overload]


def make_cloud(client: Callable[[str], Any], *, suffix: str = "") -> Cloud:
    """Make everything with the clients that *client* gives, names ending in *suffix*."""
    dynamodb = client("dynamodb")
    attributes = [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")]
    schema = [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    for name in ("papers", "deliveries"):
        dynamodb.create_table(
            TableName=name + suffix,
            AttributeDefinitions=attributes,
            KeySchema=schema,
            BillingMode="PAY_PER_REQUEST",
        )
    dynamodb.create_table(
        TableName="subscribers" + suffix,
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
    client("s3").create_bucket(Bucket=BUCKET + suffix)
    queues = {
        name: client("sqs").create_queue(QueueName=name + suffix)["QueueUrl"]
        for name in ("enrichment", "confirmation", "delivery", "feedback")
    }
    return Cloud(
        papers="papers" + suffix,
        subscribers="subscribers" + suffix,
        deliveries="deliveries" + suffix,
        bucket=BUCKET + suffix,
        queues=queues,
    )
