"""Building one category: read, render, pass the gate, put what changed, note it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from paperpost.domain.announcements import Announcement, eastern_date
from paperpost.domain.categories import Category
from paperpost.publish.days import (
    CategoryView,
    Day,
    DayCounts,
    announcement_facts,
    counts,
    data_hash,
)
from paperpost.publish.feeds import feed_paths
from paperpost.publish.files import put_changed, read_files, replace_changed
from paperpost.publish.holding import held_days, would_lose
from paperpost.publish.inspection import inspect, seen_in
from paperpost.publish.known import BUILD, Known, day_note
from paperpost.publish.latecomers import latecomers
from paperpost.publish.material import Material, material
from paperpost.publish.press import Press
from paperpost.publish.render import Rendered, render_category

# How many older days one run builds, by memory and time: in a large category a day is 1,000 papers.
# An import of years is published over many runs.
_OLDER_DAYS_A_RUN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """
    What came of a build.

    `view`: what the site-wide pages show of the category. `minimal`: papers that could not be
    rendered whole, id → problem. `shrunk`: entries without their abstracts, or with less.
    """

    view: CategoryView
    changed: bool = False
    puts: int = 0
    minimal: Mapping[str, str] = field(default_factory=dict)
    shrunk: int = 0


def build_category(
    press: Press,
    category: Category,
    *,
    now: datetime,
    touched: frozenset[date] = frozenset(),
    healing: bool = False,
) -> Built:
    """
    Publish what changed of *category*, and nothing at all where nothing did.

    *touched*: older dates to look at besides the window. *healing*: nobody said that something
    changed, so a category that is finished and unchanged is not even read.

    Raises:
        RefusedError: If the gate refuses a file; then nothing of the category was put.
        ConflictError: If another publisher put one of its files meanwhile.
    """
    known = known_of(press, category, now=now)
    if healing and known.is_finished(now):
        return Built(view=known.view())
    # Before the data: whoever puts a file from here on may know more than this build.
    etags = press.site.etags(category.code, since=_first_page(known, touched))
    stored = read_files(press.site, feed_paths(category.code))
    known = known_of(press, category, now=now)
    unchanged = Built(view=known.view())
    seen = seen_in(stored)
    read = press.sources.days(_to_read(known, touched))
    held = held_days(press, known, read, now=now)
    known = replace(known, held=frozenset(day.announced_on for day in held))
    days = [day for day in read if day.announced_on not in known.held]
    late = latecomers(press, category.code, known, days, seen)
    later = _to_renew(category, known, days, touched)
    source = material(known, days, late, later=later)
    if source.is_published and would_lose(press, source.records, held):
        _remember(press, category, known, later)
        return unchanged
    if source.is_noted:
        return unchanged
    rendered = render_category(press, category, known, days, late)
    inspect(press, category, known, days, rendered.feeds, published=seen)
    _remember(press, category, known, later)
    feeds = replace_changed(press.site, rendered.feeds.files, stored)
    return _put(press, category, source, rendered=rendered, feeds=feeds, etags=etags)


def known_of(press: Press, category: Category, *, now: datetime) -> Known:
    """What is known of *category* up to the Eastern date of *now*."""
    announcements = press.papers.list_announcements(category.code, last=eastern_date(now))
    return Known(
        announcements=announcements,
        notes=press.papers.get_published(category.code),
        announced=data_hash([press.fingerprint(), *map(announcement_facts, announcements)]),
    )


def _first_page(known: Known, touched: frozenset[date]) -> str:
    """The oldest date that a page may be put of; files behind it are left alone."""
    quiet = (a for a in known.quiet if not known.is_noted_as(a))
    dates = (a.announced_on for a in (*_to_read(known, touched), *quiet))
    return min(dates, default=date.max).isoformat()


def _to_read(known: Known, touched: frozenset[date]) -> list[Announcement]:
    """The window, then older days: those asked for, those new or changed, and their neighbours."""
    complete, window = known.with_papers, known.window
    older = complete[len(window) :]
    wanted = set(touched | known.later)
    for n, announcement in enumerate(older, len(window)):
        if not known.is_noted_as(announcement):
            # A new day changes the links of the days beside it.
            wanted |= {a.announced_on for a in complete[n - 1 : n + 2]}
    return window + [a for a in older if a.announced_on in wanted][:_OLDER_DAYS_A_RUN]


def _to_renew(
    category: Category, known: Known, days: Sequence[Day], touched: frozenset[date]
) -> frozenset[date]:
    """Dates behind the window whose pages show what changed, or a paper that is now replaced."""
    dates = known.later | touched
    for day in days:
        if not known.is_noted_as(day.announcement):
            dates = dates.union(*(r.paper.dates_in(category.code) for r in day.records))
    older = {a.announced_on for a in known.with_papers[len(known.window) :]}
    return dates & older


def _remember(press: Press, category: Category, known: Known, later: frozenset[date]) -> None:
    """Note what is to be renewed before a hold or a crash could make it forgotten."""
    if later != known.later:
        note = {**known.build, "later": sorted(map(date.isoformat, later))}
        press.papers.put_published(category.code, BUILD, note)


def _put(
    press: Press,
    category: Category,
    source: Material,
    *,
    rendered: Rendered,
    feeds: tuple[dict[str, str], int],
    etags: Mapping[str, str],
) -> Built:
    """
    Put the pages that changed, what links to them last, and note all of it.

    The feeds are out by then, since that is where two publishers meet: whoever loses there puts
    nothing, and whoever loses later begins anew.
    """
    known = source.known
    fresh = {day.announced_on: counts(day, press.settings.languages) for day in source.days}
    noted: dict[str, str] = dict(known.build.get("files", {}))
    day_puts = sum(
        _put_day(
            press,
            known,
            announcement,
            files,
            counted=fresh.get(announcement.announced_on),
            etags=etags,
        )
        for announcement, files in rendered.by_day
    )
    feed_digests, feed_puts = feeds
    index_digests, index_puts = put_changed(press.site, rendered.indexes, noted, etags)
    note = source.note(press.settings.languages) | {
        "entries": len(rendered.feeds.shown),
        "files": feed_digests | index_digests,
    }
    press.papers.put_published(category.code, BUILD, note)
    return Built(
        view=rendered.view,
        changed=True,
        puts=day_puts + feed_puts + index_puts,
        minimal=rendered.minimal,
        shrunk=rendered.feeds.shrunk,
    )


def _put_day(
    press: Press,
    known: Known,
    announcement: Announcement,
    files: Mapping[str, bytes],
    *,
    counted: DayCounts | None,
    etags: Mapping[str, str],
) -> int:
    """Put a day's files and note it; returns how many were put."""
    old = known.noted(announcement.announced_on)
    digests, puts = put_changed(press.site, files, old["files"] if old else {}, etags)
    note = day_note(announcement, digests, counted)
    if old != note:
        press.papers.put_published(
            announcement.category, announcement.announced_on.isoformat(), note
        )
    return puts
