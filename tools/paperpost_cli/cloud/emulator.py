"""
MiniStack as a child process of the launcher.

`Emulator(state_dir=...).start()` waits until it answers; `stop()` ends it after a last save. A
second start with the same folder goes on from its state. If the launcher dies, the child sees its
standard input end, saves and ends too.

Under AUTH=true the access key `test` is the account's root: MiniStack allows it everything and does
not check its signature. The launcher uses it. A Lambda gets a session of its own role and is
refused what the role's policies do not allow. Calls to SES v2 and to Bedrock go to the stand-in
(`AWS_ENDPOINT_URL_SESV2`, `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` in the child's environment, which the
handlers inherit), so MiniStack's IAM never sees those two: they are allowed to every function.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from paperpost.domain.errors import PaperpostError

REGION = "us-east-1"
ACCOUNT = "000000000000"
ROOT_KEY = "test"
_READY_WITHIN_S = 60.0
_STOP_WITHIN_S = 30.0
_TOOLS = Path(__file__).resolve().parents[2]


class EmulatorError(PaperpostError):
    """The emulator did not start or does not answer; the message ends with its last words."""


class Emulator:
    """One MiniStack process: `start()`, `session()`, `client(name)`, `save()`, `stop()`."""

    def __init__(self, *, state_dir: Path, port: int | None = None) -> None:
        """Prepare; *port* None takes a free one. All files go under *state_dir*."""
        self.state_dir = state_dir.resolve()
        self.port = port if port is not None else free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.log = self.state_dir / "emulator.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._session = boto3.Session(
            aws_access_key_id=ROOT_KEY, aws_secret_access_key=ROOT_KEY, region_name=REGION
        )
        self._clients: dict[str, Any] = {}

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._running().pid

    def start(
        self,
        *,
        standin: str | None = None,
        extra: Mapping[str, str] | None = None,
        polls: bool = True,
    ) -> "Emulator":
        """
        Start it and wait until it answers; returns itself.

        Args:
            standin: the URL where the handlers find SES v2 and Bedrock.
            extra: more variables for the child, which every handler inherits.
            polls: whether functions get what waits in queues and streams before `poll()`.

        Raises:
            EmulatorError: it ended or stayed silent.
        """
        self.state_dir.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "paperpost_cli.cloud.emulator_host"]
        command += ["--port", str(self.port), "--state-dir", str(self.state_dir)]
        command += [] if polls else ["--wait"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=_TOOLS,
                env=self._environment(standin, extra or {}),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is the launcher's alone: it stops us in order
            )
        self._wait_until_ready()
        return self

    def _environment(self, standin: str | None, extra: Mapping[str, str]) -> dict[str, str]:
        """Nothing of the operator's own environment, which every handler would inherit."""
        made = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(self.state_dir),
            "TMPDIR": str(self.state_dir / "tmp"),
        }
        if standin is not None:
            made["AWS_ENDPOINT_URL_SESV2"] = standin
            made["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = standin
        return {**made, **extra}

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < deadline:
            if self._running().poll() is not None:
                raise EmulatorError(f"the emulator ended at once; {self._last_words()}")
            try:
                self._ask("/_paperpost/ready")
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.kill()
        raise EmulatorError(f"the emulator does not answer; {self._last_words()}")

    def poll(self) -> None:
        """From now on let functions have what waits in queues and streams."""
        self._ask("/_paperpost/poll")

    def set_clock(self, offset_s: float) -> None:
        """Let every function that is called from now on believe that it is *offset_s* later."""
        self._ask(f"/_paperpost/clock?{offset_s:.3f}")

    def save(self) -> None:
        """Write its whole state to disk now."""
        try:
            self._ask("/_paperpost/save")
        except (OSError, HTTPException) as exc:
            raise EmulatorError(f"the emulator did not save; {self._last_words()}") from exc

    def idle(self) -> bool:
        """
        Whether no function runs and no stream record waits for its reader.

        A message between a queue and its function counts for neither: look at the queues *after*
        this, and at this once more after the queues.
        """
        return not any(self.work().values())

    def work(self) -> dict[str, int]:
        """Running invocations (`running`) and stream records not read yet (`unread`)."""
        work: dict[str, int] = json.loads(self._ask("/_paperpost/idle"))
        return work

    def stop(self) -> None:
        """End it after the running invocations and a last save; harmless if it runs no more."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._forget()

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL); what was not saved is lost."""
        if self._process is not None:
            self._process.kill()
            self._forget()

    def _forget(self) -> None:
        process = self._running()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
        self._process = None
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def session(self) -> boto3.Session:
        """A session with the root's credentials; give its clients `endpoint_url=self.endpoint`."""
        return self._session

    def client(self, name: str) -> Any:  # noqa: ANN401 - one method for every service
        """The root's client of service *name*, made once; safe to share between threads."""
        if name not in self._clients:
            config = Config(
                retries={"total_max_attempts": 1},  # a function invoked twice would run twice
                read_timeout=900,
                max_pool_connections=32,
                s3={"addressing_style": "path"},
            )
            self._clients[name] = self._session.client(  # type: ignore[call-overload]
                name, endpoint_url=self.endpoint, config=config
            )
        return self._clients[name]

    def _ask(self, path: str) -> bytes:
        with urllib.request.urlopen(self.endpoint + path, timeout=60) as answer:
            return bytes(answer.read())

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise EmulatorError("the emulator is not running")
        return self._process

    def _last_words(self) -> str:
        lines = self.log.read_text("utf-8", errors="replace").splitlines()
        return f"{self.log} ends with: {' | '.join(lines[-3:])}"


def free_port(wanted: int = 0) -> int:
    """The port *wanted* of 127.0.0.1, or, where it is 0 or somebody listens there, a free one."""
    with socket.socket() as probe:
        # As servers do, so that the connections of one that has just ended are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
