"""What follows from feedback: a subscriber's status, or the fate of a letter."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from paperpost.domain.addresses import same_mailbox
from paperpost.domain.deliveries import DeliveryState, IssueRow
from paperpost.domain.subscribers import Subscriber, SubscriberStatus, shard_of
from paperpost.feedback.events import Feedback, FeedbackKind

_ENDS = {
    FeedbackKind.BOUNCED: SubscriberStatus.BOUNCED,
    FeedbackKind.COMPLAINED: SubscriberStatus.COMPLAINED,
}
# What SES says only of a mail that it took: whatever the reply was, the letter was sent, or failed.
_SETTLES = frozenset(
    {
        FeedbackKind.ACCEPTED,
        FeedbackKind.DELIVERED,
        FeedbackKind.DELAYED,
        FeedbackKind.BOUNCED,
        FeedbackKind.BOUNCED_FOR_NOW,
        FeedbackKind.COMPLAINED,
        FeedbackKind.REJECTED,
        FeedbackKind.UNRENDERED,
    }
)


class Outcome(StrEnum):
    """What feedback led to; also the name of its metric."""

    STOPPED = "FeedbackStopped"  # the subscriber gets no more mail
    PAUSED = "FeedbackPaused"  # no mail for some weeks: too many letters bounced for now
    SETTLED = "FeedbackSettled"  # a letter of unknown fate is known to be sent
    UNSENT = "FeedbackUnsent"  # a letter failed: SES had taken it and did not send it
    UNCHANGED = "FeedbackUnchanged"  # known before, or a repeat
    NOTED = "FeedbackNoted"  # of a kind that changes nothing yet
    HEARD = "FeedbackHeard"  # the operator's morning letter arrived
    UNHEARD = "FeedbackUnheard"  # the operator's morning letter did not arrive
    STRANGER = "FeedbackStranger"  # not of a mail that we know to have sent to that address


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

    def knows_mail(self, issue: str, shard: int, subscriber_id: str, message_id: str) -> bool:
        """Whether the letter went out as the mail *message_id*."""
        ...

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
        """Record that the letter was sent, or failed; False if it was known."""
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
        return _of_morning(feedback)
    if feedback.kind not in _SETTLES:
        return Outcome.NOTED
    subscriber = subscribers.get(feedback.subscriber_id) if feedback.subscriber_id else None
    if subscriber is None or not same_mailbox(feedback.recipient, subscriber.address):
        return Outcome.STRANGER
    letter = _letter(feedback, ledger) if feedback.issue else None
    if feedback.issue and not (letter and ledger.knows_mail(*letter, feedback.message_id)):
        return Outcome.STRANGER
    return _obey(feedback, letter, subscribers=subscribers, ledger=ledger, now=now)


def _letter(feedback: Feedback, ledger: Ledger) -> tuple[str, int, str] | None:
    """Issue, shard and subscriber of the letter, None if nobody knows such an issue."""
    row = ledger.get_issue(feedback.issue)
    reader = feedback.subscriber_id
    return (row.issue, shard_of(reader, row.shards), reader) if row else None


def _of_morning(feedback: Feedback) -> Outcome:
    """Its reader is the operator, no subscriber: whether it arrived is all there is to know."""
    bounced = feedback.kind in {FeedbackKind.BOUNCED, FeedbackKind.BOUNCED_FOR_NOW}
    if bounced or feedback.unsent:
        return Outcome.UNHEARD
    return Outcome.HEARD if feedback.kind is FeedbackKind.DELIVERED else Outcome.NOTED


def _obey(
    feedback: Feedback,
    letter: tuple[str, int, str] | None,
    *,
    subscribers: Subscribers,
    ledger: Ledger,
    now: datetime,
) -> Outcome:
    """What follows from an event of our own; *letter*: its key, None for a confirmation."""
    wanted = _ENDS.get(feedback.kind)
    ended = wanted and subscribers.set_status(feedback.subscriber_id, wanted, now=now)
    paused = feedback.kind is FeedbackKind.BOUNCED_FOR_NOW and subscribers.note_bounce(
        feedback.subscriber_id, feedback.message_id, at=feedback.at or now
    )
    state = DeliveryState.FAILED if feedback.unsent else DeliveryState.SENT
    reason = feedback.unsent or "feedback"
    settled = letter and ledger.settle(*letter, state, reason=reason, now=now)
    if ended:
        return Outcome.STOPPED
    if paused:
        return Outcome.PAUSED
    if settled:
        return Outcome.UNSENT if feedback.unsent else Outcome.SETTLED
    return Outcome.UNCHANGED
