"""
Real events of SES in any order, repeated and lost: what is left depends on which came, and no more.

The oracle reads the set of events that came, by the state machine that docs/subscribers.md tells.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paperpost import clients
from paperpost.domain.deliveries import Delivery, DeliveryState, IssueRow
from paperpost.domain.subscribers import SubscriberStatus
from paperpost.feedback.handler import handler
from paperpost.storage import keys
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.subscribers import SubscriberTable
from support.api import FakeContext
from support.aws import Cloud
from support.readers import ADDRESS, NOW, make_subscriber

TOPIC = "arn:aws:sns:us-east-1:123456789012:paperpost-feedback"
ISSUE, LETTER = "daily-2024-03-26", "m-letter"
# What each recorded event means for its reader and for the letter that it is about.
RECORDED = {
    "ses-notification-bounce-with-dsn": "bounce sent",
    "ses-notification-complaint-with-feedback": "complaint sent",
    "ses-notification-delivery": "sent",
    "ses-publishing-bounce": "bounce sent",
    "ses-publishing-bounce-on-account-suppression-list": "bounce unsent",
    "ses-publishing-bounce-three-recipients-mixed": "bounce sent",
    "ses-publishing-bounce-transient-mailboxfull": "transient sent",
    "ses-publishing-complaint": "complaint sent",
    "ses-publishing-delayed-delivery": "sent",
    "ses-publishing-delivery": "sent",
    "ses-publishing-failure": "unsent",
    "ses-publishing-reject": "unsent",
}
# Nobody has recorded it: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Complaint.html
LISTED = {"complaintSubType": "OnAccountSuppressionList"}
# What the unsent ones leave as the reason: the first by alphabet of those that came.
REASONS = {
    "ses-publishing-bounce-on-account-suppression-list": "on a suppression list",
    "ses-publishing-failure": "not rendered",
    "ses-publishing-reject": "rejected: Bad content",
    "complaint on the list": "on a suppression list",
}
# Six more letters that bounced for now, on these days: five of them within thirty days.
BOUNCES = (-60, -20, -15, -10, -5, -1)


def event_pool(folder: Path) -> dict[str, tuple[str, str]]:
    """Name → what it means, and SES's message, as if each were of our reader's mail."""
    told = {name: json.loads((folder / f"{name}.json").read_text()) for name in RECORDED}
    found = {
        name: (RECORDED[name], ours(event, message_id=LETTER, issue=ISSUE))
        for name, event in told.items()
    }
    complained = told["ses-publishing-complaint"]
    listed = {**complained, "complaint": {**complained["complaint"], **LISTED}}
    found["complaint on the list"] = (
        "complaint unsent",
        ours(listed, message_id=LETTER, issue=ISSUE),
    )
    full = told["ses-publishing-bounce-transient-mailboxfull"]
    for day in BOUNCES:
        at = (NOW + timedelta(days=day)).isoformat()
        event = {**full, "bounce": {**full["bounce"], "timestamp": at}}
        found[f"day {day}"] = ("transient", ours(event, message_id=f"m{day}", issue=""))
    return found


def ours(event: dict[str, Any], *, message_id: str, issue: str) -> str:
    text = json.dumps(event)
    for address in ("recipient@example.com", "jane@example.com", "richard@example.com"):
        text = text.replace(address, ADDRESS)
    made = json.loads(text)
    made["mail"]["messageId"] = message_id
    made["mail"]["destination"] = [ADDRESS for _ in made["mail"]["destination"]]
    made["mail"]["tags"] = {"subscriber": ["a1"], **({"issue": [issue]} if issue else {})}
    return json.dumps(made)


class Desk:
    """One reader and one letter, set up anew for each order of events."""

    def __init__(self, cloud: Cloud) -> None:
        self.people = clients.table(cloud.subscribers)
        self.rows = clients.table(cloud.deliveries)
        self.subscribers, self.ledger = SubscriberTable(self.people), DeliveryTable(self.rows)
        row = IssueRow(
            issue=ISSUE, content_hash="h", frozen_at=NOW, reason="ready", papers=1, shards=1
        )
        self.ledger.put_issue(row, expires_at=1)

    def begin(self, letter: DeliveryState) -> None:
        self.people.delete_item(Key={"pk": keys.subscriber_pk("a1"), "sk": keys.PROFILE_SK})
        self.people.delete_item(Key={"pk": keys.email_pk("hash"), "sk": keys.EMAIL_SK})
        reader = make_subscriber(
            status=SubscriberStatus.CONFIRMED, confirmed_at=NOW - timedelta(days=90)
        )
        assert self.subscribers.create(reader, "hash")
        self.rows.delete_item(
            Key={"pk": keys.deliveries_pk(ISSUE, 0), "sk": keys.delivery_sk("a1")}
        )
        delivery = Delivery(
            issue=ISSUE,
            shard=0,
            subscriber_id="a1",
            state=DeliveryState.PLANNED,
            due_at=NOW,
            updated_at=NOW,
        )
        self.ledger.put_planned(delivery, expires_at=1)
        self.send(letter)

    def send(self, becomes: DeliveryState) -> None:
        """What deliver does with the letter; `released`: it is ambiguous, and may go again."""
        claimed = self.ledger.claim(ISSUE, 0, "a1", owner="o", now=NOW)
        assert claimed is not None
        if becomes is DeliveryState.SENT:  # such a letter has SES's id
            self.ledger.mark(claimed, becomes, now=NOW, message_id=LETTER)
        elif becomes is not DeliveryState.CLAIMED:
            self.ledger.mark(claimed, DeliveryState.UNKNOWN, now=NOW)
        if becomes is DeliveryState.RELEASED:
            (unknown,) = self.ledger.list_deliveries(ISSUE, 0)
            self.ledger.reconcile(unknown, becomes, now=NOW, reason="ambiguous, sent again")

    def take(self, messages: Sequence[str]) -> None:
        """The events in batches of ten, as the queue gives them."""
        bodies = [
            json.dumps({"Type": "Notification", "TopicArn": TOPIC, "Message": message})
            for message in messages
        ]
        for start in range(0, len(bodies), 10):
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
                for n, body in enumerate(bodies[start : start + 10])
            ]
            answer = handler({"Records": records}, FakeContext())  # type: ignore[arg-type]
            assert answer == {"batchItemFailures": []}

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The whole items of the profile and of the letter, but for when they were written."""
        profile = self.people.get_item(Key={"pk": keys.subscriber_pk("a1"), "sk": keys.PROFILE_SK})
        letter = self.rows.get_item(
            Key={"pk": keys.deliveries_pk(ISSUE, 0), "sk": keys.delivery_sk("a1")}
        )
        return dict(profile["Item"]), dict(letter["Item"])

    def told(self) -> tuple[str, str, set[str], str, str, set[str]]:
        """Status, pause, letters that bounced for now; the letter's state, reason and mails."""
        profile, letter = self.state()
        return (
            str(profile["status"]),
            str(profile["preferences"]["paused_until"] or ""),
            set(profile.get("bounces", {})),
            str(letter["state"]),
            str(letter.get("reason", "")) if letter["state"] == "failed" else "",
            set(letter.get("message_ids", ())),
        )


