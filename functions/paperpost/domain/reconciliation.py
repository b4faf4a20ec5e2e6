"""Reconciliation: counts that differ although no state in progress explains it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.deliveries import IssueState
from paperpost.domain.mailed import Mailed

# How long publish may be behind a complete announcement, once its hold is over.
BEHIND_AFTER = timedelta(hours=1)
# fetch polls many times a day, so an announcement that stays as it is for a whole one is lost.
UNFINISHED_AFTER = timedelta(hours=24)
# A reader's own hour, the age at which nothing starts by itself, and a day for ambiguous letters.
UNCLOSED_AFTER = timedelta(hours=96)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What publish counted when it built an announcement's page; `listed`: rows in the table."""

    announced: int
    stored: int
    listed: int
    published: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that does not add up; *subject* is a category or an issue."""

    announced_on: date
    subject: str
    zh: str
    en: str


def announcement_faults(
    announcement: Announcement, published: Published | None, *, now: datetime, hold: timedelta
) -> Iterator[Fault]:
    """What does not add up of one announcement; *hold*: how long publish waits for translations."""
    state, age = announcement.state, now - announcement.updated_at
    if state.is_settled:
        yield from _unequal(announcement, "stored", announcement.announced, announcement.stored)
    if state is AnnouncementState.QUIET and announcement.stored:
        yield _fault(announcement, "无公告日却有论文", "papers on a day without announcement")
    if not state.is_settled and age > UNFINISHED_AFTER:
        yield _fault(announcement, "一天后仍未收齐", "unfinished for a day")
    if state is not AnnouncementState.COMPLETE or not announcement.stored:
        return
    if published is None or _is_behind(published, announcement):
        if age > hold + BEHIND_AFTER:
            yield _fault(announcement, "收齐已久，尚未发布", "complete, but not published in time")
        return
    yield from _unequal(announcement, "listed", announcement.stored, published.listed)
    yield from _unequal(announcement, "published", announcement.stored, published.published)


def issue_faults(issue: Mailed, *, now: datetime) -> Iterator[Fault]:
    """What does not add up of one issue's deliveries."""
    left = issue.open + issue.unknown
    if issue.state is IssueState.CLOSED and left:
        zh, en = f"已结束，仍有 {left} 封未了", f"closed with {left} letters open"
    elif issue.state is not IssueState.CLOSED and now - issue.frozen_at > UNCLOSED_AFTER:
        zh, en = f"四天后仍有 {left} 封未了", f"{left} letters open after four days"
    else:
        return
    yield Fault(announced_on=issue.announced_on, subject=issue.issue, zh=zh, en=en)


_WORDS = {"stored": ("公告", "入库"), "listed": ("入库", "收录"), "published": ("入库", "发布")}
_BEFORE = {"stored": "announced", "listed": "stored", "published": "stored"}


def _unequal(announcement: Announcement, name: str, before: int, count: int) -> Iterator[Fault]:
    if before != count:
        zh_before, zh = _WORDS[name]
        yield _fault(
            announcement,
            f"{zh_before} {before} ≠ {zh} {count}",
            f"{_BEFORE[name]} {before} ≠ {name} {count}",
        )


def _is_behind(published: Published, announcement: Announcement) -> bool:
    """Whether the page was built before the announcement came to its present counts."""
    return (published.announced, published.stored) != (announcement.announced, announcement.stored)


def _fault(announcement: Announcement, zh: str, en: str) -> Fault:
    return Fault(
        announced_on=announcement.announced_on, subject=announcement.category, zh=zh, en=en
    )
