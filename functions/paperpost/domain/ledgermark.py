"""Which tables letters are sent from: after a restore from backup none goes out by itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from paperpost.domain.errors import RecordError
from paperpost.domain.mailed import Mailed

# In the bucket, since a table that is restored brings back what it said of itself. compose writes
# it, and the operator's command; readers cannot see the folder.
LEDGER_PATH = "issues/ledger.json"
MARK_LOST = f"lost: {LEDGER_PATH}, which tells where mail was sent from"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerMark:
    """
    What letters are sent from.

    `tables`: a table's role → its name and when it was made, which differs in a restored table.
    `locked`: what was found to be lost, until an operator has looked; '' for nothing.
    """

    tables: Mapping[str, str]
    locked: str = ""


def why_locked(mark: LedgerMark | None, tables: Mapping[str, str]) -> str:
    """Why no letter may go out of *tables* (role → identity), or ''; without a mark, none did."""
    if mark is None:
        return ""
    others = [name for name, known in sorted(mark.tables.items()) if tables.get(name) != known]
    if others:
        return f"restored: the {' and '.join(others)} table is not the one that mail was sent from"
    return mark.locked


def what_is_lost(told: Mailed, now: Mailed | None) -> str:
    """What the ledger forgot of an issue that was *told* before and is as *now*, or ''."""
    if now is None:
        return f"restored: the ledger has lost {told.issue}"
    # One that was sent may turn out to have failed, so only both together never grow less.
    before, after = told.sent + told.failed, now.sent + now.failed
    if after < before:
        return f"restored: of {told.issue} {before} letters were done with, the ledger has {after}"
    if now.audience < told.audience:
        return (
            f"restored: {told.issue} went to {told.audience} readers, the ledger has {now.audience}"
        )
    return ""


def to_bytes(mark: LedgerMark) -> bytes:
    """The file."""
    value = {"tables": dict(mark.tables), "locked": mark.locked}
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def from_bytes(body: bytes) -> LedgerMark:
    """
    Return what `to_bytes` wrote.

    Raises: RecordError: If *body* is anything else; then nobody knows what may be sent.
    """
    try:
        value = json.loads(body)
        tables = {str(name): str(known) for name, known in value["tables"].items()}
        return LedgerMark(tables=tables, locked=str(value["locked"]))
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise RecordError(f"{LEDGER_PATH} cannot be read: {exc}") from exc
