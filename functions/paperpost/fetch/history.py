"""What must have been announced on a date, worked out from when papers were submitted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from paperpost.domain.announcements import EASTERN, Calendar, type_in_category
from paperpost.domain.categories import canonical
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.ids import parse_id
from paperpost.domain.papers import (
    AnnounceType,
    Author,
    Listing,
    Paper,
    listed_as,
    merge_papers,
)
from paperpost.fetch.oai import OaiRecord
from paperpost.fetch.sightings import Day

if TYPE_CHECKING:
    import arxiv  # a function that asks only OAI-PMH does not load it

# What comes in by 14:00 Eastern time, Monday to Friday, is announced at 20:00 of that day (on
# Sunday for what came in by Friday), and stands in the feed of the day after.
# Source: https://info.arxiv.org/help/availability.html, read 2026-11-23.
DEADLINE = time(14)
# Replacements from version 6 on are in no feed. Source: arXiv/arxiv-feed on GitHub, 2026-11-23.
MOST_ANNOUNCED = 5
_LAST_WEEKDAY = 4
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """
    A paper as it is now (`listed` is empty), and when each known version was submitted.

    `changed_on`: the date of the last change of any kind, None if that is not told.
    """

    paper: Paper
    versions: Mapping[int, datetime]
    changed_on: date | None = None


def announced_on(submitted_at: datetime, calendar: Calendar) -> date:
    """
    Return the Eastern date whose feed announces what arXiv received at *submitted_at*.

    That is the earliest possible date. What stays unknown: see days().

    Raises: ValueError: If *submitted_at* is naive.
    """
    if submitted_at.tzinfo is None:
        raise ValueError("a time without zone has no Eastern date")
    local = submitted_at.astimezone(EASTERN)
    deadline = local.date() + (_DAY if local.time() >= DEADLINE else timedelta())
    while deadline.weekday() > _LAST_WEEKDAY:
        deadline += _DAY
    return _due_after(deadline, calendar)


def submissions_of(on: date, calendar: Calendar) -> tuple[datetime, datetime]:
    """
    From when (included) until when (not included) what the feed of *on* announces came in, in UTC.

    Raises: ValueError: If the calendar says that nothing is announced on *on*.
    """
    if reason := calendar.quiet_reason(on):
        raise ValueError(f"nothing is announced on {on}: {reason}")
    before = on - _DAY
    while calendar.quiet_reason(before):
        before -= _DAY
    return _deadline(_weekday_before(before)), _deadline(_weekday_before(on))


def from_record(record: OaiRecord) -> History:
    """
    The history of a record in the format arXivRaw.

    Raises: InvalidInputError: If it is in the format arXiv, which tells no version's date.
    """
    if not record.versions:
        raise InvalidInputError(f"{record.arxiv_id}: the format arXiv does not tell the versions")
    newest = record.versions[-1]
    paper = Paper(
        arxiv_id=record.arxiv_id,
        version=newest.version,
        title=record.title,
        abstract=record.abstract,
        authors=record.authors,
        categories=record.categories,
        licence=record.licence,
        doi=record.doi,
        journal_ref=record.journal_ref,
        comment=record.comment,
        submitted_at=record.versions[0].submitted_at,
        updated_at=newest.submitted_at,
        withdrawn=record.withdrawn,
    )
    return History(
        paper=paper,
        versions={v.version: v.submitted_at for v in record.versions},
        changed_on=record.datestamp,
    )


def from_result(result: "arxiv.Result") -> History:
    """
    The history that an entry of the API tells: its first version and its newest, none between.

    Raises: InvalidInputError: If the entry has no versioned id, or no category.
    """
    told = parse_id(result.entry_id)
    coded = canonical((result.primary_category, *result.categories))
    categories = tuple(code for code in coded if code)
    if told.version is None or not categories:
        raise InvalidInputError(f"{told.arxiv_id} comes without its version or its category")
    paper = Paper(
        arxiv_id=told.arxiv_id,
        version=told.version,
        title=" ".join(result.title.split()),
        abstract=result.summary.strip(),
        authors=tuple(
            Author(name=author.name, affiliations=tuple(author.affiliation))
            for author in result.authors
        ),
        categories=categories,
        doi=result.doi or None,
        journal_ref=result.journal_ref or None,
        comment=result.comment or None,
        submitted_at=result.published,
        updated_at=result.updated,
    )
    return History(paper=paper, versions={told.version: result.updated, 1: result.published})


def days(
    histories: Iterable[History],
    *,
    categories: Sequence[str],
    calendar: Calendar,
    first: date,
    last: date,
    now: datetime,
) -> list[Day]:
    """
    What must have been announced in *categories* from *first* to *last*, oldest date first.

    Each date on which a batch was due has its Day, with a key for every category, also where
    nothing is listed: give only whole histories, or an empty announcement means nothing.

    Type and date follow from the versions' dates of submission. History does not tell, so a feed
    of the day, where there is one, is to be preferred:
    - that moderation held a version back, or that arXiv put a mailing off without notice: it was
      then announced later than on the date found here, never earlier;
    - a cross-list that was added later: it is filed as if it had been there from the start;
    - what a paper's categories, title and abstract were then: those of now are taken;
    - what was removed altogether, and, from the API alone, versions between first and newest.
    Versions from 6 on were in no feed and are left out.
    """
    wanted = {on: _Drafted(on, categories) for on in _due(first, last, calendar)}
    for history in _merged(histories):
        for version, submitted_at in sorted(history.versions.items()):
            if version > MOST_ANNOUNCED:
                continue
            drafted = wanted.get(announced_on(submitted_at, calendar))
            if drafted is not None:
                drafted.add(history.paper, version, now)
    return [wanted[on].day() for on in sorted(wanted)]


class _Drafted:
    """One date while its listings are gathered: a paper once a category, its newest version."""

    def __init__(self, on: date, categories: Sequence[str]) -> None:
        self._on = on
        self._papers: dict[str, Paper] = {}
        self._listings: dict[str, dict[str, Listing]] = {category: {} for category in categories}

    def add(self, paper: Paper, version: int, now: datetime) -> None:
        for category in (c for c in paper.categories if c in self._listings):
            told = AnnounceType.NEW if version == 1 else AnnounceType.REPLACE
            announce_type = type_in_category(told, primary=paper.primary, category=category)
            before = self._listings[category].get(paper.arxiv_id)
            if before is not None:  # two versions in one day are listed once: a new paper stays new
                announce_type = min(before.announce_type, announce_type, key=lambda t: t.rank)
            listing = Listing(
                category=category,
                announced_on=self._on,
                arxiv_id=paper.arxiv_id,
                version=version,
                announce_type=announce_type,
                stored_at=now,
            )
            self._listings[category][paper.arxiv_id] = listing
            known = self._papers.get(paper.arxiv_id, paper)
            self._papers[paper.arxiv_id] = listed_as(known, listing)

    def day(self) -> Day:
        return Day(
            announced_on=self._on,
            papers=tuple(self._papers.values()),
            listings={c: tuple(found.values()) for c, found in self._listings.items()},
        )


def _merged(histories: Iterable[History]) -> Iterator[History]:
    """Each paper once, with what every source tells of it, in order of ids."""
    found: dict[str, History] = {}
    for history in histories:
        known = found.get(history.paper.arxiv_id)
        found[history.paper.arxiv_id] = History(
            paper=merge_papers(known.paper if known else None, history.paper),
            versions={**(known.versions if known else {}), **history.versions},
        )
    return (found[arxiv_id] for arxiv_id in sorted(found))


def _due(first: date, last: date, calendar: Calendar) -> Iterator[date]:
    for number in range((last - first).days + 1):
        on = first + number * _DAY
        if not calendar.quiet_reason(on):
            yield on


def _due_after(day: date, calendar: Calendar) -> date:
    on = day + _DAY
    while calendar.quiet_reason(on):
        on += _DAY
    return on


def _weekday_before(day: date) -> date:
    before = day - _DAY
    while before.weekday() > _LAST_WEEKDAY:
        before -= _DAY
    return before


def _deadline(on: date) -> datetime:
    return datetime.combine(on, DEADLINE, EASTERN).astimezone(UTC)
