"""Report: how many letters of each issue were sent, skipped and so on, for the receipts."""

from collections.abc import Sequence
from dataclasses import dataclass

from paperpost.domain.mailed import MAILED_PATH, Mailed, to_bytes
from paperpost.storage.site import SiteBucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Writes counts and nothing else, so that publish need not see the ledger."""

    site: SiteBucket

    def tell(self, issues: Sequence[Mailed]) -> bool:
        """Put the newest issues' counts if they changed; False if they did not."""
        stored = self.site.get(MAILED_PATH)
        body = to_bytes(issues)
        if (stored is None and not issues) or (stored is not None and stored.body == body):
            return False
        self.site.put(MAILED_PATH, body)
        return True
