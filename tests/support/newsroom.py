"""compose and deliver together in process: what each reader is mailed, and at which tick."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import boto3
import pytest

from paperpost import clients
from paperpost.compose.handler import handler as compose
from paperpost.deliver import handler as deliver_module
from paperpost.deliver import pace
from paperpost.deliver.handler import handler as deliver
from paperpost.domain.announcements import AnnouncementState
from paperpost.domain.subscribers import Preferences, SubscriberStatus
from paperpost.storage import secrets
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.papers import PaperTable
from paperpost.storage.subscribers import SubscriberTable
from support.api import FakeContext
from support.aws import Cloud
from support.issues import make_announcement, make_listing, store_day
from support.readers import keys_json, make_subscriber
from support.ses import FakeSes

Event = Callable[[], object]
_SETTINGS = {
    "CATEGORIES": "cs.CV",
    "SITE_URL": "https://papers.example.org",
    "MAIL_FROM": "paperpost@papers.example.org",
    "CONFIRM_FROM": "confirm@papers.example.org",
    "CONTACT_MAIL": "hello@example.org",
    "POSTAL_ADDRESS": "1 Example Street, 00000 Example",
    "CONFIGURATION_SET": "paperpost-set",
    "TOKEN_KEYS_PARAMETER": "/keys",
    "SENDING_PARAMETER": "/sending",
    "CONFIRMATION_QUEUE_ARN": "arn:aws:sqs:us-east-1:123456789012:confirmations",
    "STACK_NAME": "paperpost",
}


class Newsroom:
    """The two functions with their tables, bucket, queue and SES, and a clock to move."""

    def __init__(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
        self.papers = PaperTable(clients.table(cloud.papers))
        self.subscribers = SubscriberTable(clients.table(cloud.subscribers))
        self.deliveries = DeliveryTable(clients.table(cloud.deliveries))
        self.ses, self.now = FakeSes(), datetime(2024, 1, 2, tzinfo=UTC)
        self.mailed: list[tuple[str, str, datetime]] = []
        self._queue, self._numbers = cloud.queues["delivery"], iter(range(1, 1000))
        events: Any = clients.ses().meta.events  # its types know of no handler that answers
        events.register_first("before-send.sesv2.*", self.ses)
        boto3.client("ssm").put_parameter(Name="/keys", Type="SecureString", Value=keys_json())
        self.switch("on")
        names = {
            "PAPERS_TABLE": cloud.papers,
            "SUBSCRIBERS_TABLE": cloud.subscribers,
            "DELIVERIES_TABLE": cloud.deliveries,
            "SITE_BUCKET": cloud.bucket,
            "DELIVERY_QUEUE_URL": self._queue,
        }
        for name, value in (_SETTINGS | names).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("paperpost.settings.now", lambda: self.now)
        pace.account.cache_clear()
        deliver_module._press.cache_clear()
        deliver_module._locked.cache_clear()

    def switch(self, position: str) -> None:
        """What the operator does; seen within half a minute, which is not waited for here."""
        boto3.client("ssm").put_parameter(
            Name="/sending", Type="String", Value=position, Overwrite=True
        )
        secrets._read.cache_clear()

    def join(self, reader: str, *, at: datetime, **wishes: Any) -> None:
        """A reader of cs.CV, confirmed at that time."""
        subscriber = make_subscriber(
            _id(reader),
            address=f"{reader}@example.com",
            status=SubscriberStatus.CONFIRMED,
            confirmed_at=at,
            preferences=Preferences(**{"categories": ("cs.CV",), **wishes}),
        )
        assert self.subscribers.create(subscriber, f"hash-{reader}")

    def change(self, reader: str, **wishes: Any) -> None:
        """Other preferences."""
        stored = self.subscribers.get(_id(reader))
        assert stored is not None
        wanted = replace(stored.preferences, **wishes)
        assert self.subscribers.put_preferences(_id(reader), wanted)

    def become(self, reader: str, status: SubscriberStatus) -> None:
        """Another status, now."""
        assert self.subscribers.set_status(_id(reader), status, now=self.now)

    def announce(self, on: date, *, at: datetime) -> None:
        """A new paper of cs.CV on that date, stored and enriched at that time."""
        store_day(self.papers, [make_listing(next(self._numbers), on=on)], at=at)

    def quiet(self, on: date) -> None:
        """No announcement on that date."""
        quiet = make_announcement("cs.CV", on, state=AnnouncementState.QUIET, stored=0)
        self.papers.put_announcement(quiet)

    def tick(self, at: datetime) -> None:
        """One tick of compose, and what deliver makes of the queue."""
        self.now = at
        compose({"task": "tick"}, FakeContext())
        for record in self._messages():
            answer = deliver({"Records": [record]}, FakeContext())
            assert answer == {"batchItemFailures": []}
        for recipient, raw in self.ses.accepted:
            tags = str(message_from_bytes(raw, policy=policy.default)["X-SES-MESSAGE-TAGS"])
            issue = tags.partition("issue=")[2].partition(",")[0]
            self.mailed.append((recipient.partition("@")[0], issue, at))
        self.ses.accepted.clear()

    def live(self, moments: Iterable[datetime], events: Mapping[datetime, Event]) -> None:
        """
        Let time pass: *events*, and a tick before, at and behind each of *moments*.

        What happens at the time of a tick happens before it.
        """
        step = timedelta(minutes=15)
        ticks = {m + n * step for m in moments for n in (-1, 0, 1)}
        for at in sorted(ticks | set(events)):
            self.now = at
            if at in events:
                events[at]()
            if at in ticks:
                self.tick(at)

    def letters(self, reader: str) -> list[tuple[str, str]]:
        """What the reader was mailed: issue and time, as `2024-03-26T04:30`."""
        return [
            (issue, at.strftime("%Y-%m-%dT%H:%M"))
            for who, issue, at in self.mailed
            if who == reader
        ]

    def why_not(self, reader: str, issue: str) -> str:
        """State and reason of a row."""
        row = self.deliveries.get_delivery(issue, 0, _id(reader))
        return "no row" if row is None else f"{row.state} {row.reason}".strip()

    def _messages(self) -> list[dict[str, Any]]:
        sqs, found = boto3.client("sqs"), []
        while batch := sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=0
        ).get("Messages"):
            for message in batch:
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                found.append(
                    {
                        "messageId": message["MessageId"],
                        "receiptHandle": "r",
                        "body": message["Body"],
                        "attributes": {},
                        "messageAttributes": {},
                        "eventSource": "aws:sqs",
                        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:letters",
                        "awsRegion": "us-east-1",
                    }
                )
        return found


def _id(reader: str) -> str:
    """An id as tokens have them."""
    return reader.replace("_", "")
