"""`paperpost invoke` against a made-up AWS that listens somewhere on loopback."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from paperpost_cli.cloud.emulator import free_port
from paperpost_cli.invoke import laptop_endpoint
from paperpost_cli.laptop import HOME, LIVE_HOME, Folders
from paperpost_cli.main import main

_RESOURCE = """<DescribeStackResourceResponse><DescribeStackResourceResult><StackResourceDetail>
<LogicalResourceId>FetchFunction</LogicalResourceId><PhysicalResourceId>the-function</PhysicalResourceId>
</StackResourceDetail></DescribeStackResourceResult></DescribeStackResourceResponse>"""


class FakeAws(ThreadingHTTPServer):
    """CloudFormation that knows one function, and Lambda that tells its event back."""

    daemon_threads = True
    error = ""

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeAws

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        if self.path == "/2015-03-31/functions/the-function/invocations":
            if self.server.error:
                self.send_header("X-Amz-Function-Error", self.server.error)
            answer = json.dumps({"got": json.loads(body)}).encode()
        else:
            answer = _RESOURCE.encode()
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    """A running cloud that has written down, in the present folder, where it is."""
    server = FakeAws(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    write_endpoint(tmp_path / HOME, server.endpoint)
    monkeypatch.chdir(tmp_path)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def event(tmp_path: Path) -> str:
    path = tmp_path / "event.json"
    path.write_text('{"task": "poll"}')
    return str(path)


def write_endpoint(home: Path, endpoint: str) -> None:
    written = Folders.of(home).endpoint
    written.parent.mkdir(parents=True)
    written.write_text(f"{endpoint}\n")


@pytest.mark.usefixtures("aws")
def test_the_event_reaches_the_function_and_its_answer_is_printed(
    event: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The function is looked up in the stack, at the address that the cloud wrote down."""
    assert main(["invoke", "fetch", event]) == 0
    assert json.loads(capsys.readouterr().out) == {"got": {"task": "poll"}}


def test_an_error_of_the_function_shows_in_the_status(
    aws: FakeAws, event: str, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.error = "Unhandled"

    assert main(["invoke", "fetch", event]) == 1
    assert capsys.readouterr().err == "paperpost: fetch raised an error\n"


def test_a_cloud_that_does_not_run_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    event: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line, also when a cloud was killed and left its note behind."""
    write_endpoint(tmp_path / HOME, f"http://127.0.0.1:{free_port()}")
    monkeypatch.chdir(tmp_path)

    assert main(["invoke", "fetch", event]) == 1
    said = capsys.readouterr().err
    assert "is `make run` running?" in said
    assert said.count("\n") == 1


def test_what_cannot_be_invoked_is_said(event: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["invoke", "fetsch", event]) == 1
    assert main(["invoke", "fetch", f"{event}.not"]) == 1

    unknown, missing = capsys.readouterr().err.splitlines()
    assert "no function 'fetsch': fetch, enrich" in unknown
    assert "event.json.not" in missing


def test_without_a_note_the_usual_address_is_meant(tmp_path: Path) -> None:
    assert laptop_endpoint(tmp_path) == "http://127.0.0.1:4566"


def test_a_cloud_that_follows_arxiv_is_found_too(tmp_path: Path) -> None:
    """The sample day's comes first where both run."""
    write_endpoint(tmp_path / LIVE_HOME, "http://127.0.0.1:2")
    assert laptop_endpoint(tmp_path) == "http://127.0.0.1:2"

    write_endpoint(tmp_path / HOME, "http://127.0.0.1:1")
    assert laptop_endpoint(tmp_path) == "http://127.0.0.1:1"
