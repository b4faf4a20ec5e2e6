"""Deliver: claim one subscriber's row, make the letter, send it once, record what became of it."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from paperpost.batches import describe
from paperpost.deliver.letters import LetterPress, Links
from paperpost.deliver.mime import Envelope, MessageError, message
from paperpost.deliver.pace import Pace
from paperpost.deliver.sending import attempt
from paperpost.deliver.words import known_zone
from paperpost.domain.deliveries import Delivery, DeliveryState, IssueRow, Outcome
from paperpost.domain.errors import PaperpostError
from paperpost.domain.issuefiles import content_hash, from_bytes, issue_path
from paperpost.domain.issues import FrozenIssue
from paperpost.domain.quotas import Quota, why_letters_wait
from paperpost.domain.selections import selection
from paperpost.domain.subscribers import Subscriber, SubscriberStatus
from paperpost.domain.tokens import Purpose, TokenKeys, make_token
from paperpost.observe import logger
from paperpost.settings import DeliverSettings
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.secrets import Sending
from paperpost.storage.site import SiteBucket

if TYPE_CHECKING:
    from mypy_boto3_sesv2.client import SESV2Client

# SES may take 13 s (time-outs in clients.py); the rest is for the profile, the letter and the mark.
TIME_FOR_ONE = timedelta(seconds=20)


class FrozenIssueError(PaperpostError):
    """The frozen issue is not there, or has not the bytes that the ledger vouches for."""


class NoTimeLeftError(PaperpostError):
    """Too little time to finish a send; the message goes back to the queue with the rows open."""


class SlowDownError(PaperpostError):
    """SES refuses for now; the message goes back to the queue with the rows open."""


class UnmadeLetterError(PaperpostError):
    """Something failed before SES was asked; the message goes back with the letter's row open."""


class Profiles(Protocol):
    """Where a subscriber's present state is read."""

    def get(self, subscriber_id: str) -> Subscriber | None:
        """The subscriber, strongly consistent, or None."""
        ...


