"""
What the emulator lacks, as one HTTP server on loopback in threads of the launcher's process.

* SES v2 `SendEmail` with `Content.Raw`: every message is a file `<nnnnnn>-<message id>.eml`, just
  as it was handed over, before the answer goes out. Events go to the SNS topics that the deployed
  stack's configuration set names, after the answer, in order.
* SES v2 `GetAccount`.
* Bedrock `Converse`, answered by a model of `models.py`.

    standin = Standin(mail_dir=…, model=ReplayModel.from_file(…), verified_domain="paper.example")
    standin.start()
    emulator.start(standin=standin.url)
    standin.connect(EmulatorAccount(emulator))

Until it is connected it knows no configuration set and refuses messages that name one. IAM is not
checked here: a handler's `ses:` and `bedrock:` permissions show in AWS alone.
"""

import base64
import binascii
import json
import queue
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.errors import MessageError
from email.utils import getaddresses, parsedate_to_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from botocore.exceptions import ClientError

from paperpost_cli.cloud.emulator import ACCOUNT, REGION, Emulator
from paperpost_cli.cloud.events import SentMail, events_for
from paperpost_cli.cloud.models import (
    ConverseAnswer,
    ConverseRequest,
    ForwardModel,
    Model,
    ModelError,
    ReplayModel,
    answer_request,
)

__all__ = [
    "Account",
    "ConverseAnswer",
    "ConverseRequest",
    "EmulatorAccount",
    "ForwardModel",
    "Model",
    "ModelError",
    "ReplayModel",
    "Standin",
]

_MOST_RECIPIENTS = 50
_MOST_BYTES = 40 * 1024 * 1024
_MOST_BODY = 2 * _MOST_BYTES
_QUOTA_A_DAY = 50_000
_QUOTA_A_SECOND = 14.0
_REMEMBER_S = 2.0
_PUBLISH_TRIES = 3
_TAG = re.compile(r"(?:ses:feedback-id-[ab]|[A-Za-z0-9_.@-]{1,256})")


class RefusalError(Exception):
    """An answer other than 200: the AWS error type, its message and the HTTP status."""

    def __init__(self, error_type: str, message: str, *, status: int = 400) -> None:
        self.error_type, self.status = error_type, status
        super().__init__(message)


class Account(Protocol):
    """What the stand-in asks of the account that it stands in."""

    def topics(self, configuration_set: str) -> Mapping[str, Sequence[str]] | None:
        """Topic ARNs by event type (`BOUNCE`); None if there is no such configuration set."""

    def publish(self, topic: str, message: str) -> None:
        """Publish *message* to the SNS topic."""


