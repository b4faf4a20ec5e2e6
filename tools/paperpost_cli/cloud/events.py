"""
The events that SES publishes about a mail, in the form of a configuration set's event destination.

`events_for(mail, recipients)` gives what the SES mailbox simulator causes for its addresses, and
Send and Delivery for all others. Pure: the time and ids come with the `SentMail`.

Source of the forms: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
and event-publishing-retrieving-sns-examples.html; of the simulator's answers:
https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html; read 2026-11-23.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

SIMULATOR_DOMAIN = "simulator.amazonses.com"
_DELAY_MS = 350


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMail:
    """A mail that SES accepted."""

    message_id: str
    sent_at: datetime
    source: str
    account: str
    region: str
    configuration_set: str
    destination: Sequence[str]
    headers: Sequence[tuple[str, str]]
    tags: Mapping[str, str]

    def header(self, name: str) -> str | None:
        """The first header of that name, whatever its case."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)


def events_for(mail: SentMail, recipients: Sequence[str]) -> list[dict[str, Any]]:
    """The events in the order in which SES would publish them."""
    events = [_event("Send", mail, send={})]
    bounced = [a for a in recipients if simulated(a) == "bounce"]
    suppressed = [a for a in recipients if simulated(a) == "suppressionlist"]
    complained = [a for a in recipients if simulated(a) == "complaint"]
    delivered = [a for a in recipients if a not in (*bounced, *suppressed)]
    if delivered:
        events.append(_event("Delivery", mail, delivery=_delivery(mail, delivered)))
    if bounced:
        events.append(_event("Bounce", mail, bounce=_bounce(mail, bounced)))
    if suppressed:
        events.append(_event("Bounce", mail, bounce=_suppression(mail, suppressed)))
    if complained:
        events.append(_event("Complaint", mail, complaint=_complaint(mail, complained)))
    return events


def simulated(address: str) -> str | None:
    """What the simulator does for *address* (`bounce`, `complaint` …); None for other domains."""
    local, _, domain = address.lower().rpartition("@")
    return local.partition("+")[0] if domain == SIMULATOR_DOMAIN else None


def _event(kind: str, mail: SentMail, **details: Mapping[str, Any]) -> dict[str, Any]:
    """The event; `mail` stands before the details but for feedback, as in SES's own examples."""
    if kind in ("Bounce", "Complaint"):
        return {"eventType": kind, **details, "mail": _mail(mail)}
    return {"eventType": kind, "mail": _mail(mail), **details}


def _mail(mail: SentMail) -> dict[str, Any]:
    domain = mail.source.rpartition("@")[2].rstrip("> ")
    headers = [(k, v) for k, v in mail.headers if not k.lower().startswith("x-ses-")]
    common: dict[str, Any] = {"from": [mail.header("From") or mail.source]}
    if to := mail.header("To"):
        common["to"] = [part.strip() for part in to.split(",")]
    common["messageId"] = mail.message_id
    if subject := mail.header("Subject"):
        common["subject"] = subject
    return {
        "timestamp": _stamp(mail.sent_at),
        "source": mail.source,
        "sourceArn": f"arn:aws:ses:{mail.region}:{mail.account}:identity/{domain}",
        "sendingAccountId": mail.account,
        "messageId": mail.message_id,
        "destination": list(mail.destination),
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in headers],
        "commonHeaders": common,
        "tags": {
            "ses:configuration-set": [mail.configuration_set],
            "ses:source-ip": ["127.0.0.1"],
            "ses:from-domain": [domain],
            "ses:caller-identity": ["paperpost"],
            **{name: [value] for name, value in mail.tags.items()},
        },
    }


def _delivery(mail: SentMail, recipients: Sequence[str]) -> dict[str, Any]:
    return {
        "timestamp": _stamp(mail.sent_at),
        "processingTimeMillis": _DELAY_MS,
        "recipients": list(recipients),
        "smtpResponse": "250 2.6.0 Message received",
        "reportingMTA": "a8-70.smtp-out.amazonses.com",
    }


def _bounce(mail: SentMail, recipients: Sequence[str]) -> dict[str, Any]:
    code = "smtp; 550 5.1.1 user unknown"
    return {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [_failed(address, code) for address in recipients],
        "timestamp": _stamp(mail.sent_at),
        "feedbackId": _feedback_id(mail),
        "reportingMTA": "dsn; a8-70.smtp-out.amazonses.com",
    }


def _suppression(mail: SentMail, recipients: Sequence[str]) -> dict[str, Any]:
    code = (
        "Amazon SES has suppressed sending to this address because it has a recent history of "
        "bouncing as an invalid address."
    )
    return {
        "bounceType": "Permanent",
        "bounceSubType": "Suppressed",
        "bouncedRecipients": [_failed(address, code) for address in recipients],
        "timestamp": _stamp(mail.sent_at),
        "feedbackId": _feedback_id(mail),
        "reportingMTA": "dns; amazonses.com",
    }


def _complaint(mail: SentMail, recipients: Sequence[str]) -> dict[str, Any]:
    return {
        "complainedRecipients": [{"emailAddress": address} for address in recipients],
        "timestamp": _stamp(mail.sent_at),
        "feedbackId": _feedback_id(mail),
        "complaintSubType": None,
        "userAgent": "Amazon SES Mailbox Simulator",
        "complaintFeedbackType": "abuse",
        "arrivalDate": _stamp(mail.sent_at),
    }


def _failed(address: str, code: str) -> dict[str, str]:
    return {
        "emailAddress": address,
        "action": "failed",
        "status": "5.1.1",
        "diagnosticCode": code,
    }


def _feedback_id(mail: SentMail) -> str:
    return f"feedback-{mail.message_id}"


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
