"""Building one named feed: papers of several categories that pass its rules, each paper once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from paperpost.domain.gate import check_feed
from paperpost.domain.namedfeeds import NamedFeed
from paperpost.domain.papers import AnnounceType
from paperpost.domain.records import Record
from paperpost.publish.choosing import Choice, choose
from paperpost.publish.days import Day, data_hash
from paperpost.publish.entries import FeedDay, feed_days
from paperpost.publish.feedmeta import FeedMeta, about_choice
from paperpost.publish.feeds import FeedFiles, feed_files, feed_paths, named_metas
from paperpost.publish.files import read_files, replace_changed
from paperpost.publish.holding import held_days, would_lose
from paperpost.publish.inspection import seen_in
from paperpost.publish.known import BUILD, Known
from paperpost.publish.latecomers import standing, with_late
from paperpost.publish.pages import named_page
from paperpost.publish.press import Press
from paperpost.publish.readback import check_readable


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedBuilt:
    """What came of a build; the fields are those of a category's."""

    has_feed: bool
    changed: bool = False
    puts: int = 0
    minimal: Mapping[str, str] = field(default_factory=dict)
    shrunk: int = 0


def build_named(
    press: Press, feed: NamedFeed, known: Mapping[str, Known], *, now: datetime
) -> NamedBuilt:
    """
    Publish what changed of *feed*; *known*: what is published of its categories.

    Only days that readers see on the categories' own pages are taken.

    Raises:
        RefusedError: If the gate refuses a file; then nothing of the feed was put.
        ConflictError: If another publisher put one of its files meanwhile.
    """
    note = press.papers.get_published(feed.folder).get(BUILD, {})
    chosen = data_hash([asdict(feed), sorted(known)])
    facts = data_hash([press.fingerprint(), chosen, *map(_facts, known.values())])
    unchanged = NamedBuilt(has_feed=bool(note.get("entries")))
    if note.get("data") == facts:
        return unchanged
    index = f"{feed.folder}/index.html"
    stored = read_files(press.site, [*feed_paths(feed.folder), index])
    # Where the operator chose otherwise, what was published binds nobody.
    binding = note.get("choice") == chosen
    choice = choose(
        press,
        feed,
        known,
        seen=seen_in(stored) if binding else (),
        dealt=note.get("late", ()) if binding else (),
    )
    if choice.is_published and would_lose(press, choice.records, _held(press, known, now)):
        return unchanged
    feeds = _feeds(press, feed, choice)
    check_readable(feeds.files, feeds.shown)
    check_feed(f"{feed.folder}/feed.json", published=choice.seen, candidate=feeds.shown)
    page = named_page(press.facts, feed, has_feed=bool(feeds.files))
    digests, puts = replace_changed(press.site, {**feeds.files, index: page}, stored)
    there = {shown.arxiv_id for shown in feeds.shown}
    noted = {
        "data": facts,
        "choice": chosen,
        "entries": len(feeds.shown),
        "late": sorted(_late(known) & {*there, *(note.get("late", ()) if binding else ())}),
        "files": digests,
    }
    press.papers.put_published(feed.folder, BUILD, noted)
    return NamedBuilt(
        has_feed=bool(feeds.files),
        changed=True,
        puts=puts,
        minimal=feeds.minimal,
        shrunk=feeds.shrunk,
    )


def _facts(known: Known) -> list[object]:
    return [known.build.get("announced"), known.build.get("data")]


def _late(known: Mapping[str, Known]) -> set[str]:
    return {arxiv_id for one in known.values() for arxiv_id in one.late}


def _held(press: Press, known: Mapping[str, Known], now: datetime) -> list[Day]:
    """The days of any category that wait for their translations."""
    held = []
    for one in known.values():
        unseen = [a for a in one.window if one.counted(a.announced_on) is None]
        held += held_days(press, one, press.sources.days(unseen), now=now)
    return held


def _feeds(press: Press, feed: NamedFeed, choice: Choice) -> FeedFiles:
    def make(moved: Sequence[Record]) -> FeedFiles:
        shown = standing(choice.records, moved)
        days = feed_days(
            (r for record in shown for r in (record, *_replaced(record, feed))),
            replacements=press.settings.replacements_in_feeds,
        )
        return feed_files(days, _metas(press, feed, days), contact_mail=press.settings.contact_mail)

    return with_late(make, choice.fresh)


def _metas(press: Press, feed: NamedFeed, days: Sequence[FeedDay]) -> list[FeedMeta]:
    if not days:
        return []
    newest = days[0].announced_on
    said = about_choice(newest, papers=len(days[0].papers), next_at=press.facts.next_after(newest))
    return named_metas(feed, site_url=press.settings.site_url, said=said)


def _replaced(record: Record, feed: NamedFeed) -> Iterator[Record]:
    """*record* as each later day lists it as replaced, which moves the time of its update."""
    for category in feed.categories:
        for on in record.paper.replaced.get(category, ()):
            if on > record.listing.announced_on:
                listing = replace(
                    record.listing, announced_on=on, announce_type=AnnounceType.REPLACE
                )
                yield replace(record, listing=listing)
