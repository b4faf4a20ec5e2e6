"""One announcement as publish sees it: records, counts, sections, and whether it is held back."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from paperpost.data import holidays_in_chinese
from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.enrichments import EnrichmentState, text_hash
from paperpost.domain.papers import AnnounceType
from paperpost.domain.receipts import Receipt, receipt
from paperpost.domain.records import Record, reading_order, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """
    A complete announcement, its records in reading order.

    `listed`: listings in the table, also those whose paper is not. `late`: ids that missed its
    issue.
    """

    announcement: Announcement
    records: tuple[Record, ...]
    listed: int
    late: frozenset[str] = frozenset()

    @property
    def announced_on(self) -> date:
        """The Eastern date."""
        return self.announcement.announced_on

    def receipt(self, languages: Sequence[str]) -> Receipt:
        """Its counts, in words that add up."""
        return receipt(self.announcement, self.records, languages)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCounts:
    """
    What pages say of a day.

    `announced` and `stored` are fetch's counts; `listed` counts listings in the table, `published`
    papers on the page.
    """

    announced_on: date
    announced: int
    stored: int
    listed: int
    enriched: int
    published: int
    new: int
    cross: int
    replaced: int
    withdrawn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of a day page. `closed`: folded until asked for."""

    id: str
    zh: str
    en: str
    records: tuple[Record, ...]
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How many enrichments of some records are still open, and how many are final but not shown."""

    open: int = 0
    not_shown: int = 0


def make_day(
    announcement: Announcement,
    records: Iterable[Record],
    late: frozenset[str] = frozenset(),
    *,
    listed: int | None = None,
) -> Day:
    """The day of *announcement*, its *records* in reading order; *listed* if those are not all."""
    ordered = tuple(sorted(records, key=reading_order))
    return Day(
        announcement=announcement,
        records=ordered,
        listed=len(ordered) if listed is None else listed,
        late=late,
    )


def progress(records: Iterable[Record], languages: Sequence[str]) -> Progress:
    """How far the enrichment of *records* has come; one of an older text counts as open."""
    still_open = not_shown = 0
    for record in records:
        wanted = text_hash(record.paper)
        for language in languages:
            found = record.enrichments.get(language)
            if found is None or not found.state.is_final or found.text_hash != wanted:
                still_open += 1
            elif found.state is not EnrichmentState.OK:
                not_shown += 1
    return Progress(open=still_open, not_shown=not_shown)


def is_held(day: Day, *, languages: Sequence[str], hold: timedelta, now: datetime) -> bool:
    """Whether readers should still wait, so that they see the enriched text first."""
    since = day.announcement.completed_at or day.announcement.updated_at
    return now < since + hold and progress(day.records, languages).open > 0


def counts(day: Day, languages: Sequence[str]) -> DayCounts:
    """The counts of *day*."""
    types = [record.listing.announce_type for record in day.records]
    withdrawn = sum(_is_withdrawal(record) for record in day.records)
    replaced = sum(announce_type.is_replacement for announce_type in types) - withdrawn
    shown = day.receipt(languages)
    return DayCounts(
        announced_on=day.announced_on,
        announced=day.announcement.announced,
        stored=day.announcement.stored,
        listed=day.listed,
        enriched=shown.enriched or 0,
        published=len(day.records),
        new=types.count(AnnounceType.NEW),
        cross=types.count(AnnounceType.CROSS),
        replaced=replaced,
        withdrawn=withdrawn,
    )


def sections(day: Day) -> list[Section]:
    """The sections of a day page that hold something, in their order; each listing is in one."""
    belongs: list[tuple[Section, Callable[[Record], bool]]] = [
        (Section(id="withdrawn", zh="撤稿", en="Withdrawn", records=()), _is_withdrawal),
        (
            Section(id="late", zh="迟到", en="Late arrivals", records=()),
            lambda r: r.arxiv_id in day.late,
        ),
        (
            Section(id="new", zh="新论文", en="New", records=()),
            lambda r: r.listing.announce_type is AnnounceType.NEW,
        ),
        (
            Section(id="cross", zh="交叉列表", en="Cross-lists", records=()),
            lambda r: r.listing.announce_type is AnnounceType.CROSS,
        ),
        (
            Section(id="replacements", zh="更新版", en="Replacements", records=(), closed=True),
            lambda _: True,
        ),
    ]
    filled: dict[str, list[Record]] = {}
    for record in day.records:
        home = next(section for section, holds in belongs if holds(record))
        filled.setdefault(home.id, []).append(record)
    by_id = {section.id: section for section, _ in belongs}
    return [
        Section(
            id=name,
            zh=by_id[name].zh,
            en=by_id[name].en,
            records=tuple(filled[name]),
            closed=by_id[name].closed,
        )
        for name in ("new", "cross", "late", "replacements", "withdrawn")
        if name in filled
    ]


def data_hash(values: Iterable[Any]) -> str:
    """Sixteen hex digits that change with any of *values* (plain JSON values)."""
    made = hashlib.sha256()
    for value in values:
        made.update(json.dumps(value, sort_keys=True, default=str).encode("utf-8", "replace"))
    return made.hexdigest()[:16]


def announcement_facts(announcement: Announcement) -> list[Any]:
    """What of an announcement shows in files, as plain values."""
    return [
        announcement.category,
        announcement.announced_on.isoformat(),
        announcement.state.value,
        announcement.announced,
        announcement.stored,
        announcement.reason,
    ]


def day_facts(day: Day) -> Iterable[Any]:
    """What of a day shows in files, as plain values."""
    yield announcement_facts(day.announcement)
    yield [day.listed, sorted(day.late)]
    for record in day.records:
        yield to_json(record)


def _is_withdrawal(record: Record) -> bool:
    return record.paper.withdrawn and record.listing.announce_type.is_replacement


_STATES: Mapping[AnnouncementState, tuple[str, str]] = {
    AnnouncementState.WAITING: ("等待公告", "waiting for the announcement"),
    AnnouncementState.PARTIAL: ("正在收录", "being stored"),
    AnnouncementState.COMPLETE: ("已发布", "published"),
    AnnouncementState.QUIET: ("今日无公告", "no announcement today"),
    AnnouncementState.STALLED: ("公告迟到", "the announcement is late"),
    AnnouncementState.FAILED: ("抓取失败，正在重试", "fetching failed, being retried"),
}
_REASONS = {
    "weekend": ("周末", "weekend"),
    "replay": ("回放不含这一天", "not part of this replay"),
}


def reason_words(reason: str) -> tuple[str, str]:
    """Why a day is quiet, in Chinese and English: a holiday by its name; '' where nobody knows."""
    if not reason:
        return "", ""
    holiday = holidays_in_chinese().get(reason, reason)
    return _REASONS.get(reason, (f"arXiv 放假（{holiday}）", reason))


def state_words(announcement: Announcement | None, *, published: bool) -> tuple[str, str]:
    """The state of a category's newest announcement, in Chinese and English."""
    if announcement is None:
        return "还没有公告", "no announcement yet"
    if announcement.state is AnnouncementState.COMPLETE and not published:
        return "正在翻译", "being translated"
    zh, en = _STATES[announcement.state]
    if announcement.state is AnnouncementState.QUIET:
        reason_zh, reason_en = reason_words(announcement.reason)
        return (f"{zh}：{reason_zh}", f"{en}: {reason_en}") if reason_zh else (zh, en)
    return zh, en


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryView:
    """What the category's index and the site's front page say of it."""

    announcements: tuple[Announcement, ...]
    days: tuple[DayCounts, ...]
    has_feed: bool
    published_on: frozenset[date] = field(default_factory=frozenset)

    @property
    def state(self) -> tuple[str, str]:
        """The newest announcement's state in Chinese and English."""
        if not self.announcements:
            return state_words(None, published=False)
        newest = self.announcements[0]
        return state_words(newest, published=newest.announced_on in self.published_on)
