"""Building one category: read, render, pass the gate, put what changed, note it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from paperpost.domain.announcements import Announcement, eastern_date
from paperpost.domain.categories import Category
from paperpost.domain.windows import MOST_DAYS
from paperpost.publish.days import (
    CategoryView,
    Day,
    DayCounts,
    Progress,
    announcement_facts,
    counts,
    data_hash,
    day_facts,
    is_held,
    progress,
)
from paperpost.publish.files import put_changed
from paperpost.publish.inspection import inspect
from paperpost.publish.known import BUILD, Known, day_note
from paperpost.publish.press import Press
from paperpost.publish.render import Rendered, render_category

# How many older days one run builds; an import of years is published over several runs.
_OLDER_DAYS_A_RUN = 60


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
    Raises: RefusedError: If the gate refuses a file; then nothing of the category was put.
    """
    known = known_of(press, category, now=now)
    unchanged = Built(view=known.view())
    if healing and known.is_finished(now):
        return unchanged
    days = press.sources.days(_to_read(known, touched))
    if _waits(press, known, days, now):
        return unchanged
    facts = data_hash(fact for day in days for fact in day_facts(day))
    if (known.build.get("announced"), known.build.get("data")) == (known.announced, facts):
        return unchanged
    rendered = render_category(press, category, known, days)
    inspect(press, category, known, days, rendered.feeds)
    return _put(press, category, known, days=days, facts=facts, rendered=rendered)


def known_of(press: Press, category: Category, *, now: datetime) -> Known:
    """What is known of *category* up to the Eastern date of *now*."""
    announcements = press.papers.list_announcements(category.code, last=eastern_date(now))
    return Known(
        announcements=announcements,
        notes=press.papers.get_published(category.code),
        announced=data_hash([press.fingerprint(), *map(announcement_facts, announcements)]),
    )


def _to_read(known: Known, touched: frozenset[date]) -> list[Announcement]:
    """The window, then older days: those asked for, those new or changed, and their neighbours."""
    complete = known.with_papers
    window, older = complete[:MOST_DAYS], complete[MOST_DAYS:]
    wanted = set(touched)
    for n, announcement in enumerate(older, MOST_DAYS):
        if not known.is_noted_as(announcement):
            # A new day changes the links of the days beside it.
            wanted |= {a.announced_on for a in complete[n - 1 : n + 2]}
    return window + [a for a in older if a.announced_on in wanted][:_OLDER_DAYS_A_RUN]


def _waits(press: Press, known: Known, days: Sequence[Day], now: datetime) -> bool:
    """
    Whether a day that was never published still waits for its translations.

    Then the category waits as a whole, so that no older entry of a replaced paper loses its
    translation in between.
    """
    hold = timedelta(minutes=press.settings.publish_hold_minutes)
    return any(
        known.noted(day.announced_on) is None
        and is_held(day, languages=press.settings.languages, hold=hold, now=now)
        for day in days
    )


def _put(
    press: Press,
    category: Category,
    known: Known,
    *,
    days: Sequence[Day],
    facts: str,
    rendered: Rendered,
) -> Built:
    """Put what changed, day pages first and what links to them last, and note it."""
    fresh = {day.announced_on: counts(day, press.settings.languages) for day in days}
    noted: dict[str, str] = dict(known.build.get("files", {}))
    day_puts = sum(
        _put_day(press, known, announcement, files, fresh.get(announcement.announced_on))
        for announcement, files in rendered.by_day
    )
    feed_digests, feed_puts = put_changed(press.site, rendered.feeds.files, noted)
    index_digests, index_puts = put_changed(press.site, rendered.indexes, noted)
    done = sum((progress(day.records, press.settings.languages) for day in days), start=Progress())
    left = [
        a for a in known.with_papers if a.announced_on not in fresh and not known.is_noted_as(a)
    ]
    note = {
        "announced": known.announced,
        "data": facts,
        "open": done.open + len(left),
        "not_shown": done.not_shown,
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
    counted: DayCounts | None,
) -> int:
    """Put a day's files and note it; returns how many were put."""
    old = known.noted(announcement.announced_on)
    digests, puts = put_changed(press.site, files, old["files"] if old else {})
    note = day_note(announcement, digests, counted)
    if old != note:
        press.papers.put_published(
            announcement.category, announcement.announced_on.isoformat(), note
        )
    return puts