def load_issue(site: SiteBucket, issue: str, frozen_hash: str) -> FrozenIssue:
    """
    Return the frozen *issue*, whose bytes the ledger knows by *frozen_hash*.

    Raises: FrozenIssueError: If they are missing or not those that were frozen.
    """
    file = site.get(issue_path(issue))
    if file is None:
        raise FrozenIssueError(f"{issue}: the frozen issue is not in the bucket")
    if content_hash(file.body) != frozen_hash:
        raise FrozenIssueError(f"{issue}: the frozen issue was changed after its freeze")
    return from_bytes(file.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """
    Sends an issue's letters.

    `press`: makes the letter press for an issue's row. `locked`: why none may go out, or ''.
    """

    settings: DeliverSettings
    deliveries: DeliveryTable
    profiles: Profiles
    ses: "SESV2Client"
    keys: Callable[[], TokenKeys]
    press: Callable[[IssueRow], LetterPress]
    sending: Callable[[], Sending]
    locked: Callable[[], str]
    pace: Pace
    quota: Callable[[], Quota | None]
    time_left: Callable[[], timedelta]

    def deliver(self, body: Mapping[str, Any], *, now: datetime) -> dict[str, int]:
        """
        Send what of a delivery message is open, and return how many rows became what.

        Raises: NoTimeLeftError, SlowDownError, UnmadeLetterError: If rows stay open that a later
            call should take. FrozenIssueError: If there is nothing trustworthy to send.
        """
        issue, shard = body["issue"], int(body["shard"])
        row = self.deliveries.get_issue(issue)
        if row is None:
            raise FrozenIssueError(f"{issue}: the ledger knows no such issue")
        if row.stopped:
            logger.warning("issue is stopped", extra={"issue": issue, "reason": row.stopped})
            return {}
        press = self.press(row)
        done: dict[str, int] = {}
        unmade: UnmadeLetterError | None = None
        for subscriber_id in body["subscribers"]:
            if not self._may_go_on(issue):
                return done
            owner = secrets.token_hex(8)
            claimed = self.deliveries.claim(issue, shard, subscriber_id, owner=owner, now=now)
            if claimed is None:
                # Done already, somebody else's, or not due: the ledger has the last word.
                continue
            try:
                outcome = self._send(claimed, row, press, now=now)
            except UnmadeLetterError as exc:
                # Raised at the end: one profile that cannot be read holds up nobody behind it.
                unmade, outcome = exc, Outcome(state=DeliveryState.RELEASED, reason=str(exc))
            self._record(claimed, outcome, now=now)
            done[outcome.state.value] = done.get(outcome.state.value, 0) + 1
            if outcome.stops:
                self.deliveries.stop_issue(issue, outcome.reason)
                return done
            if outcome.slow_down:
                raise SlowDownError(f"{issue}: {outcome.reason}")
        if unmade is not None:
            raise unmade
        return done

    def _may_go_on(self, issue: str) -> bool:
        """
        Whether the next letter may be begun; False when the issue is stopped.

        Raises: NoTimeLeftError: If there is too little time to finish it.
        """
        if held := self._why_held():
            # Their rows stay open: the next tick of compose queues them again.
            logger.warning("letters held back", extra={"issue": issue, "reason": held})
            self.deliveries.stop_issue(issue, held)
            return False
        if self.time_left() < TIME_FOR_ONE:
            raise NoTimeLeftError(f"{issue}: no time left for the rest of the message")
        return True

    def _why_held(self) -> str:
        if self.sending() is not Sending.ON:
            return "switched off by the operator"
        quota = self.quota()
        return self.locked() or (why_letters_wait(quota) if quota else "")

    def _send(
        self, claimed: Delivery, row: IssueRow, press: LetterPress, *, now: datetime
    ) -> Outcome:
        """
        Everything between claim and mark.

        Raises: UnmadeLetterError: If anything goes wrong before SES is asked.
        """
        try:
            subscriber = self.profiles.get(claimed.subscriber_id)
            reason = _why_not(subscriber, row, press, now=now)
            if reason:
                return Outcome(state=DeliveryState.SKIPPED, reason=reason)
            assert subscriber is not None
            raw = self._message(subscriber, press, now=now)
            if raw is None:
                return Outcome(state=DeliveryState.SKIPPED, reason="nothing to say")
            is_its_turn = self.pace.wait(self.time_left() - TIME_FOR_ONE)
        except MessageError as exc:
            logger.error(
                "letter refused",
                extra={"subscriber": claimed.subscriber_id, "reason": str(exc)},
            )
            return Outcome(state=DeliveryState.FAILED, reason=f"letter refused: {exc}")
        # Whatever is wrong with one letter: its row is released, and the others are sent.
        except Exception as exc:
            fault = describe(exc)
            logger.error(
                "letter never reached SES", extra={"subscriber": claimed.subscriber_id, **fault}
            )
            raise UnmadeLetterError(f"error: {fault['error']}") from exc
        if not is_its_turn:
            return Outcome(state=DeliveryState.RELEASED, reason="not its turn yet", slow_down=True)
        return attempt(
            self.ses,
            raw,
            to=subscriber.address,
            configuration_set=self.settings.configuration_set,
            sender=self.settings.mail_from,
        )

    def _message(
        self, subscriber: Subscriber, press: LetterPress, *, now: datetime
    ) -> bytes | None:
        """The subscriber's message, or None if the issue holds nothing for them."""
        picks = selection(press.issue, subscriber.preferences)
        if not picks.picks:
            return None
        links = self._links(subscriber.subscriber_id, now=now)
        letter = press.letter(picks, subscriber.preferences, links, now=now)
        envelope = Envelope(
            sender=self.settings.mail_from,
            recipient=subscriber.address,
            subject=letter.subject,
            tags=(("issue", press.issue.issue), ("subscriber", subscriber.subscriber_id)),
            date=now,
            list_name=press.issue.cadence.value,
            unsubscribe_url=links.unsubscribe,
        )
        return message(envelope, letter.pieces)

    def _links(self, subscriber_id: str, *, now: datetime) -> Links:
        site = self.settings.site_url
        leave, change = (
            make_token(purpose, subscriber_id, self.keys(), now=now)
            for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES)
        )
        return Links(
            unsubscribe=f"{site}/api/unsubscribe/{leave}",
            preferences=f"{site}/api/preferences/{change}",
            status=f"{site}/status.html",
        )

    def _record(self, claimed: Delivery, outcome: Outcome, *, now: datetime) -> None:
        kept = self.deliveries.mark(
            claimed,
            outcome.state,
            now=now,
            reason=outcome.reason,
            message_id=outcome.message_id,
        )
        logger.info(
            "letter " + outcome.state.value,
            extra={
                "issue": claimed.issue,
                "subscriber": claimed.subscriber_id,
                "reason": outcome.reason,
                "recorded": kept,
            },
        )


def _why_not(
    subscriber: Subscriber | None, row: IssueRow, press: LetterPress, *, now: datetime
) -> str:
    """Why the subscriber gets no letter of this issue, as things stand now, or ''."""
    if subscriber is None:
        return "no such subscriber"
    if subscriber.status is not SubscriberStatus.CONFIRMED:
        return subscriber.status.value
    if subscriber.confirmed_at is None or subscriber.confirmed_at >= row.frozen_at:
        return "confirmed after the freeze"
    preferences = subscriber.preferences
    if preferences.cadence is not press.issue.cadence:
        return f"now {preferences.cadence.value}"
    today = now.astimezone(ZoneInfo(known_zone(preferences.zone))).date()
    if preferences.paused_until is not None and today < preferences.paused_until:
        return "paused"
    return ""
