"""Sending: one attempt, whatever happens on the line, and an outcome for each way it can end."""

from collections.abc import Callable
from typing import Any

import boto3
import botocore.exceptions as errors
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

from paperpost import clients
from paperpost.deliver.sending import attempt
from paperpost.domain.deliveries import DeliveryState, Outcome
from support.aws import forget_clients

URL = "https://email.us-east-1.amazonaws.com"


class Wire:
    """Answers requests in SES's place and counts them."""

    def __init__(self, answer: Callable[[AWSPreparedRequest], AWSResponse]) -> None:
        self.requests: list[AWSPreparedRequest] = []
        self._answer = answer

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        self.requests.append(request)
        return self._answer(request)


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> list[bytes]:
        return [self._body]


def replies(status: int, body: bytes, code: str = "") -> Wire:
    """A wire on which SES replies."""
    headers = {"content-type": "application/json", "x-amzn-errortype": code}
    return Wire(lambda _: AWSResponse(URL, status, headers, _Raw(body)))


def breaks(error: Exception) -> Wire:
    """A wire that breaks."""

    def fail(_: AWSPreparedRequest) -> AWSResponse:
        raise error

    return Wire(fail)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up ones, and a region."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def sent_over(wire: Wire) -> Outcome:
    """One attempt with the service's own client over *wire*."""
    forget_clients()
    client = clients.ses()
    client.meta.events.register_first("before-send.sesv2.*", wire)
    outcome = attempt(
        client, b"raw", to="reader@example.com", configuration_set="set", sender="p@example.org"
    )
    forget_clients()
    return outcome


def test_an_accepted_letter_is_sent_with_its_message_id(credentials: None) -> None:  # noqa: ARG001
    """One recipient, raw content and the configuration set in the request itself."""
    wire = replies(200, b'{"MessageId": "0100-abc"}')

    outcome = sent_over(wire)

    assert outcome == Outcome(state=DeliveryState.SENT, reason="", message_id="0100-abc")
    assert b'"ToAddresses": ["reader@example.com"]' in wire.requests[0].body
    assert b'"ConfigurationSetName": "set"' in wire.requests[0].body
    assert b'"Raw"' in wire.requests[0].body


@pytest.mark.parametrize(
    ("wire", "state"),
    [
        (
            replies(
                429, b'{"message": "Maximum sending rate exceeded."}', "TooManyRequestsException"
            ),
            "released",
        ),
        (replies(400, b'{"message": "paused"}', "SendingPausedException"), "released"),
        (replies(400, b'{"message": "no"}', "MessageRejected"), "failed"),
        (replies(500, b'{"message": "oops"}', "InternalServiceErrorException"), "unknown"),
        (replies(503, b"<html>busy</html>"), "unknown"),
        (replies(502, b""), "unknown"),
        (breaks(errors.ConnectTimeoutError(endpoint_url=URL)), "released"),
        (breaks(errors.EndpointConnectionError(endpoint_url=URL)), "released"),
        (breaks(errors.SSLError(endpoint_url=URL, error="CERTIFICATE_VERIFY_FAILED")), "released"),
        (breaks(errors.ReadTimeoutError(endpoint_url=URL)), "unknown"),
        (breaks(errors.ConnectionClosedError(endpoint_url=URL)), "unknown"),
        (breaks(errors.HTTPClientError(error="odd")), "unknown"),
    ],
)
def test_every_way_it_can_end_makes_one_request(
    wire: Wire,
    state: str,
    credentials: None,  # noqa: ARG001
) -> None:
    """The SDK never repeats it; a repetition is the ledger's decision."""
    outcome = sent_over(wire)

    assert outcome.state.value == state
    assert len(wire.requests) == 1


def test_without_credentials_nothing_went_out_and_the_issue_stops() -> None:
    """A broken role is nobody's bounce."""
    client = boto3.Session(region_name="us-east-1").client(
        "sesv2", config=Config(retries={"total_max_attempts": 1})
    )
    client.meta.events.register_first(
        "before-sign.sesv2.*", lambda **_: (_ for _ in ()).throw(errors.NoCredentialsError())
    )

    outcome = attempt(client, b"raw", to="a@example.com", configuration_set="s", sender="p@x.org")

    assert (outcome.state, outcome.stops) == (DeliveryState.RELEASED, True)
