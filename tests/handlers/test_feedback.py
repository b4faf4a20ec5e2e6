"""Feedback from the queue reaches tables, and what cannot be read goes back to the queue."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paperpost import clients
from paperpost.domain.deliveries import Delivery, DeliveryState, IssueRow
from paperpost.domain.subscribers import SubscriberStatus
from paperpost.feedback.handler import handler
from paperpost.observe import logger
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.subscribers import SubscriberTable
from support.api import FakeContext
from support.aws import Cloud
from support.readers import ADDRESS, NOW, store

TOPIC = "arn:aws:sns:us-east-1:123456789012:paperpost-feedback"
ISSUE = "daily-2024-03-26"


@pytest.fixture
def table(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> SubscriberTable:
    """The Subscribers table with one confirmed reader, a1, behind a function that is set up."""
    monkeypatch.setenv("SUBSCRIBERS_TABLE", cloud.subscribers)
    monkeypatch.setenv("DELIVERIES_TABLE", cloud.deliveries)
    monkeypatch.setenv("FEEDBACK_TOPIC_ARN", TOPIC)
    monkeypatch.setattr("paperpost.settings.now", lambda: NOW)
    made = SubscriberTable(clients.table(cloud.subscribers))
    store(made, status=SubscriberStatus.CONFIRMED)
    plan_letter(DeliveryTable(clients.table(cloud.deliveries)))
    return made


def plan_letter(ledger: DeliveryTable) -> None:
    """The reader's letter of an issue, of which nobody knows whether it was sent."""
    issue = IssueRow(
        issue=ISSUE, content_hash="h", frozen_at=NOW, reason="complete", papers=1, shards=1
    )
    letter = Delivery(
        issue=ISSUE,
        shard=0,
        subscriber_id="a1",
        state=DeliveryState.PLANNED,
        due_at=NOW,
        updated_at=NOW,
    )
    ledger.put_issue(issue, expires_at=1)
    ledger.put_planned(letter, expires_at=1)
    claimed = ledger.claim(ISSUE, 0, "a1", owner="o", now=NOW)
    assert claimed is not None
    ledger.mark(claimed, DeliveryState.UNKNOWN, now=NOW)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the function logs."""
    text, stream_handler = io.StringIO(), logger.handlers[0]
    before = stream_handler.setStream(text)  # type: ignore[attr-defined]
    yield text
    stream_handler.setStream(before)  # type: ignore[attr-defined]


def envelope(message: str, *, topic: str = TOPIC) -> str:
    """An SNS notification as SQS gets it with raw delivery off."""
    return json.dumps({"Type": "Notification", "TopicArn": topic, "Message": message})


def take(*bodies: str) -> list[str]:
    """The ids (0, 1, …) of the records that failed in a batch of *bodies*."""
    records = [
        {
            "messageId": str(n),
            "receiptHandle": "r",
            "body": body,
            "attributes": {},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:feedback",
            "awsRegion": "us-east-1",
        }
        for n, body in enumerate(bodies)
    ]
    answer = handler({"Records": records}, FakeContext())  # type: ignore[arg-type]
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def ours(message: dict[str, Any]) -> str:
    """A recorded event as if it were of our reader's letter."""
    text = json.dumps(message)
    for address in ("recipient@example.com", "jane@example.com", "richard@example.com"):
        text = text.replace(address, ADDRESS)
    made = json.loads(text)
    made["mail"]["tags"] = {"issue": [ISSUE], "subscriber": ["a1"]}
    return json.dumps(made)


def status_of(table: SubscriberTable) -> str:
    """The reader's status."""
    stored = table.get("a1")
    assert stored is not None
    return stored.status.value


