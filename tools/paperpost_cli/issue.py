"""`paperpost issue`: what became of an issue, and the operator's word where one is needed."""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from paperpost.deliver.delivering import load_issue
from paperpost.deliver.letters import Imprint
from paperpost.deliver.preview import preview
from paperpost.deliver.sending import attempt
from paperpost.domain.addresses import mailable
from paperpost.domain.deliveries import Delivery, DeliveryState, IssueRow, is_overdue
from paperpost.domain.errors import InvalidInputError, PaperpostError
from paperpost.domain.issues import SPAN_DAYS, FrozenIssue, recent_issues
from paperpost.domain.subscribers import Preferences
from paperpost_cli.stacks import Stack

# Why a row is as it is, where compose did not make it so.
_WORD = "the operator's word"


class IssueError(PaperpostError):
    """There is no such issue, or it allows nothing of the kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """One issue as the ledger has it."""

    stack: Stack
    row: IssueRow
    now: datetime

    @classmethod
    def of(cls, stack: Stack, issue: str, *, now: datetime) -> "Ledger":
        """Raises: IssueError: If the ledger knows no such issue."""
        row = stack.deliveries.get_issue(issue)
        if row is None:
            raise IssueError(f"the ledger knows no issue {issue!r} (such as daily-2024-03-26)")
        return cls(stack=stack, row=row, now=now)

    def deliveries(self) -> Iterator[Delivery]:
        """Every row."""
        for shard in range(self.row.shards):
            yield from self.stack.deliveries.list_deliveries(self.row.issue, shard)

    def is_overdue(self, delivery: Delivery) -> bool:
        """Whether it starts on the operator's word alone."""
        return is_overdue(delivery, now=self.now)

    def resume(self) -> int:
        """
        Let what is overdue start now; how many letters that are.

        Raises: IssueError: If nothing of the issue is mailed any more.
        """
        self._check_age()
        return sum(
            self.stack.deliveries.postpone(delivery, self.now)
            for delivery in self.deliveries()
            if self.is_overdue(delivery)
        )

    def skip(self) -> int:
        """Let what is overdue never start; how many letters that are."""
        return sum(
            self.stack.deliveries.reconcile(
                delivery, DeliveryState.SKIPPED, now=self.now, reason=_WORD
            )
            for delivery in self.deliveries()
            if self.is_overdue(delivery)
        )

    def resend(self, subscriber: str | None) -> int:
        """
        Let letters of unknown fate go again, of all readers or one; how many.

        Raises: IssueError: If nothing of the issue is mailed any more.
        """
        self._check_age()
        return sum(
            self.stack.deliveries.reconcile(
                delivery, DeliveryState.RELEASED, now=self.now, reason=_WORD
            )
            for delivery in self.deliveries()
            if delivery.state is DeliveryState.UNKNOWN
            and subscriber in {None, delivery.subscriber_id}
        )

    def _check_age(self) -> None:
        if self.row.issue not in recent_issues(self.now):
            raise IssueError(
                f"{self.row.issue} is more than {SPAN_DAYS} days old: "
                "its letters are not sent any more"
            )

    def told(self) -> dict[str, Any]:
        """What `show` tells, as plain values."""
        rows = list(self.deliveries())
        reasons = Counter(
            (row.state.value, row.reason)
            for row in rows
            if row.reason and row.state is not DeliveryState.SENT
        )
        return {
            "issue": self.row.issue,
            "state": self.row.state.value,
            "stopped": self.row.stopped,
            "frozen_at": self.row.frozen_at.isoformat(),
            "papers": self.row.papers,
            "audience": len(rows),
            "letters": dict(Counter(row.state.value for row in rows)),
            "overdue": sum(map(self.is_overdue, rows)),
            "too_late": self.row.too_late,
            "reasons": [
                {"state": state, "reason": reason, "letters": n}
                for (state, reason), n in sorted(reasons.items())
            ],
        }


def run_issue(options: argparse.Namespace) -> int:
    """Do what the operator asks of an issue."""
    stack = Stack.of(options.stack)
    try:
        ledger = Ledger.of(stack, options.issue, now=stack.now())
        return ACTIONS[options.action](ledger, options)
    except (BotoCoreError, ClientError) as exc:
        raise IssueError(f"{options.issue}: {' '.join(str(exc).split())}") from exc


