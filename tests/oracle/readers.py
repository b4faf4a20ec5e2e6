"""What each subscriber asked for, and the papers that every issue therefore owes them."""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from oracle.source import FIRST_SIGHT, Announced, Truth, belongs, canonical

CONFIRMED, UNCONFIRMED = "confirmed", "unconfirmed"
_LIMITS = ("most", "most_papers", "max_papers")
_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[^\W_]+")
_BRACKETS = re.compile(r"\([^()]*\)")


class ReadersError(Exception):
    """A list of subscribers that cannot be judged from."""


class Rule(NamedTuple):
    """A word, phrase or author to look for."""

    field: str
    phrase: str


class Wanted(NamedTuple):
    """The papers that a letter must hold, and those that it may hold besides."""

    required: frozenset[str]
    optional: frozenset[str]


class Match(Enum):
    """Whether a rule speaks of a paper; MAYBE where its wording leaves it open."""

    NO = 0
    MAYBE = 1
    YES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One subscriber as the run left them."""

    address: str
    status: str
    categories: tuple[str, ...]
    announce_types: frozenset[str]
    cadence: str
    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()
    most: int | None = None
    paused_until: date | None = None

    def reads(self, category: str) -> bool:
        """Whether the canonical *category* is among the subscriber's."""
        return any(
            category == canonical(c) or ("." not in c and belongs(category, c))
            for c in self.categories
        )


