"""`paperpost backfill`: days that were never fetched, one after the other, by fetch itself."""

import argparse
import json
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


def run_backfill(options: argparse.Namespace) -> int:
    """Fill each due day, print the counts, and return 0 if none is left."""
    category = data.taxonomy().canonical(options.category)
    client, name = lambda_client("fetch", options.stack)
    told = fill(client, name, category, options.first, options.last, is_quiet=options.json)
    print(json.dumps(told) if options.json else _sentence(told))
    return 1 if told["missing"] else 0


def fill(
    client: "LambdaClient", name: str, category: str, first: date, last: date, *, is_quiet: bool
) -> dict[str, Any]:
    """
    Have each due day from *first* to *last* filled, and return the counts.

    The function skips a day that is complete, so all of it can be repeated.

    Raises: InvokeError: At the first day that fails; those before it are filled.
    """
    if first > last:
        raise InvalidInputError(f"--from {first} is after --to {last}")
    calendar = data.calendar()
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    due = [on for on in days if not calendar.quiet_reason(on)]
    totals = {"backfilled": 0, "papers": 0, "missing": 0}
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, quiet=is_quiet),
    ) as bar:
        task = bar.add_task(f"backfilling {category}", total=len(due))
        for on in due:
            bar.update(task, description=f"backfilling {category} {on}")
            counts = _filled(client, name, category, on)
            totals = {key: totals[key] + counts.get(key, 0) for key in totals}
            bar.advance(task)
    complete = len(due) - totals["backfilled"] - totals["missing"]
    return {"category": category, "days": len(due), **totals, "complete_before": complete}


def _filled(client: "LambdaClient", name: str, category: str, on: date) -> dict[str, int]:
    """The function's counts for one day. Raises: InvokeError: If it raised, or was busy."""
    event = {"task": "backfill", "category": category, "from": str(on), "to": str(on)}
    try:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    except (BotoCoreError, ClientError) as exc:
        raise InvokeError(f"fetch cannot be invoked: {exc}") from exc
    result: dict[str, Any] = json.loads(answer["Payload"].read() or b"null") or {}
    if "FunctionError" in answer:
        said = str(result.get("errorMessage", "fetch raised an error")).splitlines()[0]
        raise InvokeError(f"{on}: {said}; days before it are filled, the command can be repeated")
    if result.get("busy"):
        raise InvokeError(f"{on}: another fetcher talks to arXiv; repeat the command later")
    return {key: count for key, count in result.items() if isinstance(count, int)}


def _sentence(told: dict[str, Any]) -> str:
    return (
        f"{told['category']}: {told['backfilled']} days filled with {told['papers']} papers, "
        f"{told['complete_before']} were complete, {told['missing']} are left"
    )
