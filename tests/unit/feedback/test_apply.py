"""Feedback stops mail, settles letters, and never acts on a stranger's word."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from paperpost.domain.bounces import noted, paused_until
from paperpost.domain.deliveries import Delivery, DeliveryState, IssueRow
from paperpost.domain.subscribers import Subscriber, SubscriberStatus, may_become, shard_of
from paperpost.feedback.apply import Outcome, apply
from paperpost.feedback.events import Feedback, FeedbackKind
from support.readers import ADDRESS, NOW, make_subscriber

ISSUE = "daily-2024-03-26"


@dataclass
class FakeSubscribers:
    """One subscriber."""

    subscriber: Subscriber
    bounces: dict[str, datetime] = field(default_factory=dict)

    def get(self, subscriber_id: str) -> Subscriber | None:
        """The subscriber, if it is the one."""
        return self.subscriber if subscriber_id == self.subscriber.subscriber_id else None

    def set_status(self, subscriber_id: str, status: SubscriberStatus, *, now: datetime) -> bool:
        """As the table does it."""
        assert subscriber_id == self.subscriber.subscriber_id
        if not may_become(self.subscriber.status, status):
            return False
        self.subscriber = replace(self.subscriber, status=status, ended_at=now)
        return True

    def note_bounce(self, subscriber_id: str, message_id: str, *, at: datetime) -> bool:
        """As the table does it, without what the pause is written to."""
        assert subscriber_id == self.subscriber.subscriber_id
        before = paused_until(self.bounces)
        self.bounces = noted(self.bounces, message_id, at)
        return paused_until(self.bounces) != before


@dataclass
class FakeLedger:
    """An issue in three shards, and the letters of unknown fate."""

    unknown: set[tuple[str, int, str]] = field(default_factory=set)
    sent: dict[str, str] = field(default_factory=dict)
    states: dict[str, DeliveryState] = field(default_factory=dict)

    def get_issue(self, issue: str) -> IssueRow | None:
        """The one issue."""
        return make_issue() if issue == ISSUE else None

    def get_delivery(self, issue: str, shard: int, subscriber_id: str) -> Delivery | None:
        """The letter of the reader, sent or of unknown fate."""
        if (issue, shard, subscriber_id) != (ISSUE, shard_of("a1", 3), "a1"):
            return None
        is_sent = subscriber_id in self.sent
        return Delivery(
            issue=issue,
            shard=shard,
            subscriber_id=subscriber_id,
            state=self.states.get(
                subscriber_id, DeliveryState.SENT if is_sent else DeliveryState.UNKNOWN
            ),
            due_at=NOW,
            updated_at=NOW,
            message_id=self.sent.get(subscriber_id, ""),
        )

    def confirm_sent(
        self, issue: str, shard: int, subscriber_id: str, *, message_id: str, now: datetime
    ) -> bool:
        """Settle a letter of unknown fate, once."""
        assert now == NOW
        if (issue, shard, subscriber_id) not in self.unknown:
            return False
        self.unknown.remove((issue, shard, subscriber_id))
        self.sent[subscriber_id] = message_id
        return True


def make_issue() -> IssueRow:
    """An issue whose subscribers lie in three shards."""
    return IssueRow(
        issue=ISSUE, content_hash="h", frozen_at=NOW, reason="complete", papers=1, shards=3
    )


def feedback(kind: FeedbackKind, **changes: Any) -> Feedback:
    """Feedback for the subscriber's letter, with *changes*."""
    values: dict[str, Any] = {
        "kind": kind,
        "event_type": "…",
        "recipient": ADDRESS,
        "message_id": "m1",
        "issue": ISSUE,
        "subscriber_id": "a1",
    }
    return Feedback(**{**values, **changes})


@pytest.fixture
def subscribers() -> FakeSubscribers:
    """One confirmed reader."""
    return FakeSubscribers(make_subscriber(status=SubscriberStatus.CONFIRMED))


@pytest.fixture
def ledger() -> FakeLedger:
    """Whose letter may or may not have been sent."""
    return FakeLedger(unknown={(ISSUE, shard_of("a1", 3), "a1")})


