"""Issues: which listings the shared mailing of a date holds, and what of it one reader gets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from paperpost.domain.announcements import (
    EASTERN,
    Announcement,
    AnnouncementState,
    eastern_date,
)
from paperpost.domain.deliveries import OVERDUE_AFTER
from paperpost.domain.enrichments import Enrichment, is_current, text_hash
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.papers import AnnounceType, Listing, Paper
from paperpost.domain.records import Record, reading_order
from paperpost.domain.subscribers import Cadence

SPAN_DAYS = 14
# The issue of what counts as mailed although none holds it; it sorts before every issue's name.
BEFORE = ""
_FRIDAY, _SATURDAY = 5, 6  # ISO weekdays
_WEEKLY_HOUR = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """
    As what a category lists a paper, and the first issue of the cadence that holds that.

    `issue` is BEFORE where the listing counts as mailed.
    """

    announce_type: AnnounceType
    issue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenPaper:
    """
    A paper in an issue with all its listings there; `record` carries the first of them.

    `first`: category → First, for every category that has it as new or cross.
    """

    record: Record
    listings: tuple[Listing, ...]
    first: Mapping[str, First] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A category's receipt within an issue. `enriched`: language → papers shown with enrichment."""

    announced: int
    stored: int
    settled: bool
    enriched: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenIssue:
    """
    What deliver makes letters from: the same for everyone, and never changed.

    `announced_on`: its date, a weekly issue's Friday. `reason`: ready, or cutoff where a category
    was late. `counts`: category → Count. `is_first`: mail began with it, and what its span held of
    older dates counts as mailed. `too_late`: listings that came since the freeze before, new or
    cross, and are older than the span, so that no issue can hold them.
    """

    issue: str
    announced_on: date
    frozen_at: datetime
    reason: str
    papers: tuple[FrozenPaper, ...]
    counts: Mapping[str, Count]
    is_first: bool = False
    too_late: int = 0

    @property
    def cadence(self) -> Cadence:
        """Daily or weekly."""
        return cadence_and_date(self.issue)[0]

    def is_late(self, listing: Listing) -> bool:
        """Whether *listing* belongs to an earlier issue, whose freeze it missed."""
        return listing.announced_on < own_dates(self.cadence, self.announced_on)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What was listed up to the date `until` and stored by the time `at` counts as mailed."""

    until: date
    at: datetime

    def covers(self, listing: Listing) -> bool:
        """Whether *listing* is part of it."""
        return listing.announced_on <= self.until and listing.stored_at <= self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether an issue can be frozen now, and why, or what it waits for."""

    freeze: bool
    reason: str


# names and dates


def issue_id(cadence: Cadence, on: date) -> str:
    """`daily-2024-03-26`, or `weekly-2024-W13` for any date of that week."""
    if cadence is Cadence.DAILY:
        return f"daily-{on.isoformat()}"
    year, week, _ = on.isocalendar()
    return f"weekly-{year}-W{week:02}"


def cadence_and_date(issue: str) -> tuple[Cadence, date]:
    """
    Return the cadence and the date (weekly: the Friday) that an issue's id names.

    Raises: InvalidInputError: If it is no issue id.
    """
    cadence, _, rest = issue.partition("-")
    try:
        if cadence == Cadence.DAILY:
            return Cadence.DAILY, date.fromisoformat(rest)
        if cadence == Cadence.WEEKLY:
            year, week = rest.split("-W")
            return Cadence.WEEKLY, date.fromisocalendar(int(year), int(week), _FRIDAY)
    except ValueError as exc:
        raise InvalidInputError(f"not an issue: {issue[:40]!r}") from exc
    raise InvalidInputError(f"not an issue: {issue[:40]!r}")


def own_dates(cadence: Cadence, on: date) -> tuple[date, ...]:
    """The dates that an issue is about: its own, or Monday to Friday."""
    if cadence is Cadence.DAILY:
        return (on,)
    monday = on - timedelta(days=on.isoweekday() - 1)
    return tuple(monday + timedelta(days=n) for n in range(_FRIDAY))


