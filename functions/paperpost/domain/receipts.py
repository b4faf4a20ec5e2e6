"""Receipts: how many papers were announced, stored and enriched, in words that add up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from paperpost.domain.announcements import Announcement
from paperpost.domain.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """
    The counts of one announcement.

    `enriched` and `pending` count listed papers with and without a shown enrichment in the readers'
    first language; both are None where no language is configured.
    """

    announced: int
    stored: int
    enriched: int | None
    pending: int | None

    @property
    def adds_up(self) -> bool:
        """Whether everything that was announced is stored."""
        return self.announced == self.stored

    def in_chinese(self) -> str:
        """`公告 243 = 收录 243 · 译 239 · 待补 4`."""
        sign = "=" if self.adds_up else "≠"
        text = f"公告 {self.announced} {sign} 收录 {self.stored}"
        if self.enriched is None:
            return text
        return f"{text} · 译 {self.enriched} · 待补 {self.pending}"

    def in_english(self) -> str:
        """`announced 243 = listed 243 · enriched 239 · pending 4`."""
        sign = "=" if self.adds_up else "≠"
        text = f"announced {self.announced} {sign} listed {self.stored}"
        if self.enriched is None:
            return text
        return f"{text} · enriched {self.enriched} · pending {self.pending}"


def receipt(
    announcement: Announcement, records: Iterable[Record], languages: Sequence[str]
) -> Receipt:
    """The receipt of *announcement* with its *records*; the first of *languages* is what counts."""
    if not languages:
        return Receipt(
            announced=announcement.announced,
            stored=announcement.stored,
            enriched=None,
            pending=None,
        )
    shown = [record.enrichment(languages[0]) is not None for record in records]
    return Receipt(
        announced=announcement.announced,
        stored=announcement.stored,
        enriched=sum(shown),
        pending=len(shown) - sum(shown),
    )