def test_a_permanent_bounce_stops_mail(subscribers: FakeSubscribers, ledger: FakeLedger) -> None:
    """A repeat of the event changes nothing."""
    bounce = feedback(FeedbackKind.BOUNCED)

    outcomes = [apply(bounce, subscribers=subscribers, ledger=ledger, now=NOW) for _ in range(2)]

    assert outcomes == [Outcome.STOPPED, Outcome.UNCHANGED]
    assert subscribers.subscriber.status is SubscriberStatus.BOUNCED
    assert ledger.sent == {"a1": "m1"}, "what bounced was sent"


def test_the_fifth_letter_that_bounces_for_now_pauses(
    subscribers: FakeSubscribers, ledger: FakeLedger
) -> None:
    """Each is counted once, and when it bounced counts, not when we hear of it."""
    events = [
        feedback(
            FeedbackKind.BOUNCED_FOR_NOW, message_id=f"m{n}", issue="", at=NOW - timedelta(days=n)
        )
        for n in (5, 4, 4, 3, 2, 1)
    ]

    told = [apply(e, subscribers=subscribers, ledger=ledger, now=NOW) for e in events]

    assert told == [*[Outcome.UNCHANGED] * 5, Outcome.PAUSED]
    assert subscribers.subscriber.status is SubscriberStatus.CONFIRMED


def test_a_complaint_stops_mail_for_ever(subscribers: FakeSubscribers, ledger: FakeLedger) -> None:
    """A bounce that arrives later does not soften it."""
    for kind in (FeedbackKind.COMPLAINED, FeedbackKind.BOUNCED):
        apply(feedback(kind), subscribers=subscribers, ledger=ledger, now=NOW)

    assert subscribers.subscriber.status is SubscriberStatus.COMPLAINED


@pytest.mark.parametrize("kind", [FeedbackKind.BOUNCED, FeedbackKind.COMPLAINED])
def test_a_confirmation_mail_can_bounce_too(
    subscribers: FakeSubscribers, ledger: FakeLedger, kind: FeedbackKind
) -> None:
    """It belongs to no issue."""
    outcome = apply(feedback(kind, issue=""), subscribers=subscribers, ledger=ledger, now=NOW)

    assert outcome is Outcome.STOPPED


@pytest.mark.parametrize(
    "kind",
    [
        FeedbackKind.ACCEPTED,
        FeedbackKind.DELIVERED,
        FeedbackKind.DELAYED,
        FeedbackKind.BOUNCED_FOR_NOW,
    ],
)
def test_a_letter_of_unknown_fate_is_settled_once(
    subscribers: FakeSubscribers, ledger: FakeLedger, kind: FeedbackKind
) -> None:
    """In the shard that its issue was planned with; a full mailbox is no reason to stop."""
    outcomes = [
        apply(feedback(kind), subscribers=subscribers, ledger=ledger, now=NOW) for _ in range(2)
    ]

    assert outcomes == [Outcome.SETTLED, Outcome.UNCHANGED]
    assert ledger.sent == {"a1": "m1"}
    assert subscribers.subscriber.status is SubscriberStatus.CONFIRMED


def test_a_delivered_confirmation_settles_nothing(
    subscribers: FakeSubscribers, ledger: FakeLedger
) -> None:
    """It belongs to no issue."""
    delivered = feedback(FeedbackKind.DELIVERED, issue="")

    outcome = apply(delivered, subscribers=subscribers, ledger=ledger, now=NOW)

    assert outcome is Outcome.UNCHANGED
    assert ledger.sent == {}


@pytest.mark.parametrize("kind", [FeedbackKind.BOUNCED, FeedbackKind.COMPLAINED])
def test_a_letter_that_the_ledger_does_not_know_is_a_strangers(
    subscribers: FakeSubscribers, ledger: FakeLedger, kind: FeedbackKind
) -> None:
    """Of another issue, with another message id, or one that never went to SES."""
    before = subscribers.subscriber
    elsewhere = feedback(kind, issue="daily-1999-01-01")
    outcomes = [apply(elsewhere, subscribers=subscribers, ledger=ledger, now=NOW)]
    for state in (DeliveryState.PLANNED, DeliveryState.FAILED):
        ledger.states = {"a1": state}
        outcomes.append(apply(feedback(kind), subscribers=subscribers, ledger=ledger, now=NOW))
    ledger.states, ledger.sent = {}, {"a1": "another"}
    outcomes.append(apply(feedback(kind), subscribers=subscribers, ledger=ledger, now=NOW))

    assert outcomes == [Outcome.STRANGER] * 4
    assert subscribers.subscriber == before


