"""Fixtures that several handlers' tests share."""

import boto3
import pytest

from paperpost import clients
from paperpost.storage.subscribers import SubscriberTable
from support.aws import Cloud
from support.readers import NOW, keys_json


@pytest.fixture
def table(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> SubscriberTable:
    """The Subscribers table behind a function that is set up and thinks it is NOW."""
    boto3.client("ssm").put_parameter(Name="/keys", Type="SecureString", Value=keys_json())
    for name, value in {
        "SUBSCRIBERS_TABLE": cloud.subscribers,
        "CONFIRMATION_QUEUE_URL": cloud.queues["confirmation"],
        "SITE_URL": "https://papers.example.org",
        "CATEGORIES": "cs.CV,cs.AI,math.ST",
        "CONTACT_MAIL": "hello@example.org",
        "TOKEN_KEYS_PARAMETER": "/keys",
        "SITE_BUCKET": cloud.bucket,
        "SIGNUPS_PER_NETWORK": "3",
        "SIGNUPS_PER_HOUR": "5",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("paperpost.settings.now", lambda: NOW)
    return SubscriberTable(clients.table(cloud.subscribers))
