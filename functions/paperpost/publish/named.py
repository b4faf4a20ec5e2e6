"""Building one named feed: papers of several categories that pass its rules, each paper once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date

from paperpost.domain.gate import Shown, check_feed
from paperpost.domain.namedfeeds import NamedFeed
from paperpost.domain.papers import AnnounceType, FirstListing, Listing, Paper
from paperpost.domain.records import Record
from paperpost.domain.rules import passes
from paperpost.domain.windows import MOST_DAYS, MOST_ENTRIES
from paperpost.publish.days import data_hash
from paperpost.publish.entries import FeedDay, feed_days, midnight
from paperpost.publish.feedmeta import about_choice
from paperpost.publish.feeds import FeedFiles, feed_files, feed_paths, named_metas
from paperpost.publish.files import put_changed, read_files, replace_changed
from paperpost.publish.inspection import seen_in
from paperpost.publish.known import BUILD, Known
from paperpost.publish.pages import named_page
from paperpost.publish.press import Press
from paperpost.publish.readback import check_readable

_ALWAYS_WHOLE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedBuilt:
    """What came of a build; the fields are those of a category's."""

    has_feed: bool
    changed: bool = False
    puts: int = 0
    minimal: Mapping[str, str] = field(default_factory=dict)
    shrunk: int = 0


def build_named(press: Press, feed: NamedFeed, known: Mapping[str, Known]) -> NamedBuilt:
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
    if note.get("data") == facts:
        return NamedBuilt(has_feed=bool(note["entries"]))
    stored = read_files(press.site, feed_paths(feed.folder))
    # Where the operator chose otherwise, what was published binds nobody.
    seen = seen_in(stored[f"{feed.folder}/feed.json"]) if note.get("choice") == chosen else ()
    feeds = _feeds(press, feed, _days(press, feed, known, seen))
    check_readable(feeds.files, feeds.shown)
    check_feed(f"{feed.folder}/feed.json", published=seen, candidate=feeds.shown)
    digests, puts = replace_changed(press.site, feeds.files, stored)
    page = {f"{feed.folder}/index.html": named_page(press.facts, feed, has_feed=bool(feeds.files))}
    page_digests, page_puts = put_changed(press.site, page, dict(note.get("files", {})))
    noted = {
        "data": facts,
        "choice": chosen,
        "entries": len(feeds.shown),
        "files": digests | page_digests,
    }
    press.papers.put_published(feed.folder, BUILD, noted)
    return NamedBuilt(
        has_feed=bool(feeds.files),
        changed=True,
        puts=puts + page_puts,
        minimal=feeds.minimal,
        shrunk=feeds.shrunk,
    )


def _facts(known: Known) -> list[object]:
    return [known.build.get("announced"), known.build.get("data")]


def _days(
    press: Press, feed: NamedFeed, known: Mapping[str, Known], seen: Sequence[Shown]
) -> Sequence[FeedDay]:
    """
    The days of the feed, newest first.

    An entry that readers have keeps its day, and stays though a later version or a translation no
    longer matches; it goes with its day alone. So a feed of rare papers never runs empty.
    """
    kept = {entry.arxiv_id: entry.announced_on for entry in seen}
    found: dict[str, Record] = {}
    entered: set[date] = set()
    oldest = date.max
    for oldest in _dates(known):
        for record in _records(press, known, oldest):
            if record.arxiv_id in found or record.arxiv_id in kept:
                continue
            if passes(record, include=feed.include, exclude=feed.exclude):
                found[record.arxiv_id] = record
                entered.add(oldest)
        if len(entered) > MOST_DAYS or (len(entered) > _ALWAYS_WHOLE and len(found) > MOST_ENTRIES):
            break
    placed = [r for record in found.values() if (r := _placed(record, feed, oldest=oldest))]
    shown = [*placed, *_kept(press, feed, kept)]
    return feed_days(r for record in shown for r in (record, *_replaced(record, feed)))


def _dates(known: Mapping[str, Known]) -> list[date]:
    """The published dates of any category, newest first, as far back as feeds may reach."""
    dates = {a.announced_on for k in known.values() for a in k.window}
    return sorted(dates, reverse=True)


def _records(press: Press, known: Mapping[str, Known], on: date) -> Iterator[Record]:
    """The new and cross-listed papers of a date in every category that shows it."""
    for one in known.values():
        announced = [a for a in one.window if a.announced_on == on]
        if announced and one.counted(on) is not None:
            for day in press.sources.days(announced):
                yield from (r for r in day.records if not r.listing.announce_type.is_replacement)


def _kept(press: Press, feed: NamedFeed, kept: Mapping[str, date]) -> Iterator[Record]:
    """The entries that readers have, with the papers' present texts, on the days they stand at."""
    papers = press.papers.get_papers(kept)
    enrichments = press.papers.get_enrichments(kept, press.settings.languages)
    for arxiv_id, paper in papers.items():
        first = _first(paper, feed)
        listing = Listing(
            category=first[0] if first else paper.primary,
            announced_on=kept[arxiv_id],
            arxiv_id=arxiv_id,
            version=paper.version,
            announce_type=first[1].announce_type if first else AnnounceType.NEW,
            stored_at=midnight(kept[arxiv_id]),
        )
        yield Record(paper=paper, listing=listing, enrichments=enrichments.get(arxiv_id, {}))


def _placed(record: Record, feed: NamedFeed, *, oldest: date) -> Record | None:
    """*record* at its first listing in the feed's categories; None if that day was not read."""
    first = _first(record.paper, feed)
    if first is None:
        return record
    category, listed = first
    if listed.announced_on < oldest:
        return None
    return replace(
        record,
        listing=replace(
            record.listing,
            category=category,
            announced_on=listed.announced_on,
            announce_type=listed.announce_type,
        ),
    )


def _first(paper: Paper, feed: NamedFeed) -> tuple[str, FirstListing] | None:
    """Where and when the first of the feed's categories announced *paper*; new before cross."""
    listed = [
        (first.announced_on, first.announce_type.rank, category)
        for category in feed.categories
        if (first := paper.listed.get(category)) and not first.announce_type.is_replacement
    ]
    return (min(listed)[2], paper.listed[min(listed)[2]]) if listed else None


def _replaced(record: Record, feed: NamedFeed) -> Iterator[Record]:
    """*record* as each later day lists it as replaced, which moves the time of its update."""
    for category in feed.categories:
        for on in record.paper.replaced.get(category, ()):
            if on > record.listing.announced_on:
                listing = replace(
                    record.listing, announced_on=on, announce_type=AnnounceType.REPLACE
                )
                yield replace(record, listing=listing)


def _feeds(press: Press, feed: NamedFeed, days: Sequence[FeedDay]) -> FeedFiles:
    if not days:
        return feed_files([], [])
    newest = days[0].announced_on
    said = about_choice(newest, papers=len(days[0].papers), next_at=press.facts.next_after(newest))
    metas = named_metas(feed, site_url=press.settings.site_url, said=said)
    return feed_files(days, metas, contact_mail=press.settings.contact_mail)