@pytest.mark.parametrize(
    "changes",
    [
        {"subscriber_id": ""},
        {"subscriber_id": "b2"},
        {"recipient": "other@example.com"},
        {"recipient": ""},
        {"recipient": ADDRESS.replace("canary", "Canary")},
    ],
)
@pytest.mark.parametrize(
    "kind", [FeedbackKind.BOUNCED, FeedbackKind.COMPLAINED, FeedbackKind.DELIVERED]
)
def test_a_stranger_changes_nothing(
    subscribers: FakeSubscribers,
    ledger: FakeLedger,
    kind: FeedbackKind,
    changes: dict[str, str],
) -> None:
    """Tags and recipient must name the same, known subscriber."""
    before = subscribers.subscriber

    outcome = apply(feedback(kind, **changes), subscribers=subscribers, ledger=ledger, now=NOW)

    assert outcome is Outcome.STRANGER
    assert subscribers.subscriber == before
    assert ledger.sent == {}


def test_the_case_of_the_domain_and_a_name_do_not_matter(
    subscribers: FakeSubscribers, ledger: FakeLedger
) -> None:
    """Mail servers report the address as they like."""
    local, domain = ADDRESS.split("@")
    bounce = feedback(FeedbackKind.BOUNCED, recipient=f"Wübben <{local}@{domain.upper()}>")

    assert apply(bounce, subscribers=subscribers, ledger=ledger, now=NOW) is Outcome.STOPPED


def test_an_erased_subscriber_is_nobodys_recipient(ledger: FakeLedger) -> None:
    """Without an address nothing matches, an empty recipient neither."""
    erased = FakeSubscribers(make_subscriber(status=SubscriberStatus.ERASED, address=""))

    for recipient in ("", ADDRESS):
        bounce = feedback(FeedbackKind.COMPLAINED, recipient=recipient)
        outcome = apply(bounce, subscribers=erased, ledger=ledger, now=NOW)

        assert outcome is Outcome.STRANGER


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (FeedbackKind.ACCEPTED, Outcome.NOTED),
        (FeedbackKind.DELAYED, Outcome.NOTED),
        (FeedbackKind.COMPLAINED, Outcome.NOTED),
        (FeedbackKind.DELIVERED, Outcome.HEARD),
        (FeedbackKind.BOUNCED, Outcome.UNHEARD),
        (FeedbackKind.BOUNCED_FOR_NOW, Outcome.UNHEARD),
        (FeedbackKind.REJECTED, Outcome.UNHEARD),
        (FeedbackKind.ON_SUPPRESSION_LIST, Outcome.UNHEARD),
    ],
)
def test_a_morning_letter_that_does_not_arrive_is_told(
    subscribers: FakeSubscribers, ledger: FakeLedger, kind: FeedbackKind, outcome: Outcome
) -> None:
    """Its reader is no subscriber, even if the address is one's; nothing is changed."""
    before = subscribers.subscriber
    event = feedback(kind, issue="", mail_kind="morning")

    assert apply(event, subscribers=subscribers, ledger=ledger, now=NOW) is outcome
    assert subscribers.subscriber == before


ACTING = {
    FeedbackKind.BOUNCED,
    FeedbackKind.BOUNCED_FOR_NOW,
    FeedbackKind.COMPLAINED,
    FeedbackKind.ACCEPTED,
    FeedbackKind.DELIVERED,
    FeedbackKind.DELAYED,
}


@pytest.mark.parametrize("kind", [kind for kind in FeedbackKind if kind not in ACTING])
def test_every_other_kind_is_noted_and_changes_nothing(
    subscribers: FakeSubscribers, ledger: FakeLedger, kind: FeedbackKind
) -> None:
    """What SES refused proves no send; nor does a type that we do not know."""
    before = subscribers.subscriber

    outcome = apply(feedback(kind), subscribers=subscribers, ledger=ledger, now=NOW)

    assert outcome is Outcome.NOTED
    assert subscribers.subscriber == before
    assert ledger.sent == {}
