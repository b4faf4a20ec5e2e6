"""Which papers a named feed shows, and on which day each of them stands."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from paperpost.domain.gate import Shown
from paperpost.domain.namedfeeds import NamedFeed
from paperpost.domain.papers import AnnounceType
from paperpost.domain.records import Record
from paperpost.domain.rules import passes
from paperpost.domain.windows import MOST_DAYS, MOST_ENTRIES
from paperpost.publish.known import Known
from paperpost.publish.latecomers import first_listing, records_on
from paperpost.publish.press import Press

_ALWAYS_WHOLE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """
    The papers of a named feed. `seen`: what its readers have, as far as that binds it.

    `fresh`: late arrivals that it was not made with yet.
    """

    records: tuple[Record, ...]
    fresh: tuple[Record, ...]
    seen: tuple[Shown, ...]

    @property
    def is_published(self) -> bool:
        """Whether readers have every one of them."""
        return {r.arxiv_id for r in self.records} <= {shown.arxiv_id for shown in self.seen}


def choose(
    press: Press,
    feed: NamedFeed,
    known: Mapping[str, Known],
    *,
    seen: Sequence[Shown],
    dealt: Collection[str],
) -> Choice:
    """
    Choose for *feed*; *dealt*: late arrivals that it was made with before.

    An entry that readers have keeps its day, and stays though a later version or a translation no
    longer matches; it goes with its day alone. So a feed of rare papers never runs empty. An entry
    that is a replacement moves with it, or goes where the operator wants no such entries.
    """
    dates = {shown.arxiv_id: shown.announced_on for shown in seen}
    kept, again = dict[str, Record](), dict[str, Record]()
    for record in records_on(press, feed.categories, dates):
        (again if _is_replacement(record, feed, known) else kept)[record.arxiv_id] = record
    if press.settings.replacements_in_feeds:
        again = {i: _as(record, AnnounceType.REPLACE) for i, record in again.items()}
    else:
        seen, again = [shown for shown in seen if shown.arxiv_id not in again], {}
    records = {**again, **_found(press, feed, known, without=kept), **kept}
    return Choice(
        records=tuple(records.values()),
        fresh=tuple(_fresh(press, feed, known, without={*dealt, *dates})),
        seen=tuple(seen),
    )


def _found(
    press: Press, feed: NamedFeed, known: Mapping[str, Known], *, without: Collection[str]
) -> dict[str, Record]:
    """The papers that match, at their first listing in the feed's categories."""
    found: dict[str, Record] = {}
    entered: set[date] = set()
    oldest = date.max
    for oldest in _dates(known):
        for record in _records(press, known, oldest):
            if record.arxiv_id in found or record.arxiv_id in without:
                continue
            if passes(record, include=feed.include, exclude=feed.exclude):
                found[record.arxiv_id] = record
                entered.add(oldest)
        if len(entered) > MOST_DAYS or (len(entered) > _ALWAYS_WHOLE and len(found) > MOST_ENTRIES):
            break
    return {i: r for i, record in found.items() if (r := _placed(record, feed, oldest=oldest))}


def _dates(known: Mapping[str, Known]) -> list[date]:
    """The published dates of any category, newest first, as far back as feeds may reach."""
    dates = {a.announced_on for k in known.values() for a in k.window}
    return sorted(dates, reverse=True)


def _records(press: Press, known: Mapping[str, Known], on: date) -> Iterator[Record]:
    """What may be an entry of a date's papers in every category that shows it."""
    for one in known.values():
        announced = [a for a in one.window if a.announced_on == on]
        if announced and one.counted(on) is not None:
            for day in press.sources.days(announced):
                for record in day.records:
                    is_replacement = record.listing.announce_type.is_replacement
                    if press.settings.replacements_in_feeds or not is_replacement:
                        yield record


def _placed(record: Record, feed: NamedFeed, *, oldest: date) -> Record | None:
    """
    Return *record* at its first listing in the feed's categories.

    If that day was not read, None; but a replacement is an entry by itself.
    """
    first = first_listing(record.paper, feed.categories)
    if first is None:
        return record
    category, listed = first
    if listed.announced_on < oldest:
        return record if record.listing.announce_type.is_replacement else None
    listing = replace(record.listing, category=category, announced_on=listed.announced_on)
    return _as(replace(record, listing=listing), listed.announce_type)


def _fresh(
    press: Press, feed: NamedFeed, known: Mapping[str, Known], *, without: Collection[str]
) -> Iterator[Record]:
    """The papers that match and came late to their first category, on the day they were stored."""
    late = {i: on for one in known.values() for i, on in one.late.items() if i not in without}
    for record in records_on(press, feed.categories, late):
        on = _stored_late_on(record, feed, known)
        if on and passes(record, include=feed.include, exclude=feed.exclude):
            yield replace(record, listing=replace(record.listing, announced_on=on))


def _is_replacement(record: Record, feed: NamedFeed, known: Mapping[str, Known]) -> bool:
    """Whether the entry stands where it does because the paper was replaced on that day."""
    on, paper = record.listing.announced_on, record.paper
    first = first_listing(paper, feed.categories)
    if (first and first[1].announced_on == on) or _stored_late_on(record, feed, known) == on:
        return False
    return any(on in paper.replaced.get(category, ()) for category in feed.categories)


def _stored_late_on(record: Record, feed: NamedFeed, known: Mapping[str, Known]) -> date | None:
    first = first_listing(record.paper, feed.categories)
    one = known.get(first[0]) if first else None
    return one.late.get(record.arxiv_id) if one else None


def _as(record: Record, announce_type: AnnounceType) -> Record:
    return replace(record, listing=replace(record.listing, announce_type=announce_type))
