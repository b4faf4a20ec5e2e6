"""`paperpost status`: the receipts of the newest days, from the site's own status.json."""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from paperpost.domain.errors import PaperpostError
from paperpost_cli.stacks import Stack

STATUS_PATH = "status.json"
_COUNTS = ("announced", "stored", "listed", "enriched", "published")


class NoStatusError(PaperpostError):
    """The site's status.json cannot be read."""


def run_status(options: argparse.Namespace) -> int:
    """Print the receipts; 1 if something does not add up."""
    body = _read(options.stack)
    try:
        status = json.loads(body)
        adds_up = bool(status["adds_up"])
        tables = (
            [] if options.json else [*_cap(status), _faults(status), _table(status), _next(status)]
        )
    except (ValueError, KeyError, TypeError) as exc:
        raise NoStatusError(f"{STATUS_PATH} is not what this version writes: {exc!r}") from exc
    if options.json:
        print(body.decode(), end="")
    console = Console(highlight=False)
    for shown in tables:
        console.print(shown)
    return 0 if adds_up else 1


def _read(name: str | None) -> bytes:
    """The file from the bucket of a stack in AWS, or of the laptop cloud that runs here."""
    stack = Stack.of(name)
    try:
        found = stack.site.get(STATUS_PATH)
    except (BotoCoreError, ClientError) as exc:
        raise NoStatusError(f"{STATUS_PATH} cannot be read: {' '.join(str(exc).split())}") from exc
    if found is None:
        raise NoStatusError(f"{STATUS_PATH} is not there: nothing was published yet")
    return found.body


def _faults(status: Mapping[str, Any]) -> Text:
    if status["adds_up"]:
        return Text("Everything adds up.", style="green")
    lines = [f"{f['announced_on']} {f['subject']}: {f['en']}" for f in status["faults"]]
    return Text("\n".join(["Does not add up:", *lines]), style="red")


def _table(status: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("date", no_wrap=True)
    table.add_column("category", no_wrap=True)
    for name in _COUNTS:
        table.add_column(name, justify="right")
    table.add_column("state")
    for day in status["dates"]:
        for row in day["categories"]:
            table.add_row(
                day["announced_on"],
                row["category"],
                *(str(row[name]) for name in _COUNTS),
                row["state_en"],
                style=None if row["adds_up"] else "red",
            )
        for issue in day["issues"]:
            table.add_row(
                day["announced_on"],
                issue["issue"].partition("-")[0],
                *[""] * len(_COUNTS),
                "; ".join(_letters(issue)),
                style="dim" if issue["adds_up"] else "red",
            )
        if day["enrichment"]:
            told = _cost(day["enrichment"])
            table.add_row(
                day["announced_on"], "enrichment", *[""] * len(_COUNTS), told, style="dim"
            )
    return table


def _cap(status: Mapping[str, Any]) -> Iterator[Text]:
    """That today's translations are at their cap, where they are."""
    if cap := status["enrichment_cap"]:
        resets_at = cap["resets_at"].replace("T", " ")
        yield Text(f"The day's cap on enrichment is reached; it resets at {resets_at}.", "yellow")


def _cost(enrichment: Mapping[str, Any]) -> str:
    tokens = enrichment["input_tokens"] + enrichment["output_tokens"]
    return f"{enrichment['calls']} calls, {tokens} tokens, {enrichment['usd']:.4f} USD"


def _letters(issue: Mapping[str, Any]) -> Iterator[str]:
    names = ("sent", "skipped", "failed", "unknown", "open")
    told = ", ".join(f"{name} {issue[name]}" for name in names)
    yield f"mailed, {issue['audience']} readers: {told}"
    yield issue["state"]


def _next(status: Mapping[str, Any]) -> Text:
    at = status["next_announcement_at"]
    return Text(f"Next announcement about {at.replace('T', ' ')}" if at else "No announcement yet.")
