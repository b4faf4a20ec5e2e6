"""What SES says happened to a mail: an SNS envelope as feedback, recipient by recipient."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from paperpost.domain.errors import PaperpostError

# SES writes this to a topic when it is connected, as plain text.
# Source: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-add-event-destination-sns.html,
# read 2026-11-23.
_TEST_MESSAGE = "Successfully validated SNS topic"


class FeedbackKind(StrEnum):
    """What SES's events mean to us."""

    ACCEPTED = "accepted"  # Send: SES took the mail
    DELIVERED = "delivered"
    BOUNCED = "bounced"  # for good
    BOUNCED_FOR_NOW = "bounced_for_now"
    COMPLAINED = "complained"
    NOT_SPAM = "not_spam"  # the reader took the complaint back
    DELAYED = "delayed"
    REJECTED = "rejected"
    UNRENDERED = "unrendered"
    OTHER = "other"


# Types that say the same of all whom a mail went to.
_OF_ALL = {
    "Send": FeedbackKind.ACCEPTED,
    "Reject": FeedbackKind.REJECTED,
    "Rendering Failure": FeedbackKind.UNRENDERED,
}
# Types that tell us nothing, should somebody have them sent: there is no tracking.
# Source: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html,
# read 2026-11-26.
_OF_NO_USE = frozenset({"Open", "Click", "Subscription", "AmazonSnsSubscriptionSucceeded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """
    One event for one recipient. `event_type`: SES's own word, for the log.

    `issue`, `subscriber_id` and `mail_kind` (confirm, morning) come from the tags that deliver gave
    the mail, or are ''. `at`: when a mail bounced (UTC), None for other kinds, and where SES does
    not tell. `unsent`: why SES took the mail and did not send it, or ''.
    """

    kind: FeedbackKind
    event_type: str
    recipient: str
    message_id: str
    issue: str = ""
    subscriber_id: str = ""
    mail_kind: str = ""
    at: datetime | None = None
    unsent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An SNS notification: where it comes from, and its text."""

    topic_arn: str
    message: str

    @property
    def is_test(self) -> bool:
        """Whether SES only tried the topic."""
        return self.message.startswith(_TEST_MESSAGE)


class MalformedEventError(PaperpostError):
    """A message is no SES event, so it ends among the dead letters. *part*: what is wrong in it."""

    def __init__(self, part: str) -> None:
        self.part = part
        super().__init__(f"not an SES event: {part}")


class UnknownEventError(PaperpostError):
    """SES has learnt a type of event that we have not: the dead letters keep it for somebody."""

    def __init__(self, event_type: str) -> None:
        super().__init__(f"SES tells of {event_type[:40]!r}, which is not known here")


def read_envelope(body: str) -> Envelope:
    """
    Return the SNS notification in an SQS message's *body*.

    Raises: MalformedEventError: If there is none.
    """
    value = _object(body, "envelope")
    match value:
        case {"Type": "Notification", "TopicArn": str(topic_arn), "Message": str(message)}:
            return Envelope(topic_arn=topic_arn, message=message)
    raise MalformedEventError("envelope")


def parse_feedback(message: str) -> list[Feedback]:
    """
    Return what an SES event says of each recipient; a type that tells us nothing gives `other`.

    Event publishing names the type `eventType`, the older notifications `notificationType`.
    Raises: MalformedEventError: Naming the part that is missing or wrong. UnknownEventError: If we
        do not know the type.
    """
    event = _object(message, "event")
    event_type = event.get("eventType", event.get("notificationType"))
    if not isinstance(event_type, str):
        raise MalformedEventError("eventType")
    kind, addresses = _kind(event_type, event)
    if kind is FeedbackKind.OTHER:
        return [Feedback(kind=kind, event_type=event_type, recipient="", message_id="")]
    mail = _part(event, "mail")
    if not isinstance(mail.get("messageId"), str):
        raise MalformedEventError("mail")
    destination = _texts(mail.get("destination"))
    # Mail of ours goes to one each, and that is whom an event is about: a bounce may name another,
    # the mailbox that the mail was forwarded to (Final-Recipient, RFC 3464, section 2.3.2). Of
    # several only the event tells whom it means.
    if addresses is None or (addresses and len(destination) == 1):
        addresses = destination
    return [
        Feedback(
            kind=kind,
            event_type=event_type,
            recipient=address,
            message_id=mail["messageId"],
            issue=_tag(mail, "issue"),
            subscriber_id=_tag(mail, "subscriber"),
            mail_kind=_tag(mail, "kind"),
            at=_bounced_at(event),
            unsent=_unsent(kind, event),
        )
        for address in addresses
    ]


def _kind(event_type: str, event: Mapping[str, Any]) -> tuple[FeedbackKind, list[str] | None]:
    """The kind, and the recipients it is about, or None for all whom the mail went to."""
    found: tuple[FeedbackKind, list[str] | None]
    match event_type:
        case "Bounce":
            bounce = _part(event, "bounce")
            permanent = bounce.get("bounceType") == "Permanent"
            kind = FeedbackKind.BOUNCED if permanent else FeedbackKind.BOUNCED_FOR_NOW
            found = kind, _addresses(bounce, "bouncedRecipients")
        case "Complaint":
            complaint = _part(event, "complaint")
            found = _complaint_kind(complaint), _addresses(complaint, "complainedRecipients")
        case "Delivery":
            delivery = _part(event, "delivery")
            found = FeedbackKind.DELIVERED, _texts(delivery.get("recipients"))
        case "DeliveryDelay":
            delay = _part(event, "deliveryDelay")
            found = FeedbackKind.DELAYED, _addresses(delay, "delayedRecipients")
        case known if known in _OF_ALL:
            found = _OF_ALL[known], None
        case useless if useless in _OF_NO_USE:
            found = FeedbackKind.OTHER, None
        case _:
            raise UnknownEventError(event_type)
    return found


def _complaint_kind(complaint: Mapping[str, Any]) -> FeedbackKind:
    # RFC 6650: a "not-spam" report says that a mail was wrongly taken for spam.
    if complaint.get("complaintFeedbackType") == "not-spam":
        return FeedbackKind.NOT_SPAM
    return FeedbackKind.COMPLAINED


def _unsent(kind: FeedbackKind, event: Mapping[str, Any]) -> str:
    """
    Why SES did not send a mail that it had taken, or ''.

    A subtype names the account's suppression list (OnAccountSuppressionList) or SES's own
    (Suppressed); a Reject has but one reason, "Bad content".
    Source: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
    and https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Complaint.html, read 2026-11-26.
    """
    match kind, event:
        case FeedbackKind.REJECTED, {"reject": {"reason": str(reason)}}:
            return f"rejected: {reason[:40]}"
        case FeedbackKind.REJECTED, _:
            return "rejected"
        case FeedbackKind.UNRENDERED, _:
            return "not rendered"
        case (
            _,
            {"bounce": {"bounceSubType": str(subtype)}}
            | {"complaint": {"complaintSubType": str(subtype)}},
        ):
            return "on a suppression list" if "Suppress" in subtype else ""
    return ""


def _object(text: str, part: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        # Not "from": the original error quotes nothing, but its document holds addresses.
        raise MalformedEventError(part) from None
    if not isinstance(value, dict):
        raise MalformedEventError(part)
    return value


def _part(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = event.get(name)
    if not isinstance(value, dict):
        raise MalformedEventError(name)
    return value


def _addresses(part: Mapping[str, Any], name: str) -> list[str]:
    recipients = part.get(name)
    if not isinstance(recipients, list):
        raise MalformedEventError(name)
    return _texts(r.get("emailAddress") if isinstance(r, dict) else None for r in recipients)


def _texts(values: Any) -> list[str]:  # noqa: ANN401  whatever the JSON held
    found = list(values) if isinstance(values, Iterable) and not isinstance(values, str) else None
    if found is None or not all(isinstance(v, str) for v in found):
        raise MalformedEventError("recipients")
    return found


def _bounced_at(event: Mapping[str, Any]) -> datetime | None:
    bounce = event.get("bounce")
    text = bounce.get("timestamp") if isinstance(bounce, dict) else None
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC) if text else None
    except (ValueError, OverflowError):
        return None


def _tag(mail: Mapping[str, Any], name: str) -> str:
    """The one value of a tag (SES gives lists), or ''."""
    tags = mail.get("tags")
    match tags.get(name) if isinstance(tags, dict) else None:
        case [str(value)]:
            return value
    return ""