RECORDED = {
    "ses-notification-bounce-with-dsn": "bounced",
    "ses-notification-complaint-with-feedback": "complained",
    "ses-notification-delivery": "confirmed",
    "ses-publishing-bounce": "bounced",
    "ses-publishing-bounce-on-account-suppression-list": "bounced",
    "ses-publishing-bounce-three-recipients-mixed": "bounced",
    "ses-publishing-bounce-transient-mailboxfull": "confirmed",
    "ses-publishing-complaint": "complained",
    "ses-publishing-delayed-delivery": "confirmed",
    "ses-publishing-delivery": "confirmed",
    "ses-publishing-failure": "confirmed",
    "ses-publishing-reject": "confirmed",
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_events_of_our_letter_are_obeyed(
    table: SubscriberTable, shared_data: Path, name: str
) -> None:
    """With our reader's address and tags; none of them fails."""
    message = json.loads((shared_data / "aws-events" / f"{name}.json").read_text())

    failed = take(envelope(ours(message)))

    assert failed == []
    assert status_of(table) == RECORDED[name]


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("name", RECORDED)
def test_recorded_events_of_other_mail_change_nothing(
    cloud: Cloud, shared_data: Path, name: str
) -> None:
    """As they were recorded they carry no tag of ours."""
    before = clients.table(cloud.subscribers).scan()["Items"]

    failed = take(envelope((shared_data / "aws-events" / f"{name}.json").read_text()))

    assert failed == []
    assert clients.table(cloud.subscribers).scan()["Items"] == before


def test_a_stopped_reader_leaves_the_audience(table: SubscriberTable, shared_data: Path) -> None:
    """So the next issue is not even planned for it."""
    message = json.loads((shared_data / "aws-events" / "ses-publishing-complaint.json").read_text())

    take(envelope(ours(message)), envelope(ours(message)))

    assert status_of(table) == "complained"
    assert list(table.list_audience("daily", 0)) == []


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("event_type", ["Send", "Delivery"])
def test_a_letter_of_unknown_fate_becomes_sent(cloud: Cloud, event_type: str) -> None:
    """The event proves what a lost reply did not."""
    ledger = DeliveryTable(clients.table(cloud.deliveries))
    mail = {"messageId": "m1", "destination": [ADDRESS]}
    message = {"eventType": event_type, "mail": mail, "delivery": {"recipients": [ADDRESS]}}

    failed = take(envelope(ours(message)))

    settled = ledger.get_delivery(ISSUE, 0, "a1")
    assert failed == []
    assert settled is not None
    assert (settled.state, settled.message_ids) == (DeliveryState.SENT, {"m1"})


def test_an_unexpected_topic_and_a_test_message_are_ignored_and_counted(
    table: SubscriberTable, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither fails, so neither comes back."""
    events = shared_data / "aws-events"
    bounce = ours(json.loads((events / "ses-publishing-bounce.json").read_text()))
    foreign = json.loads((events / "powertools_snsSqsEvent.json").read_text())
    test = json.loads((events / "sns-lambda_not-json-message.json").read_text())

    failed = take(
        envelope(bounce, topic=TOPIC + "-other"),
        foreign["Records"][0]["body"],
        envelope(test["Records"][0]["Sns"]["Message"]),
    )

    metrics = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert failed == []
    assert status_of(table) == "confirmed"
    assert len(metrics["FeedbackForeign"]) == 2
    assert metrics["FeedbackTest"] == [1.0]
    assert metrics["FeedbackRecords"] == [3.0]


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("tags", "event", "wanted"),
    [
        ({"kind": ["morning"]}, "ses-publishing-bounce", [1.0]),
        ({"kind": ["morning"]}, "ses-publishing-delivery", [0.0]),
        ({"kind": ["morning"]}, "ses-publishing-delayed-delivery", None),
        ({"issue": [ISSUE], "subscriber": ["a1"]}, "ses-publishing-bounce", None),
        ({"issue": [ISSUE], "subscriber": ["a1"]}, "ses-publishing-delivery", None),
    ],
)
def test_only_a_morning_letter_says_whether_it_bounced(
    shared_data: Path,
    capsys: pytest.CaptureFixture[str],
    tags: dict[str, list[str]],
    event: str,
    wanted: list[float] | None,
) -> None:
    """The alarm stays as it is while the metric is missing: no reader's mail may end it."""
    told = json.loads(ours(json.loads((shared_data / "aws-events" / f"{event}.json").read_text())))
    told["mail"]["tags"] = tags

    take(envelope(json.dumps(told)))

    metrics = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert metrics.get("MorningLetterBounced") == wanted


def test_a_type_of_the_future_is_kept_aside_and_counted(
    table: SubscriberTable, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It goes back to the queue and then to the dead letters, whole; the others are taken."""
    path = shared_data / "aws-events" / "ses-publishing-bounce.json"
    bounce = json.loads(path.read_text())

    failed = take(envelope(ours({**bounce, "eventType": "Sentiment"})), envelope(ours(bounce)))

    metrics = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert failed == ["0"]
    assert metrics["FeedbackUnknown"] == [1.0]
    assert status_of(table) == "bounced"


def test_of_several_recipients_the_one_that_is_ours_is_obeyed(
    table: SubscriberTable, shared_data: Path
) -> None:
    """The recorded bounce of three; our mail goes to one each, but SES may tell of more."""
    path = shared_data / "aws-events" / "ses-publishing-bounce-three-recipients-mixed.json"
    told = json.loads(path.read_text())
    recipients = [r["emailAddress"] for r in told["bounce"]["bouncedRecipients"]]

    failed = take(envelope(json.dumps(told)), envelope(ours(told)))

    assert len(recipients) == 3
    assert failed == []
    assert status_of(table) == "bounced"


def test_only_the_malformed_record_of_a_batch_fails(
    table: SubscriberTable, shared_data: Path
) -> None:
    """The recorded batch of bounce, complaint and poison, with our topic and tags."""
    path = shared_data / "aws-events" / "sqs-batch_sns-wrapped_bounce+complaint+poison.json"
    bodies = [record["body"] for record in json.loads(path.read_text())["Records"]]
    bounce, complaint = (ours(json.loads(json.loads(body)["Message"])) for body in bodies[:2])
    poison = bodies[2]

    failed = take(poison, envelope(bounce), envelope(poison), envelope(complaint))

    assert failed == ["0", "2"]
    assert status_of(table) == "complained"


@pytest.mark.usefixtures("table")
def test_a_batch_that_fails_whole_names_every_record() -> None:
    """It does not raise: SQS is told which ones, and moves each to the dead letters in time."""
    assert take("", "{}", envelope("{")) == ["0", "1", "2"]


def test_a_table_that_does_not_answer_sends_the_record_back(
    table: SubscriberTable,
    shared_data: Path,
    monkeypatch: pytest.MonkeyPatch,
    log: io.StringIO,
) -> None:
    """Feedback is never lost because of us; the log names the error."""
    message = json.loads((shared_data / "aws-events" / "ses-publishing-bounce.json").read_text())
    monkeypatch.setenv("SUBSCRIBERS_TABLE", "gone")

    failed = take(envelope(ours(message)))

    assert failed == ["0"]
    assert "ResourceNotFoundException" in log.getvalue()
    assert status_of(table) == "confirmed"


@pytest.mark.usefixtures("table")
def test_no_address_is_ever_logged(
    shared_data: Path, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every recorded event, whole and cut in the middle, with the canary in it."""
    for path in sorted((shared_data / "aws-events").glob("ses-*.json")):
        message = ours(json.loads(path.read_text()))
        take(envelope(message), envelope(message[:-40]), message)

    written = log.getvalue() + "".join(capsys.readouterr())

    local, domain = ADDRESS.split("@")
    assert "feedback taken" in written
    assert "MalformedEventError" in written
    assert local not in written
    assert domain not in written
