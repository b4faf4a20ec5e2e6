"""The front door: the site as CloudFront would show it, the API behind it, and the mailbox."""

import json
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from paperpost import clients
from paperpost.domain.categories import ALIASES
from paperpost.storage.site import SiteBucket
from paperpost_cli.cloud.emulator import free_port
from paperpost_cli.frontdoor import (
    FrontDoor,
    PortTakenError,
    Rooms,
    folder_meant,
    mailbox_reply,
    site_reply,
)
from support.aws import Cloud
from support.template import source_template

HOSTILE = '<script>alert(1)</script> & "quotes" {{ braces }}'


@pytest.fixture
def bucket(cloud: Cloud) -> SiteBucket:
    """An empty site."""
    return SiteBucket(clients.s3(), cloud.bucket)


@pytest.fixture
def site(bucket: SiteBucket) -> SiteBucket:
    """A site of one category, with a page for what is not there."""
    for path, body in {
        "index.html": b"front",
        "cs.CV/index.html": b"category",
        "cs.CV/rss.xml": b"<rss/>",
        "404.html": b"not here",
        "issues/daily-2026-04-21.json.gz": b"frozen",
    }.items():
        bucket.put(path, body)
    return bucket


@pytest.mark.parametrize(
    ("path", "body"), [("/", b"front"), ("/cs.CV/", b"category"), ("/cs.CV/rss.xml", b"<rss/>")]
)
def test_a_folder_shows_its_index_page(site: SiteBucket, path: str, body: bytes) -> None:
    reply = site_reply(site, path)

    assert (reply.status, reply.body) == (200, body)


def test_a_file_carries_its_type_and_the_headers_of_cloudfront(site: SiteBucket) -> None:
    """A page that breaks the policy of template.yaml breaks here too."""
    headers = site_reply(site, "/cs.CV/rss.xml").headers

    assert headers["Content-Type"] == "application/rss+xml; charset=utf-8"
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_an_unchanged_file_is_304_and_a_changed_one_is_not(site: SiteBucket) -> None:
    """What a feed reader asks with the ETag it was given."""
    etag = site_reply(site, "/cs.CV/rss.xml").headers["ETag"]

    again = site_reply(site, "/cs.CV/rss.xml", etag)
    site.put("cs.CV/rss.xml", b"<rss>new</rss>")
    changed = site_reply(site, "/cs.CV/rss.xml", etag)

    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
    assert (changed.status, changed.body) == (200, b"<rss>new</rss>")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/cs.CV", "/cs.CV/"),
        ("/cond-mat.mtrl-sci", "/cond-mat.mtrl-sci/"),
        ("/f/optimal-control", "/f/optimal-control/"),
        ("/stat.TH", "/math.ST/"),
        ("/cs.NA/rss.xml", "/math.NA/rss.xml"),
        ("/math.MP/", "/math-ph/"),
    ],
)
def test_a_second_name_or_a_missing_slash_leads_to_the_folder(
    bucket: SiteBucket, path: str, meant: str
) -> None:
    reply = site_reply(bucket, path)

    assert (reply.status, reply.headers["Location"]) == (301, meant)


PATHS = [
    *(f"/{name}{rest}" for name in (*ALIASES, "cs.CV") for rest in ("", "/", "/rss.xml")),
    *("/", "/index.html", "/status.json", "/feeds.opml", "/style.css", "/filter.js", "/404.html"),
    *("/f/optimal-control", "/f/", "/issues/x", "/constructor", "/__proto__/a", "//a", "/CS.CV"),
    *("/cs.CV/2026-04-21.html", "/cs.CV/2026-04-21", "/favicon.ico", "/hep-th", "/a/b/c/"),
]


