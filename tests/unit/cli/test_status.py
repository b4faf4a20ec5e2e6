"""`paperpost status` against a made-up AWS: the table, the data, the exit status."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from paperpost_cli.cloud.emulator import free_port
from paperpost_cli.laptop import HOME, Folders
from paperpost_cli.main import main

_STACK = """<DescribeStacksResponse><DescribeStacksResult><Stacks><member>
<StackName>paperpost</StackName><StackStatus>CREATE_COMPLETE</StackStatus><Outputs><member>
<OutputKey>SiteBucketName</OutputKey><OutputValue>the-site</OutputValue></member></Outputs>
</member></Stacks></DescribeStacksResult></DescribeStacksResponse>"""
_NO_KEY = "<Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>"
RIGHT: dict[str, Any] = {
    "adds_up": True,
    "next_announcement_at": "2026-04-22T12:20:00+08:00",
    "enrichment_cap": None,
    "faults": [],
    "dates": [
        {
            "announced_on": "2026-04-21",
            "categories": [
                {"category": "cs.CV", "announced": 324, "stored": 324, "listed": 324,
                 "enriched": 320, "published": 324, "state_en": "published", "adds_up": True}
            ],
            "issues": [
                {"issue": "daily-2026-04-21", "state": "closed", "audience": 8, "sent": 5,
                 "skipped": 1, "failed": 2, "unknown": 0, "open": 0, "adds_up": True}
            ],
            "enrichment": {"calls": 330, "input_tokens": 231000, "output_tokens": 99000,
                           "usd": 0.03762},
        }
    ],
}  # fmt: skip
WRONG = {
    **RIGHT,
    "adds_up": False,
    "faults": [{"announced_on": "2026-04-21", "subject": "cs.CV", "en": "stored 324 ≠ listed 323"}],
}


class FakeAws(ThreadingHTTPServer):
    """CloudFormation that knows the stack, and a bucket with one file."""

    daemon_threads = True
    body: bytes | None = None

    def show(self, status: Any) -> bytes:
        """Let the site's status.json be *status*."""
        self.body = (json.dumps(status, ensure_ascii=False, indent=1) + "\n").encode()
        return self.body


class _Handler(BaseHTTPRequestHandler):
    server: FakeAws

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
        """Say nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, _STACK.encode())

    def do_GET(self) -> None:
        known = self.path.split("?")[0] == "/the-site/status.json" and self.server.body
        self._answer(200 if known else 404, known or _NO_KEY.encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    """A running cloud that has written down, in the present folder, where it is."""
    server = FakeAws(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    at(tmp_path, server.server_address[1])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    yield server
    server.shutdown()
    server.server_close()


def at(folder: Path, port: int) -> None:
    written = Folders.of(folder / HOME).endpoint
    written.parent.mkdir(parents=True)
    written.write_text(f"http://127.0.0.1:{port}\n")


def test_receipts_that_add_up_are_a_table(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.show(RIGHT)

    assert main(["status"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "Everything adds up.",
        "date category announced stored listed enriched published state",
        "2026-04-21 cs.CV 324 324 324 320 324 published",
        (
            "2026-04-21 daily mailed, 8 readers: sent 5, skipped 1, failed 2, "
            "unknown 0, open 0; closed"
        ),
        "2026-04-21 enrichment 330 calls, 330000 tokens, 0.0376 USD",
        "Next announcement about 2026-04-22 12:20:00+08:00",
    ]


def test_a_cap_that_is_reached_is_said(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    """And a day on which no model was asked has no line."""
    cap = {"reached_at": "2026-04-21T05:00:00+00:00", "resets_at": "2026-04-22T08:00:00+08:00"}
    aws.show(RIGHT | {"enrichment_cap": cap, "dates": [RIGHT["dates"][0] | {"enrichment": None}]})

    assert main(["status"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "The day's cap on enrichment is reached; it resets at 2026-04-22 08:00:00+08:00."
    )
    assert " calls, " not in said


def test_what_does_not_add_up_is_said_first_and_in_the_exit_status(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.show(WRONG)

    assert main(["status"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["Does not add up:", "2026-04-21 cs.CV: stored 324 ≠ listed 323"]


@pytest.mark.parametrize(("status", "code"), [(RIGHT, 0), (WRONG, 1)])
def test_the_data_is_printed_as_it_is(
    aws: FakeAws, status: dict[str, Any], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    body = aws.show(status)

    assert main(["status", "--json"]) == code
    assert capsys.readouterr().out.encode() == body


def test_a_site_that_was_never_published_is_said(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    assert aws.body is None
    assert main(["status"]) == 1
    assert "nothing was published yet" in capsys.readouterr().err


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"adds_up": true}'])
def test_a_file_of_another_form_is_said_in_one_line(
    aws: FakeAws, body: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.body = body

    assert main(["status"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_a_cloud_that_does_not_run_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at(tmp_path, free_port())
    monkeypatch.chdir(tmp_path)

    assert main(["status"]) == 1
    assert "is `make run` running?" in capsys.readouterr().err
