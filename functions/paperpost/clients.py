"""The only place that makes clients of other services: time-outs, attempts, endpoints."""

from functools import lru_cache
from typing import TYPE_CHECKING

import boto3
import urllib3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime.client import BedrockRuntimeClient
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sesv2.client import SESV2Client
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_ssm.client import SSMClient

# Tables, queues and the bucket answer in milliseconds; all writes there may be repeated.
_STORAGE = Config(
    connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 4, "mode": "standard"}
)
# SES has no idempotency token, and botocore sends again by itself on a lost reply (measured:
# three requests for one call): exactly one attempt, every repetition is deliver's own decision.
_SES = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1})
# A model takes its time; the queue repeats, so that a paper's worst case fits enrich's time-out.
_BEDROCK = Config(connect_timeout=3, read_timeout=60, retries={"total_max_attempts": 1})
_MODEL_HTTP = urllib3.Timeout(connect=3, read=60)


@lru_cache
def table(name: str) -> "Table":
    """The DynamoDB table *name*."""
    return boto3.resource("dynamodb", config=_STORAGE).Table(name)


@lru_cache
def s3() -> "S3Client":
    """A client for the site's bucket."""
    return boto3.client("s3", config=_STORAGE)


@lru_cache
def sqs() -> "SQSClient":
    """A client for the queues."""
    return boto3.client("sqs", config=_STORAGE)


@lru_cache
def ssm() -> "SSMClient":
    """A client for secrets in Parameter Store."""
    return boto3.client("ssm", config=_STORAGE)


@lru_cache
def cloudwatch() -> "CloudWatchClient":
    """A client for the state of alarms."""
    return boto3.client("cloudwatch", config=_STORAGE)


@lru_cache
def ses() -> "SESV2Client":
    """A client for sending mail that never sends anything twice by itself."""
    return boto3.client("sesv2", config=_SES)


@lru_cache
def bedrock() -> "BedrockRuntimeClient":
    """A client for the enrichment model."""
    return boto3.client("bedrock-runtime", config=_BEDROCK)


@lru_cache
def model_http() -> urllib3.PoolManager:
    """A client for other enrichment models: one attempt, and no redirect takes the key along."""
    return urllib3.PoolManager(timeout=_MODEL_HTTP, retries=False)