def span(cadence: Cadence, on: date) -> tuple[date, ...]:
    """The dates whose listings an issue may hold, oldest first: its own and the 14 before them."""
    own = own_dates(cadence, on)
    return (*(own[0] - timedelta(days=n) for n in range(SPAN_DAYS, 0, -1)), *own)


def candidate_dates(cadence: Cadence, today: date) -> tuple[date, ...]:
    """The dates for which an issue may be frozen on the Eastern date *today*, oldest first."""
    dates = (today - timedelta(days=n) for n in range(SPAN_DAYS, -1, -1))
    if cadence is Cadence.DAILY:
        return tuple(dates)
    return tuple(on for on in dates if on.isoweekday() == _FRIDAY)


def recent_issues(now: datetime) -> list[str]:
    """The issues that a tick at *now* looks at: of each cadence the last 14 days, oldest first."""
    today = eastern_date(now)
    return [issue_id(cadence, on) for cadence in Cadence for on in candidate_dates(cadence, today)]


# when to freeze


def on_hold(
    announcements: Iterable[Announcement], *, now: datetime, hold: timedelta
) -> list[Announcement]:
    """The complete announcements whose enrichments may still be waited for."""
    return [
        a
        for a in announcements
        if a.state is AnnouncementState.COMPLETE and now < (a.completed_at or a.updated_at) + hold
    ]


def decide(
    announcements: Mapping[str, Announcement],
    *,
    categories: Iterable[str],
    unenriched: Iterable[str],
    now: datetime,
    cutoff_at: datetime,
) -> Decision:
    """
    Return whether an issue is ready: every category settled and none waiting for enrichments.

    *announcements*: category → its announcement of the issue's date. *unenriched*: categories on
    hold that miss an enrichment. The cut-off ends the wait for late or failed categories alone.
    """
    waiting = sorted(unenriched)
    if waiting:
        return Decision(freeze=False, reason=f"enrichment of {', '.join(waiting)}")
    late = [c for c in categories if c not in announcements or not _settled(announcements[c])]
    if not late:
        return Decision(freeze=True, reason="ready")
    if now < cutoff_at:
        return Decision(freeze=False, reason=f"announcement of {', '.join(late)}")
    return Decision(freeze=True, reason="cutoff")


def cutoff_at(on: date, cutoff: str) -> datetime:
    """The moment (UTC) of the Eastern time *cutoff* (hh:mm) on the date *on*."""
    return datetime.combine(on, time.fromisoformat(cutoff), EASTERN).astimezone(UTC)


def has_final_enrichments(
    paper: Paper, enrichments: Mapping[str, Enrichment], languages: Iterable[str]
) -> bool:
    """Whether nothing is to come for the paper's present text in any of *languages*."""
    return all(
        (found := enrichments.get(language)) is not None
        and found.state.is_final
        and found.text_hash == text_hash(paper)
        for language in languages
    )


def first_complete_on(announcements: Iterable[Announcement]) -> date | None:
    """
    The date of the announcement that was completed first, or None; earlier ones count as mailed.

    First in time, not by date: a later backfill of older dates floods nobody.
    """
    complete = [a for a in announcements if a.state is AnnouncementState.COMPLETE]
    if not complete:
        return None
    return min((a.completed_at or a.updated_at, a.announced_on) for a in complete)[1]


# freezing


def settled_by_lost(issue: str, frozen_at: datetime) -> Settled:
    """What counts as mailed of an *issue* that is in the ledger and whose file is lost."""
    return Settled(until=own_dates(*cadence_and_date(issue))[-1], at=frozen_at)