def wanted(
    came: Sequence[tuple[str, str]], letter: DeliveryState
) -> tuple[str, str, set[str], str, str, set[str]]:
    """What *came* (meaning, name) leaves, whatever the order, from the definitions alone."""
    meanings = {word for meaning, _ in came for word in meaning.split()}
    status = "confirmed"
    status = "bounced" if "bounce" in meanings else status
    status = "complained" if "complaint" in meanings else status
    days = sorted(int(name.removeprefix("day ")) for _, name in came if name.startswith("day"))
    days = sorted(set(days))
    ends = [
        last for first, last in zip(days, days[4:], strict=False) if last - first <= 30
    ]  # the recorded one is years old
    pause = (NOW + timedelta(days=max(ends) + 30)).date().isoformat() if ends else ""
    bounces = {f"m{day}" for day in days} | {
        LETTER for meaning, name in came if "transient" in meaning and not name.startswith("day")
    }
    reasons = sorted(REASONS[name] for meaning, name in came if "unsent" in meaning)
    is_sent = letter is DeliveryState.SENT or "sent" in meanings
    state = "failed" if reasons else "sent" if is_sent else letter.value
    return (
        status,
        pause,
        bounces,
        state,
        reasons[0] if reasons else "",
        {LETTER} if reasons or is_sent else set(),
    )


