"""A function in AWS's own runtime interface client, as the Lambda service runs it."""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from paperpost_cli.cloud.emulator import ACCOUNT, REGION, ROOT_KEY
from support.template import ROOT

_TIMEOUT_S = 60
_NEXT = "/2018-06-01/runtime/invocation/next"


class FunctionError(Exception):
    """The function raised, or could not be imported; *kind* is the error's type."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        self.kind = error.get("errorType")
        super().__init__(f"{self.kind}: {error.get('errorMessage')}")


class LambdaRuntime:
    """
    One warm container: `python -m awslambdaric` in the package's folder.

    Its environment is *variables* and what the service itself sets; `invoke` is the service's side
    of the Lambda Runtime API.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html and
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, read 2026-11-23.
    """

    def __init__(
        self,
        *,
        name: str,
        handler: str,
        memory_mb: int,
        timeout_s: int,
        variables: Mapping[str, str],
    ) -> None:
        self._name, self._timeout_s = name, timeout_s
        self._server = _Server(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  closed by stop
        self._process = subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", handler],
            cwd=ROOT / "functions",
            env={**dict(variables), **self._service_variables(handler, memory_mb)},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def _service_variables(self, handler: str, memory_mb: int) -> dict[str, str]:
        """What is in the environment of every function, whatever its configuration says."""
        return {
            "PATH": os.environ["PATH"],
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "LAMBDA_TASK_ROOT": str(ROOT / "functions"),
            "_HANDLER": handler,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_address[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": self._name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self._name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/04/21/[$LATEST]0123456789abcdef",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
        }

    def invoke(self, event: object) -> Any:
        """
        Return what the function answers to *event*.

        Raises: FunctionError: If it raised, or its code cannot be loaded.
        """
        deadline_ms = int((time.time() + self._timeout_s) * 1000)
        self._server.waiting.put(
            {
                "body": json.dumps(event).encode(),
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
                "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": (
                    f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self._name}"
                ),
                "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{'0' * 24};Sampled=0",
            }
        )
        try:
            path, body = self._server.answers.get(timeout=_TIMEOUT_S)
        except queue.Empty:
            raise TimeoutError(f"{self._name} does not answer: {self.log()}") from None
        answer = json.loads(body)
        if path.endswith("/error"):
            raise FunctionError(answer)
        return answer

    def log(self) -> str:
        """What the function wrote."""
        self._log.seek(0)
        return self._log.read().decode()

    def stop(self) -> None:
        """End the process and the service's side."""
        self._process.kill()
        self._process.wait()
        self._server.waiting.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._log.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.answers: queue.Queue[tuple[str, bytes]] = queue.Queue()


class _Handler(BaseHTTPRequestHandler):
    """GET …/invocation/next, POST …/invocation/<id>/response, …/<id>/error, …/init/error."""

    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
        """Say nothing."""

    def do_GET(self) -> None:
        assert self.path == _NEXT
        invocation = self.server.waiting.get()
        if invocation is None:  # the function has ended
            self.close_connection = True
            return
        body = invocation.pop("body")
        self._answer(200, body, invocation)

    def do_POST(self) -> None:
        body = self._body()
        self._answer(202, b"{}", {"Content-Type": "application/json"})
        self.server.answers.put((self.path, body))

    def _body(self) -> bytes:
        """The body, which the runtime interface client sends in chunks."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def handle_expect_100(self) -> bool:
        """Send the go-ahead at once; it would stay in the buffer."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on