def freeze(
    *,
    cadence: Cadence,
    on: date,
    listings: Iterable[Listing],
    papers: Mapping[str, Paper],
    enrichments: Mapping[str, Mapping[str, Enrichment]],
    earlier: Sequence[FrozenIssue],
    settled: Sequence[Settled] = (),
    is_first: bool = False,
    first_complete: Mapping[str, date | None],
    counts: Mapping[str, Count],
    frozen_at: datetime,
    reason: str,
    too_late: int = 0,
) -> FrozenIssue:
    """
    Return the issue of the date *on*; its `papers` are empty if there is nothing to mail.

    *listings*: all that are stored in the issue's span. *earlier*: frozen issues of the same
    cadence in it. *settled*: what counts as mailed besides. *is_first*: mail begins with it.
    *first_complete*: category → the date before which listings count as mailed.
    """
    issue = issue_id(cadence, on)
    dates = span(cadence, on)
    own = own_dates(cadence, on)
    mailed = {_key(listing) for e in earlier for p in e.papers for listing in p.listings}
    begun = [(e.announced_on, e.frozen_at) for e in earlier if e.is_first]
    begun += [(on, frozen_at)] if is_first else []
    settled = [*settled, *(_settled_by_first(cadence, *each) for each in begun)]
    mailable: dict[str, list[Listing]] = {}
    first: dict[str, dict[str, First]] = {}
    for listing in listings:
        if _key(listing) in mailed or listing.arxiv_id not in papers:
            continue
        old = _counts_as_mailed(listing, own, first_complete.get(listing.category)) or any(
            each.covers(listing) for each in settled
        )
        if not old:
            mailable.setdefault(listing.arxiv_id, []).append(listing)
        if not listing.announce_type.is_replacement:
            found = First(announce_type=listing.announce_type, issue=BEFORE if old else issue)
            known = first.get(listing.arxiv_id, {})
            first[listing.arxiv_id] = _earliest(known, {listing.category: found})
    history = _history(earlier)
    frozen = [
        _frozen_paper(
            papers[arxiv_id],
            listed,
            enrichments.get(arxiv_id, {}),
            first=_earliest(
                _long_ago(papers[arxiv_id], cadence, before=dates[0]),
                first.get(arxiv_id, {}),
                history.get(arxiv_id, {}),
            ),
        )
        for arxiv_id, listed in mailable.items()
    ]
    return FrozenIssue(
        issue=issue,
        announced_on=on,
        frozen_at=frozen_at,
        reason=reason,
        papers=tuple(sorted(frozen, key=lambda p: reading_order(p.record))),
        counts=counts,
        is_first=is_first,
        too_late=too_late,
    )


def count(
    announcements: Iterable[Announcement], records: Iterable[Record], languages: Iterable[str]
) -> Count:
    """One category's receipt over the *announcements* and *records* of an issue's own dates."""
    announced, found = list(announcements), list(records)
    return Count(
        announced=sum(a.announced for a in announced),
        stored=len(found),
        settled=bool(announced) and all(map(_settled, announced)),
        enriched={
            language: sum(r.enrichment(language) is not None for r in found)
            for language in languages
        },
    )


def issue_of_records(records: Iterable[Record], *, frozen_at: datetime) -> FrozenIssue:
    """The daily issue of the newest date in *records*, as if nothing had been mailed before."""
    found = list(records)
    if not found:
        raise InvalidInputError("no records, no issue")
    on = max(record.listing.announced_on for record in found)
    by_category: dict[str, list[Record]] = {}
    for record in found:
        if record.listing.announced_on == on:
            by_category.setdefault(record.listing.category, []).append(record)
    languages = sorted({language for record in found for language in record.enrichments})
    counts = {
        category: replace(count((), listed, languages), announced=len(listed), settled=True)
        for category, listed in sorted(by_category.items())
    }
    return freeze(
        cadence=Cadence.DAILY,
        on=on,
        listings=[r.listing for listed in by_category.values() for r in listed],
        papers={r.arxiv_id: r.paper for r in found},
        enrichments={r.arxiv_id: r.enrichments for r in found},
        earlier=(),
        first_complete={},
        counts=counts,
        frozen_at=frozen_at,
        reason="ready",
    )


# when to send


