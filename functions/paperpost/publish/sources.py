"""What publish reads: the days of a category with papers, enrichments and frozen issues."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from paperpost.domain.announcements import Announcement
from paperpost.domain.errors import RecordError
from paperpost.domain.issuefiles import from_bytes, issue_path
from paperpost.domain.issues import issue_id
from paperpost.domain.papers import Listing
from paperpost.domain.records import Record
from paperpost.domain.subscribers import Cadence
from paperpost.publish.days import Day, make_day
from paperpost.storage.papers import PaperTable
from paperpost.storage.site import SiteBucket

_IN_ONE_GO = timedelta(minutes=10)


class Sources:
    """Reads days from the tables; remembers when an issue was frozen."""

    def __init__(self, papers: PaperTable, site: SiteBucket, languages: Sequence[str]) -> None:
        self._papers, self._site, self._languages = papers, site, languages
        self._frozen_at: dict[date, datetime | None] = {}

    def days(self, announcements: Sequence[Announcement]) -> list[Day]:
        """The days of *announcements*, in their order."""
        listings = {
            a.announced_on: self._papers.list_listings(a.category, a.announced_on)
            for a in announcements
        }
        ids = [listing.arxiv_id for listed in listings.values() for listing in listed]
        papers = self._papers.get_papers(ids)
        enrichments = self._papers.get_enrichments(ids, self._languages)
        return [
            make_day(
                announcement,
                (
                    Record(
                        paper=papers[listing.arxiv_id],
                        listing=listing,
                        enrichments=enrichments.get(listing.arxiv_id, {}),
                    )
                    # fetch stores the paper first, so a listing without one is still being written.
                    for listing in listings[announcement.announced_on]
                    if listing.arxiv_id in papers
                ),
                self._late(announcement, listings[announcement.announced_on]),
                listed=len(listings[announcement.announced_on]),
            )
            for announcement in announcements
        ]

    def _late(self, announcement: Announcement, listings: Sequence[Listing]) -> frozenset[str]:
        """
        Ids that were stored after the date's issue was frozen.

        A day that came whole after it (a category that was followed later, or filled by hand) is
        that day, and nothing of it late.
        """
        if not listings:
            return frozenset()
        # Nearly always a day is stored in one go; only for stragglers the issue is looked at.
        first = min(listing.stored_at for listing in listings)
        after = [x for x in listings if x.stored_at > first + _IN_ONE_GO]
        frozen_at = self._issue_frozen_at(announcement.announced_on) if after else None
        if frozen_at is None or first > frozen_at:
            return frozenset()
        return frozenset(x.arxiv_id for x in after if x.stored_at > frozen_at)

    def _issue_frozen_at(self, on: date) -> datetime | None:
        if on not in self._frozen_at:
            stored = self._site.get(issue_path(issue_id(Cadence.DAILY, on)))
            try:
                self._frozen_at[on] = from_bytes(stored.body).frozen_at if stored else None
            except RecordError:
                # compose alarms about a broken issue; a page must not wait for that.
                self._frozen_at[on] = None
        return self._frozen_at[on]
