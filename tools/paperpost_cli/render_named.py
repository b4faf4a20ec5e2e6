"""`paperpost render --named`: what a named feed would choose of records, before it is deployed."""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime

from paperpost.data import calendar, feeds, taxonomy
from paperpost.domain.announcements import eastern_date
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.namedfeeds import NamedFeed, named_feeds
from paperpost.domain.records import Record, read_lines
from paperpost.domain.rules import passes
from paperpost.publish.entries import feed_days
from paperpost.publish.feedmeta import about_choice
from paperpost.publish.feeds import feed_files, named_metas
from paperpost.publish.latecomers import first_listing
from paperpost.publish.pages import SiteFacts
from paperpost_cli.render import LANGUAGES, SITE_URL

_FILES = {"rss": "rss.xml", "atom": "atom.xml", "json": "feed.json"}


def render_named(
    kind: str,
    wanted: str,
    *,
    records_lines: Iterable[str],
    feeds_toml: str | None = None,
    now: datetime | None = None,
    name: str = "records",
) -> bytes:
    """
    Return the bilingual *kind* (rss, atom, json) of the feed *wanted*, with what it chooses.

    *feeds_toml*: the text of another feeds.toml than the stack's. *now* leaves later dates out.

    Raises:
        InvalidInputError: If there is no such feed or rendering, or the feed chooses nothing.
        RecordError: If a line is not what it should be.
    """
    if kind not in _FILES:
        raise InvalidInputError(f"a named feed is rendered as {', '.join(_FILES)}, not as {kind}")
    feed = _feed(wanted, feeds_toml)
    last = eastern_date(now) if now else date.max
    shown = [
        record
        for record in _placed(feed, read_lines(records_lines, name=name))
        if record.listing.announced_on <= last
        and passes(record, include=feed.include, exclude=feed.exclude)
    ]
    days = feed_days(shown)
    if not days:
        raise InvalidInputError(f"{feed.name} chooses no paper of {name}")
    newest = days[0].announced_on
    facts = SiteFacts(
        site_url=SITE_URL, contact_mail="", mail=False, languages=LANGUAGES, calendar=calendar()
    )
    said = about_choice(newest, papers=len(days[0].papers), next_at=facts.next_after(newest))
    files = feed_files(days, named_metas(feed, site_url=SITE_URL, said=said)).files
    return files[f"{feed.folder}/{_FILES[kind]}"]


def _feed(wanted: str, feeds_toml: str | None) -> NamedFeed:
    try:
        told = feeds() if feeds_toml is None else named_feeds(tomllib.loads(feeds_toml), taxonomy())
    except tomllib.TOMLDecodeError as exc:
        raise InvalidInputError(f"the named feeds cannot be read: {exc}") from exc
    found = {feed.name: feed for feed in told}
    if wanted not in found:
        known = ", ".join(found) or "none"
        raise InvalidInputError(f"no named feed {wanted!r}; there are {known}")
    return found[wanted]


def _placed(feed: NamedFeed, records: Iterable[Record]) -> Iterator[Record]:
    """The records of the feed's categories, each at its paper's first listing in any of them."""
    for record in records:
        if first := first_listing(record.paper, feed.categories):
            listing = replace(
                record.listing,
                category=first[0],
                announced_on=first[1].announced_on,
                announce_type=first[1].announce_type,
            )
            yield replace(record, listing=listing)
        elif record.listing.category in feed.categories:
            yield record
