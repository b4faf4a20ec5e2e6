"""What a reader wrote on the form, and which papers that means: from the text alone."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from oracle.source import FIRST_SIGHT, TYPES, Announced, canonical

# The words for a field that readers may put before a colon.
_FIELDS = {
    "title": "title",
    "标题": "title",
    "abstract": "abstract",
    "摘要": "abstract",
    "author": "author",
    "作者": "author",
    "text": "text",
}
_QUARTER = timedelta(minutes=15)  # every zone's clock shows full hours at some quarter
_SATURDAY, _WEEKLY_HOUR = 5, 8


class Rule(NamedTuple):
    """A field and a phrase that is looked for in it."""

    field: str
    phrase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """One reader's form; `types`: the announce types, `hour` None: as soon as it is ready."""

    categories: tuple[str, ...]
    types: frozenset[str]
    include: tuple[Rule, ...]
    exclude: tuple[Rule, ...]
    cadence: str
    hour: int | None
    zone: str
    most: int | None
    paused_until: date | None

    def allow(self, paper: Announced) -> bool:
        """Whether no rule speaks against the paper, and one for it where there are any."""
        if any(matches(rule, paper) for rule in self.exclude):
            return False
        return not self.include or self.is_matched(paper)

    def is_matched(self, paper: Announced) -> bool:
        """Whether a rule speaks for the paper."""
        return any(matches(rule, paper) for rule in self.include)

    def due(self, frozen_at: datetime) -> datetime:
        """When a letter of an issue that was frozen then is due."""
        if self.cadence == "daily" and self.hour is None:
            return frozen_at
        hour = _WEEKLY_HOUR if self.hour is None else self.hour
        there = ZoneInfo(self.zone)
        at = _quarter_from(frozen_at)
        while not self._is_hour(at.astimezone(there), (at - _QUARTER).astimezone(there), hour):
            at += _QUARTER
        return at

    def _is_hour(self, clock: datetime, before: datetime, hour: int) -> bool:
        """Whether the wall clock comes to *hour* or, where clocks go forward, jumps over it."""
        now, then = clock.replace(tzinfo=None), before.replace(tzinfo=None)
        wanted = now.replace(hour=hour, minute=0, second=0, microsecond=0)
        is_day = self.cadence == "daily" or wanted.weekday() == _SATURDAY
        return is_day and then < wanted <= now


def wishes_of(fields: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Wishes:
    """The form's *fields*; what it does not show stays as *before*, or is what nobody chose."""
    told = {**(before or {}), **fields}
    hour, most, paused = (told.get(name) for name in ("hour", "most", "paused_until"))
    return Wishes(
        categories=tuple(dict.fromkeys(map(canonical, told["categories"]))),
        types=frozenset(told.get("announce_types") or FIRST_SIGHT) & {*TYPES},
        include=tuple(map(read_rule, told.get("include") or ())),
        exclude=tuple(map(read_rule, told.get("exclude") or ())),
        cadence=told.get("cadence") or "daily",
        hour=None if hour in {None, ""} else int(hour),
        zone=told.get("zone") or "Asia/Shanghai",
        most=int(most) if most else None,
        paused_until=date.fromisoformat(paused) if paused else None,
    )


def read_rule(text: str) -> Rule:
    """`diffusion`, `title: graph neural`, `作者：Yann LeCun`, `"language models"`."""
    word, colon, rest = text.replace("：", ":").partition(":")
    field = _FIELDS.get(word.strip().lower(), "") if colon else ""
    phrase = rest if field else text
    return Rule(field or "text", phrase.strip().strip('"“”').strip())


@lru_cache(maxsize=1_000_000)
def matches(rule: Rule, paper: Announced) -> bool:
    """Whole words, whatever case and accents; an author by all words of one name, in any order."""
    if rule.field == "author":
        wanted = set(_words(rule.phrase))
        return any(wanted <= set(_words(name)) for name in paper.authors.split(", "))
    fields = {"title": (paper.title,), "abstract": (paper.abstract,)}
    return any(
        _stands_in(rule.phrase, text)
        for text in fields.get(rule.field, (paper.title, paper.abstract))
    )


def _stands_in(phrase: str, text: str) -> bool:
    """Whether the phrase stands in the text and no letter or digit goes on at either end."""
    sought, found = folded(phrase), folded(text)
    at = found.find(sought)
    while at >= 0:
        before, behind = found[at - 1 : at], found[at + len(sought) : at + len(sought) + 1]
        if not (before.isalnum() and sought[0].isalnum()) and not (
            behind.isalnum() and sought[-1].isalnum()
        ):
            return True
        at = found.find(sought, at + 1)
    return False


def _words(text: str) -> Sequence[str]:
    return re.findall(r"[^\W_]+", folded(text))


@lru_cache(maxsize=100_000)
def folded(text: str) -> str:
    """*text* without case, accents and wide gaps."""
    plain = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(bare.casefold().split())


def _quarter_from(at: datetime) -> datetime:
    """The first full quarter of an hour that is not before *at*."""
    begin = datetime(2000, 1, 1, tzinfo=UTC)
    return begin + -((begin - at) // _QUARTER) * _QUARTER
