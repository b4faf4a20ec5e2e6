"""An OpenAI-compatible model server on loopback that says what the test tells it to."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any

from paperpost import clients

USAGE = {"prompt_tokens": 700, "completion_tokens": 300, "total_tokens": 1000}


@dataclass
class ModelServer:
    """What was asked, and the answer that every request will get."""

    url: str = ""
    asked: list[tuple[str, Mapping[str, str], Any]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    answering: Callable[[Any], bytes] | None = None  # in place of `body`
    pace_s: float = 0  # between two bytes of the body
    ended: threading.Event = field(default_factory=threading.Event)

    def drip(self, body: bytes, out: BufferedIOBase) -> None:
        """Send *body* byte by byte, as long as somebody is there to read it."""
        with suppress(OSError):
            for n in range(len(body)):
                out.write(body[n : n + 1])
                if self.ended.wait(self.pace_s):
                    return


def reply(
    content: object, *, stopped: object = "stop", usage: object = USAGE, **message: Any
) -> bytes:
    """A chat completion whose text is *content* as JSON."""
    choice = {"message": {"content": json.dumps(content)} | message, "finish_reason": stopped}
    return json.dumps({"choices": [choice], "usage": usage}).encode()


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """The running server."""
    made = ModelServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            made.asked.append((self.path, dict(self.headers), body))
            told = made.answering(body) if made.answering else made.body
            self.send_response(made.status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            if made.pace_s:
                made.drip(told, self.wfile)
            else:
                self.wfile.write(told)

        def log_message(self, *_: object) -> None: ...

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
    thread.start()
    made.url = f"http://127.0.0.1:{listening.server_address[1]}"
    try:
        yield made
    finally:
        made.ended.set()
        clients.model_http().clear()
        listening.shutdown()
        thread.join()
        listening.server_close()
