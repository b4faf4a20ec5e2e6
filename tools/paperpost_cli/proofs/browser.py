"""Headless Chromium over its debugging pipe: pages are opened, measured and photographed."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from select import select
from types import TracebackType
from typing import Any, Self

from paperpost_cli.proofs.proof import ProofError

_TIMEOUT_S = 120
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # it opens only pages that were made here, and containers lack the sandbox
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


class Browser:
    """
    One Chromium, one tab, the DevTools protocol.

    `events` holds what the tab told and nobody has taken yet.
    Raises: ProofError: If there is no Chromium, or it does not answer.
    """

    def __init__(self) -> None:
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if program is None:
            raise ProofError("no Chromium here (Debian: apt install chromium)")
        # Its children may still write when it has ended; what they leave fails no proof.
        self._profile = tempfile.TemporaryDirectory(
            prefix="paperpost-chromium-", ignore_cleanup_errors=True
        )
        options = (*_OPTIONS, f"--user-data-dir={self._profile.name}")
        # Chromium reads descriptor 3 and writes descriptor 4; a shell may know single digits alone.
        self._process = subprocess.Popen(
            ["sh", "-c", 'exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>/dev/null', program, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._out, self._in = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._session = ""
        self.events: deque[dict[str, Any]] = deque()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(timeout=_TIMEOUT_S)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._profile.cleanup()

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Carry *method* of the protocol out and return its result."""
        number = next(self._numbers)
        message: dict[str, object] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        body = json.dumps(message).encode() + b"\0"
        while body:
            body = body[os.write(self._out, body) :]
        while (answer := self._next()).get("id") != number:
            self._heard(answer)
        if "error" in answer:
            raise ProofError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, url: str) -> None:
        """Go to *url* and wait until it has loaded; a place on the same page needs no loading."""
        self.events.clear()
        if "loaderId" in self.call("Page.navigate", url=url):
            self.wait_for("Page.loadEventFired")

    def wait_for(self, method: str) -> None:
        """Wait until the tab tells *method*."""
        while not any(event["method"] == method for event in self.events):
            self._heard(self._next())

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401  whatever the page answers
        """The JSON value of *expression* in the page; a promise is waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise ProofError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def press(self, selector: str) -> None:
        """Press what *selector* finds, and wait for the page that follows."""
        self.events.clear()
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")
        self.wait_for("Page.loadEventFired")

    def text(self) -> str:
        """What the page says."""
        return str(self.evaluate("document.body.innerText"))

    def size(self, width: int, height: int, *, scale: int = 1) -> None:
        """Be a screen of so many CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,  # noqa: PLR2004  narrower than any tablet
        )

    def scheme(self, name: str) -> None:
        """Prefer *name*: light or dark."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def photograph(self, form: str = "png") -> bytes:
        """The screen as png or webp."""
        quality = {} if form == "png" else {"quality": 70}
        data: str = self.call("Page.captureScreenshot", format=form, **quality)["data"]
        return base64.b64decode(data)

    def requested(self) -> list[str]:
        """The addresses that the page asked for since it was opened."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def _heard(self, told: dict[str, Any]) -> None:
        if told.get("method") == "Page.javascriptDialogOpening":
            body = {"id": 0, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}}
            os.write(self._out, json.dumps(body | {"sessionId": self._session}).encode() + b"\0")
        if "method" in told:
            self.events.append(told)

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + _TIMEOUT_S
        while b"\0" not in self._buffer:
            ready, _, _ = select([self._in], [], [], until - time.monotonic())
            part = os.read(self._in, 1 << 20) if ready else b""
            if not part:
                raise ProofError("Chromium does not answer")
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\0")
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def slow_phone(browser: Browser) -> Iterator[None]:
    """
    A quarter of this processor's speed, and slow 4G as Chromium's own tools set it.

    1.44 Mbit/s down, 0.675 up, 562.5 ms more for each request (Chromium's DevTools front end,
    core/sdk/NetworkManager.ts, read 2026-11-26).
    """
    browser.call("Emulation.setCPUThrottlingRate", rate=4)
    browser.call(
        "Network.emulateNetworkConditions",
        offline=False,
        latency=562.5,
        downloadThroughput=180_000,
        uploadThroughput=84_375,
    )
    browser.call("Network.setCacheDisabled", cacheDisabled=True)
    try:
        yield
    finally:
        browser.call("Emulation.setCPUThrottlingRate", rate=1)
        browser.call(
            "Network.emulateNetworkConditions",
            offline=False,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )
