"""Reading what is announced: every feed asked for, judged, and asked again in parts if cut."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from paperpost.domain.categories import Taxonomy
from paperpost.domain.errors import FeedError
from paperpost.fetch.feeds import AnnouncementFeed, read_feed
from paperpost.fetch.sightings import covered
from paperpost.fetch.sources import Request, Source, halves

# A feed holds 2,000 items and cuts what is more without a word (arXiv/arxiv-feed on GitHub, read
# 2026-11-23), so one that comes near is not believed to be whole.
CUT = 2_000
NEAR_CUT = 1_900


@dataclass(slots=True, kw_only=True)
class Reading:
    """
    What the feeds told: those that can be believed, and why others, or items of them, cannot.

    `whole`: requests answered without any problem; `unchanged`: categories of those with nothing
    new since everything of them was stored.
    """

    feeds: list[AnnouncementFeed] = field(default_factory=list)
    problems: list[FeedError] = field(default_factory=list)
    whole: list[Request] = field(default_factory=list)
    unchanged: set[str] = field(default_factory=set)


def read_all(
    source: Source,
    *,
    taxonomy: Taxonomy,
    categories: Sequence[str],
    today: date,
    is_settled: Callable[[str], bool],
    held: Callable[[str], int] = lambda _category: 0,
) -> Reading:
    """
    Read every feed of *categories*; one whose categories are all settled only if it changed.

    *held* tells how many listings of a category are stored today: one that is settled with as many
    as a feed can hold was filled from elsewhere, and its cut feed owes nothing.

    Raises: FeedError: In a replay, for the first that cannot be believed.
    """
    told, left = Reading(), deque(source.requests(categories))
    while left:
        request = left.popleft()
        if_changed = bool(request.categories) and all(map(is_settled, request.categories))
        try:
            body = source.read(request, if_changed=if_changed)
            if body is None:
                told.unchanged.update(request.categories)
                continue
            feed = read_feed(body, source=request.address, is_strict=source.is_replay)
            members = covered(feed, taxonomy, categories)
            if not source.is_replay:
                _refuse_other(feed, request, members, today)
        except FeedError as exc:
            if source.is_replay:
                raise
            told.problems.append(exc)
            continue
        if len(request.categories) > 1 and (_is_near_cut(feed) or _has_strangers(feed, members)):
            left.extendleft(reversed(list(halves(source, request))))
            continue
        # A recorded file whose date the replay's clock has not reached is not announced yet.
        if feed.announced_on <= today:
            if not (all(map(is_settled, members)) and sum(map(held, members)) >= CUT):
                feed = _told_cut(feed)
            told.feeds.append(feed)
            told.problems += feed.refused
            if not feed.refused:
                told.whole.append(request)
    return told


def _is_near_cut(feed: AnnouncementFeed) -> bool:
    return len(feed.items) + len(feed.refused) >= NEAR_CUT


def _has_strangers(feed: AnnouncementFeed, members: Sequence[str]) -> bool:
    """Whether an item names none of the categories asked for: a smaller feed tells whose it is."""
    return any(not {*members} & {*item.categories} for item in feed.items)


def _told_cut(feed: AnnouncementFeed) -> AnnouncementFeed:
    """The feed of one category that is cut all the same owes what is beyond the cut."""
    if len(feed.items) + len(feed.refused) < CUT or len(feed.names) > 1:
        return feed
    cut = FeedError(feed.source, f"{len(feed.items):,} items: what is beyond them is cut off")
    return replace(feed, refused=(*feed.refused, cut))


def _refuse_other(
    feed: AnnouncementFeed, request: Request, members: Sequence[str], today: date
) -> None:
    missing = [category for category in request.categories if category not in members]
    if missing or not members:
        problem = f"the feed announces {', '.join(feed.names)[:80]} instead"
        if members:
            problem = f"the feed says nothing of {', '.join(missing)[:80]}"
        raise FeedError(feed.source, problem)
    if feed.announced_on > today:
        raise FeedError(feed.source, f"the feed is dated ahead of time: {feed.announced_on}")
