"""The feed's author list, one string, taken apart."""

import re
from collections.abc import Mapping
from dataclasses import replace

from paperpost.domain.papers import Author
from paperpost.domain.text import clean
from paperpost.fetch.tex import readable

# A group that signs before its members, as in "LHCb collaboration: R. Aaij".
_GROUP = re.compile(
    r"(?P<group>[^:]*\b(?:collaborations?|consortium|team|group|project|network))\s*:\s*(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
# A part of the name before it, although a comma stands between.
_SUFFIX = re.compile(r"(?:Jr|Sr|Ph\.?\s?D|M\.?D|Esq)\.?|I{2,3}|IV", re.IGNORECASE)
# "(1) One, Town, (2) Two": what the numbers behind the names mean.
_LEGEND_ENTRY = re.compile(r"\(?\b(?P<number>\d{1,2})\)\s*(?P<place>[^()]*(?:\([^()\d]*\)[^()]*)*)")
_NUMBERS = re.compile(r"\d{1,2}(?:(?:\s*,\s*|\s*;\s*|\s*&\s*|\s+and\s+|,\s*and\s+)\d{1,2})*")


def split_authors(text: str) -> tuple[Author, ...]:
    """
    The authors of a comma-joined list in TeX; commas in brackets and braces separate nobody.

    A list whose brackets do not close is split at every comma, so that no name is swallowed.
    Numbers behind names are told in words where the list ends with what they mean.
    """
    told = readable(text)
    group = _GROUP.fullmatch(told)
    if group and not any(mark in group["group"] for mark in ",()"):
        told = f"{group['group']}, {group['rest']}"
    authors = list[Author]()
    for part in _parts(told):
        if authors and _SUFFIX.fullmatch(part):
            authors[-1] = replace(authors[-1], name=f"{authors[-1].name} {part}")
        elif is_name(part):
            authors.append(_author(part))
    return _with_places(authors)


def is_name(text: str) -> bool:
    """Whether *text* names anybody: lists hold commas without names, and a lone colon."""
    return any(character.isalnum() for character in text)


def _parts(text: str) -> list[str]:
    depth, parts = 0, [""]
    for character in text:
        depth += (character in "({") - (character in ")}" and depth > 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    if depth:
        parts = text.split(",")
    return [part.strip() for part in parts]


def _author(text: str) -> Author:
    """The name, and what stands in brackets behind it; a name within brackets stays as it is."""
    depth, name, affiliations = 0, "", list[str]()
    for character in text:
        if character == ")" and depth > 0:
            depth -= 1
            if depth == 0:
                continue
        if character == "(":
            depth += 1
            if depth == 1:
                affiliations.append("")
                continue
        if depth:
            affiliations[-1] += character
        else:
            name += character
    # "et al. (909 additional authors not shown)" tells of a number, not of a place.
    if depth or not is_name(name) or clean(name).casefold().startswith("et al"):
        return Author(name=clean(text))
    told = (clean(affiliation) for affiliation in affiliations)
    return Author(name=clean(name), affiliations=tuple(a for a in told if a))


def _with_places(authors: list[Author]) -> tuple[Author, ...]:
    """The authors with places for numbers, if brackets at the end say what each number means."""
    legend = authors[-1].affiliations[-1] if authors and authors[-1].affiliations else ""
    entries = list(_LEGEND_ENTRY.finditer(legend))
    places = {e["number"]: e["place"].strip(" ,;.") for e in entries}
    numbers = {n for a in authors for told in a.affiliations for n in _numbers(told)}
    if not entries or entries[0].start() or not numbers <= places.keys() or "" in places.values():
        return tuple(authors)
    authors[-1] = replace(authors[-1], affiliations=authors[-1].affiliations[:-1])
    return tuple(replace(author, affiliations=_places(author, places)) for author in authors)


def _places(author: Author, places: Mapping[str, str]) -> tuple[str, ...]:
    told = ([places[n] for n in _numbers(a)] or [a] for a in author.affiliations)
    return tuple(place for found in told for place in found)


def _numbers(affiliation: str) -> list[str]:
    return re.findall(r"\d+", affiliation) if _NUMBERS.fullmatch(affiliation) else []
