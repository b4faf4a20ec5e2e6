"""Deliveries: which changes are allowed, and what an answer of SES means."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from paperpost.domain.deliveries import (
    Delivery,
    DeliveryState,
    Outcome,
    answered,
    is_startable,
    may_become,
    reconciled,
    unanswered,
)

NOW = datetime(2024, 3, 26, 5, 0, tzinfo=UTC)
ROW = Delivery(
    issue="daily-2024-03-26",
    shard=0,
    subscriber_id="a1",
    state=DeliveryState.PLANNED,
    due_at=NOW,
    updated_at=NOW,
)
SENDER = "paperpost@papers.example.org"
NOT_VERIFIED = (
    "Email address is not verified. The following identities failed the check in region US-EAST-1:"
)


def test_a_letter_is_sent_only_through_a_claim() -> None:
    """Or when feedback settles an ambiguous one, even if it was to be sent again by now."""
    before_sent = {s for s in DeliveryState if may_become(s, DeliveryState.SENT)}

    assert before_sent == {DeliveryState.CLAIMED, DeliveryState.UNKNOWN, DeliveryState.RELEASED}


def test_what_is_settled_stays_but_for_what_ses_did_not_send() -> None:
    """sent, failed and skipped are ends; everything else keeps an issue open."""
    settled = {DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.SKIPPED}
    left = {s: {o for o in DeliveryState if may_become(s, o)} for s in settled}

    assert left == {
        DeliveryState.SENT: {DeliveryState.FAILED},
        DeliveryState.FAILED: set(),
        DeliveryState.SKIPPED: set(),
    }
    assert {s for s in DeliveryState if s.is_open} == set(DeliveryState) - settled


@pytest.mark.parametrize(
    ("state", "age", "wanted"),
    [
        (DeliveryState.PLANNED, timedelta(), True),
        (DeliveryState.RELEASED, timedelta(hours=36), True),
        (DeliveryState.PLANNED, timedelta(hours=36, seconds=1), False),
        (DeliveryState.PLANNED, timedelta(seconds=-1), False),
        (DeliveryState.CLAIMED, timedelta(), False),
        (DeliveryState.UNKNOWN, timedelta(), False),
        (DeliveryState.SENT, timedelta(), False),
    ],
)
def test_a_letter_starts_when_it_is_due_open_and_not_too_old(
    state: DeliveryState, age: timedelta, *, wanted: bool
) -> None:
    """Behind 36 hours an operator must say so."""
    assert is_startable(replace(ROW, state=state), now=NOW + age) is wanted


def test_a_claim_is_left_alone_until_its_lease_ends_and_never_sent_again() -> None:
    """An expired one is ambiguous."""
    claimed = replace(ROW, state=DeliveryState.CLAIMED, lease_until=NOW)

    assert reconciled(claimed, now=NOW, policy="resend") is None
    after = reconciled(claimed, now=NOW + timedelta(seconds=1), policy="resend")
    assert after is DeliveryState.UNKNOWN


@pytest.mark.parametrize(
    ("policy", "wanted"), [("skip", DeliveryState.SKIPPED), ("resend", DeliveryState.RELEASED)]
)
def test_the_operators_policy_decides_after_a_day(policy: str, wanted: DeliveryState) -> None:
    """Until then feedback may still tell."""
    unknown = replace(ROW, state=DeliveryState.UNKNOWN)

    assert reconciled(unknown, now=NOW + timedelta(hours=24), policy=policy) is None
    assert reconciled(unknown, now=NOW + timedelta(hours=24, seconds=1), policy=policy) is wanted


def summary(outcome: Outcome) -> str:
    """State and what else follows."""
    more = [name for name in ("slow_down", "stops") if getattr(outcome, name)]
    return " ".join([outcome.state.value, *more])


@pytest.mark.parametrize(
    ("code", "status", "text", "wanted"),
    [
        ("TooManyRequestsException", 429, "Maximum sending rate exceeded.", "released slow_down"),
        ("ThrottlingException", 400, "Rate exceeded", "released slow_down"),
        ("LimitExceededException", 400, "Daily message quota exceeded.", "released stops"),
        ("TooManyRequestsException", 429, "Daily message quota exceeded", "released stops"),
        ("SendingPausedException", 400, "Sending paused", "released stops"),
        ("AccountSuspendedException", 400, "suspended", "released stops"),
        ("MailFromDomainNotVerifiedException", 400, "", "released stops"),
        ("NotFoundException", 404, "Configuration set <x> does not exist.", "released stops"),
        ("AccessDeniedException", 403, "not authorized", "released stops"),
        ("SomethingNew", 401, "", "released stops"),
        ("RequestExpired", 400, "Our clock is wrong", "released stops"),
        ("RequestAbortedException", 400, "", "unknown"),
        (
            "MessageRejected",
            400,
            f"{NOT_VERIFIED} Paperpost@papers.example.org",
            "released stops",
        ),
        (
            "MessageRejected",
            400,
            f"{NOT_VERIFIED} reader@example.com",
            "failed",
        ),
        ("MessageRejected", 400, "Email content contains a virus", "failed"),
        ("BadRequestException", 400, "Illegal address", "failed"),
        ("InternalServiceErrorException", 500, "", "unknown"),
        ("ServiceUnavailable", 503, "", "unknown"),
        ("RequestTimeout", 408, "", "unknown"),
        ("Strange", 302, "", "unknown"),
    ],
)
def test_an_answer_says_what_became_of_the_letter(
    code: str, status: int, text: str, wanted: str
) -> None:
    """A 5xx may have been sent; a throttle and account trouble certainly was not."""
    assert summary(answered(code, status, text, sender=SENDER)) == wanted


@pytest.mark.parametrize(
    ("error", "text", "wanted"),
    [
        ("ConnectTimeoutError", "", "released slow_down"),
        ("EndpointConnectionError", "Could not connect", "released slow_down"),
        ("SSLError", "CERTIFICATE_VERIFY_FAILED", "released slow_down"),
        ("SSLError", "decryption failed or bad record mac", "unknown"),
        ("NoCredentialsError", "", "released stops"),
        ("ParamValidationError", "", "failed"),
        ("ReadTimeoutError", "", "unknown"),
        ("ConnectionClosedError", "", "unknown"),
        ("ResponseParserError", "", "unknown"),
        ("HTTPClientError", "", "unknown"),
    ],
)
def test_without_an_answer_only_what_was_never_sent_is_released(
    error: str, text: str, wanted: str
) -> None:
    """Everything else may have reached SES."""
    assert summary(unanswered(error, text)) == wanted
