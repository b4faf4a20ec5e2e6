"""`paperpost backfill`: days that were never fetched, one after the other, by fetch itself."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from paperpost import data
from paperpost.domain.errors import InvalidInputError
from paperpost_cli.invoke import InvokeError, lambda_client

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

# A fetcher is alone at arXiv for its function's time-out (template.yaml) and ten seconds at most.
_BUSY_FOR_S, _ASK_AGAIN_S = 630, 5
_INTERRUPTED = 130  # as shells tell Ctrl-C


def run_backfill(options: argparse.Namespace) -> int:
    """Fill each due day, print the counts, and return 0 if none is left."""
    category = data.taxonomy().canonical(options.category)
    due = due_days(options.first, options.last)
    client, name = lambda_client("fetch", options.stack)
    filled = Filled(category=category, days=len(due))
    try:
        fill(client, name, due, filled, is_quiet=options.json)
    except InvokeError as exc:
        if not options.json:
            raise
        filled.problem = str(exc)
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return _INTERRUPTED
    print(json.dumps(filled.told()) if options.json else _sentence(filled))
    return 1 if filled.missing or filled.problem else 0


@dataclass(slots=True, kw_only=True)
class Filled:
    """
    How far it has come: of `days`, `done` were looked at.

    `backfilled` of those were filled, with `papers`; `missing`: there was no time to fill them.
    """

    category: str
    days: int
    done: int = 0
    backfilled: int = 0
    papers: int = 0
    missing: int = 0
    problem: str | None = None

    def add(self, counts: Mapping[str, int]) -> None:
        """One more day, as the function counted it."""
        self.done += 1
        self.backfilled += counts.get("backfilled", 0)
        self.papers += counts.get("papers", 0)
        self.missing += counts.get("missing", 0)

    @property
    def complete_before(self) -> int:
        """Days of which nothing was missing."""
        return self.done - self.backfilled - self.missing

    def told(self) -> dict[str, Any]:
        """What `--json` prints; `problem` is null where every day was looked at."""
        return {
            "category": self.category,
            "days": self.days,
            "backfilled": self.backfilled,
            "papers": self.papers,
            "complete_before": self.complete_before,
            "missing": self.missing,
            "problem": self.problem,
        }


def due_days(first: date, last: date) -> list[date]:
    """
    The days from *first* to *last* on which something was announced.

    Raises: InvalidInputError: If there is none.
    """
    if first > last:
        raise InvalidInputError(f"--from {first} is after --to {last}")
    calendar = data.calendar()
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    due = [on for on in days if not calendar.quiet_reason(on)]
    if not due:
        raise InvalidInputError(f"nothing was announced from {first} to {last}")
    return due


def fill(
    client: "LambdaClient",
    name: str,
    due: Sequence[date],
    filled: Filled,
    *,
    is_quiet: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """
    Have each of the days *due* filled, and count in *filled*.

    The function skips a day that is complete, so all of it can be repeated. While another fetcher
    talks to arXiv (that of a command which was killed, or a poll) it is waited for.

    Raises: InvokeError: At the first day that fails; those before it are filled.
    """
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, quiet=is_quiet),
    ) as bar:
        task = bar.add_task("", total=len(due))
        for on in due:
            title, waited_s = f"backfilling {filled.category} {on}", 0
            bar.update(task, description=title)
            while (counts := _filled(client, name, filled.category, on)) is None:
                if waited_s >= _BUSY_FOR_S:
                    raise InvokeError(
                        f"{on}: another fetcher still talks to arXiv after {waited_s} s; "
                        "repeat the command later"
                    )
                bar.update(task, description=f"{title}, behind another fetcher")
                sleep(_ASK_AGAIN_S)
                waited_s += _ASK_AGAIN_S
            filled.add(counts)
            bar.update(task, description=title, advance=1)


def _filled(client: "LambdaClient", name: str, category: str, on: date) -> dict[str, int] | None:
    """
    The function's counts for one day; None if another fetcher is at it.

    Raises: InvokeError: If the function raised.
    """
    event = {"task": "backfill", "category": category, "from": str(on), "to": str(on)}
    try:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    except (BotoCoreError, ClientError) as exc:
        raise InvokeError(f"fetch cannot be invoked: {exc}") from exc
    result: dict[str, Any] = json.loads(answer["Payload"].read() or b"null") or {}
    if "FunctionError" in answer:
        said = (str(result.get("errorMessage", "")).splitlines() or ["fetch raised an error"])[0]
        if result.get("errorType") == InvalidInputError.__name__:
            raise InvokeError(f"{on}: {said}")
        raise InvokeError(f"{on}: {said}; days before it are filled, the command can be repeated")
    if result.get("busy"):
        return None
    return {key: count for key, count in result.items() if isinstance(count, int)}


def _sentence(told: Filled) -> str:
    return (
        f"{told.category}: {told.backfilled} days filled with {told.papers} papers, "
        f"{told.complete_before} were complete, {told.missing} are left"
    )