@pytest.mark.skipif(
    not shutil.which("node") and os.environ.get("PAPERPOST_STRICT") != "1",
    reason="Node.js is not here (Debian: nodejs)",
)
def test_cloudfront_leads_wherever_the_front_door_does() -> None:
    """The function of template.yaml, run by Node.js over all kinds of paths."""
    code = source_template()["Resources"]["IndexPages"]["Properties"]["FunctionCode"]
    asked = json.dumps(PATHS)
    script = f"""{code}
      console.log(JSON.stringify({asked}.map(uri => {{
        const told = handler({{request: {{uri}}}});
        return told.statusCode ? told.headers.location.value : told.uri;
      }})));"""

    ended = subprocess.run(["node", "-e", script], capture_output=True, check=True, timeout=60)

    meant = [folder_meant(path) for path in PATHS]
    assert json.loads(ended.stdout) == [
        there + "index.html" if there == path and path.endswith("/") else there
        for path, there in zip(PATHS, meant, strict=True)
    ]


@pytest.mark.parametrize("path", ["/nowhere/", "/a/b", "/issues/daily-2026-04-21.json.gz"])
def test_what_readers_may_not_see_is_the_404_page(site: SiteBucket, path: str) -> None:
    """Frozen issues are no more there than what does not exist."""
    reply = site_reply(site, path)

    assert (reply.status, reply.body) == (404, b"not here")
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"


def test_before_the_first_page_is_built_it_says_so(bucket: SiteBucket) -> None:
    reply = site_reply(bucket, "/")

    assert (reply.status, reply.body) == (404, b"nothing here (yet)\n")


# ---------------------------------------------------------------- the mailbox


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    """One letter whose every part is hostile, and an older confirmation."""
    confirmation = EmailMessage()
    confirmation["To"], confirmation["Subject"] = "reader@example.org", "Please confirm"
    confirmation.set_content("Press the button")
    (tmp_path / "1-confirmation.eml").write_bytes(confirmation.as_bytes())
    letter = EmailMessage()
    letter["From"] = "news@paperpost.example"
    letter["To"] = "reader@example.org"
    letter["Subject"] = HOSTILE
    letter["X-SES-MESSAGE-TAGS"] = "issue=daily-2026-04-21, subscriber=a1"
    letter.set_content(f"Text part {HOSTILE}")
    letter.add_alternative(f"<html><head></head><body>{HOSTILE}</body></html>", subtype="html")
    (tmp_path / "2-letter.eml").write_bytes(letter.as_bytes())
    return tmp_path


@pytest.mark.parametrize(
    "path",
    ["/mailbox", *(f"/mailbox/2{v}" for v in ("", "/phone", "/text", "/headers", "/source"))],
)
def test_no_word_of_a_mail_becomes_markup_of_the_mailbox(mails: Path, path: str) -> None:
    page = mailbox_reply(mails, path)

    assert page.status == 200
    assert b"<script" not in page.body
    assert b"alert(1)" in page.body


def test_the_list_shows_the_newest_first_with_its_issue(mails: Path) -> None:
    page = mailbox_reply(mails, "/mailbox/").body.decode()

    assert "<h1>2 mails</h1>" in page
    assert re.findall(r'href="/mailbox/(\d+)"', page) == ["2", "1"]
    assert page.index("daily-2026-04-21") < page.index("confirmation")


def test_an_empty_mailbox_says_how_to_get_mail(tmp_path: Path) -> None:
    assert b"No mail yet" in mailbox_reply(tmp_path, "/mailbox").body


def test_each_view_shows_its_part(mails: Path) -> None:
    views = {
        view: mailbox_reply(mails, f"/mailbox/2/{view}").body.decode()
        for view in ("text", "headers", "source")
    }

    assert "<pre>Text part" in views["text"]
    assert (
        "<th>X-SES-MESSAGE-TAGS</th><td>issue=daily-2026-04-21, subscriber=a1</td>"
        in (views["headers"])
    )
    assert "Content-Type: multipart/alternative" in views["source"]


def test_the_mails_own_html_runs_no_script(mails: Path) -> None:
    """Shown as it is, in a frame without rights and under a policy without scripts."""
    frame = mailbox_reply(mails, "/mailbox/2").body.decode()
    mail = mailbox_reply(mails, "/mailbox/2/html")

    assert b"<script>" in mail.body
    assert mail.headers["Content-Security-Policy"] == "script-src 'none'"
    assert re.search(r'<iframe [^>]*src="/mailbox/2/html" sandbox="(?!.*allow-scripts)', frame)


