"""A pytest plugin: the canary's address in what a test printed, logged or queued fails the test."""

from collections.abc import Generator
from typing import Any

import pytest

from paperpost import clients

# support.readers.ADDRESS, which most tests of subscribers use.
CANARY = "canary.reader"


class AddressLeakError(AssertionError):
    """An address is on its way into a queue."""


def watch_queues() -> None:
    """Look at every message that a handler's client sends."""
    events = clients.sqs().meta.events
    for operation in ("SendMessage", "SendMessageBatch"):
        name = f"before-parameter-build.sqs.{operation}"
        events.register(name, _look, unique_id=f"canary-{operation}")


def _look(params: dict[str, Any], **_: Any) -> None:
    if CANARY in str(params):
        raise AddressLeakError("an address in a queue's message")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a passed test whose output holds the address: log lines and metrics are printed."""
    report = yield
    # The call's report has what the set-up printed, too.
    if call.when == "call" and report.passed and any(CANARY in text for _, text in report.sections):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: an address in a log line, metric or error"
    return report
