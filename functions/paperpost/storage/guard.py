"""The guard before every letter: are these still the tables that mail was sent from?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from paperpost.domain.ledgermark import (
    LEDGER_PATH,
    LedgerMark,
    from_bytes,
    to_bytes,
    why_locked,
)
from paperpost.storage.site import SiteBucket

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Compares *tables* (role → table) with the mark in the bucket."""

    site: SiteBucket
    tables: Mapping[str, "Table"]

    def why_locked(self) -> str:
        """Why no letter may go out, or ''. Raises: RecordError: If the mark cannot be read."""
        mark = self.mark()
        return why_locked(mark, self._ids()) if mark else ""

    def mark(self) -> LedgerMark | None:
        """The mark, None before the first one."""
        stored = self.site.get(LEDGER_PATH)
        return from_bytes(stored.body) if stored else None

    def accept(self, *, locked: str = "") -> None:
        """From now on mail is sent from these tables, or not, for the reason *locked*."""
        self.site.put(LEDGER_PATH, to_bytes(LedgerMark(tables=self._ids(), locked=locked)))

    def _ids(self) -> dict[str, str]:
        return {role: _identity(table) for role, table in self.tables.items()}


def _identity(table: "Table") -> str:
    """Name and birth of a table: what is restored from a backup is a table that was made later."""
    told = table.meta.client.describe_table(TableName=table.name)["Table"]
    return f"{told['TableName']} of {told['CreationDateTime'].astimezone(UTC).isoformat()}"
