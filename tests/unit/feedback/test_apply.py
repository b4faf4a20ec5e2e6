"""Feedback stops mail, settles letters, and never acts on a stranger's word."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from paperpost.domain.bounces import noted, paused_until
from paperpost.domain.deliveries import DeliveryState, IssueRow
from paperpost.domain.deliveries import may_become as may_settle
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
    """An issue in three shards, and one letter of unknown fate, whose mail was m1."""

    mails: set[str] = field(default_factory=lambda: {"m1"})
    state: DeliveryState = DeliveryState.UNKNOWN
    reason: str = ""

    def get_issue(self, issue: str) -> IssueRow | None:
        """The one issue."""
        return make_issue() if issue == ISSUE else None

    def knows_mail(self, issue: str, shard: int, subscriber_id: str, message_id: str) -> bool:
        """Whether it is the one."""
        is_ours = (issue, shard, subscriber_id) == (ISSUE, shard_of("a1", 3), "a1")
        return is_ours and message_id in self.mails

    def settle(
        self,
        issue: str,
        shard: int,
        subscriber_id: str,
        state: DeliveryState,
        *,
        reason: str,
        now: datetime,
    ) -> bool:
        """Settle the letter, once."""
        assert (issue, shard, subscriber_id, now) == (ISSUE, shard_of("a1", 3), "a1", NOW)
        if not may_settle(self.state, state):
            return False
        self.state, self.reason = state, reason
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
    return FakeLedger()


def test_a_permanent_bounce_stops_mail(subscribers: FakeSubscribers, ledger: FakeLedger) -> None:
    """A repeat of the event changes nothing."""
    bounce = feedback(FeedbackKind.BOUNCED)

    outcomes = [apply(bounce, subscribers=subscribers, ledger=ledger, now=NOW) for _ in range(2)]

    assert outcomes == [Outcome.STOPPED, Outcome.UNCHANGED]
    assert subscribers.subscriber.status is SubscriberStatus.BOUNCED
    assert ledger.state is DeliveryState.SENT, "what bounced was sent"


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
    assert ledger.state is DeliveryState.SENT
    assert subscribers.subscriber.status is SubscriberStatus.CONFIRMED


def test_a_delivered_confirmation_settles_nothing(
    subscribers: FakeSubscribers, ledger: FakeLedger
) -> None:
    """It belongs to no issue."""
    delivered = feedback(FeedbackKind.DELIVERED, issue="")

    outcome = apply(delivered, subscribers=subscribers, ledger=ledger, now=NOW)

    assert outcome is Outcome.UNCHANGED
    assert ledger.state is DeliveryState.UNKNOWN


@pytest.mark.parametrize("kind", [FeedbackKind.BOUNCED, FeedbackKind.COMPLAINED])
def test_a_letter_that_the_ledger_does_not_know_is_a_strangers(
    subscribers: FakeSubscribers, ledger: FakeLedger, kind: FeedbackKind
) -> None:
    """Of another issue, or of a mail that was no letter of it."""
    before = subscribers.subscriber
    strange = [feedback(kind, issue="daily-1999-01-01"), feedback(kind, message_id="another")]

    outcomes = [apply(e, subscribers=subscribers, ledger=ledger, now=NOW) for e in strange]

    assert outcomes == [Outcome.STRANGER] * 2
    assert subscribers.subscriber == before
    assert ledger.state is DeliveryState.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FeedbackKind.BOUNCED, SubscriberStatus.BOUNCED),
        (FeedbackKind.COMPLAINED, SubscriberStatus.COMPLAINED),
        (FeedbackKind.REJECTED, SubscriberStatus.CONFIRMED),
        (FeedbackKind.UNRENDERED, SubscriberStatus.CONFIRMED),
    ],
)
def test_a_letter_that_ses_took_and_did_not_send_failed(
    subscribers: FakeSubscribers, ledger: FakeLedger, kind: FeedbackKind, status: SubscriberStatus
) -> None:
    """Though it was sent, as SES's reply and its Send event said; a list ends the subscription."""
    events = [feedback(FeedbackKind.ACCEPTED), *[feedback(kind, unsent="why")] * 2]

    told = [apply(e, subscribers=subscribers, ledger=ledger, now=NOW) for e in events]

    ends = status is not SubscriberStatus.CONFIRMED
    outcome = Outcome.STOPPED if ends else Outcome.UNSENT
    assert told == [Outcome.SETTLED, outcome, Outcome.UNCHANGED]
    assert subscribers.subscriber.status is status
    assert (ledger.state, ledger.reason) == (DeliveryState.FAILED, "why")


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
    assert ledger.state is DeliveryState.UNKNOWN


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
    ("kind", "unsent", "outcome"),
    [
        (FeedbackKind.ACCEPTED, "", Outcome.NOTED),
        (FeedbackKind.DELAYED, "", Outcome.NOTED),
        (FeedbackKind.COMPLAINED, "", Outcome.NOTED),
        (FeedbackKind.DELIVERED, "", Outcome.HEARD),
        (FeedbackKind.BOUNCED, "", Outcome.UNHEARD),
        (FeedbackKind.BOUNCED_FOR_NOW, "", Outcome.UNHEARD),
        (FeedbackKind.REJECTED, "rejected", Outcome.UNHEARD),
        (FeedbackKind.COMPLAINED, "on a suppression list", Outcome.UNHEARD),
    ],
)
def test_a_morning_letter_that_does_not_arrive_is_told(
    subscribers: FakeSubscribers,
    ledger: FakeLedger,
    kind: FeedbackKind,
    unsent: str,
    outcome: Outcome,
) -> None:
    """Its reader is no subscriber, even if the address is one's; nothing is changed."""
    before = subscribers.subscriber
    event = feedback(kind, issue="", mail_kind="morning", unsent=unsent)

    assert apply(event, subscribers=subscribers, ledger=ledger, now=NOW) is outcome
    assert subscribers.subscriber == before


@pytest.mark.parametrize("kind", [FeedbackKind.NOT_SPAM, FeedbackKind.OTHER])
def test_every_other_kind_is_noted_and_changes_nothing(
    subscribers: FakeSubscribers, ledger: FakeLedger, kind: FeedbackKind
) -> None:
    """That a mail is no spam proves nothing new; nor does a type that we do not know."""
    before = subscribers.subscriber

    outcome = apply(feedback(kind), subscribers=subscribers, ledger=ledger, now=NOW)

    assert outcome is Outcome.NOTED
    assert subscribers.subscriber == before
    assert ledger.state is DeliveryState.UNKNOWN