def read_readers(path: Path) -> list[Reader]:
    """
    Return the subscribers of the file at *path*; none if there is no such file.

    Raises: ReadersError: If the file is there but says something else.
    """
    try:
        value = json.loads(path.read_bytes())
        return [
            _reader(one) for one in (value["subscribers"] if isinstance(value, dict) else value)
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as exc:
        raise ReadersError(f"{path.name}: {type(exc).__name__} {exc}") from exc


def issue_dates(issue: str, truth: Truth) -> tuple[date, ...]:
    """The announced dates that *issue* is made of; none if it is no issue of them."""
    return tuple(d for d in truth.dates if issue in {f"daily-{d}", weekly_issue(d)})


def issues_of(reader: Reader, truth: Truth) -> list[str]:
    """The issues of the reader's cadence, oldest first."""
    names = [weekly_issue(d) if reader.cadence == "weekly" else f"daily-{d}" for d in truth.dates]
    return list(dict.fromkeys(names))


def weekly_issue(day: date) -> str:
    """The weekly issue of *day*: the week of its Monday."""
    year, week, _ = (day - timedelta(days=day.weekday())).isocalendar()
    return f"weekly-{year}-W{week:02d}"


@lru_cache(maxsize=100_000)
def wanted(reader: Reader, issue: str, truth: Truth) -> Wanted:
    """Return what *issue* owes *reader*, whatever their status."""
    required: set[str] = set()
    optional: set[str] = set()
    for day in issue_dates(issue, truth):
        for arxiv_id, must in _of_day(reader, day, truth).items():
            (required if must else optional).add(arxiv_id)
    if reader.paused_until is not None:
        optional |= required
        required = set()
    return Wanted(frozenset(required), frozenset(optional - required))


def _reader(value: Mapping[str, Any]) -> Reader:
    said: Mapping[str, Any] = {**value, **(value.get("preferences") or {})}
    paused = said.get("paused_until")
    most = next((said[k] for k in _LIMITS if said.get(k)), None)
    return Reader(
        address=str(value.get("address") or ""),
        status=value["status"],
        categories=tuple(said.get("categories") or ()),
        announce_types=frozenset(said.get("announce_types") or FIRST_SIGHT),
        cadence=said.get("cadence") or "daily",
        include=tuple(_rule(r) for r in said.get("include") or ()),
        exclude=tuple(_rule(r) for r in said.get("exclude") or ()),
        most=int(most) if most else None,
        paused_until=date.fromisoformat(str(paused)[:10]) if paused else None,
    )


def _rule(value: Any) -> Rule:
    if isinstance(value, str):
        return Rule("text", value)
    return Rule(value.get("field") or "text", value["phrase"])


def _of_day(reader: Reader, day: date, truth: Truth) -> dict[str, bool]:
    """The papers of *day* for *reader*: id → whether the letter must hold it."""
    found: dict[str, bool] = {}
    for key, papers in truth.days.items():
        if key.announced_on != day or not reader.reads(key.category):
            continue
        for arxiv_id, paper in papers.items():
            must = _owed(reader, paper, key.category, day, truth)
            if must is not None:
                found[arxiv_id] = found.get(arxiv_id, False) or must
    return found


def _owed(reader: Reader, paper: Announced, category: str, day: date, truth: Truth) -> bool | None:
    """True: owed; None: not; False: the specification leaves it open."""
    asked = paper.type_in(category) in reader.announce_types
    if paper.is_replacement and not asked:
        # A withdrawal is told in one line to those whom the paper concerned, whatever their types.
        return False if paper.is_withdrawal else None
    if not asked:
        return None
    allowed = _allowed(reader, paper)
    if allowed is Match.NO:
        return None
    if not paper.is_replacement:
        # Once a reader: in the first issue that holds it as new or cross in a category of theirs.
        firsts = {
            _first(reader, paper, truth, types)
            for types in (FIRST_SIGHT, FIRST_SIGHT & reader.announce_types)
        }
        if day not in firsts:
            return None
        if len(firsts) > 1:
            return False
    return allowed is Match.YES


def _first(reader: Reader, paper: Announced, truth: Truth, types: frozenset[str]) -> date:
    return min(
        key.announced_on
        for key, announce_type in truth.sightings[paper.arxiv_id]
        if announce_type in types and reader.reads(key.category)
    )


def _allowed(reader: Reader, paper: Announced) -> Match:
    """What the rules say: a word that stands there decides, a doubtful one leaves it open."""
    excluded = max((matches(r, paper).value for r in reader.exclude), default=0)
    included = max((matches(r, paper).value for r in reader.include), default=Match.YES.value)
    if excluded == Match.YES.value or included == Match.NO.value:
        return Match.NO
    sure = excluded == Match.NO.value and included == Match.YES.value
    return Match.YES if sure else Match.MAYBE


def matches(rule: Rule, paper: Announced) -> Match:
    """Whether *rule* speaks of *paper*, as far as the source tells."""
    if rule.field == "author":
        return _by_author(rule, paper)
    text = _folded(
        {"title": paper.title, "abstract": paper.abstract}.get(
            rule.field, f"{paper.title}\n{paper.abstract}"
        )
    )
    phrase = _folded(rule.phrase)
    if re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text):
        return Match.YES
    loose = all(word in text for word in phrase.split())
    # A Chinese word may match the translation, which the source does not hold.
    return Match.MAYBE if loose or _HAN.search(phrase) else Match.NO


def _by_author(rule: Rule, paper: Announced) -> Match:
    """Whether one author's words are those of the rule, or begin with its initials."""
    wanted = sorted(_WORD.findall(_folded(rule.phrase)), key=len, reverse=True)
    expands = not all(map(_is_initial, wanted))
    # What stands in brackets is where they work; TeX writes accents that the rule does not.
    plain = _BRACKETS.sub(" ", paper.authors)
    for authors, answer in ((plain, Match.YES), (paper.authors, Match.MAYBE)):
        names = (_WORD.findall(_folded(name)) for name in authors.split(","))
        if wanted and any(_is_named(name, wanted, expands=expands) for name in names):
            return answer
    return Match.MAYBE if "\\" in paper.authors else Match.NO


def _is_named(name: list[str], wanted: list[str], *, expands: bool) -> bool:
    """Whether each wanted word finds a word of the name that no other one takes."""
    if not wanted:
        return True
    first, rest = wanted[0], wanted[1:]
    begins = expands and _is_initial(first)
    return any(
        (word.startswith(first) if begins else word == first)
        and _is_named(name[:n] + name[n + 1 :], rest, expands=expands)
        for n, word in enumerate(name)
    )


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word != word.upper()


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).casefold().split())
