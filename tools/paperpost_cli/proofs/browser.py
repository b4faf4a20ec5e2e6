"""Chromium without a window, driven over its debugging pipe: no driver, no other package."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paperpost_cli.proofs.proof import ProofError

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_WITHIN_S = 20


class Browser:
    """One page. Messages end in a zero byte, on descriptors 3 (to it) and 4 (from it)."""

    def __init__(self, write: int, read: int) -> None:
        self._out, self._in = write, read
        self._number, self._session, self._rest = 0, "", b""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self._ask("Page.enable")

    def open(self, url: str) -> None:
        """Go to *url* and wait for its page."""
        self._ask("Page.navigate", url=url)
        self._loaded()

    def run(self, script: str) -> Any:  # noqa: ANN401  whatever the script returns
        """
        The value of a JavaScript expression on the page.

        Raises: ProofError: If it throws.
        """
        told = self._ask("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in told:
            raise ProofError(f"on the page: {told['exceptionDetails'].get('exception')}")
        return told["result"].get("value")

    def press(self, selector: str) -> None:
        """Press what *selector* finds, and wait for the page that follows."""
        self.run("window.isOld = true")
        self.run(f"document.querySelector({json.dumps(selector)}).click()")
        self._loaded()

    def text(self) -> str:
        """What the page says."""
        return str(self.run("document.body.innerText"))

    def picture(self, path: Path, *, width: int) -> None:
        """The whole page as a PNG, *width* CSS pixels wide."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )
        told = self._ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(told["data"]))

    def _loaded(self) -> None:
        until = time.monotonic() + _WITHIN_S
        while self.run("window.isOld === true || document.readyState !== 'complete'"):
            if time.monotonic() > until:
                raise ProofError("a page did not come")
            time.sleep(0.05)

    def _ask(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            pass
        if "error" in answer:
            # While one page gives way to the next there is nothing to evaluate on.
            if method == "Runtime.evaluate":
                return {"result": {"value": True}}
            raise ProofError(f"{method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not (part := os.read(self._in, 1 << 16)):
                raise ProofError("the browser has ended")
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def browser() -> Iterator[Browser]:
    """
    A started browser with a profile that is thrown away.

    Raises: ProofError: If there is no Chromium on this machine.
    """
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        raise ProofError("there is no Chromium here (Debian: apt-get install chromium)")
    read_there, write = os.pipe()
    read, write_there = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        options += [f"--user-data-dir={profile}", "--disable-background-networking"]
        line = f'exec "$0" "$@" 3<&{read_there} 4>&{write_there} 2>/dev/null'
        process = subprocess.Popen(
            ["/bin/bash", "-c", line, program, *options], pass_fds=(read_there, write_there)
        )
        os.close(read_there)
        os.close(write_there)
        try:
            yield Browser(write, read)
        finally:
            process.terminate()
            process.wait(timeout=_WITHIN_S)
            os.close(write)
            os.close(read)
