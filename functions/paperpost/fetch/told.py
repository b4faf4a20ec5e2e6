"""What feeds have told of the days around a missed one: it corrects what history tells of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache

from paperpost.domain.announcements import (
    AnnouncementState,
    Calendar,
    eastern_date,
    type_in_category,
)
from paperpost.domain.papers import AnnounceType, Listing, Paper, listed_as
from paperpost.fetch.history import MOST_ANNOUNCED, History, announced_on
from paperpost.fetch.sightings import Day
from paperpost.storage.papers import PaperTable

# Moderation holds papers back by some days; they were then announced later than history tells. A
# holiday whose own feed had a batch makes that earlier by a day.
_NEAR_DAYS = 7
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is stored of *category*."""

    category: str
    papers: PaperTable
    calendar: Calendar
    now: datetime

    def announced_later(
        self, histories: Sequence[History], gaps: Sequence[date]
    ) -> Mapping[date, list[tuple[Paper, Listing]]]:
        """
        What was announced on one of *gaps* although its submission belongs to an earlier date.

        Its own date is complete without it: it was held back, or added to this category later. The
        last change of the paper tells by when it was announced.
        """
        known = self.papers.get_papers(history.paper.arxiv_id for history in histories)
        complete, near = self._complete(), self._listed_near(gaps)

        @cache
        def listed(on: date) -> frozenset[tuple[str, int]]:
            return frozenset(
                (li.arxiv_id, li.version) for li in self.papers.list_listings(self.category, on)
            )

        found: dict[date, list[tuple[Paper, Listing]]] = {}
        for history in histories:
            on, paper = self._missed_on(history, gaps), history.paper
            version, dated = self._newest(history)
            told = (paper.arxiv_id, version)
            if on is None or version > MOST_ANNOUNCED or dated >= on or dated not in complete:
                continue
            before = known.get(paper.arxiv_id)
            is_listed = before is not None and self.category in before.listed
            if told in near or (is_listed and version == 1):
                continue
            if before and any(
                told in listed(day) for day in before.dates_in(self.category) if day < on
            ):
                continue  # what changed later was not the text
            listing = self._listing(paper, on, version, is_new=not is_listed)
            found.setdefault(on, []).append((paper, listing))
        return found

    def corrected(self, day: Day) -> Day:
        """*day* without what the category's own feeds have told of other days."""
        known = self.papers.get_papers(paper.arxiv_id for paper in day.papers)
        near = self._listed_near([day.announced_on])
        kept = tuple(
            left
            for listing in day.listings[self.category]
            if (listing.arxiv_id, listing.version) not in near
            for left in self._left(listing, known.get(listing.arxiv_id))
        )
        ids = {listing.arxiv_id for listing in kept}
        told = tuple(paper for paper in day.papers if paper.arxiv_id in ids)
        return replace(day, papers=told, listings={self.category: kept})

    def _left(self, listing: Listing, known: Paper | None) -> list[Listing]:
        """*listing* as it is to be stored; nothing if the paper was new on another day."""
        first = known.listed.get(self.category) if known else None
        is_first = not listing.announce_type.is_replacement
        if not is_first or first is None or first.announce_type.is_replacement:
            return [listing]
        if first.announced_on == listing.announced_on:
            return [listing]
        if known is None or listing.version == 1:
            return []
        # New and replaced within what history takes for one day: the new version is what is left.
        told = AnnounceType.REPLACE
        told = type_in_category(told, primary=known.primary, category=self.category)
        return [replace(listing, announce_type=told)]

    def _listing(self, paper: Paper, on: date, version: int, *, is_new: bool) -> Listing:
        told = AnnounceType.NEW if is_new else AnnounceType.REPLACE
        return Listing(
            category=self.category,
            announced_on=on,
            arxiv_id=paper.arxiv_id,
            version=version,
            announce_type=type_in_category(told, primary=paper.primary, category=self.category),
            stored_at=self.now,
        )

    def _missed_on(self, history: History, gaps: Sequence[date]) -> date | None:
        """The missed day on which it must have been announced."""
        if self.category not in history.paper.categories or history.changed_on is None:
            return None
        return max((on for on in gaps if on <= history.changed_on), default=None)

    def _newest(self, history: History) -> tuple[int, date]:
        version = max(history.versions)
        return version, announced_on(history.versions[version], self.calendar)

    def _complete(self) -> frozenset[date]:
        """The dates of which all is stored: what belongs to them and is not there came later."""
        known = self.papers.list_announcements(self.category, last=eastern_date(self.now))
        return frozenset(a.announced_on for a in known if a.state is AnnouncementState.COMPLETE)

    def _listed_near(self, days: Sequence[date]) -> set[tuple[str, int]]:
        """Versions that are announced already, on the days around *days*."""
        around = {day + n * _DAY for day in days for n in range(-_NEAR_DAYS, _NEAR_DAYS + 1)}
        return {
            (listing.arxiv_id, listing.version)
            for day in sorted(around - {*days})
            if day <= eastern_date(self.now)
            for listing in self.papers.list_listings(self.category, day)
        }


def with_listings(day: Day, also: Iterable[tuple[Paper, Listing]]) -> Day:
    """*day* with the papers and listings of *also*, which must be of one category."""
    papers = {paper.arxiv_id: paper for paper in day.papers}
    listings = {category: list(some) for category, some in day.listings.items()}
    for paper, listing in also:
        known = papers.get(paper.arxiv_id, paper)
        papers[paper.arxiv_id] = listed_as(known, listing)
        listings[listing.category].append(listing)
    return replace(
        day,
        papers=tuple(papers.values()),
        listings={category: tuple(some) for category, some in listings.items()},
    )