def due_from(frozen_at: datetime, cutoff_at: datetime) -> datetime:
    """
    Return what due times count from: the freeze, or the issue's cut-off if that was long before.

    Where compose stood still for days, letters are so overdue at once, and wait for the operator.
    """
    return cutoff_at if frozen_at - cutoff_at > OVERDUE_AFTER else frozen_at


def due_at(
    cadence: Cadence,
    frozen_at: datetime,
    *,
    hour: int | None,
    zone: str,
    friday: date | None = None,
) -> datetime:
    """
    Return the moment (UTC) a reader's letter is due: at once, or at the first local *hour*.

    Weekly letters go on Saturday at that hour, or at 08:00; those of the week that ends with
    *friday* go at the next such hour where that Saturday is over, and not a week later. An hour
    that the clock skips moves forward with it; of an hour that comes twice the first counts.
    Raises: InvalidInputError: If there is no time zone *zone*.
    """
    if cadence is Cadence.DAILY and hour is None:
        return frozen_at
    try:
        there = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:  # a folder of zones: OSError
        raise InvalidInputError(f"no such time zone: {zone[:40]!r}") from exc
    at = time(_WEEKLY_HOUR if hour is None else hour)
    today = frozen_at.astimezone(there).date()
    days = [today + timedelta(days=n) for n in range(-1, 9)]
    if cadence is Cadence.WEEKLY:
        days = [d for d in days if (d > friday if friday else d.isoweekday() == _SATURDAY)]
    moments = (datetime.combine(day, at, there).astimezone(UTC) for day in days)
    return min(moment for moment in moments if moment >= frozen_at)


# helpers


def _settled(announcement: Announcement) -> bool:
    return announcement.state.is_settled


def _key(listing: Listing) -> tuple[str, date, AnnounceType, str]:
    return listing.category, listing.announced_on, listing.announce_type, listing.arxiv_id


def _history(earlier: Iterable[FrozenIssue]) -> dict[str, dict[str, First]]:
    """Paper id → category → the smallest First that the earlier issues tell."""
    known: dict[str, dict[str, First]] = {}
    for issue in earlier:
        for paper in issue.papers:
            arxiv_id = paper.record.arxiv_id
            known[arxiv_id] = _earliest(known.get(arxiv_id, {}), paper.first)
    return known


def _earliest(*known: Mapping[str, First]) -> dict[str, First]:
    """Category → the First of the smallest issue that any of *known* tells."""
    found: dict[str, First] = {}
    for of_category in known:
        for category, first in of_category.items():
            found[category] = min(first, found.get(category, first), key=_order)
    return found


def _order(first: First) -> tuple[str, int]:
    return first.issue, first.announce_type.rank


def _settled_by_first(cadence: Cadence, on: date, frozen_at: datetime) -> Settled:
    """What counts as mailed since mail began with the issue of *on*."""
    return Settled(until=own_dates(cadence, on)[0] - timedelta(days=1), at=frozen_at)


def _counts_as_mailed(listing: Listing, own: Sequence[date], first_complete: date | None) -> bool:
    """Whether *listing* is older than what this deployment mails of its category."""
    if first_complete is None:
        return listing.announced_on not in own
    return listing.announced_on < first_complete


def _long_ago(paper: Paper, cadence: Cadence, *, before: date) -> dict[str, First]:
    """The first listings of *paper* that are older than an issue's span."""
    return {
        category: First(
            announce_type=known.announce_type, issue=issue_id(cadence, known.announced_on)
        )
        for category, known in paper.listed.items()
        if known.announced_on < before and not known.announce_type.is_replacement
    }


def _frozen_paper(
    paper: Paper,
    listings: Iterable[Listing],
    enrichments: Mapping[str, Enrichment],
    *,
    first: Mapping[str, First],
) -> FrozenPaper:
    ordered = sorted(
        listings, key=lambda x: (-x.announced_on.toordinal(), x.announce_type.rank, x.category)
    )
    current = {language: e for language, e in enrichments.items() if is_current(e, paper)}
    return FrozenPaper(
        record=Record(paper=paper, listing=ordered[0], enrichments=current),
        listings=tuple(ordered),
        first=first,
    )
