"""All files of one category, as bytes: nothing is read or put here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from paperpost.domain.announcements import Announcement
from paperpost.domain.categories import Category
from paperpost.domain.records import Record
from paperpost.publish.bibtex import bibliography
from paperpost.publish.days import CategoryView, Day, counts
from paperpost.publish.entries import feed_days
from paperpost.publish.feedmeta import about
from paperpost.publish.feeds import FeedFiles, category_metas, feed_files
from paperpost.publish.known import Known
from paperpost.publish.latecomers import Latecomers, standing, with_late
from paperpost.publish.markdown import digest
from paperpost.publish.pages import Page, category_page, day_page, quiet_page
from paperpost.publish.press import Press
from paperpost.publish.records import records_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """Candidates: files by announcement, feeds, indexes; `minimal`: id → problem."""

    by_day: Sequence[tuple[Announcement, Mapping[str, bytes]]]
    feeds: FeedFiles
    indexes: Mapping[str, bytes]
    view: CategoryView
    minimal: Mapping[str, str]


def render_category(
    press: Press, category: Category, known: Known, days: Sequence[Day], late: Latecomers
) -> Rendered:
    """Every file of *category* that *days* (newest first) show up in."""
    in_window = {announcement.announced_on for announcement in known.window}
    newest = [day for day in days if day.announced_on in in_window]
    feeds = _feeds(press, category, newest, late)
    fresh = {day.announced_on: counts(day, press.settings.languages) for day in days}
    view = known.view(fresh, has_feed=bool(feeds.files))
    pages = {
        day.announced_on: _day_page(press, category, known, day, has_feed=view.has_feed)
        for day in days
    }
    minimal = {**feeds.minimal}
    for page in pages.values():
        minimal |= page.minimal
    with_papers = [
        (day.announcement, _day_files(category, day, pages[day.announced_on], minimal))
        for day in days
    ]
    return Rendered(
        by_day=[*with_papers, *_quiet_days(press, category, known, newest, view)],
        feeds=feeds,
        indexes=_indexes(press, category, view, [files for _, files in with_papers]),
        view=view,
        minimal=minimal,
    )


def _feeds(press: Press, category: Category, days: Sequence[Day], late: Latecomers) -> FeedFiles:
    shown = [day for day in days if day.records]
    if not shown:
        return feed_files([], [])
    newest = shown[0].announced_on
    said = about(
        newest,
        receipt=shown[0].receipt(press.settings.languages),
        next_at=press.facts.next_after(newest),
    )
    metas = category_metas(category, site_url=press.settings.site_url, said=said)

    def make(moved: Sequence[Record]) -> FeedFiles:
        records = standing((r for day in shown for r in day.records), [*late.moved, *moved])
        found = feed_days(records, replacements=press.settings.replacements_in_feeds)
        return feed_files(found, metas, contact_mail=press.settings.contact_mail)

    return with_late(make, late.fresh)


def _day_page(press: Press, category: Category, known: Known, day: Day, *, has_feed: bool) -> Page:
    previous, following = _beside(known, day.announced_on)
    return day_page(
        press.facts, category, day, previous=previous, following=following, has_feed=has_feed
    )


def _day_files(
    category: Category, day: Day, page: Page, minimal: dict[str, str]
) -> dict[str, bytes]:
    stem = f"{category.code}/{day.announced_on.isoformat()}"
    return {
        f"{stem}.html": page.body,
        f"{stem}.md": digest(day.records, minimal),
        f"{stem}.json": records_json(day.announcement, day.records),
        f"{stem}.bib": bibliography(day.records, minimal),
    }


def _quiet_days(
    press: Press, category: Category, known: Known, newest: Sequence[Day], view: CategoryView
) -> list[tuple[Announcement, dict[str, bytes]]]:
    """Days without papers that have no page yet, or whose links may have changed."""
    oldest = min((day.announced_on for day in newest), default=date.min)
    made = []
    for quiet in known.quiet:
        on = quiet.announced_on
        if on >= oldest or not known.is_noted_as(quiet):
            previous, following = _beside(known, on)
            body = quiet_page(
                press.facts,
                category,
                quiet,
                previous=previous,
                following=following,
                has_feed=view.has_feed,
            )
            made.append((quiet, {f"{category.code}/{on.isoformat()}.html": body}))
    return made


def _indexes(
    press: Press, category: Category, view: CategoryView, days: Sequence[Mapping[str, bytes]]
) -> dict[str, bytes]:
    """The category's page, and the newest of *days* as Markdown."""
    newest = [body for path, body in days[0].items() if path.endswith(".md")] if days else []
    page = category_page(press.facts, category, view)
    return {
        **{f"{category.code}/latest.md": body for body in newest},
        f"{category.code}/index.html": page,
    }


def _beside(known: Known, on: date) -> tuple[date | None, date | None]:
    """The dates with papers before and after *on* that readers may see."""
    dates = [a.announced_on for a in known.with_papers if a.announced_on not in known.held]
    before = max((d for d in dates if d < on), default=None)
    return before, min((d for d in dates if d > on), default=None)
