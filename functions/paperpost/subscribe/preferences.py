"""What a reader wants, read from the fields of a form."""

import zoneinfo
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache

from paperpost.domain.categories import Taxonomy
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.papers import AnnounceType
from paperpost.domain.rules import RuleError, parse_rules
from paperpost.domain.subscribers import Cadence, Preferences, Rule
from paperpost.subscribe.forms import Fields, RequestError, one_of, single

LANGUAGES = ("zh", "en", "both")
LENGTHS = ("brief", "full")
_HOURS = 24
_MOST_PAPERS = 9_999
_LONGEST_PAUSE = timedelta(days=366)


def read_preferences(
    fields: Fields,
    stored: Preferences,
    *,
    configured: Collection[str],
    taxonomy: Taxonomy,
    today: date,
) -> Preferences:
    """
    Return *stored* with what the form says; what a form does not show stays.

    Raises: RequestError: Naming the first field that cannot be taken.
    """
    return replace(
        stored,
        categories=_categories(fields.get("categories", []), configured, taxonomy),
        announce_types=_types(fields) if "announce_types" in fields else stored.announce_types,
        include=_rules(fields, "include") if "include" in fields else stored.include,
        exclude=_rules(fields, "exclude") if "exclude" in fields else stored.exclude,
        language=one_of(fields, "language", LANGUAGES, default=stored.language),
        cadence=Cadence(one_of(fields, "cadence", tuple(Cadence), default=stored.cadence.value)),
        length=one_of(fields, "length", LENGTHS, default=stored.length),
        hour=_hour(fields) if "hour" in fields else stored.hour,
        zone=_zone(single(fields, "zone", default=stored.zone)),
        most=_most(fields) if "most" in fields else stored.most,
        paused_until=_pause(fields, today) if "paused_until" in fields else stored.paused_until,
    )


def _categories(
    codes: Iterable[str], configured: Collection[str], taxonomy: Taxonomy
) -> tuple[str, ...]:
    # A JSON sender, or a form with one text box, may put several into one text.
    wanted = [code for text in codes for code in text.replace(",", " ").split()]
    if not wanted:
        raise RequestError("categories", field="categories")
    return tuple(dict.fromkeys(_category(code, configured, taxonomy) for code in wanted))


def _category(code: str, configured: Collection[str], taxonomy: Taxonomy) -> str:
    """The canonical code, if the site carries it."""
    try:
        known = taxonomy.canonical(code)
    except InvalidInputError as exc:
        raise RequestError("no-category", field="categories", word=code[:40]) from exc
    if known not in configured:
        raise RequestError("not-carried", field="categories", word=code[:40])
    return known


def _types(fields: Fields) -> tuple[AnnounceType, ...]:
    # The form also sends an empty one, so that no box at all is told from a form without boxes.
    wanted = {*fields["announce_types"]} - {""}
    if not wanted or not wanted <= {*AnnounceType}:
        raise RequestError("field", field="announce_types")
    return tuple(kind for kind in AnnounceType if kind in wanted)


def _rules(fields: Fields, name: str) -> tuple[Rule, ...]:
    """The rules of a text of lines, or of a JSON list of them."""
    try:
        return parse_rules(line for text in fields[name] for line in text.split("\n"))
    except RuleError as exc:
        raise RequestError(f"rule-{exc.code}", field=name, word=exc.word[:40]) from exc


def _most(fields: Fields) -> int | None:
    """The most papers of a mail, or None (an empty field) for all."""
    text = single(fields, "most")
    if not text:
        return None
    return _number(text, "most", range(1, _MOST_PAPERS + 1))


def _hour(fields: Fields) -> int | None:
    """The local hour 0 to 23, or None (an empty field) for as soon as it is ready."""
    text = single(fields, "hour")
    if not text:
        return None
    return _number(text, "hour", range(_HOURS))


def _number(text: str, name: str, allowed: range) -> int:
    """The number that *text* writes in plain digits; int() alone takes signs and `1_000`, too."""
    is_short = len(text) <= len(str(allowed[-1]))
    if not (is_short and text.isascii() and text.isdigit() and int(text) in allowed):
        raise RequestError("field", field=name)
    return int(text)


def _zone(name: str) -> str:
    if name not in zones():
        raise RequestError("zone", field="zone")
    return name


@lru_cache
def zones() -> frozenset[str]:
    """The names of all time zones that this system knows, and that mean a zone elsewhere too."""
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


def _pause(fields: Fields, today: date) -> date | None:
    text = single(fields, "paused_until")
    if not text:
        return None
    try:
        until = date.fromisoformat(text)
    except ValueError as exc:
        raise RequestError("field", field="paused_until") from exc
    if until > today + _LONGEST_PAUSE:
        raise RequestError("pause", field="paused_until")
    return until if until > today else None
