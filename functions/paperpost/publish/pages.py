"""Every page of the site, from the templates in templates/site/."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from paperpost.domain.announcements import EASTERN, Announcement, Calendar
from paperpost.domain.categories import Category
from paperpost.domain.namedfeeds import NamedFeed
from paperpost.domain.rules import rule_text
from paperpost.publish.days import (
    CategoryView,
    Day,
    DayCounts,
    counts,
    reason_words,
    sections,
    state_words,
)
from paperpost.publish.feedmeta import THANKS
from paperpost.publish.pagepapers import fitting
from paperpost.rendering import TEMPLATES, render

_BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """What every page needs of the site's settings."""

    site_url: str
    contact_mail: str
    mail: bool
    languages: tuple[str, ...]
    calendar: Calendar

    def next_after(self, on: date) -> datetime:
        """
        When the next announcement after *on* can be there, in Beijing's time.

        It comes from a page's own date, never from the clock, so that a page's bytes stay.
        """
        end_of_day = datetime.combine(on, datetime.max.time(), EASTERN)
        return self.calendar.next_announcement(end_of_day).astimezone(_BEIJING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page's bytes, and the papers on it that are shown in minimal form: id → problem."""

    body: bytes
    minimal: Mapping[str, str]


def day_page(
    facts: SiteFacts,
    category: Category,
    day: Day,
    *,
    previous: date | None,
    following: date | None,
    has_feed: bool,
) -> Page:
    """`<category>/<date>.html` of an announcement."""
    minimal: dict[str, str] = {}
    shown, left_out = fitting(sections(day), contact_mail=facts.contact_mail, minimal=minimal)
    state_zh, state_en = state_words(day.announcement, published=True)
    body = page(
        "site/day.html",
        facts,
        root="../",
        category=category,
        state_zh=state_zh,
        state_en=state_en,
        day=counts(day, facts.languages),
        receipt=day.receipt(facts.languages),
        sections=shown,
        left_out=left_out,
        previous=previous,
        next=following,
        has_feed=has_feed,
        next_at=facts.next_after(day.announced_on),
    )
    return Page(body=body, minimal=minimal)


def quiet_page(
    facts: SiteFacts,
    category: Category,
    announcement: Announcement,
    *,
    previous: date | None,
    following: date | None,
    has_feed: bool,
) -> bytes:
    """`<category>/<date>.html` of a day without announcement, with the reason and the next time."""
    reason_zh, reason_en = reason_words(announcement.reason)
    return page(
        "site/quiet.html",
        facts,
        root="../",
        category=category,
        announced_on=announcement.announced_on,
        reason_zh=reason_zh,
        reason_en=reason_en,
        previous=previous,
        next=following,
        has_feed=has_feed,
        next_at=facts.next_after(announcement.announced_on),
    )


def category_page(facts: SiteFacts, category: Category, view: CategoryView) -> bytes:
    """`<category>/index.html`: its days, the newest first."""
    state_zh, state_en = view.state
    return page(
        "site/category.html",
        facts,
        root="../",
        category=category,
        days=view.days,
        has_feed=view.has_feed,
        latest=bool(view.days),
        state_zh=state_zh,
        state_en=state_en,
        next_at=next_of([view], facts),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One category on the front page."""

    category: Category
    day: DayCounts | None
    has_feed: bool
    state_zh: str
    state_en: str


def front_page(
    facts: SiteFacts,
    views: Sequence[tuple[Category, CategoryView]],
    named: Sequence[NamedFeed] = (),
) -> bytes:
    """`index.html`; *named*: named feeds with entries."""
    next_at = next_of([view for _, view in views], facts)
    return page("site/index.html", facts, root="", rows=_rows(views), named=named, next_at=next_at)


def opml(
    facts: SiteFacts,
    views: Sequence[tuple[Category, CategoryView]],
    named: Sequence[NamedFeed] = (),
) -> bytes:
    """
    `feeds.opml`: every feed that exists, once, as bilingual RSS; *named*: named feeds with entries.

    Whoever imports it follows all of it, so it does not offer one feed in nine forms.
    """
    rows = [row for row in _rows(views) if row.has_feed]
    text = render("site/feeds.opml", rows=rows, named=named, site_url=facts.site_url)
    return text.encode()


def named_page(facts: SiteFacts, feed: NamedFeed, *, has_feed: bool) -> bytes:
    """`f/<name>/index.html`: what a named feed chooses, and its addresses."""
    include, exclude = (list(map(rule_text, rules)) for rules in (feed.include, feed.exclude))
    return page(
        "site/named.html",
        facts,
        root="../../",
        feed=feed,
        include=include,
        exclude=exclude,
        has_feed=has_feed,
    )


def not_found_page(facts: SiteFacts) -> bytes:
    """`404.html`; it is shown at any depth, so its links start at the root."""
    return page("site/404.html", facts, root="/")


def assets() -> dict[str, bytes]:
    """The files that are served as they are."""
    return {name: (TEMPLATES / "site" / name).read_bytes() for name in ("style.css", "filter.js")}


def _rows(views: Iterable[tuple[Category, CategoryView]]) -> list[Row]:
    return [
        Row(
            category=category,
            day=view.days[0] if view.days else None,
            has_feed=view.has_feed,
            state_zh=view.state[0],
            state_en=view.state[1],
        )
        for category, view in views
    ]


def next_of(views: Sequence[CategoryView], facts: SiteFacts) -> datetime | None:
    """The announcement after the newest of *views*, in Beijing's time; None before the first."""
    newest = [view.announcements[0].announced_on for view in views if view.announcements]
    return facts.next_after(max(newest)) if newest else None


def page(template: str, facts: SiteFacts, **values: object) -> bytes:
    """The bytes of a page from its *template* with what all pages need and *values*."""
    text = render(
        template, mail=facts.mail, contact_mail=facts.contact_mail, thanks=THANKS, **values
    )
    return text.encode()
