"""From feeds to what is to be stored: each paper once a date, each listing in its own category."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from paperpost.domain.announcements import type_in_category
from paperpost.domain.categories import Taxonomy
from paperpost.domain.errors import FeedError, InvalidInputError
from paperpost.domain.papers import AnnounceType, Listing, Paper, listed_as, merge_papers
from paperpost.fetch.feeds import AnnouncementFeed, FeedItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """
    What the feeds of one Eastern date announce in the configured categories.

    `listings` has a key for every category that a feed covers, also where it lists nothing there.
    `owed`: category → items of its feeds that could not be read. `crossed`: ids of papers that were
    only added to a category, after they had been announced.
    """

    announced_on: date
    papers: tuple[Paper, ...]
    listings: dict[str, tuple[Listing, ...]]
    owed: dict[str, int] = field(default_factory=dict)
    crossed: frozenset[str] = frozenset()


def days(
    feeds: Iterable[AnnouncementFeed],
    *,
    taxonomy: Taxonomy,
    categories: Sequence[str],
    now: datetime,
) -> list[Day]:
    """
    What *feeds* announce in *categories* (canonical codes), oldest date first.

    Raises: FeedError: If a feed announces what arXiv does not have.
    """
    by_date: dict[date, list[AnnouncementFeed]] = {}
    for feed in feeds:
        by_date.setdefault(feed.announced_on, []).append(feed)
    return [
        _day(on, by_date[on], taxonomy=taxonomy, categories=categories, now=now)
        for on in sorted(by_date)
    ]


def covered(
    feed: AnnouncementFeed, taxonomy: Taxonomy, categories: Sequence[str]
) -> tuple[str, ...]:
    """Those of *categories* that *feed* announces: a category itself, an archive's members."""
    named: set[str] = set()
    for name in feed.names:
        if taxonomy.is_archive(name.casefold()):
            named.update(taxonomy.members(name.casefold()))
            continue
        try:
            named.add(taxonomy.canonical(name))
        except InvalidInputError as exc:
            raise FeedError(feed.source, f"the feed announces {name[:40]!r}: {exc}") from exc
    return tuple(category for category in categories if category in named)


def _day(
    on: date,
    feeds: Iterable[AnnouncementFeed],
    *,
    taxonomy: Taxonomy,
    categories: Sequence[str],
    now: datetime,
) -> Day:
    papers: dict[str, Paper] = {}
    listings: dict[str, dict[str, Listing]] = {}
    owed: dict[str, int] = {}
    crossed = set[str]()
    for feed in feeds:
        members = covered(feed, taxonomy, categories)
        for category in members:
            listings.setdefault(category, {})
            if feed.refused:
                owed[category] = owed.get(category, 0) + len(feed.refused)
        for item in feed.items:
            if item.announce_type is AnnounceType.CROSS and item.categories[0] in members:
                crossed.add(item.arxiv_id)
            for listing in _listings(item, feed, members, now):
                of_category = listings[listing.category]
                told = of_category.setdefault(item.arxiv_id, listing)
                # Two feeds may tell the type differently, each relative to itself: the newer news.
                if listing.announce_type.rank < told.announce_type.rank:
                    of_category[item.arxiv_id] = listing
                paper = _paper(item, listing)
                papers[item.arxiv_id] = merge_papers(papers.get(item.arxiv_id), paper)
    return Day(
        announced_on=on,
        papers=tuple(papers.values()),
        listings={category: tuple(found.values()) for category, found in listings.items()},
        owed=owed,
        crossed=frozenset(crossed),
    )


def _listings(
    item: FeedItem, feed: AnnouncementFeed, members: Sequence[str], now: datetime
) -> list[Listing]:
    """The item's listings: in each member among its categories, or in the only one announced."""
    listed_in = [category for category in members if category in item.categories]
    if not listed_in and len(feed.names) == len(members) == 1:
        listed_in = list(members)
    return [
        Listing(
            category=category,
            announced_on=feed.announced_on,
            arxiv_id=item.arxiv_id,
            version=item.version,
            announce_type=type_in_category(
                item.announce_type, primary=item.categories[0], category=category
            ),
            stored_at=now,
        )
        for category in listed_in
    ]


def _paper(item: FeedItem, listing: Listing) -> Paper:
    paper = Paper(
        arxiv_id=item.arxiv_id,
        version=item.version,
        title=item.title,
        abstract=item.abstract,
        authors=item.authors,
        categories=item.categories,
        licence=item.licence,
        doi=item.doi,
        journal_ref=item.journal_ref,
        withdrawn=item.withdrawn,
    )
    return listed_as(paper, listing)
