"""Which issues there must be, and what each owes every reader: from the feeds and their forms."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from oracle.source import EASTERN, FIRST_SIGHT, Announced, Truth, read_sources
from oracle.wishes import Wishes, wishes_of

_CUTOFF = time(7, 30)
_SPAN = timedelta(days=14)
_WITHDRAWN_FOR = timedelta(days=30)
_FRIDAY = 4


class Listing(NamedTuple):
    """One paper in one category's announcement; it could be read from `at` on."""

    arxiv_id: str
    category: str
    on: date
    type: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Issue:
    """A mailing: `days` are those it is about, `listings` what it holds besides late ones too."""

    name: str
    cadence: str
    days: tuple[date, ...]
    frozen_at: datetime
    listings: tuple[Listing, ...]

    @cached_property
    def by_paper(self) -> Mapping[str, Sequence[Listing]]:
        """The listings by paper."""
        found = defaultdict[str, list[Listing]](list)
        for listing in self.listings:
            found[listing.arxiv_id].append(listing)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What a letter must hold, by section; `most` of the first three tiers and replacements."""

    new: frozenset[str] = frozenset()
    matched: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    replaced: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    most: int | None = None

    @property
    def tiers(self) -> tuple[frozenset[str], ...]:
        """What a limit counts, in the letter's order."""
        return self.matched, self.new - self.matched, self.late, self.replaced

    @property
    def all(self) -> frozenset[str]:
        """Every paper."""
        return self.new | self.late | self.replaced | self.withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """An address; `wishes`: from when which hold; `left_at`: None while they stay."""

    address: str
    joined_at: datetime
    wishes: tuple[tuple[datetime, Wishes], ...]
    left_at: datetime | None = None

    def at(self, moment: datetime) -> Wishes:
        """The wishes that hold at *moment*."""
        return next(wishes for since, wishes in reversed(self.wishes) if since <= moment)

    def gets(self, issue: Issue) -> Wishes | None:
        """The wishes by which the reader gets *issue*, or None if it is not for them at all."""
        if self.joined_at >= issue.frozen_at:
            return None
        due = self.at(issue.frozen_at).due(issue.frozen_at)
        wishes = self.at(due)
        if wishes.cadence != issue.cadence or (self.left_at and self.left_at <= due):
            return None
        local = due.astimezone(ZoneInfo(wishes.zone)).date()
        return None if wishes.paused_until and local < wishes.paused_until else wishes


@dataclass(frozen=True, kw_only=True)
class World:
    """All that was announced, when it could be read, and the issues that follow from it."""

    listings: Sequence[Listing]
    papers: Mapping[str, Sequence[tuple[datetime, date, Announced]]]
    truth: Truth
    _owed: dict[tuple[str, Wishes], Owed] = field(default_factory=dict)

    @cached_property
    def issues(self) -> Sequence[Issue]:
        """Those of each cadence in the order of their dates."""
        return [*self._of("daily", _daily_freezes), *self._of("weekly", _weekly_freezes)]

    def owed(self, issue: Issue, wishes: Wishes) -> Owed:
        """What *issue* owes a reader who wants that."""
        key = issue.name, wishes
        if key not in self._owed:
            self._owed[key] = self._judge(issue, wishes)
        return self._owed[key]

    def paper(self, arxiv_id: str, at: datetime) -> Announced:
        """The paper as the newest version says that could be read by *at*."""
        known = [
            (on, read_at, told) for read_at, on, told in self.papers[arxiv_id] if read_at <= at
        ]
        return max(known, key=lambda each: each[:2])[2]

    def _with_earlier(self, paper: Announced, at: datetime) -> Announced:
        """A withdrawal concerns whom the paper did before: its notice, and all that it said."""
        if not paper.is_withdrawal:
            return paper
        said = [told.abstract for read_at, _, told in self.papers[paper.arxiv_id] if read_at <= at]
        return replace(paper, abstract="\n\n".join(dict.fromkeys(said)))

    def _judge(self, issue: Issue, wishes: Wishes) -> Owed:
        found = defaultdict[str, set[str]](set)
        for arxiv_id, listings in issue.by_paper.items():
            paper = self.paper(arxiv_id, issue.frozen_at)
            own = [x for x in listings if x.category in wishes.categories]
            if not own or not wishes.allow(self._with_earlier(paper, issue.frozen_at)):
                continue
            if section := self._section(issue, wishes, arxiv_id, own, paper):
                found[section].add(arxiv_id)
                if section == "new" and wishes.is_matched(paper):
                    found["matched"].add(arxiv_id)
        return Owed(most=wishes.most, **{name: frozenset(ids) for name, ids in found.items()})

    def _section(
        self,
        issue: Issue,
        wishes: Wishes,
        arxiv_id: str,
        own: Sequence[Listing],
        paper: Announced,
    ) -> str:
        """Where the paper stands in the letter, or '' if it is not for this reader."""
        if self._first_issue(issue, wishes, arxiv_id) == issue.name:
            shown = [x for x in own if x.type in wishes.types & FIRST_SIGHT]
            return "late" if all(x.on < issue.days[0] for x in shown) else "new"
        again = [x for x in own if x.type not in FIRST_SIGHT]
        if not again:
            return ""
        if paper.is_withdrawal and self._was_due(issue, wishes, arxiv_id):
            return "withdrawn"
        return "replaced" if any(x.type in wishes.types for x in again) else ""

    def _first_issue(self, issue: Issue, wishes: Wishes, arxiv_id: str) -> str:
        """The first issue of the cadence that has it as new or cross for these wishes, or ''."""
        for earlier in self.issues:
            if earlier.cadence == issue.cadence and earlier.frozen_at <= issue.frozen_at:
                for x in earlier.by_paper.get(arxiv_id, ()):
                    if x.category in wishes.categories and x.type in wishes.types & FIRST_SIGHT:
                        return earlier.name
        return ""

    def _was_due(self, issue: Issue, wishes: Wishes, arxiv_id: str) -> bool:
        last = issue.days[-1]
        return any(
            x.arxiv_id == arxiv_id
            and x.at <= issue.frozen_at
            and x.category in wishes.categories
            and x.type in wishes.types & FIRST_SIGHT
            and last - _WITHDRAWN_FOR <= x.on <= last
            for x in self.listings
        )

    def _of(self, cadence: str, freezes: Any) -> Iterator[Issue]:
        mailed = set[Listing]()
        for name, days, frozen_at in freezes(self.listings):
            held = tuple(
                x
                for x in self.listings
                if x.at <= frozen_at and days[0] - _SPAN <= x.on <= days[-1] and x not in mailed
            )
            mailed |= {*held}
            yield Issue(name=name, cadence=cadence, days=days, frozen_at=frozen_at, listings=held)


