"""Deliveries: the ledger's rows, which changes are allowed, and what an answer of SES means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

# Longer than a Lambda function can run, so a claim's owner is certainly gone when it expires.
LEASE = timedelta(minutes=15)
# An open row that was queued this long ago is queued again; repeated messages are harmless.
REQUEUE_AFTER = timedelta(minutes=30)
# How long feedback may still say what became of an ambiguous send.
AMBIGUOUS_FOR = timedelta(hours=24)
# Nothing older than this is mailed without an operator's word.
OVERDUE_AFTER = timedelta(hours=36)


class DeliveryState(StrEnum):
    """Where one letter stands."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    SENT = "sent"
    RELEASED = "released"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"

    @property
    def is_open(self) -> bool:
        """Whether the issue cannot be closed yet because of it."""
        return self not in _SETTLED


_SETTLED = frozenset({DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.SKIPPED})
_ALLOWED: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    # Skipped: on an operator's word, or by compose when its issue is too old to be mailed.
    DeliveryState.PLANNED: frozenset({DeliveryState.CLAIMED, DeliveryState.SKIPPED}),
    # Sent, failed: an ambiguous letter was to go again, and then feedback told what became of it.
    DeliveryState.RELEASED: frozenset(
        {DeliveryState.CLAIMED, DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.SKIPPED}
    ),
    DeliveryState.CLAIMED: frozenset(
        {
            DeliveryState.SENT,
            DeliveryState.RELEASED,
            DeliveryState.FAILED,
            DeliveryState.SKIPPED,
            DeliveryState.UNKNOWN,
        }
    ),
    DeliveryState.UNKNOWN: frozenset(
        {DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.RELEASED, DeliveryState.SKIPPED}
    ),
    # Failed: SES took the mail, and then told that it had not sent it.
    DeliveryState.SENT: frozenset({DeliveryState.FAILED}),
    DeliveryState.FAILED: frozenset(),
    DeliveryState.SKIPPED: frozenset(),
}
STARTABLE = frozenset({DeliveryState.PLANNED, DeliveryState.RELEASED})
# What these leave certainly did not go to SES.
UNASKED = frozenset({DeliveryState.RELEASED, DeliveryState.FAILED, DeliveryState.SKIPPED})


def may_become(state: DeliveryState, wanted: DeliveryState) -> bool:
    """Whether a delivery of *state* may become *wanted*."""
    return wanted in _ALLOWED[state]


class IssueState(StrEnum):
    """Where an issue stands: rows being planned, letters going out, or all accounted for."""

    PLANNING = "planning"
    SENDING = "sending"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """
    One subscriber's letter of one issue.

    `owner` and `lease_until` belong to the last claim; `reason` says why it was not sent. `mails`:
    how many of it may have gone to SES, more than one if an operator has sent it again;
    `message_ids`: SES's own names of those, as far as SES has told.
    """

    issue: str
    shard: int
    subscriber_id: str
    state: DeliveryState
    due_at: datetime
    updated_at: datetime
    owner: str = ""
    lease_until: datetime | None = None
    mails: int = 0
    message_ids: frozenset[str] = frozenset()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRow:
    """
    What the ledger knows of an issue.

    `content_hash`: of the frozen bytes. `too_late`: as in the frozen issue. `cursor`: shard and
    last planned id, while planning. `queued`: due time → when its rows were last queued. `stopped`:
    why no letter goes out until compose's next tick. `totals`: deliveries by state, once closed.
    """

    issue: str
    content_hash: str
    frozen_at: datetime
    reason: str
    papers: int
    shards: int
    too_late: int = 0
    state: IssueState = IssueState.PLANNING
    cursor: tuple[int, str] | None = None
    queued: Mapping[datetime, datetime] = field(default_factory=dict)
    stopped: str = ""
    closed_at: datetime | None = None
    totals: Mapping[str, int] = field(default_factory=dict)


def is_startable(delivery: Delivery, *, now: datetime) -> bool:
    """Whether its letter may be claimed: open, due, and not so old that an operator must say so."""
    return delivery.state in STARTABLE and is_timely(delivery.due_at, now=now)


def is_overdue(delivery: Delivery, *, now: datetime) -> bool:
    """Whether it starts on an operator's word alone."""
    return delivery.state in STARTABLE and delivery.due_at + OVERDUE_AFTER < now


