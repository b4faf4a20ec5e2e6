"""
A proxy between a worker and its cloud that kills the worker at one exact call.

The worker is killed while it waits for the call's answer: before the call was passed on, or behind
that, when the cloud has done what was asked and the worker will never know.
"""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_HOP = {"connection", "transfer-encoding", "content-length", "expect"}
_OK, _TIMEOUT_S = 200, 120


class Call(StrEnum):
    """The calls of a worker that matter."""

    RECEIVE = "receive"
    CLAIM = "claim"
    SEND = "send"
    MARK = "mark"
    DELETE = "delete"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """
    Where the worker dies: at a *call*, passed on or not, once so many claims were granted.

    `gap`: between which two steps of a delivery that is.
    """

    gap: str
    call: Call
    is_passed_on: bool
    claims: int


# Every place in a delivery's life where a worker may die, by the gap that it lies in.
PLACES = (
    ("before claim", Call.CLAIM, False),
    ("claim to SES", Call.CLAIM, True),
    ("SES to mark", Call.SEND, True),
    ("after mark", Call.MARK, True),
    ("before claim", Call.CLAIM, False),
    ("claim to SES", Call.SEND, False),
    ("SES to mark", Call.MARK, False),
    ("after mark", Call.DELETE, False),
)


@dataclass(slots=True, kw_only=True)
class Trap:
    """Set for one worker after the other. `message`: the receipt handle of what it holds."""

    kill: Kill | None = None
    pid: int = 0
    claims: int = 0
    subscriber: str = ""
    message: str = ""
    done: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def strikes(self, call: Call, *, is_passed_on: bool) -> bool:
        """Kill the worker if this is the place; True if it did."""
        with self._lock:
            kill = self.kill
            if kill is None or (call, is_passed_on) != (kill.call, kill.is_passed_on):
                return False
            if self.claims < kill.claims:
                return False
            os.kill(self.pid, signal.SIGKILL)
            self.kill = None
            self.done.append(
                {"gap": kill.gap, "call": call, "passed_on": is_passed_on, "at": self.subscriber}
            )
            return True

    def saw(self, call: Call, answer: bytes, status: int) -> None:
        """Remember what the worker is about."""
        with self._lock:
            if call is Call.CLAIM:
                self.claims += status == _OK
            if call is Call.RECEIVE and status == _OK:
                found = json.loads(answer).get("Messages") or [{}]
                self.message = found[0].get("ReceiptHandle", "")
            if call is Call.DELETE:
                self.message = ""

    def asks(self, call: Call, body: bytes) -> None:
        """Remember whose letter it is."""
        if call is Call.CLAIM:
            with self._lock:
                self.subscriber = json.loads(body)["Key"]["sk"]["S"].removeprefix("SUB#")


def call_of(path: str, target: str, body: bytes) -> Call:
    """Which call a request is."""
    if path.endswith("/outbound-emails"):
        return Call.SEND
    match target.rpartition(".")[2]:
        case "ReceiveMessage":
            return Call.RECEIVE
        case "DeleteMessage":
            return Call.DELETE
        case "UpdateItem":
            values = json.loads(body).get("ExpressionAttributeValues", {})
            if ":lease" in values:
                return Call.CLAIM
            return Call.MARK if ":owner" in values else Call.OTHER
    return Call.OTHER


@contextmanager
def proxied(address: str, trap: Trap) -> Iterator[str]:
    """A proxy on loopback in front of *address*; gives its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(urlsplit(address).netloc, trap))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler_of(upstream: str, trap: Trap) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Else headers and body go out in two packets, and each request takes 43 ms.
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self._pass_on()

        def do_GET(self) -> None:
            self._pass_on()

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = call_of(self.path, self.headers.get("X-Amz-Target", ""), body)
            trap.asks(call, body)
            if trap.strikes(call, is_passed_on=False):
                self.close_connection = True
                return
            status, headers, answer = _asked(upstream, self, body)
            trap.saw(call, answer, status)
            if status == _OK and trap.strikes(call, is_passed_on=True):
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            self.wfile.flush()

        def handle_expect_100(self) -> bool:
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
            return True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _asked(
    upstream: str, request: BaseHTTPRequestHandler, body: bytes
) -> tuple[int, list[tuple[str, str]], bytes]:
    connection = HTTPConnection(upstream, timeout=_TIMEOUT_S)
    try:
        headers = {n: v for n, v in request.headers.items() if n.lower() not in _HOP}
        headers["Content-Length"] = str(len(body))
        connection.request(request.command, request.path, body, headers)
        answer = connection.getresponse()
        kept = [(n, v) for n, v in answer.getheaders() if n.lower() not in _HOP]
        return answer.status, kept, answer.read()
    finally:
        connection.close()
