"""The laptop cloud's one address: `/` the site, `/api/…` the HTTP API, `/mailbox` every mail."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from paperpost.domain.categories import ALIASES
from paperpost.domain.errors import PaperpostError
from paperpost.storage.site import SiteBucket, content_type
from paperpost_cli.mailbox import list_mails

_TIMEOUT_S = 30
_HOP_BY_HOP = frozenset({"connection", "content-length", "transfer-encoding"})
_PAGES = Environment(
    loader=PackageLoader("paperpost_cli", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)
# As CloudFront's policy in template.yaml says, so that a page that breaks them breaks here.
SITE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# As in the function IndexPages of template.yaml.
_FOLDER = re.compile(r"/(f/)?[a-z0-9]+(-[a-z0-9]+)*([.][A-Za-z]+(-[a-z]+)*)?")
_FILE = re.compile(r"[.](css|html|js|json|opml)\Z")
_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


class PortTakenError(PaperpostError):
    """Another program listens on the wanted port."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"port {port} is taken by another program; "
            f"stop it, or choose another: make run PORT={port + 1}"
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, a body and its headers."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """What lies behind the front door. `refresh` is called before each answer of site or API."""

    site: Callable[[], SiteBucket | None]
    api_address: Callable[[], str]
    mail_folder: Path
    refresh: Callable[[], None]


class FrontDoor:
    """An HTTP server on loopback in threads of this process."""

    def __init__(self, rooms: Rooms, *, port: int) -> None:
        handler = type("Handler", (_Handler,), {"rooms": rooms})
        try:
            self.server = _Server(("127.0.0.1", port), handler)
        except OSError as exc:
            raise PortTakenError(port) from exc

    @property
    def url(self) -> str:
        """The address to open, without a slash at its end."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def serve(self) -> None:
        """Answer requests until `close` is called."""
        self.server.serve_forever(poll_interval=0.2)

    def close(self) -> None:
        """Stop answering."""
        self.server.shutdown()
        self.server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """One line on the terminal; none for a browser that no longer waits for its answer."""
        problem = sys.exc_info()[1]
        if not isinstance(problem, ConnectionError | TimeoutError):
            _complain(f"a request failed: {type(problem).__name__}: {problem}")


class _Handler(BaseHTTPRequestHandler):
    rooms: ClassVar[Rooms]
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
        """Requests are not logged: paths carry tokens."""

    def do_GET(self) -> None:
        self._answer(self._route())

    do_HEAD = do_GET  # noqa: N815  the base class names it

    def do_POST(self) -> None:
        self._answer(self._route())

    def do_OPTIONS(self) -> None:
        self._answer(self._route())

    def _route(self) -> Reply:
        path = unquote(urlsplit(self.path).path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == "/mailbox" or path.startswith("/mailbox/"):
            return mailbox_reply(self.rooms.mail_folder, path)
        self.rooms.refresh()
        if path.startswith("/api/"):
            return self._api(body)
        if self.command not in {"GET", "HEAD"}:
            return Reply(405, b"the site is for reading\n", dict(_PLAIN))
        return site_reply(self.rooms.site(), path, self.headers.get("If-None-Match", ""))

    def _api(self, body: bytes) -> Reply:
        address = urlsplit(self.rooms.api_address())
        connection = HTTPConnection(address.netloc, timeout=_TIMEOUT_S)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP | {"host"}}
        try:
            connection.request(self.command, address.path + self.path, body or None, headers)
            answer = connection.getresponse()
            kept = {
                k: v
                for k, v in answer.getheaders()
                if k.lower()
                not in {"connection", "content-length", "transfer-encoding", "date", "server"}
            }
            reply = Reply(answer.status, answer.read(), kept)
        except (OSError, HTTPException) as exc:
            reply = Reply(502, f"{type(exc).__name__}: {exc}".encode(), dict(_PLAIN))
        finally:
            connection.close()
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            # Not the path: it carries a token.
            _complain(f"the API answered {reply.status}: {reply.body.decode('utf-8', 'replace')}")
        return reply

    def _answer(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)


def site_reply(bucket: SiteBucket | None, path: str, if_none_match: str = "") -> Reply:
    """The file at *path* as CloudFront would answer: index pages, 304, the 404 page; no issues."""
    if (meant := folder_meant(path)) != path:
        return Reply(301, b"", {"Location": meant, **SITE_HEADERS})
    key = path.lstrip("/") + ("index.html" if path.endswith("/") else "")
    stored = None if bucket is None or key.startswith("issues/") else bucket.get(key)
    if stored is None:
        page = bucket.get("404.html") if bucket else None
        body = page.body if page else b"nothing here (yet)\n"
        kind = content_type("404.html") if page else "text/plain; charset=utf-8"
        return Reply(404, body, {"Content-Type": kind, **SITE_HEADERS})
    headers = {
        "Content-Type": content_type(key),
        "ETag": stored.etag,
        "Cache-Control": "no-cache",  # a saved template shows on the next reload
        **SITE_HEADERS,
    }
    if stored.etag and stored.etag in if_none_match:
        return Reply(304, b"", headers)
    return Reply(200, stored.body, headers)


def folder_meant(path: str) -> str:
    """*path*, or where a folder without its slash or a category's second name leads."""
    first, *rest = path.removeprefix("/").split("/")
    meant = "/" + "/".join([ALIASES.get(first, first), *rest])
    return f"{meant}/" if _FOLDER.fullmatch(meant) and not _FILE.search(meant) else meant


def mailbox_reply(folder: Path, path: str) -> Reply:
    """The list of mails, or one mail in one of its views; the mail's own HTML runs no script."""
    html = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
    mails = list_mails(folder)
    if path.rstrip("/") == "/mailbox":
        return Reply(200, _PAGES.get_template("mailbox.html").render(mails=mails).encode(), html)
    match = re.fullmatch(r"/mailbox/(\d+)(?:/(html|phone|text|headers|source))?", path)
    if match is None or not 1 <= int(match[1]) <= len(mails):
        return Reply(404, b"no such mail\n", dict(_PLAIN))
    mail, view = mails[int(match[1]) - 1], match[2] or ""
    if view == "html":
        body = mail.html.replace("<head>", '<head><base target="_blank">', 1)
        return Reply(200, body.encode(), html | {"Content-Security-Policy": "script-src 'none'"})
    page = _PAGES.get_template("mail.html").render(mail=mail, view=view)
    return Reply(200, page.encode("utf-8", "replace"), html)


def _complain(text: str) -> None:
    print(f"paperpost: {' '.join(text.split())[:500]}", file=sys.stderr)