class EmulatorAccount:
    """The emulator's account; a configuration set is looked up every two seconds at most."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._known: dict[str, tuple[float, Mapping[str, Sequence[str]] | None]] = {}

    def topics(self, configuration_set: str) -> Mapping[str, Sequence[str]] | None:
        """Topic ARNs by event type (`BOUNCE`); None if there is no such configuration set."""
        asked_at, found = self._known.get(configuration_set, (float("-inf"), None))
        if time.monotonic() - asked_at > _REMEMBER_S:
            found = self._look_up(configuration_set)
            self._known[configuration_set] = (time.monotonic(), found)
        return found

    def _look_up(self, configuration_set: str) -> Mapping[str, Sequence[str]] | None:
        try:
            answer = self._emulator.client("sesv2").get_configuration_set_event_destinations(
                ConfigurationSetName=configuration_set
            )
        except ClientError as exc:
            if exc.response["Error"]["Code"] == "NotFoundException":
                return None
            raise
        topics: dict[str, list[str]] = {}
        for destination in answer.get("EventDestinations", []):
            if destination.get("Enabled") and "SnsDestination" in destination:
                for kind in destination["MatchingEventTypes"]:
                    topics.setdefault(kind, []).append(destination["SnsDestination"]["TopicArn"])
        return topics

    def publish(self, topic: str, message: str) -> None:
        """Publish *message* to the SNS topic."""
        self._emulator.client("sns").publish(
            TopicArn=topic, Message=message, Subject="Amazon SES Email Event Notification"
        )


class Standin:
    """`start()`, `url`, `connect(account)`, `idle()`, `calls()`, `stop()`."""

    def __init__(
        self,
        *,
        mail_dir: Path,
        model: Model,
        verified_domain: str,
        account: Account | None = None,
        port: int = 0,
        mails_a_second: float = _QUOTA_A_SECOND,
    ) -> None:
        """Listen at once (*port* 0: a free one), so that `url` is known; answer from `start` on."""
        self._mails_a_second = mails_a_second
        self._mails = _Mailbox(mail_dir)
        self._model = model
        self._domain = verified_domain.lower()
        self._account = account
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._events: queue.Queue[tuple[SentMail, Mapping[str, Sequence[str]]] | None]
        self._events = queue.Queue()
        self.problems: list[str] = []
        self._server = _Server(("127.0.0.1", port), self)
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True),
            threading.Thread(target=self._publish_events, daemon=True),
        ]

    @property
    def url(self) -> str:
        """Its address without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> "Standin":
        """Answer from now on; returns itself."""
        for thread in self._threads:
            thread.start()
        return self

    def connect(self, account: Account) -> None:
        """Look configuration sets up in *account* and publish events there."""
        self._account = account

    def calls(self) -> dict[str, int]:
        """How often each action was called (`SendEmail`), and refused (`SendEmail refused`)."""
        with self._lock:
            return dict(self._calls)

    def idle(self) -> bool:
        """Whether every event of the mails sent so far is published (or stands in `problems`)."""
        return self._events.unfinished_tasks == 0

    def stop(self) -> None:
        """Publish what is left, then answer no more; harmless before `start` and a second time."""
        if self._threads and self._threads[0].is_alive():
            self._server.shutdown()
            self._events.put(None)
            for thread in self._threads:
                thread.join()
        self._threads = []
        self._server.server_close()

    def answer(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        """The answer to one request; raises `RefusalError` or `ModelError` for any but 200."""
        parts = [unquote(part) for part in urlsplit(path).path.split("/") if part]
        act: Callable[[], dict[str, Any]]
        match method, parts:
            case "POST", ["v2", "email", "outbound-emails"]:
                action, act = "SendEmail", partial(self._send, body)
            case "GET", ["v2", "email", "account"]:
                action, act = "GetAccount", self._get_account
            case "POST", ["model", model, "converse"]:
                action, act = "Converse", partial(self._converse, model, body)
            case _:
                message = f"the stand-in has no {method} {path}"
                raise RefusalError("UnknownOperationException", message, status=404)
        self._count(action)
        try:
            return act()
        except (RefusalError, ModelError):
            self._count(f"{action} refused")
            raise

    def _converse(self, model_id: str, body: bytes) -> dict[str, Any]:
        return answer_request(self._model, model_id, _json(body))

    def _count(self, what: str) -> None:
        with self._lock:
            self._calls[what] += 1

    def _get_account(self) -> dict[str, Any]:
        return {
            "SendingEnabled": True,
            "ProductionAccessEnabled": True,
            "EnforcementStatus": "HEALTHY",
            "SendQuota": {
                "Max24HourSend": float(_QUOTA_A_DAY),
                "MaxSendRate": self._mails_a_second,
                "SentLast24Hours": float(self._mails.of_the_last_day()),
            },
            "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
        }

    def _send(self, body: bytes) -> dict[str, Any]:
        """Check the message as SES does, keep it, and let its events follow."""
        request = _json(body)
        raw = _raw_message(request)
        mail = self._checked(request, raw)
        topics = self._topics(mail.configuration_set)
        self._mails.keep(raw, mail.message_id, written_at=_written_at(mail.headers))
        if topics:
            self._events.put((mail, topics))
        return {"MessageId": mail.message_id}

    def _checked(self, request: dict[str, Any], raw: bytes) -> SentMail:
        try:
            message = message_from_bytes(raw, policy=policy.default)
            headers = [(name, str(value)) for name, value in message.items()]
        except (MessageError, ValueError, LookupError) as exc:
            raise RefusalError("BadRequestException", f"unreadable message: {exc}") from exc
        held = {name.lower(): value for name, value in reversed(headers)}
        for wanted in ("From", "To"):
            if not held.get(wanted.lower(), "").strip():
                text = f"Missing required header '{wanted}'."
                raise RefusalError("BadRequestException", text)
        self._check_sender(held["from"], request.get("FromEmailAddress"))
        recipients = _recipients(request.get("Destination") or {}, held)
        name = request.get("ConfigurationSetName") or held.get("x-ses-configuration-set", "")
        return SentMail(
            message_id=f"0100{time.time_ns() // 1_000_000:012x}-{uuid.uuid4()}-000000",
            sent_at=datetime.now(UTC),
            source=request.get("FromEmailAddress") or held["from"],
            account=ACCOUNT,
            region=REGION,
            configuration_set=str(name),
            destination=recipients,
            headers=headers,
            tags=_tags(held.get("x-ses-message-tags", ""), request.get("EmailTags") or []),
        )

    def _check_sender(self, *senders: str | None) -> None:
        for sender in filter(None, senders):
            address = getaddresses([sender])[0][1]
            domain = address.lower().rpartition("@")[2]
            if domain != self._domain and not domain.endswith(f".{self._domain}"):
                text = (
                    "Email address is not verified. The following identities failed the check in "
                    f"region {REGION.upper()}: {address}"
                )
                raise RefusalError("MessageRejected", text)

    def _topics(self, configuration_set: str) -> Mapping[str, Sequence[str]]:
        if not configuration_set:
            return {}
        found = self._account.topics(configuration_set) if self._account else None
        if found is None:
            text = f"Configuration set <{configuration_set}> does not exist."
            raise RefusalError("NotFoundException", text, status=404)
        return found

    def _publish_events(self) -> None:
        while (job := self._events.get()) is not None:
            mail, topics = job
            for event in events_for(mail, mail.destination):
                for topic in topics.get(event["eventType"].upper(), ()):
                    self._publish(topic, json.dumps(event, ensure_ascii=False))
            self._events.task_done()
        self._events.task_done()

    def _publish(self, topic: str, message: str) -> None:
        assert self._account is not None
        for attempt in range(_PUBLISH_TRIES):
            try:
                return self._account.publish(topic, message)
            except Exception as exc:  # noqa: BLE001 - SES never loses an event; say so and go on
                time.sleep(attempt * 0.2)
                problem = f"an event was not published to {topic}: {exc}"
        self.problems.append(problem)
        return None


class _Mailbox:
    """The folder of sent messages, numbered in the order of sending."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".*.part"):
            left.unlink()
        names = [path.name.partition("-")[0] for path in folder.glob("*.eml")]
        self.number = max((int(name) for name in names if name.isdecimal()), default=0)
        self._folder = folder
        self._written_at: list[datetime] = []
        self._lock = threading.Lock()

    def of_the_last_day(self) -> int:
        """
        How many messages of this run were written in the 24 hours before the newest.

        By their own Date: in a replay days pass within minutes, and a quota must not run full.
        """
        with self._lock:
            newest = max(self._written_at, default=datetime.now(UTC))
            self._written_at = [at for at in self._written_at if newest - at < timedelta(days=1)]
            return len(self._written_at)

    def keep(self, raw: bytes, message_id: str, *, written_at: datetime) -> None:
        """Write the message; its file appears whole."""
        with self._lock:
            self.number += 1
            self._written_at.append(written_at)
            name = f"{self.number:06d}-{message_id}"
            part = self._folder / f".{name}.part"
            part.write_bytes(raw)
            part.rename(self._folder / f"{name}.eml")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], standin: Standin) -> None:
        super().__init__(address, _Handler)
        self.standin = standin


class _Handler(BaseHTTPRequestHandler):
    """Turns HTTP into `Standin.answer`, and every failure into a JSON body."""

    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 120
    # Else headers and body go out in two packets, and each request takes 43 ms.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer a GET."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._answer()

    def do_PUT(self) -> None:
        """Answer a PUT, which the stand-in has not."""
        self._answer()

    def do_DELETE(self) -> None:
        """Answer a DELETE, which the stand-in has not."""
        self._answer()

    def handle_expect_100(self) -> bool:
        """Send the go-ahead at once; it would stay in the buffer."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing on the launcher's terminal."""

    def _answer(self) -> None:
        try:
            result = self.server.standin.answer(self.command, self.path, self._body())
        except (RefusalError, ModelError) as exc:
            self._put(exc.status, {"message": str(exc)}, exc.error_type)
        except Exception as exc:  # noqa: BLE001 - a server answers, whatever happens
            self._put(500, {"message": f"stand-in: {exc!r}"}, "InternalServerException")
        else:
            self._put(200, result)

    def _body(self) -> bytes:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _MOST_BODY:
            self.close_connection = True
            text = f"Message length is more than {_MOST_BYTES} bytes long."
            raise RefusalError("BadRequestException", text)
        return self.rfile.read(length)

    def _put(self, status: int, value: dict[str, Any], error_type: str | None = None) -> None:
        data = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        if error_type is not None:
            self.send_header("x-amzn-ErrorType", error_type)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()


def _written_at(headers: Sequence[tuple[str, str]]) -> datetime:
    """When a message says that it was written; now, if it does not say."""
    told = next((value for name, value in headers if name.lower() == "date"), "")
    try:
        return parsedate_to_datetime(told).astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError as exc:
        raise RefusalError("BadRequestException", f"not JSON: {exc}") from exc
    if not isinstance(found, dict):
        raise RefusalError("BadRequestException", "not a JSON object")
    return found


def _raw_message(request: dict[str, Any]) -> bytes:
    data = request.get("Content", {}).get("Raw", {}).get("Data")
    if not isinstance(data, str):
        raise RefusalError("BadRequestException", "the stand-in takes Content.Raw alone")
    try:
        raw = base64.b64decode(data, validate=True)
    except binascii.Error as exc:
        raise RefusalError("BadRequestException", f"not base64: {exc}") from exc
    if len(raw) > _MOST_BYTES:
        text = f"Message length is more than {_MOST_BYTES} bytes long: '{len(raw)}'."
        raise RefusalError("BadRequestException", text)
    return raw


def _recipients(destination: Mapping[str, Sequence[str]], held: Mapping[str, str]) -> list[str]:
    """The envelope's recipients: the parameter's, else the headers'."""
    named = [a for kind in ("To", "Cc", "Bcc") for a in destination.get(f"{kind}Addresses") or ()]
    texts = named or [held[kind] for kind in ("to", "cc", "bcc") if held.get(kind)]
    found = [address for _, address in getaddresses(texts)]
    if not found or any("@" not in address for address in found):
        raise RefusalError("BadRequestException", "Missing final '@domain'")
    if len(found) > _MOST_RECIPIENTS:
        raise RefusalError("BadRequestException", f"Recipient count exceeds {_MOST_RECIPIENTS}.")
    return found


def _tags(header: str, given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Message tags from `X-SES-MESSAGE-TAGS: name=value, …` and the parameter EmailTags."""
    found = {tag["Name"]: tag["Value"] for tag in given}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        name, _, value = pair.partition("=")
        found[name.strip()] = value.strip()
    for name, value in found.items():
        if not (_TAG.fullmatch(name) and _TAG.fullmatch(value)):
            raise RefusalError("BadRequestException", f"Invalid message tag <{name}>.")
    return found
