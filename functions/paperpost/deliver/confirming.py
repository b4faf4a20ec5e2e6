"""Confirm: the mail that asks a new subscriber whether they meant it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from paperpost.deliver.delivering import TIME_FOR_ONE, Profiles, SlowDownError
from paperpost.deliver.letters import Imprint, Letter
from paperpost.deliver.mime import Envelope, MessageError, message
from paperpost.deliver.pace import Pace
from paperpost.deliver.pieces import Piece
from paperpost.deliver.plaintext import wrapped
from paperpost.deliver.sending import attempt
from paperpost.domain.deliveries import DeliveryState
from paperpost.domain.quotas import Quota, why_nothing_goes
from paperpost.domain.subscribers import SubscriberStatus, may_become
from paperpost.domain.tokens import Purpose, TokenKeys, mailbox_hash, make_token
from paperpost.observe import logger
from paperpost.rendering import render
from paperpost.settings import DeliverSettings
from paperpost.storage.secrets import Sending

if TYPE_CHECKING:
    from mypy_boto3_sesv2.client import SESV2Client


# Who never answers is asked three times, and may be asked anew when the last mail is a year old.
_COUNT_KEPT = timedelta(days=365)


class Mails(Protocol):
    """Which mailbox has had how many confirmations."""

    def claim_confirmation(self, mailbox_hash: str, *, now: datetime, expires_at: int) -> bool:
        """Whether the mailbox may get one now; it is counted."""
        ...

    def return_confirmation(self, mailbox_hash: str) -> None:
        """Take the count of one back."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmer:
    """
    Mails whoever may (again) confirm; no word in it is the sign-up's own.

    `epoch_s`: the real clock, which DynamoDB's TTL goes by.
    """

    settings: DeliverSettings
    profiles: Profiles
    mails: Mails
    ses: "SESV2Client"
    keys: Callable[[], TokenKeys]
    sending: Callable[[], Sending]
    pace: Pace
    quota: Callable[[], Quota | None]
    time_left: Callable[[], timedelta]
    epoch_s: int

    def confirm(self, body: Mapping[str, Any], *, now: datetime) -> str:
        """
        Send one confirmation mail and return what became of it.

        Raises: SlowDownError: If it certainly was not sent and the queue should try again.
        """
        subscriber = self.profiles.get(body["subscriber"])
        # Who left or bounced may sign up again; who complained, or is confirmed, gets nothing.
        if subscriber is None or not may_become(subscriber.status, SubscriberStatus.CONFIRMED):
            return DeliveryState.SKIPPED.value
        token = make_token(Purpose.CONFIRM, subscriber.subscriber_id, self.keys(), now=now)
        letter = confirmation(
            subscriber.preferences.language,
            f"{self.settings.site_url}/api/confirm/{token}",
            Imprint(
                site_url=self.settings.site_url,
                contact_mail=self.settings.contact_mail,
                postal_address=self.settings.postal_address,
            ),
        )
        envelope = Envelope(
            sender=self.settings.confirm_from,
            recipient=subscriber.address,
            subject=letter.subject,
            tags=(("kind", "confirm"), ("subscriber", subscriber.subscriber_id)),
            date=now,
        )
        try:
            raw = message(envelope, letter.pieces)
        except MessageError as exc:
            logger.error(
                "confirmation refused",
                extra={"subscriber": subscriber.subscriber_id, "reason": str(exc)},
            )
            return DeliveryState.FAILED.value
        if self.sending() is Sending.OFF:
            raise SlowDownError("confirmation: switched off by the operator")
        quota = self.quota()
        if quota and (held := why_nothing_goes(quota)):
            raise SlowDownError(f"confirmation: {held}")
        # At most one letter of each worker goes before: nobody who signs up waits for an issue.
        if not self.pace.wait(self.time_left() - TIME_FOR_ONE):
            raise SlowDownError("confirmation: not its turn yet")
        mailbox = mailbox_hash(subscriber.address, self.keys())
        # Claimed first: a message that the queue delivers twice must not be two mails.
        expires_at = self.epoch_s + int(_COUNT_KEPT.total_seconds())
        if not self.mails.claim_confirmation(mailbox, now=now, expires_at=expires_at):
            logger.info("confirmation held", extra={"subscriber": subscriber.subscriber_id})
            return DeliveryState.SKIPPED.value
        outcome = attempt(
            self.ses,
            raw,
            to=subscriber.address,
            configuration_set=self.settings.configuration_set,
            sender=self.settings.confirm_from,
        )
        logger.info(
            "confirmation " + outcome.state.value,
            extra={"subscriber": subscriber.subscriber_id, "reason": outcome.reason},
        )
        if outcome.state is DeliveryState.RELEASED:
            self.mails.return_confirmation(mailbox)
            raise SlowDownError(f"confirmation: {outcome.reason}")
        return outcome.state.value


def confirmation(language: str, link: str, imprint: Imprint) -> Letter:
    """The confirmation mail for a reader of *language* with the *link* to the confirm page."""
    lang = "en" if language == "en" else "zh-Hans"
    subject = render("email/confirm/subject.txt", lang=lang).strip()
    values = {
        "lang": lang,
        "bilingual": language == "both",
        "subject": subject,
        "preheader": subject,
        "button": "Open the confirmation page" if lang == "en" else "打开确认页",
        "link": link,
        "contact": imprint.contact_mail,
        "postal_address": imprint.postal_address,
    }
    html = render("email/confirm/body.html", **values)
    lines = render("email/confirm/body.txt", **values).split("\n")
    text = "\n".join(map(wrapped, lines))
    return Letter(subject=subject, pieces=(Piece.of(html, text),))
