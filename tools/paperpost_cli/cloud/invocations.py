"""
How often each function ran, from the emulator's own records.

The record is the line `START RequestId: <id>` that MiniStack itself writes to the function's log
group for every execution, whatever caused it: an invocation, a schedule, a queue, the stream or the
HTTP API (`_emit_lambda_logs`, called from the one place that all executors pass). Each execution
has a log stream of its own, so counting START lines counts executions. The groups are part of the
saved state. MiniStack's metric AWS/Lambda Invocations would not do: only Invoke emits it.

The line `ERROR RequestId: <id>` stands in the log of an execution that raised, timed out or could
not start (`emulator_host.py` adds it, since MiniStack's log does not tell). A batch that reports
some of its items as failed is no error, as in AWS.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from paperpost_cli.cloud.emulator import Emulator

_START, _ERROR = "START RequestId: ", "ERROR RequestId: "
_PLATFORM = (_START, _ERROR, "END RequestId: ", "REPORT RequestId: ")
_PAGE = 10_000
"""MiniStack answers at most so many log events and gives no token for the next ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line that a function wrote."""

    at: datetime
    request: str
    text: str


class Invocations:
    """`count(function)`, `errors(function)` and `logs(function, since=…)`, by function name."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def count(self, function: str, *, since: datetime | None = None) -> int:
        """Executions of *function*, ended since *since* or ever, failed ones included."""
        return self._number(function, _START, since)

    def errors(self, function: str, *, since: datetime | None = None) -> int:
        """Executions of *function* that raised, timed out or could not start."""
        return self._number(function, _ERROR, since)

    def logs(self, function: str, *, since: datetime | None = None) -> list[LogLine]:
        """What *function* wrote, oldest execution first; the platform's own lines left out."""
        lines, requests = [], {}
        for event in self._events(function, "", since):
            text, stream = event["message"], event["logStreamName"]
            if text.startswith(_START):
                requests[stream] = text.removeprefix(_START).split(" ", 1)[0]
            if text.startswith(_PLATFORM):
                continue
            at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
            lines.append(LogLine(at=at, request=requests.get(stream, ""), text=text))
        return lines

    def _number(self, function: str, prefix: str, since: datetime | None) -> int:
        pattern = prefix.split(" ", 1)[0]
        return len(
            {
                event["logStreamName"]
                for event in self._events(function, pattern, since)
                if event["message"].startswith(prefix)
            }
        )

    def _events(
        self, function: str, pattern: str, since: datetime | None
    ) -> Iterator[dict[str, Any]]:
        """The matching log events, in order of time, each once."""
        logs, group = self._emulator.client("logs"), self._group(function)
        start = int(since.timestamp() * 1000) if since else 0
        seen: set[tuple[str, int, str]] = set()
        while True:
            try:
                page = logs.filter_log_events(
                    logGroupName=group, filterPattern=pattern, startTime=start, limit=_PAGE
                )["events"]
            except ClientError as exc:
                if exc.response["Error"]["Code"] == "ResourceNotFoundException":
                    return  # it never ran
                raise
            for event in page:
                key = (event["logStreamName"], event["timestamp"], event["message"])
                if key not in seen:
                    seen.add(key)
                    yield event
            if len(page) < _PAGE:
                return
            start = max(page[-1]["timestamp"], start + 1)

    def _group(self, function: str) -> str:
        kept = self._emulator.client("lambda").get_function_configuration(FunctionName=function)
        return str(kept.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{function}"))