@pytest.mark.parametrize("path", ["/mailbox/0", "/mailbox/3", "/mailbox/x", "/mailbox/1/other"])
def test_a_mail_that_is_not_there_is_404(mails: Path, path: str) -> None:
    assert mailbox_reply(mails, path).status == 404


# ---------------------------------------------------------------- the door itself


class _Api(BaseHTTPRequestHandler):
    """Answers 200, or 502 on a path that says so, and tells what it was asked."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = f"{self.command} {self.path} {body.decode()}".encode()
        self.send_response(502 if "broken" in self.path else 200)
        self.send_header("X-Kept", "yes")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST  # noqa: N815  the base class names it


@pytest.fixture
def api() -> Iterator[str]:
    """The address of an API below a path, as the emulator's is."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/stage"
    server.shutdown()
    server.server_close()


@contextmanager
def opened(
    site: SiteBucket, folder: Path, *, api: str = "http://127.0.0.1:1"
) -> Iterator[HTTPConnection]:
    """A connection to an open front door."""
    rooms = Rooms(
        site=lambda: site, api_address=lambda: api, mail_folder=folder, refresh=lambda: None
    )
    door = FrontDoor(rooms, port=0)
    threading.Thread(target=door.serve, daemon=True).start()
    connection = HTTPConnection(door.url.removeprefix("http://"), timeout=10)
    try:
        yield connection
    finally:
        connection.close()
        door.close()


def ask(connection: HTTPConnection, method: str, path: str, body: str = "") -> HTTPResponse:
    connection.request(method, path, body or None)
    return connection.getresponse()


def test_head_tells_the_length_without_the_body(site: SiteBucket, tmp_path: Path) -> None:
    with opened(site, tmp_path) as connection:
        answer = ask(connection, "HEAD", "/")

        assert (answer.status, answer.headers["Content-Length"], answer.read()) == (200, "5", b"")


def test_the_site_takes_no_post(site: SiteBucket, tmp_path: Path) -> None:
    with opened(site, tmp_path) as connection:
        assert ask(connection, "POST", "/", "x").status == 405


def test_the_api_gets_method_path_query_and_body(
    site: SiteBucket, tmp_path: Path, api: str
) -> None:
    with opened(site, tmp_path, api=api) as connection:
        answer = ask(connection, "POST", "/api/confirm/t%20t?a=b", "hi")

        assert answer.read() == b"POST /stage/api/confirm/t%20t?a=b hi"
        assert (answer.status, answer.headers["X-Kept"]) == (200, "yes")


def test_a_failing_api_is_said_on_the_terminal_without_its_path(
    site: SiteBucket, tmp_path: Path, api: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The path carries a reader's token."""
    with opened(site, tmp_path, api=api) as connection:
        assert ask(connection, "POST", "/api/broken").status == 502

    assert capsys.readouterr().err.startswith("paperpost: the API answered 502: ")


def test_an_api_that_does_not_answer_is_502_and_one_line(
    site: SiteBucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(site, tmp_path, api=f"http://127.0.0.1:{free_port()}/stage") as connection:
        assert ask(connection, "GET", "/api/health").status == 502

    said = capsys.readouterr().err
    assert "the API answered 502: ConnectionRefusedError" in said
    assert said.count("\n") == 1


def test_a_browser_that_goes_away_is_no_news(
    site: SiteBucket, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other trouble in a request is one line, not a traceback."""
    door = FrontDoor(
        Rooms(site=lambda: site, api_address=str, mail_folder=Path(), refresh=lambda: None),
        port=0,
    )
    for problem in (BrokenPipeError("gone"), ValueError("a reason")):
        try:
            raise problem
        except (BrokenPipeError, ValueError):
            door.server.handle_error(None, ("127.0.0.1", 1))
    door.server.server_close()

    assert capsys.readouterr().err == "paperpost: a request failed: ValueError: a reason\n"


def test_a_taken_port_is_one_line_with_what_to_do(site: SiteBucket) -> None:
    rooms = Rooms(site=lambda: site, api_address=str, mail_folder=Path(), refresh=lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(PortTakenError) as refused:
            FrontDoor(rooms, port=port)

    said = str(refused.value)
    assert f"port {port} is taken" in said
    assert f"make run PORT={port + 1}" in said
    assert "\n" not in said
