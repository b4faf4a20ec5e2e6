"""`paperpost issue unlock`: after a restore from backup, what the ledger lost and what now."""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.table import Table

from paperpost.domain.deliveries import Delivery, DeliveryState, IssueRow, IssueState
from paperpost.domain.issuefiles import content_hash, from_bytes, issue_path
from paperpost.domain.issues import recent_issues
from paperpost.domain.ledgermark import what_is_lost
from paperpost.domain.mailed import MAILED_PATH, Mailed, mailed, to_bytes
from paperpost.domain.mailed import from_bytes as mail_counts
from paperpost_cli.stacks import Stack

_REASON = "the ledger was restored"
_KEPT = 400 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """An issue as it was told before the restore, and as the restored ledger has it."""

    issue: str
    told: Mailed | None
    row: IssueRow | None
    rows: tuple[Delivery, ...]

    @property
    def now(self) -> Mailed | None:
        """The ledger's counts."""
        if self.row is None:
            return None
        counts = Counter(delivery.state.value for delivery in self.rows)
        return mailed(self.row, self.row.state, self.row.totals or counts)

    @property
    def is_open(self) -> bool:
        """Whether letters of it could go out, or go out again."""
        if self.row is None or self.row.state is not IssueState.CLOSED:
            return True
        return self.told is not None and bool(what_is_lost(self.told, self.now))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlocking:
    """The issues of the last 14 days in a stack whose tables may have been restored."""

    stack: Stack
    now: datetime

    def issues(self) -> list[Lost]:
        """Those that letters could go out of."""
        stored = self.stack.site.get(MAILED_PATH)
        told = {one.issue: one for one in (mail_counts(stored.body) if stored else ())}
        found = []
        for issue in recent_issues(self.now):
            row = self.stack.deliveries.get_issue(issue)
            if row is None and issue not in told:
                continue
            rows = tuple(self._rows(row)) if row else ()
            found.append(Lost(issue=issue, told=told.get(issue), row=row, rows=rows))
        return [one for one in found if one.is_open]

    def skip(self, one: Lost) -> None:
        """Close *one*: what the ledger has as open is skipped, what was told as sent stays sent."""
        row = one.row or self._entered(one)
        for delivery in one.rows:
            if delivery.state.is_open:
                self.stack.deliveries.reconcile(
                    delivery, DeliveryState.SKIPPED, now=self.now, reason=_REASON
                )
        self.stack.deliveries.close_issue(row.issue, _totals(one), now=self.now)

    def forget(self, issues: list[Lost]) -> None:
        """Tell of *issues* as the ledger has them, so that what it has as open goes out."""
        stored = self.stack.site.get(MAILED_PATH)
        gone = {one.issue for one in issues}
        kept = [m for m in (mail_counts(stored.body) if stored else ()) if m.issue not in gone]
        self.stack.site.put(MAILED_PATH, to_bytes(kept))

    def _rows(self, row: IssueRow) -> Iterator[Delivery]:
        for shard in range(row.shards):
            yield from self.stack.deliveries.list_deliveries(row.issue, shard)

    def _entered(self, one: Lost) -> IssueRow:
        """The row of an issue that the ledger has lost, from its frozen file or what was told."""
        assert one.told is not None
        file = self.stack.site.get(issue_path(one.issue))
        frozen = from_bytes(file.body) if file else None
        row = IssueRow(
            issue=one.issue,
            content_hash=content_hash(file.body) if file else "lost",
            frozen_at=one.told.frozen_at,
            reason=frozen.reason if frozen else "lost",
            papers=len(frozen.papers) if frozen else 0,
            shards=1,
            too_late=one.told.too_late,
        )
        self.stack.deliveries.put_issue(row, expires_at=int(self.now.timestamp()) + _KEPT)
        return row


def _totals(one: Lost) -> dict[str, int]:
    """What became of every letter, as far as anybody knows: none of them goes out any more."""
    known = [counts for counts in (one.now, one.told) if counts is not None]
    most = max(known, key=lambda counts: counts.sent + counts.failed)
    skipped = max(counts.audience for counts in known) - most.sent - most.failed
    totals = {"sent": most.sent, "failed": most.failed, "skipped": skipped}
    return {state: n for state, n in totals.items() if n}


def run_unlock(options: argparse.Namespace) -> int:
    """Tell what is locked; with `--open-letters` decide on it, and let mail go again."""
    stack = Stack.of(options.stack)
    unlocking, guard = Unlocking(stack=stack, now=stack.now()), stack.guard
    locked = guard.why_locked()
    if not locked:
        print("Nothing is locked.")
        return 0
    issues = unlocking.issues()
    _show(locked, issues)
    if options.open_letters is None:
        print("Nothing has changed. Decide with --open-letters skip, or --open-letters send.")
        return 1
    if options.open_letters == "skip":
        for one in issues:
            unlocking.skip(one)
    else:
        unlocking.forget(issues)
    guard.accept()
    print(f"Unlocked; open letters of {len(issues)} issues: {options.open_letters}.")
    return 0


def _show(locked: str, issues: list[Lost]) -> None:
    console = Console(highlight=False)
    console.print(locked, markup=False)
    table = Table(box=None, pad_edge=False)
    for name in ("issue", "told as sent", "of readers", "in the ledger", "of readers"):
        table.add_column(name)
    for one in issues:
        counts = [(c.sent, c.audience) if c else ("–", "–") for c in (one.told, one.now)]
        table.add_row(one.issue, *(str(n) for pair in counts for n in pair))
    console.print(table)
