"""Each morning: what is known of the service, told to its operator once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from paperpost.batches import describe
from paperpost.deliver.delivering import TIME_FOR_ONE, SlowDownError
from paperpost.deliver.letters import Imprint
from paperpost.deliver.mime import Envelope, message
from paperpost.deliver.morningletter import morning_letter
from paperpost.deliver.pace import Pace, ask_quota
from paperpost.deliver.sending import attempt
from paperpost.domain.deliveries import DeliveryState
from paperpost.domain.errors import PaperpostError, RecordError
from paperpost.domain.mailed import MAILED_PATH, Mailed
from paperpost.domain.mailed import from_bytes as mail_counts
from paperpost.domain.morning import SPAN, Morning, local_day
from paperpost.domain.spending import Spend, utc_day
from paperpost.domain.statusfile import STATUS_PATH, StatusFile
from paperpost.domain.statusfile import from_bytes as status_file
from paperpost.observe import logger
from paperpost.settings import DeliverSettings
from paperpost.storage.alarms import ringing
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.enrichnotes import EnrichNotes
from paperpost.storage.queues import waiting
from paperpost.storage.secrets import Sending
from paperpost.storage.site import SiteBucket
from paperpost.storage.subscribers import SubscriberTable

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_sesv2.client import SESV2Client
    from mypy_boto3_sqs.client import SQSClient

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class MorningMailer:
    """
    Writes to ContactMail, whatever the switch for mail says: that it is off is news, too.

    What cannot be read is told as unread; it never keeps the letter back.
    """

    settings: DeliverSettings
    deliveries: DeliveryTable
    profiles: SubscriberTable
    notes: EnrichNotes
    site: SiteBucket
    sqs: "SQSClient"
    cloudwatch: Callable[[], "CloudWatchClient"]
    ses: "SESV2Client"
    sending: Callable[[], Sending]
    locked: Callable[[], str]
    pace: Pace
    time_left: Callable[[], timedelta]

    def send(self, *, now: datetime, expires_at: int) -> str:
        """
        Send the letter of this morning, once, and return what became of it.

        *expires_at*: epoch seconds of the real clock, when its row may be cleaned up.
        Raises: SlowDownError: If it certainly was not sent; the next call of the morning tries it.
        """
        on = local_day(now, self.settings.morning_zone)
        if on is None or not self.deliveries.claim_morning(on, now=now, expires_at=expires_at):
            return DeliveryState.SKIPPED.value
        try:
            raw = self._message(on, now=now)
            is_its_turn = self.pace.wait(self.time_left() - TIME_FOR_ONE)
        except Exception:
            self.deliveries.release_morning(on)
            raise
        if not is_its_turn:
            self.deliveries.release_morning(on)
            raise SlowDownError("morning letter: not its turn yet")
        outcome = attempt(
            self.ses,
            raw,
            to=self.settings.contact_mail,
            configuration_set=self.settings.configuration_set,
            sender=self.settings.mail_from,
        )
        logger.info("morning letter " + outcome.state.value, extra={"reason": outcome.reason})
        if outcome.state is DeliveryState.RELEASED:
            self.deliveries.release_morning(on)
            raise SlowDownError(f"morning letter: {outcome.reason}")
        self.deliveries.mark_morning(on, outcome.state, message_id=outcome.message_id)
        return outcome.state.value

    def _message(self, on: date, *, now: datetime) -> bytes:
        own = self.settings
        imprint = Imprint(
            site_url=own.site_url,
            contact_mail=own.contact_mail,
            postal_address=own.postal_address,
        )
        letter = morning_letter(
            self._facts(on, now=now), imprint, stack=own.stack_name, zone=own.morning_zone
        )
        envelope = Envelope(
            sender=own.mail_from,
            recipient=own.contact_mail,
            subject=letter.subject,
            tags=(("kind", "morning"),),
            date=now,
            kind="morning",
        )
        return message(envelope, letter.pieces)

    def _facts(self, on: date, *, now: datetime) -> Morning:
        facts = _Facts()
        return Morning(
            on=on,
            now=now,
            status=facts.known("status.json", self._status),
            issues=facts.known("the counts of letters", self._issues),
            spends=facts.known("the cost of translation", lambda: self._spends(now)),
            breakers=facts.known("the model's state", self.notes.list_breakers),
            quota=facts.known("the quota of SES", lambda: ask_quota(self.ses)),
            readers=facts.known(
                "the number of readers", lambda: self.profiles.count_readers(since=now - SPAN)
            ),
            locked=facts.known("whether tables were restored", self.locked),
            switch=facts.known("the switch for mail", lambda: self.sending().value),
            switch_name=self.settings.sending_parameter,
            dead_letters=facts.known("the dead letters", self._dead_letters),
            alarms=facts.known(
                "the alarms", lambda: ringing(self.cloudwatch(), self.settings.stack_name)
            ),
            unread=tuple(facts.unread),
        )

    def _status(self) -> StatusFile:
        stored = self.site.get(STATUS_PATH)
        if stored is None:
            raise RecordError("publish has put none")
        return status_file(stored.body)

    def _issues(self) -> tuple[Mailed, ...]:
        stored = self.site.get(MAILED_PATH)
        return mail_counts(stored.body) if stored else ()

    def _spends(self, now: datetime) -> tuple[Spend, ...]:
        return tuple(self.notes.list_spends(utc_day(now - SPAN), utc_day(now)))

    def _dead_letters(self) -> dict[str, int]:
        return {
            url.rpartition("/")[2]: waiting(self.sqs, url)
            for url in self.settings.dead_letter_queues
        }


class _Facts:
    """Reads one fact after the other; what cannot be read is `unread`."""

    def __init__(self) -> None:
        self.unread: list[str] = []

    def known(self, what: str, read: Callable[[], T]) -> T | None:
        """What *read* returns, or None."""
        try:
            return read()
        except (BotoCoreError, ClientError, KeyError, PaperpostError) as exc:
            fault = describe(exc)
            logger.warning("morning letter lacks a fact", extra={"fact": what, **fault})
            self.unread.append(f"{what} ({fault['problem'] or fault['error']})")
            return None
