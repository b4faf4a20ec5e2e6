"""Report: how many letters of each issue were sent, skipped and so on, for the receipts."""

from collections.abc import Sequence
from dataclasses import dataclass

from paperpost.domain.mailed import MAILED_PATH, Mailed, from_bytes, to_bytes
from paperpost.storage.site import SiteBucket

# As many issues as the status page can show, and some.
_MOST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Writes counts and nothing else, so that publish need not see the ledger."""

    site: SiteBucket

    def told(self) -> dict[str, Mailed]:
        """What was told before, by issue."""
        stored = self.site.get(MAILED_PATH)
        return {one.issue: one for one in (from_bytes(stored.body) if stored else ())}

    def tell(self, issues: Sequence[Mailed]) -> bool:
        """
        Put the counts of *issues* beside those told before, if they changed; False if not.

        An issue that compose no longer looks at keeps the counts it ended with.
        """
        stored = self.site.get(MAILED_PATH)
        told = {one.issue: one for one in (from_bytes(stored.body) if stored else ())}
        told |= {one.issue: one for one in issues}
        by_date = sorted(told.values(), key=lambda one: (one.announced_on, one.issue))
        body = to_bytes(by_date[-_MOST:])
        if (stored is None and not issues) or (stored is not None and stored.body == body):
            return False
        self.site.put(MAILED_PATH, body)
        return True
