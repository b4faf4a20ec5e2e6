"""The ledger's part of a tick: plan, reconcile, fan out, close, report, or stand still."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from paperpost.compose.fanout import FanOut
from paperpost.compose.planning import Planner
from paperpost.compose.reconciling import Reconciler
from paperpost.compose.reporting import Reporter
from paperpost.domain.deliveries import Delivery, IssueRow, IssueState, is_overdue
from paperpost.domain.issues import recent_issues
from paperpost.domain.ledgermark import MARK_LOST, what_is_lost
from paperpost.domain.mailed import Mailed, abandoned, mailed
from paperpost.observe import logger
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.guard import Guard


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The issues of the last 14 days, of each cadence the oldest first."""

    deliveries: DeliveryTable
    planner: Planner
    reconciler: Reconciler
    fan_out: FanOut
    reporter: Reporter
    guard: Guard

    def why_locked(self, *, now: datetime) -> str:
        """
        Why nothing may go out, or ''.

        Locked are tables that were restored, tables with issues of which no mark tells whether they
        were, and a ledger that has lost a whole issue: freezing would make it anew, and mail it
        again.
        """
        locked = self.guard.why_locked()
        if not locked and self.guard.mark() is None:
            self.guard.accept(locked=MARK_LOST if self._rows(now) else "")
            locked = self.guard.why_locked()
        if not locked:
            told, known = self.reporter.told(), {row.issue for row in self._rows(now)}
            lost = [told[i] for i in recent_issues(now) if i in told and i not in known]
            locked = self._lock(what_is_lost(lost[0], None)) if lost else ""
        return self._stopped(locked, now=now) if locked else ""

    def advance(self, *, now: datetime, expires_at: int) -> tuple[dict[str, int], str]:
        """
        Bring every issue forward; how many letters were queued and issues closed.

        The second is why nothing may go out any more, if the ledger has lost letters of an issue.
        """
        done = {"queued": 0, "closed": 0}
        before = self.reporter.told()
        told: list[Mailed] = []
        for row in self._rows(now):
            rows = self._settled(row, now=now, expires_at=expires_at)
            one = _counted(row, rows, now=now)
            if row.issue in before and (lost := what_is_lost(before[row.issue], one)):
                # Not told: the higher counts are what proves it.
                return done, self._stopped(self._lock(lost), now=now)
            if rows is not None:
                done["queued"] += self.fan_out.send(row, rows, now=now)
                closed = self.reconciler.close(row, rows, now=now)
                done["closed"] += closed
                one = _counted(row, rows, now=now, closed=closed)
            told.append(one)
        recent = recent_issues(now)
        for one in before.values():
            if one.state is not IssueState.CLOSED and one.issue not in recent:
                told.append(self._ended(one, now=now))
                done["closed"] += told[-1].state is IssueState.CLOSED
        self.reporter.tell(told)
        return done, ""

    def _ended(self, told: Mailed, *, now: datetime) -> Mailed:
        """An issue that was left open for 14 days: nothing starts any more, and it is closed."""
        row = self.deliveries.get_issue(told.issue)
        if row is None:
            return abandoned(told)
        if row.state is IssueState.CLOSED:
            return _counted(row, None, now=now)
        rows = self.reconciler.end(row, now=now)
        return _counted(row, rows, now=now, closed=self.reconciler.close(row, rows, now=now))

    def _settled(
        self, row: IssueRow, *, now: datetime, expires_at: int
    ) -> Sequence[Delivery] | None:
        """The rows of an issue that letters go out of; None while it is planned, or when closed."""
        if row.state is IssueState.CLOSED:
            return None
        if row.state is IssueState.PLANNING and not self.planner.plan(row, expires_at=expires_at):
            return None
        return self.reconciler.settle(row, now=now)

    def _rows(self, now: datetime) -> list[IssueRow]:
        rows = [self.deliveries.get_issue(issue) for issue in recent_issues(now)]
        return [row for row in rows if row is not None]

    def _stopped(self, reason: str, *, now: datetime) -> str:
        """Let deliver drop what lies in its queue; it asks the guard itself only now and then."""
        logger.error("sending is locked", extra={"reason": reason})
        for row in self._rows(now):
            if row.state is not IssueState.CLOSED:
                self.deliveries.stop_issue(row.issue, reason)
        return reason

    def _lock(self, reason: str) -> str:
        self.guard.accept(locked=reason)
        return reason


def _counted(
    row: IssueRow, rows: Sequence[Delivery] | None, *, now: datetime, closed: bool = False
) -> Mailed:
    if rows is None:
        return mailed(row, row.state, row.totals)
    counts = Counter(delivery.state.value for delivery in rows)
    overdue = sum(is_overdue(delivery, now=now) for delivery in rows)
    state = IssueState.CLOSED if closed else IssueState.SENDING
    return mailed(row, state, counts, overdue=overdue)