def read_world(feeds: Path, announced: Iterable[Mapping[str, str]]) -> World:
    """The files of *feeds*, each from its moment on."""
    listings = list[Listing]()
    papers = defaultdict[str, list[tuple[datetime, date, Announced]]](list)
    paths = list[Path]()
    for told in announced:
        path, at = feeds / told["file"], datetime.fromisoformat(told["at"])
        paths.append(path)
        for key, items in read_sources([path], None).days.items():
            for arxiv_id, paper in items.items():
                kind = paper.type_in(key.category)
                listings.append(Listing(arxiv_id, key.category, key.announced_on, kind, at))
                papers[arxiv_id].append((at, key.announced_on, paper))
    return World(listings=listings, papers=papers, truth=read_sources(paths, None))


def read_people(value: Mapping[str, Any]) -> list[Reader]:
    """Everybody who joined, from their own events."""
    return [_reader(one["address"], one["events"]) for one in value["people"]]


def _reader(address: str, events: Sequence[Mapping[str, Any]]) -> Reader:
    wishes = list[tuple[datetime, Wishes]]()
    fields: dict[str, Any] = {}
    left_at = None
    for event in events:
        at = datetime.fromisoformat(event["at"])
        if event["what"] == "left":
            left_at = at
            continue
        wishes.append((at, wishes_of(event["wishes"], fields)))
        fields |= event["wishes"]
    return Reader(address=address, joined_at=wishes[0][0], wishes=tuple(wishes), left_at=left_at)


def _daily_freezes(
    listings: Iterable[Listing],
) -> Iterator[tuple[str, tuple[date, ...], datetime]]:
    """A date's issue is frozen when something of it comes, unless a newer one was before."""
    first = _first_read(listings)
    for on in sorted(first):
        if not any(at <= first[on] for newer, at in first.items() if newer > on):
            yield f"daily-{on}", (on,), first[on]


def _weekly_freezes(
    listings: Sequence[Listing],
) -> Iterator[tuple[str, tuple[date, ...], datetime]]:
    """Monday to Friday, with Friday's announcement, or at the cut-off where none comes."""
    first = _first_read(listings)
    mondays = sorted({on - timedelta(days=on.weekday()) for on in first})
    for monday in mondays:
        days = tuple(monday + timedelta(days=n) for n in range(_FRIDAY + 1))
        cutoff = datetime.combine(days[-1], _CUTOFF, EASTERN).astimezone(UTC)
        frozen_at = min(first.get(days[-1], cutoff), cutoff)
        if any(x.on in days and x.at <= frozen_at for x in listings):
            year, week, _ = monday.isocalendar()
            yield f"weekly-{year}-W{week:02}", days, frozen_at


def _first_read(listings: Iterable[Listing]) -> dict[date, datetime]:
    found: dict[date, datetime] = {}
    for listing in listings:
        found[listing.on] = min(listing.at, found.get(listing.on, listing.at))
    return found
