"""The small part of the query API's search language that a made-up arXiv understands."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from support.arxiv_answers import Known

Match = Callable[[Known], bool]
_TOKEN = re.compile(
    r"\s*(?:(?P<mark>[()])|(?P<word>AND(?:NOT)?|OR)\b"
    r"|(?P<date>submittedDate|lastUpdatedDate):\[(?P<first>\d{8,14}) TO (?P<last>\d{8,14})\]"
    r"|cat:(?P<cat>[\w.*-]+)|id:(?P<id>[\w./-]+)|all:(?P<all>\w+))"
)


class BadQueryError(Exception):
    """The query is in no form that is understood here."""


def search(query: str) -> Match:
    """What *query* matches: `cat:`, `id:`, `all:`, date ranges, AND, OR, ANDNOT, brackets."""
    tokens, position = list[re.Match[str]](), 0
    while position < len(query.rstrip()):
        token = _TOKEN.match(query, position)
        if token is None:
            raise BadQueryError(f"incorrect query at {query[position : position + 20]}")
        tokens.append(token)
        position = token.end()
    found = _sequence(tokens)
    if tokens:
        raise BadQueryError("incorrect query")
    return found


def _sequence(tokens: list[re.Match[str]]) -> Match:
    found = _term(tokens)
    while tokens and tokens[0]["word"]:
        word = tokens.pop(0)["word"]
        found = _joined(word, found, _term(tokens))
    return found


def _joined(word: str, left: Match, right: Match) -> Match:
    if word == "OR":
        return lambda known: left(known) or right(known)
    wanted = word == "AND"
    return lambda known: left(known) and right(known) is wanted


def _term(tokens: list[re.Match[str]]) -> Match:
    if not tokens or tokens[0]["word"] or tokens[0]["mark"] == ")":
        raise BadQueryError("incorrect query")
    token = tokens.pop(0)
    if token["mark"]:
        inside = _sequence(tokens)
        if not tokens or tokens.pop(0)["mark"] != ")":
            raise BadQueryError("incorrect query")
        return inside
    if token["date"]:
        return _between(token["date"], token["first"], token["last"])
    if token["cat"]:
        return lambda known: any(fnmatchcase(c, token["cat"]) for c in known.paper.categories)
    if token["id"]:
        return lambda known: known.paper.arxiv_id == token["id"]
    return lambda known: token["all"].casefold() in known.paper.title.casefold()


def _between(field: str, first: str, last: str) -> Match:
    """Both ends belong to the range, to the minute, in GMT."""
    low, high = first.ljust(12, "0")[:12], last.ljust(12, "9")[:12]

    def matches(known: Known) -> bool:
        at: datetime = known.published if field == "submittedDate" else known.paper.at
        return low <= f"{at.astimezone(UTC):%Y%m%d%H%M}" <= high

    return matches