def is_timely(due_at: datetime, *, now: datetime) -> bool:
    """Whether *now* is between *due_at* and the age at which nothing starts by itself."""
    return due_at <= now <= due_at + OVERDUE_AFTER


def reconciled(delivery: Delivery, *, now: datetime, policy: str) -> DeliveryState | None:
    """
    Return what compose makes of *delivery*, or None to leave it as it is.

    An expired claim is ambiguous; after a day the *policy* (`skip` or `resend`) decides.
    """
    if delivery.state is DeliveryState.CLAIMED:
        assert delivery.lease_until is not None
        return DeliveryState.UNKNOWN if delivery.lease_until < now else None
    if delivery.state is DeliveryState.UNKNOWN and delivery.updated_at + AMBIGUOUS_FOR < now:
        return DeliveryState.RELEASED if policy == "resend" else DeliveryState.SKIPPED
    return None


# what an answer means


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    What became of one attempt to send.

    `slow_down`: wait before the next attempt. `stops`: no letter at all can go out for now.
    """

    state: DeliveryState
    reason: str
    message_id: str = ""
    slow_down: bool = False
    stops: bool = False


# Error codes of SES v2 SendEmail, of v1 where SES still answers with them, and of AWS at large.
# Sources: botocore's service model sesv2 (2019-09-27) and "Errors related to the sending quotas",
# https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html, read 2026-11-23.
_THROTTLED = frozenset(
    {
        "TooManyRequestsException",
        "LimitExceededException",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
    }
)
_ACCOUNT = frozenset(
    {
        "AccountSuspendedException",
        "AccountSendingPausedException",
        "SendingPausedException",
        "ConfigurationSetSendingPausedException",
        "MailFromDomainNotVerifiedException",
        "ConfigurationSetDoesNotExist",
        "NotFoundException",
        "RequestExpired",  # our clock is wrong, for every letter
    }
)
# Errors of botocore, by class name, from before the request's first byte.
_NOT_SENT = frozenset({"ConnectTimeoutError", "EndpointConnectionError", "ProxyConnectionError"})
_NO_CREDENTIALS = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "NoRegionError"}
)
_TLS_REFUSED = ("CERTIFICATE_VERIFY_FAILED", "HANDSHAKE", "WRONG_VERSION_NUMBER")
_CLIENT_ERRORS = range(400, 500)
_AUTHORISATION = (401, 403, 404)
_TOO_MANY = 429
_TIMED_OUT = 408
_ABORTED = "RequestAbortedException"


def answered(code: str, status: int, text: str, *, sender: str) -> Outcome:
    """
    Return what an error answer of SES means for the letter.

    *sender*: our own From address; trouble with it concerns every letter.
    """
    if code in _THROTTLED or status == _TOO_MANY:
        if "daily" in text.casefold():
            return Outcome(state=DeliveryState.RELEASED, reason="daily quota", stops=True)
        return Outcome(state=DeliveryState.RELEASED, reason="throttled", slow_down=True)
    of_sender = "not verified" in text and sender.casefold() in text.casefold()
    if code in _ACCOUNT or status in _AUTHORISATION or of_sender:
        return Outcome(state=DeliveryState.RELEASED, reason=f"account: {code}", stops=True)
    if status in _CLIENT_ERRORS and status != _TIMED_OUT and code != _ABORTED:
        return Outcome(state=DeliveryState.FAILED, reason=code)
    return Outcome(state=DeliveryState.UNKNOWN, reason=code)


def unanswered(error: str, text: str) -> Outcome:
    """
    Return what an error of the connection means, by botocore's class name *error* and its *text*.

    Only what certainly happened before the first byte lets the letter go again by itself.
    """
    if error in _NO_CREDENTIALS:
        return Outcome(state=DeliveryState.RELEASED, reason=f"account: {error}", stops=True)
    refused = error == "SSLError" and any(sign in text.upper() for sign in _TLS_REFUSED)
    if error in _NOT_SENT or refused:
        return Outcome(state=DeliveryState.RELEASED, reason=error, slow_down=True)
    if error == "ParamValidationError":
        return Outcome(state=DeliveryState.FAILED, reason=error)
    return Outcome(state=DeliveryState.UNKNOWN, reason=error)
