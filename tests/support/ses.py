"""SES on the wire of deliver's client: keeps what it accepts, and fails as it is told."""

import base64
import json
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

SES = "https://email.us-east-1.amazonaws.com"


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> list[bytes]:
        return [self._content]


class FakeSes:
    """Stands in SES's place on the wire: keeps what it accepted, and fails as it is told."""

    def __init__(self) -> None:
        self.accepted: list[tuple[str, bytes]] = []
        self.requests = 0
        self.script: Callable[[str], AWSResponse | None] = lambda _: None
        self.account: dict[str, Any] = {"SendQuota": {"MaxSendRate": 1_000_000.0}}

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        if request.method == "GET":
            assert request.url.endswith("/v2/email/account")
            request.url = "https://answered.invalid"  # moto is asked too, and would refuse it
            return reply(200, self.account)
        self.requests += 1
        assert isinstance(request.body, str | bytes)
        body = json.loads(request.body)
        (recipient,) = body["Destination"]["ToAddresses"]
        raw = base64.b64decode(body["Content"]["Raw"]["Data"])
        assert body["ConfigurationSetName"] == "paperpost-set"
        failure = self.script(recipient)
        if failure is not None:
            return failure
        self.accepted.append((recipient, raw))
        return reply(200, {"MessageId": f"0100-{len(self.accepted)}"})

    @property
    def mailed(self) -> list[str]:
        """Who got a letter, in order."""
        return [recipient for recipient, _ in self.accepted]

    def letter(self) -> EmailMessage:
        """The only one."""
        ((_, raw),) = self.accepted
        return message_from_bytes(raw, policy=policy.default)


def reply(status: int, body: dict[str, Any], code: str = "") -> AWSResponse:
    """An answer of SES."""
    headers = HTTPHeaders.from_dict({"content-type": "application/json", "x-amzn-errortype": code})
    return AWSResponse(SES, status, headers, _Body(json.dumps(body).encode()))
