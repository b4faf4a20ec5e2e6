"""What a letter says besides the papers, in Chinese and in English."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from paperpost.domain.announcements import EASTERN
from paperpost.domain.issues import FrozenIssue, own_dates
from paperpost.domain.subscribers import Cadence, Rule
from paperpost.rendering import date_en, date_zh, time_hm, weekday_en, weekday_zh

_FIELDS = {
    "title": ("标题", "title"),
    "abstract": ("摘要", "abstract"),
    "text": ("标题或摘要", "title or abstract"),
    "author": ("作者", "author"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The fixed phrases of one language; `lang` is the tag for the whole letter."""

    lang: str
    rule: str
    pending: str
    extract: str
    abstract: str
    machine: str
    why: str
    why_end: str
    preferences: str
    pause: str
    unsubscribe: str
    next: str
    contact: str

    @property
    def is_chinese(self) -> bool:
        """Whether the letter speaks Chinese."""
        return self.lang != "en"

    def day(self, on: date) -> str:
        """A date in a few characters."""
        return date_zh(on) if self.is_chinese else date_en(on)

    def counted(self, chinese: str, english: str, count: int) -> str:
        """A heading or sentence with a number in it, marked `{}`."""
        return (chinese if self.is_chinese else english).format(count)

    def late_note(self, announced_on: date) -> str:
        """That a paper is late, with its true date."""
        day = self.day(announced_on)
        return f"迟到，{day}公告" if self.is_chinese else f"late, announced {day}"

    def named_rule(self, rule: Rule) -> str:
        """The rule as its reader wrote it."""
        chinese, english = _FIELDS[rule.field]
        if self.is_chinese:
            return f"{chinese}「{rule.phrase}」"
        return f'{english} "{rule.phrase}"'

    def moment(self, at: datetime, zone: str) -> str:
        """When to expect the next announcement, in the reader's time zone."""
        there = at.astimezone(ZoneInfo(zone))
        if self.is_chinese:
            name = "北京时间" if zone == "Asia/Shanghai" else zone
            return f"{date_zh(there)} {weekday_zh(there)} 约 {time_hm(there)}（{name}）"
        name = "Beijing" if zone == "Asia/Shanghai" else zone
        return f"{weekday_en(there)} {date_en(there)}, about {time_hm(there)} {name}"


CHINESE = Words(
    lang="zh-Hans",
    rule="符合规则：",
    pending="翻译待补",
    extract="摘自原文",
    abstract="摘要页",
    machine="机器翻译：",
    why="你订阅了 ",
    why_end=" 的论文早报，所以收到这封信。",
    preferences="偏好",
    pause="暂停一周",
    unsubscribe="退订",
    next="下次公告：",
    contact="译文有误？",
)
ENGLISH = Words(
    lang="en",
    rule="Matches ",
    pending="translation pending",
    extract="from the abstract",
    abstract="Abstract",
    machine="Machine-made TL;DR: ",
    why="You get this because you subscribed to ",
    why_end=".",
    preferences="Preferences",
    pause="Pause a week",
    unsubscribe="Unsubscribe",
    next="Next announcement: ",
    contact="Something wrong?",
)


def words_for(language: str) -> Words:
    """English for readers of English alone, else Chinese."""
    return ENGLISH if language == "en" else CHINESE


def issue_date(issue: FrozenIssue, words: Words, *, short: bool) -> str:
    """The date in a subject (`3月26日`) or, longer, in a head; a week's first and last day."""
    if issue.cadence is Cadence.WEEKLY:
        own = own_dates(issue.cadence, issue.announced_on)
        return f"{words.day(own[0])} – {words.day(own[-1])}"
    on = issue.announced_on
    if short:
        return words.day(on)
    if words.is_chinese:
        return f"{date_zh(on)} {weekday_zh(on)}"
    return f"{weekday_en(on)} {date_en(on)}"


def known_zone(zone: str) -> str:
    """*zone* if this system knows it, else Eastern time, which arXiv keeps."""
    try:
        return ZoneInfo(zone).key
    except (KeyError, ValueError, OSError):
        return EASTERN.key
