"""Entries that stand on another day than their announcement's: late arrivals, and what is kept."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from paperpost.domain.announcements import eastern_date
from paperpost.domain.gate import Shown
from paperpost.domain.papers import AnnounceType, FirstListing, Listing, Paper
from paperpost.domain.records import Record
from paperpost.publish.days import Day
from paperpost.publish.entries import midnight
from paperpost.publish.feeds import FeedFiles
from paperpost.publish.known import Known
from paperpost.publish.press import Press


@dataclass(frozen=True, slots=True, kw_only=True)
class Latecomers:
    """
    Records on the day that a feed shows them at.

    `moved`: what readers have there already. `fresh`: late arrivals that no feed was made with
    yet; they enter on that day if their true one has left the window.
    """

    moved: tuple[Record, ...] = ()
    fresh: tuple[Record, ...] = ()


def latecomers(
    press: Press, category: str, known: Known, days: Sequence[Day], seen: Sequence[Shown]
) -> Latecomers:
    """Those of *category*; *seen*: what its readers see."""
    published = {shown.arxiv_id: shown.announced_on for shown in seen}
    moved = moved_entries(press, category, days, published)
    return Latecomers(
        moved=tuple(records_on(press, (category,), moved)),
        fresh=tuple(
            record
            for record in arrived_late(days)
            if record.arxiv_id not in published and record.arxiv_id not in known.late
        ),
    )


def late_note(known: Known, days: Iterable[Day]) -> dict[str, str]:
    """What to note of late arrivals, id → day of storing, while a feed may reach back to it."""
    arrived = {record.arxiv_id: record.listing.announced_on for record in arrived_late(days)}
    reach = min((a.announced_on for a in known.window), default=date.max)
    both = {**arrived, **known.late}
    return {arxiv_id: on.isoformat() for arxiv_id, on in sorted(both.items()) if on >= reach}


def arrived_late(days: Iterable[Day]) -> Iterator[Record]:
    """The new and cross-listed papers that missed their issue, on the date they were stored."""
    for day in days:
        for record in day.records:
            if record.arxiv_id in day.late and not record.listing.announce_type.is_replacement:
                on = eastern_date(record.listing.stored_at)
                yield replace(record, listing=replace(record.listing, announced_on=on))


def moved_entries(
    press: Press, category: str, days: Sequence[Day], published: Mapping[str, date]
) -> dict[str, date]:
    """
    Those of *published* (id → day) that stand on another day than their announcement's.

    What readers see is the memory of it, since it is replaced on condition; notes may lag behind.
    """
    firsts, again = dict[str, date](), set[tuple[str, date]]()
    for day in days:
        for record in day.records:
            if not record.listing.announce_type.is_replacement:
                firsts[record.arxiv_id] = day.announced_on
            elif press.settings.replacements_in_feeds:  # an entry by itself, which moves with it
                again.add((record.arxiv_id, day.announced_on))
    for arxiv_id, paper in press.papers.get_papers(sorted(published.keys() - firsts)).items():
        if first := first_listing(paper, (category,)):
            firsts[arxiv_id] = first[1].announced_on
    return {
        arxiv_id: on
        for arxiv_id, on in published.items()
        if firsts.get(arxiv_id, on) < on and (arxiv_id, on) not in again
    }


def with_late(make: Callable[[Sequence[Record]], FeedFiles], fresh: Sequence[Record]) -> FeedFiles:
    """The feed that *make* builds; those of *fresh* that it lacks without it are given to it."""
    moved: list[Record] = []
    while True:
        feeds = make(moved)
        there = {shown.arxiv_id for shown in feeds.shown} | {r.arxiv_id for r in moved}
        missed = [record for record in fresh if record.arxiv_id not in there]
        if not missed:
            return feeds
        moved += missed


def standing(listed: Iterable[Record], moved: Sequence[Record]) -> Iterator[Record]:
    """*listed* with the first listings of *moved* papers on the days that those stand on."""
    elsewhere = {record.arxiv_id for record in moved}
    for record in listed:
        if record.listing.announce_type.is_replacement or record.arxiv_id not in elsewhere:
            yield record
    yield from moved


def records_on(
    press: Press, categories: Sequence[str], dates: Mapping[str, date]
) -> Iterator[Record]:
    """The papers of *dates* (id → day) with their present texts, as listed on those days."""
    papers = press.papers.get_papers(sorted(dates))
    enrichments = press.papers.get_enrichments(sorted(dates), press.settings.languages)
    for arxiv_id, paper in papers.items():
        first = first_listing(paper, categories)
        listing = Listing(
            category=first[0] if first else paper.primary,
            announced_on=dates[arxiv_id],
            arxiv_id=arxiv_id,
            version=paper.version,
            announce_type=first[1].announce_type if first else AnnounceType.NEW,
            stored_at=midnight(dates[arxiv_id]),
        )
        yield Record(paper=paper, listing=listing, enrichments=enrichments.get(arxiv_id, {}))


def first_listing(paper: Paper, categories: Sequence[str]) -> tuple[str, FirstListing] | None:
    """Where and when the first of *categories* announced *paper*; new before cross-listed."""
    listed = [
        (first.announced_on, first.announce_type.rank, category)
        for category in categories
        if (first := paper.listed.get(category)) and not first.announce_type.is_replacement
    ]
    return (min(listed)[2], paper.listed[min(listed)[2]]) if listed else None
