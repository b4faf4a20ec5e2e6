"""The receipts of the newest dates, `status.json` and `status.html`, and what does not add up."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.categories import Category
from paperpost.domain.deliveries import IssueState
from paperpost.domain.errors import RecordError
from paperpost.domain.mailed import MAILED_PATH, Mailed, from_bytes
from paperpost.domain.reconciliation import (
    Fault,
    Published,
    announcement_faults,
    issue_faults,
)
from paperpost.domain.spending import Spend
from paperpost.observe import logger
from paperpost.publish.costs import Cap, Costs, cap_json, cost_json
from paperpost.publish.days import CategoryView, DayCounts, state_words
from paperpost.publish.pages import SiteFacts, next_of, page
from paperpost.publish.press import Press

DATES = 14
Views = Sequence[tuple[Category, CategoryView]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """
    One category on one date. `state_zh`, `state_en`: its state in words.

    What publish counts is 0 until the day is published.
    """

    category: str
    state: str
    state_zh: str
    state_en: str
    announced: int
    stored: int
    listed: int
    enriched: int
    pending: int
    published: int
    adds_up: bool

    @property
    def is_quiet(self) -> bool:
        """Whether no announcement was due, and there is none."""
        return self.state == AnnouncementState.QUIET and self.adds_up

    @property
    def is_plain(self) -> bool:
        """Whether its counts say all: published, and they add up."""
        return self.adds_up and bool(self.published)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusIssue:
    """One issue beside its date, its state in words."""

    mailed: Mailed
    state_zh: str
    state_en: str
    adds_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusDate:
    """All that belongs to one Eastern date."""

    announced_on: date
    rows: tuple[StatusRow, ...]
    issues: tuple[StatusIssue, ...]
    cost: Spend | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The newest dates, the newest first, and their faults; `next_at` in Beijing's time."""

    dates: tuple[StatusDate, ...]
    faults: tuple[Fault, ...]
    next_at: datetime | None
    cap: Cap | None = None


def read_mailed(press: Press) -> tuple[Mailed, ...]:
    """What compose tells of the newest issues; nothing where there is no mail."""
    stored = press.site.get(MAILED_PATH) if press.settings.mail else None
    try:
        return from_bytes(stored.body) if stored else ()
    except RecordError as exc:
        # compose writes the file anew at its next tick; pages must not wait for that.
        logger.error("mail counts not readable", extra={"reason": str(exc)})
        return ()


def newest_dates(views: Views) -> list[date]:
    """The dates that the receipts show, the newest first."""
    announced = {a.announced_on for _, view in views for a in view.announcements}
    return sorted(announced, reverse=True)[:DATES]


def reconcile(
    facts: SiteFacts,
    views: Views,
    issues: Sequence[Mailed],
    costs: Costs | None = None,
    *,
    hold: timedelta,
    now: datetime,
) -> Status:
    """
    Put the receipts of the newest dates side by side and find what no state explains.

    The clock only decides how long a state in progress explains a difference.
    """
    told = costs or Costs()
    newest = newest_dates(views)
    faults = [
        fault
        for on in newest
        for _, view in views
        for announcement in view.announcements
        if announcement.announced_on == on
        for fault in announcement_faults(
            announcement, _published(_day(view, on)), now=now, hold=hold
        )
    ]
    shown = [issue for issue in issues if issue.announced_on in set(newest)]
    faults += [fault for issue in shown for fault in issue_faults(issue, now=now)]
    wrong = {(fault.announced_on, fault.subject) for fault in faults}
    return Status(
        dates=tuple(
            StatusDate(
                announced_on=on,
                rows=tuple(
                    _row(announcement, _day(view, on), adds_up=(on, category.code) not in wrong)
                    for category, view in views
                    for announcement in view.announcements
                    if announcement.announced_on == on
                ),
                issues=tuple(
                    _issue(issue, adds_up=(on, issue.issue) not in wrong)
                    for issue in sorted(shown, key=lambda issue: issue.issue)
                    if issue.announced_on == on
                ),
                cost=told.days.get(on),
            )
            for on in newest
        ),
        faults=tuple(sorted(faults, key=lambda f: (-f.announced_on.toordinal(), f.subject, f.en))),
        next_at=next_of([view for _, view in views], facts),
        cap=told.cap,
    )


def status_page(facts: SiteFacts, status: Status) -> bytes:
    """`status.html`."""
    return page("site/status.html", facts, root="", status=status, next_at=status.next_at)


def status_json(status: Status) -> bytes:
    """`status.json`; docs/data-model.md describes it."""
    value = {
        "adds_up": not status.faults,
        "next_announcement_at": status.next_at.isoformat() if status.next_at else None,
        "enrichment_cap": cap_json(status.cap),
        "faults": [
            {
                "announced_on": fault.announced_on.isoformat(),
                "subject": fault.subject,
                "zh": fault.zh,
                "en": fault.en,
            }
            for fault in status.faults
        ],
        "dates": [
            {
                "announced_on": shown.announced_on.isoformat(),
                "categories": [asdict(row) for row in shown.rows],
                "issues": [_issue_json(issue) for issue in shown.issues],
                "enrichment": cost_json(shown.cost),
            }
            for shown in status.dates
        ],
    }
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def status_facts(status: Status) -> list[Any]:
    """What of the receipts is not the categories' own, as plain values."""
    return [
        [asdict(fault) for fault in status.faults],
        [_issue_json(issue) for shown in status.dates for issue in shown.issues],
        [cost_json(shown.cost) for shown in status.dates],
        cap_json(status.cap),
    ]


def _row(announcement: Announcement, day: DayCounts | None, *, adds_up: bool) -> StatusRow:
    zh, en = state_words(announcement, published=day is not None)
    return StatusRow(
        category=announcement.category,
        state=announcement.state.value,
        state_zh=zh,
        state_en=en,
        announced=announcement.announced,
        stored=announcement.stored,
        listed=day.listed if day else 0,
        enriched=day.enriched if day else 0,
        pending=day.published - day.enriched if day else 0,
        published=day.published if day else 0,
        adds_up=adds_up,
    )


_ISSUE_STATES = {
    IssueState.PLANNING: ("正在编排", "being planned"),
    IssueState.SENDING: ("正在投递", "being sent"),
    IssueState.CLOSED: ("投递完毕", "all sent"),
}


def _issue(issue: Mailed, *, adds_up: bool) -> StatusIssue:
    zh, en = _ISSUE_STATES[issue.state]
    return StatusIssue(mailed=issue, state_zh=zh, state_en=en, adds_up=adds_up)


def _issue_json(issue: StatusIssue) -> dict[str, Any]:
    counts = issue.mailed
    return {
        "issue": counts.issue,
        "state": counts.state.value,
        "audience": counts.audience,
        "sent": counts.sent,
        "skipped": counts.skipped,
        "failed": counts.failed,
        "unknown": counts.unknown,
        "open": counts.open,
        "held": counts.overdue,
        "too_late": counts.too_late,
        "adds_up": issue.adds_up,
    }


def _day(view: CategoryView, on: date) -> DayCounts | None:
    return next((day for day in view.days if day.announced_on == on), None)


def _published(day: DayCounts | None) -> Published | None:
    if day is None:
        return None
    return Published(
        announced=day.announced, stored=day.stored, listed=day.listed, published=day.published
    )
