"""Named feeds: a choice of papers over several categories, as an operator writes it down."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paperpost.domain.categories import Taxonomy
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.rules import parse_rules
from paperpost.domain.subscribers import Rule

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_LONGEST_NAME = 40
_KEYS = {"title", "title_zh", "categories", "include", "exclude"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFeed:
    """
    One feed of feeds.toml, at `f/<name>/`.

    `categories` are canonical. With `include`, a paper has to match one of its rules; one that
    matches a rule of `exclude` stays out.
    """

    name: str
    title: str
    title_zh: str
    categories: tuple[str, ...]
    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()

    @property
    def folder(self) -> str:
        """Where its files lie on the site."""
        return f"f/{self.name}"


def named_feeds(rows: Mapping[str, Any], taxonomy: Taxonomy) -> tuple[NamedFeed, ...]:
    """
    The feeds that the tables of feeds.toml describe, in their order.

    Raises: InvalidInputError: Naming the feed and the word that is wrong.
    """
    feeds = []
    for name, row in rows.items():
        try:
            feeds.append(_feed(name, row, taxonomy))
        except InvalidInputError as exc:
            raise InvalidInputError(f"named feed {name[:40]!r}: {exc}") from exc
    return tuple(feeds)


def _feed(name: str, row: Mapping[str, Any], taxonomy: Taxonomy) -> NamedFeed:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise InvalidInputError("a name is small letters, digits and single hyphens, at most 40")
    if not isinstance(row, Mapping):
        raise InvalidInputError("it is no table")
    if unknown := sorted(set(row) - _KEYS):
        raise InvalidInputError(f"{unknown[0]!r} is none of {', '.join(sorted(_KEYS))}")
    categories = taxonomy.expanded(_texts(row, "categories"))
    if not categories:
        raise InvalidInputError("'categories' names none")
    title = _text(row, "title") or name
    return NamedFeed(
        name=name,
        title=title,
        title_zh=_text(row, "title_zh") or title,
        categories=categories,
        include=parse_rules(_texts(row, "include")),
        exclude=parse_rules(_texts(row, "exclude")),
    )


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key, "")
    if not isinstance(value, str):
        raise InvalidInputError(f"{key!r} is no text")
    return value.strip()


def _texts(row: Mapping[str, Any], key: str) -> Sequence[str]:
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise InvalidInputError(f"{key!r} is no list of texts")
    return value