def _show(ledger: Ledger, options: argparse.Namespace) -> int:
    told = ledger.told()
    if options.json:
        print(json.dumps(told, ensure_ascii=False, indent=1))
        return 0
    console, table = Console(highlight=False), Table(box=None, pad_edge=False, show_header=False)
    for name in ("issue", "state", "stopped", "frozen_at", "papers", "audience", "overdue"):
        if told[name] not in {"", 0}:
            table.add_row(name.replace("_", " "), str(told[name]))
    if told["too_late"]:
        table.add_row("too late to mail", f"{told['too_late']} listings")
    for state, letters in sorted(told["letters"].items()):
        table.add_row(state, str(letters))
    for each in told["reasons"]:
        table.add_row(f"  {each['state']}", f"{each['letters']} {each['reason']}")
    console.print(table)
    return 0


def _resume(ledger: Ledger, _options: argparse.Namespace) -> int:
    letters = ledger.resume()
    print(f"{letters} letters of {ledger.row.issue} may start now; the next tick queues them.")
    return 0


def _skip(ledger: Ledger, _options: argparse.Namespace) -> int:
    print(f"{ledger.skip()} letters of {ledger.row.issue} will not go.")
    return 0


def _resend(ledger: Ledger, options: argparse.Namespace) -> int:
    letters = ledger.resend(options.subscriber)
    print(
        f"{letters} letters of {ledger.row.issue} go again, though some of them may have arrived."
        if letters
        else f"{ledger.row.issue} has no letter of unknown fate to send again."
    )
    return 0


def _preview(ledger: Ledger, options: argparse.Namespace) -> int:
    stack = ledger.stack
    own = stack.settings("Deliver")
    issue = load_issue(stack.site, ledger.row.issue, ledger.row.content_hash)
    raw = preview(
        issue,
        _preferences(stack, options.subscriber, issue),
        imprint=Imprint(
            site_url=own["SITE_URL"],
            contact_mail=own["CONTACT_MAIL"],
            postal_address=own["POSTAL_ADDRESS"],
        ),
        sender=own["MAIL_FROM"],
        now=ledger.now,
        recipient=mailable(options.send) if options.send else "reader@example.com",
    )
    for path in _write(raw, options.out, ledger.row.issue):
        print(path)
    if not options.send:
        return 0
    outcome = attempt(
        stack.client("sesv2", own.get("AWS_ENDPOINT_URL_SESV2") or None),
        raw,
        to=mailable(options.send),
        configuration_set=own["CONFIGURATION_SET"],
        sender=own["MAIL_FROM"],
    )
    if outcome.state is not DeliveryState.SENT:
        raise IssueError(f"the test was not sent: {outcome.reason}")
    print("The test was sent; its links do nothing, and no count has changed.")
    return 0


def _preferences(stack: Stack, subscriber_id: str | None, issue: FrozenIssue) -> Preferences:
    """The reader's, or those of somebody new who follows all that the issue holds."""
    if subscriber_id is None:
        listed = {li.category for paper in issue.papers for li in paper.listings}
        return Preferences(categories=tuple(sorted(listed)))
    subscriber = stack.subscribers.get(subscriber_id)
    if subscriber is None:
        raise InvalidInputError(f"there is no subscriber {subscriber_id!r}")
    return subscriber.preferences


def _write(raw: bytes, folder: Path, name: str) -> Iterator[Path]:
    """The message and its two parts as files."""
    folder.mkdir(parents=True, exist_ok=True)
    parsed: Any = message_from_bytes(raw, policy=policy.default)
    files = {".eml": raw}
    for kind, suffix in (("html", ".html"), ("plain", ".txt")):
        files[suffix] = parsed.get_body((kind,)).get_content().encode()
    for suffix, body in files.items():
        path = folder / f"{name}{suffix}"
        path.write_bytes(body)
        yield path


ACTIONS: Mapping[str, Callable[[Ledger, argparse.Namespace], int]] = {
    "show": _show,
    "resume": _resume,
    "skip": _skip,
    "resend": _resend,
    "preview": _preview,
}