@pytest.fixture
def desk(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The function, set up."""
    monkeypatch.setenv("SUBSCRIBERS_TABLE", cloud.subscribers)
    monkeypatch.setenv("DELIVERIES_TABLE", cloud.deliveries)
    monkeypatch.setenv("FEEDBACK_TOPIC_ARN", TOPIC)
    monkeypatch.setattr("paperpost.settings.now", lambda: NOW)
    return Desk(cloud)


LETTERS = st.sampled_from(
    [DeliveryState.UNKNOWN, DeliveryState.CLAIMED, DeliveryState.RELEASED, DeliveryState.SENT]
)
_QUIETLY = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_whatever_came_in_whatever_order_and_however_often_leaves_the_same(
    desk: Desk, shared_data: Path
) -> None:
    """Events that were lost are as if they had never been: the state is of those that came."""
    pool = event_pool(shared_data / "aws-events")

    @settings(_QUIETLY, max_examples=40)
    @given(st.lists(st.sampled_from(sorted(pool)), min_size=1, max_size=20), LETTERS)
    def check(names: list[str], letter: DeliveryState) -> None:
        desk.begin(letter)
        desk.take([pool[name][1] for name in names])
        came = [(pool[name][0], name) for name in names]
        assert desk.told() == wanted(came, letter)

    check()


def test_all_events_in_any_order_with_repeats_leave_the_same_bytes(
    desk: Desk, shared_data: Path
) -> None:
    """Both items whole, not only what we look for."""
    pool = event_pool(shared_data / "aws-events")
    names = sorted(pool)
    desk.begin(DeliveryState.UNKNOWN)
    desk.take([pool[name][1] for name in names])
    first = desk.state()

    @_QUIETLY
    @given(st.permutations(names), st.lists(st.sampled_from(names), max_size=8))
    def check(order: list[str], again: list[str]) -> None:
        desk.begin(DeliveryState.UNKNOWN)
        desk.take([pool[name][1] for name in (*order, *again)])
        assert desk.state() == first

    check()


def test_of_a_letter_that_was_sent_again_events_of_both_mails_count_and_no_strangers(
    desk: Desk, shared_data: Path
) -> None:
    """The first mail's reply was lost; whose id is a third one's is about no mail of ours."""
    folder = shared_data / "aws-events"
    complaint = json.loads((folder / "ses-publishing-complaint.json").read_text())
    delivery = json.loads((folder / "ses-publishing-delivery.json").read_text())
    ours_first = ours(complaint, message_id="m-first", issue=ISSUE)
    ours_second = ours(delivery, message_id=LETTER, issue=ISSUE)
    strangers = ours(complaint, message_id="m-strange", issue=ISSUE)
    ends = []
    for events in (
        [ours_first, ours_second],
        [ours_second, ours_first, ours_first],
        [ours(delivery, message_id="m-first", issue=ISSUE), ours_second, strangers],
    ):
        desk.begin(DeliveryState.RELEASED)
        desk.send(DeliveryState.SENT)
        desk.take(events)
        ends.append((desk.told()[0], desk.told()[3], desk.told()[5]))

    both = {"m-first", LETTER}
    assert ends == [
        ("complained", "sent", both),
        ("complained", "sent", both),
        ("confirmed", "sent", both),
    ]


def test_the_oracle_can_fail(desk: Desk, shared_data: Path) -> None:
    """What one event leaves is not what another does."""
    pool = event_pool(shared_data / "aws-events")
    found = set()
    for name in ("ses-publishing-bounce", "ses-publishing-complaint", "ses-publishing-delivery"):
        desk.begin(DeliveryState.UNKNOWN)
        desk.take([pool[name][1]])
        found.add(str(desk.told()))

    assert len(found) == 3
