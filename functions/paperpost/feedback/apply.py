"""What follows from feedback: a subscriber's status, or the fate of a letter."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from paperpost.domain.addresses import same_mailbox
from paperpost.domain.deliveries import Delivery, IssueRow, may_be
from paperpost.domain.subscribers import Subscriber, SubscriberStatus, shard_of
from paperpost.feedback.events import Feedback, FeedbackKind

_ENDS = {
    FeedbackKind.BOUNCED: SubscriberStatus.BOUNCED,
    FeedbackKind.COMPLAINED: SubscriberStatus.COMPLAINED,
}
# What SES says only of a mail that it took: whatever the reply was, the letter was sent.
_SETTLES = frozenset(
    {
        FeedbackKind.ACCEPTED,
        FeedbackKind.DELIVERED,
        FeedbackKind.DELAYED,
        FeedbackKind.BOUNCED,
        FeedbackKind.BOUNCED_FOR_NOW,
        FeedbackKind.COMPLAINED,
    }
)


class Outcome(StrEnum):
    """What feedback led to; also the name of its metric."""

    STOPPED = "FeedbackStopped"  # the subscriber gets no more mail
    PAUSED = "FeedbackPaused"  # no mail for some weeks: too many letters bounced for now
    SETTLED = "FeedbackSettled"  # a letter of unknown fate is known to be sent
    UNCHANGED = "FeedbackUnchanged"  # known before, or a repeat
    NOTED = "FeedbackNoted"  # of a kind that changes nothing yet
    HEARD = "FeedbackHeard"  # the operator's morning letter arrived
    UNHEARD = "FeedbackUnheard"  # the operator's morning letter did not arrive
    STRANGER = "FeedbackStranger"  # not of a mail that we know to have sent to that address


# Its reader is the operator, no subscriber: whether it arrived is all that there is to know.
_MORNING = {
    FeedbackKind.DELIVERED: Outcome.HEARD,
    FeedbackKind.BOUNCED: Outcome.UNHEARD,
    FeedbackKind.BOUNCED_FOR_NOW: Outcome.UNHEARD,
    FeedbackKind.REJECTED: Outcome.UNHEARD,
    FeedbackKind.ON_SUPPRESSION_LIST: Outcome.UNHEARD,
}


class Subscribers(Protocol):
    """The profiles."""

    def get(self, subscriber_id: str) -> Subscriber | None:
        """The subscriber, or None."""
        ...

    def set_status(self, subscriber_id: str, status: SubscriberStatus, *, now: datetime) -> bool:
        """Bring it to *status*; False if that is not allowed."""
        ...

    def note_bounce(self, subscriber_id: str, message_id: str, *, at: datetime) -> bool:
        """Note a letter that bounced for now; True if that pauses the subscription."""
        ...


class Ledger(Protocol):
    """Issues and deliveries."""

    def get_issue(self, issue: str) -> IssueRow | None:
        """The issue, or None."""
        ...

    def get_delivery(self, issue: str, shard: int, subscriber_id: str) -> Delivery | None:
        """The letter's row, or None."""
        ...

    def confirm_sent(
        self, issue: str, shard: int, subscriber_id: str, *, message_id: str, now: datetime
    ) -> bool:
        """Record that the letter was sent; False if it was known."""
        ...


def apply(
    feedback: Feedback, *, subscribers: Subscribers, ledger: Ledger, now: datetime
) -> Outcome:
    """
    Do what *feedback* asks for and say what that was; a repeat changes nothing.

    Only a recipient that is the address of the subscriber in the mail's tags counts, and of an
    issue only a letter that the ledger knows: an event about anything else, forged or not ours,
    must not end a subscription.
    """
    if feedback.mail_kind == "morning":
        return _MORNING.get(feedback.kind, Outcome.NOTED)
    if feedback.kind not in _SETTLES:
        return Outcome.NOTED
    subscriber = subscribers.get(feedback.subscriber_id) if feedback.subscriber_id else None
    if subscriber is None or not same_mailbox(feedback.recipient, subscriber.address):
        return Outcome.STRANGER
    row = ledger.get_issue(feedback.issue) if feedback.issue else None
    shard = shard_of(subscriber.subscriber_id, row.shards) if row else 0
    if feedback.issue and not _knows(ledger, feedback, shard):
        return Outcome.STRANGER
    return _obey(feedback, row, shard, subscribers=subscribers, ledger=ledger, now=now)


def _obey(
    feedback: Feedback,
    row: IssueRow | None,
    shard: int,
    *,
    subscribers: Subscribers,
    ledger: Ledger,
    now: datetime,
) -> Outcome:
    """What follows from an event of our own; *row*: of its issue, None for a confirmation."""
    wanted = _ENDS.get(feedback.kind)
    ended = wanted and subscribers.set_status(feedback.subscriber_id, wanted, now=now)
    paused = feedback.kind is FeedbackKind.BOUNCED_FOR_NOW and subscribers.note_bounce(
        feedback.subscriber_id, feedback.message_id, at=feedback.at or now
    )
    settled = row is not None and ledger.confirm_sent(
        feedback.issue,
        shard,
        feedback.subscriber_id,
        message_id=feedback.message_id,
        now=now,
    )
    if ended:
        return Outcome.STOPPED
    if paused:
        return Outcome.PAUSED
    return Outcome.SETTLED if settled else Outcome.UNCHANGED


def _knows(ledger: Ledger, feedback: Feedback, shard: int) -> bool:
    letter = ledger.get_delivery(feedback.issue, shard, feedback.subscriber_id)
    return letter is not None and may_be(letter, feedback.message_id)
