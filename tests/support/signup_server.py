"""The sign-up API on loopback: real HTTP in front of the handler, table and queue in process."""

import base64
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3

from paperpost import clients
from paperpost.storage.subscribers import SubscriberTable
from paperpost.subscribe.handler import handler
from support.api import FakeContext
from support.aws import moto_cloud
from support.readers import keys_json

_LONGEST = 1 << 20
# The resolver keeps the request that it answers, and Lambda hands it one at a time.
_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def served(**settings: str) -> Iterator[tuple[str, SubscriberTable]]:
    """The API's address and its table, for as long as the block lasts."""
    before = dict(os.environ)
    with moto_cloud() as cloud:
        boto3.client("ssm").put_parameter(Name="/keys", Type="SecureString", Value=keys_json())
        clients.s3().put_object(Bucket=cloud.bucket, Key="status.json", Body=b'{"dates": []}')
        os.environ.update(
            {
                "SUBSCRIBERS_TABLE": cloud.subscribers,
                "CONFIRMATION_QUEUE_URL": cloud.queues["confirmation"],
                "SITE_BUCKET": cloud.bucket,
                "SITE_URL": "https://papers.example.org",
                "CATEGORIES": "cs.CV,cs.AI,math.ST",
                "CONTACT_MAIL": "hello@example.org",
                "TOKEN_KEYS_PARAMETER": "/keys",
                "SIGNUPS_PER_NETWORK": "1000000",
                "SIGNUPS_PER_DOMAIN": "1000000",
                "SIGNUPS_PER_HOUR": "1000000",
                **settings,
            }
        )
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            host, port = server.server_address[:2]
            yield (
                f"http://{host!s}:{port}",
                SubscriberTable(clients.table(cloud.subscribers)),
            )
        finally:
            server.shutdown()
            server.server_close()
            os.environ.clear()
            os.environ.update(before)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
        """Say nothing."""

    def _answer(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), _LONGEST)
        body = self.rfile.read(length)
        with _ONE_AT_A_TIME:
            answer = handler(self._event(body), FakeContext())
        sent = answer.get("body", "").encode()
        self.send_response(answer["statusCode"])
        for name, value in answer["headers"].items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(sent)

    do_GET = do_POST = do_HEAD = do_OPTIONS = do_PUT = do_DELETE = do_PATCH = do_TRACE = _answer  # noqa: N815  the base class names them
    do_QUERY = _answer  # noqa: N815  the same

    def _event(self, body: bytes) -> dict[str, Any]:
        address = urlsplit(self.path)
        path = unquote(address.path, errors="replace")
        return {
            "version": "2.0",
            "routeKey": f"{self.command} {path}",
            "rawPath": path,
            "rawQueryString": address.query,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "requestContext": {
                "stage": "$default",
                "http": {
                    "method": self.command,
                    "path": path,
                    "sourceIp": self.client_address[0],
                },
            },
            "body": base64.b64encode(body).decode() if body else None,
            "isBase64Encoded": bool(body),
        }
