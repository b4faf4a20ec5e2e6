"""What became of the newest issues' letters, in counts alone: `issues/mailed.json`."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from paperpost.domain.deliveries import DeliveryState, IssueRow, IssueState
from paperpost.domain.errors import InvalidInputError, RecordError
from paperpost.domain.issues import cadence_and_date

# Compose alone writes it, publish reads it, and readers cannot: the folder is not served.
MAILED_PATH = "issues/mailed.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailed:
    """
    One issue's deliveries by what became of them; `open`: still to be sent.

    `overdue`: those of them that wait for an operator's word. `stopped`: why none goes out for now.
    `too_late`: listings that no issue can hold any more, counted with this one.
    """

    issue: str
    state: IssueState
    frozen_at: datetime
    sent: int = 0
    skipped: int = 0
    failed: int = 0
    unknown: int = 0
    open: int = 0
    overdue: int = 0
    stopped: str = ""
    too_late: int = 0

    @property
    def audience(self) -> int:
        """Everybody who was planned for the issue."""
        return self.sent + self.skipped + self.failed + self.unknown + self.open

    @property
    def announced_on(self) -> date:
        """The issue's date; a weekly one's Friday."""
        return cadence_and_date(self.issue)[1]


def mailed(
    row: IssueRow, state: IssueState, counts: Mapping[str, int], *, overdue: int = 0
) -> Mailed:
    """The issue of *row*, now of *state*, with its deliveries counted by state."""
    told = {
        name: counts.get(name, 0)
        for name in (
            DeliveryState.SENT.value,
            DeliveryState.SKIPPED.value,
            DeliveryState.FAILED.value,
            DeliveryState.UNKNOWN.value,
        )
    }
    return Mailed(
        issue=row.issue,
        state=state,
        frozen_at=row.frozen_at,
        **told,
        open=sum(counts.values()) - sum(told.values()),
        overdue=overdue,
        stopped=row.stopped,
        too_late=row.too_late,
    )


def abandoned(told: Mailed) -> Mailed:
    """An issue that was *told* as open and that the ledger has no more: nothing of it goes out."""
    return replace(
        told,
        state=IssueState.CLOSED,
        skipped=told.skipped + told.unknown + told.open,
        unknown=0,
        open=0,
        overdue=0,
        stopped="",
    )


def to_bytes(issues: Iterable[Mailed]) -> bytes:
    """The file; the same counts have the same bytes."""
    value = {"issues": [_to_json(one) for one in sorted(issues, key=lambda one: one.issue)]}
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


def from_bytes(body: bytes) -> tuple[Mailed, ...]:
    """
    Return what `to_bytes` wrote.

    Raises: RecordError: If *body* is anything else.
    """
    try:
        return tuple(map(_from_json, json.loads(body)["issues"]))
    except (ValueError, KeyError, TypeError, InvalidInputError) as exc:
        raise RecordError(f"{MAILED_PATH} cannot be read: {exc}") from exc


def _to_json(one: Mailed) -> dict[str, Any]:
    return {
        "issue": one.issue,
        "state": one.state.value,
        "frozen_at": one.frozen_at.astimezone(UTC).isoformat(),
        "sent": one.sent,
        "skipped": one.skipped,
        "failed": one.failed,
        "unknown": one.unknown,
        "open": one.open,
        "overdue": one.overdue,
        "stopped": one.stopped,
        "too_late": one.too_late,
    }


def _from_json(value: Mapping[str, Any]) -> Mailed:
    cadence_and_date(value["issue"])
    return Mailed(
        issue=value["issue"],
        state=IssueState(value["state"]),
        frozen_at=datetime.fromisoformat(value["frozen_at"]),
        **{name: int(value[name]) for name in ("sent", "skipped", "failed", "unknown", "open")},
        # Files from before these were told lack them.
        overdue=int(value.get("overdue", 0)),
        stopped=str(value.get("stopped", "")),
        too_late=int(value.get("too_late", 0)),
    )
