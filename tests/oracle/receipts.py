"""The receipt's counts against the source, wherever in the receipt they stand."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from oracle.findings import Finding, finding
from oracle.letters import Mail
from oracle.source import ALIASES, ARCHIVES, FIRST_SIGHT, SINGLE, TYPES, Key, Truth, canonical

_LISTED = frozenset({"announced", "listed", "stored", "published"})
_MAILED = frozenset({"mailed", "letters"})
# Keys that only group: a count below them is still of the same thing.
_TRANSPARENT = frozenset({"total", "sum", "count", "all", "counts"})
_DATE_FIELDS = ("announced_on", "date", "on", "day", "issue")
_ISSUE_OR_DATE = re.compile(r"(?:daily-)?(\d{4}-\d{2}-\d{2})")
_CATEGORY = re.compile(r"([a-z]+(?:-[a-z]+)?)(\.[A-Za-z]+(?:-[A-Za-z]+)?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Of what the counts here are, as far as the keys above tell."""

    path: str = "receipt"
    metric: str = ""
    category: str = ""
    day: date | None = None
    announce_type: str = ""
    is_foreign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    place: _Place
    value: int


def check_receipt(path: Path, truth: Truth, mails: Sequence[Mail]) -> Finding:
    """The receipt is there, says that it adds up, and no count in it contradicts the source."""
    try:
        receipt = json.loads(path.read_bytes())
    except (OSError, ValueError) as exc:
        return finding("receipt", "none", [f"{path.name} cannot be read: {exc}"])
    counts = [c for c in _counts(receipt, _Place()) if not c.place.is_foreign]
    judged = [(c, _possible(c.place, truth, mails)) for c in counts]
    compared = [(c, possible) for c, possible in judged if possible]
    wrong = [
        f"{c.place.path} is {c.value}, not {' or '.join(map(str, sorted(possible)))}"
        for c, possible in compared
        if c.value not in possible
    ]
    return finding("receipt", f"{len(compared)} counts", [*_confessed(receipt), *wrong])


def _confessed(receipt: Any) -> Iterator[str]:
    if not isinstance(receipt, dict):
        yield "receipt.json is no object"
        return
    for name in ("ok", "adds_up"):
        if receipt.get(name) is False:
            yield f"receipt.json says {name}: false"
    for name in ("problems", "errors", "faults"):
        if receipt.get(name):
            yield f"receipt.json tells of {name}: {receipt[name]}"


def _counts(value: Any, place: _Place) -> Iterator[_Count]:
    if isinstance(value, dict):
        here = _told_by_fields(value, place)
        for name, child in value.items():
            yield from _counts(child, _below(str(name), here))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _counts(child, replace(place, path=f"{place.path}[{number}]"))
    elif isinstance(value, int) and not isinstance(value, bool) and place.metric:
        yield _Count(place=place, value=value)


def _told_by_fields(value: Mapping[str, Any], place: _Place) -> _Place:
    """What an object says of itself: `{"category": "cs.CV", "announced_on": …, "announced": 3}`."""
    for name in _DATE_FIELDS:
        place = _narrowed(value.get(name), place)
    return _narrowed(value.get("category"), place)


def _narrowed(said: Any, place: _Place) -> _Place:
    text = said if isinstance(said, str) else ""
    if match := _ISSUE_OR_DATE.fullmatch(text):
        return replace(place, day=date.fromisoformat(match[1]))
    if text in TYPES:
        return replace(place, announce_type=text)
    match = _CATEGORY.fullmatch(text)
    if match and match[1] in ARCHIVES:
        if not match[2] and text not in SINGLE:
            return replace(place, is_foreign=True)  # a whole archive: several ways to count it
        return replace(place, category=canonical(text))
    return replace(place, is_foreign=True) if text.startswith("weekly-") else place


def _below(name: str, place: _Place) -> _Place:
    inner = replace(place, path=f"{place.path}.{name}")
    if name in _LISTED | _MAILED:
        return replace(inner, metric=name)
    if name == "invocations":
        return replace(inner, metric="", is_foreign=True)
    narrowed = _narrowed(name, inner)
    if narrowed is inner and name not in _TRANSPARENT:
        return replace(inner, metric="")
    return narrowed


def _possible(place: _Place, truth: Truth, mails: Sequence[Mail]) -> set[int]:
    """The counts that the place may mean; none if it cannot be judged."""
    if place.metric in _MAILED:
        return set() if place.category or place.announce_type else _mailed(place, mails)
    keys = [
        key
        for key in truth.days
        if place.category in {"", key.category} and place.day in {None, key.announced_on}
    ]
    types = {place.announce_type} if place.announce_type else set(TYPES)
    possible = _sums(keys, types, truth)
    if place.metric == "published":
        # What was published may be counted in entries, which replacements are not.
        possible |= _sums(keys, types & FIRST_SIGHT, truth)
    return possible


def _sums(keys: Iterable[Key], types: Iterable[str], truth: Truth) -> set[int]:
    """Listings; and where several categories or days are added up, papers a day and papers."""
    wanted = set(types)
    found = [
        (key, i)
        for key in keys
        for i, paper in truth.days[key].items()
        if paper.type_in(key.category) in wanted
    ]
    return {
        len(found),
        len({(key.announced_on, i) for key, i in found}),
        len({i for _, i in found}),
    }


def _mailed(place: _Place, mails: Sequence[Mail]) -> set[int]:
    letters = [mail for mail in mails if mail.issue]
    if place.day is not None:
        return {sum(mail.issue == f"daily-{place.day}" for mail in letters)}
    return {len(letters), len(mails)}


assert set(ALIASES.values()).isdisjoint(ALIASES)  # an alias of an alias would be lost
