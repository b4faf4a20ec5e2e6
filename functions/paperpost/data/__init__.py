"""What an operator may edit: arXiv's categories, the calendar, the glossary, named feeds."""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib import resources

from paperpost.domain.announcements import Calendar
from paperpost.domain.categories import Category, Taxonomy
from paperpost.domain.glossary import Glossary
from paperpost.domain.namedfeeds import NamedFeed, named_feeds


@lru_cache
def taxonomy() -> Taxonomy:
    """Return arXiv's categories with their English and Chinese names, from categories.toml."""
    rows = tomllib.loads(_read("categories.toml"))
    return Taxonomy(
        {
            code: Category(code=code, name=name, name_zh=name_zh)
            for code, (name, name_zh) in rows.items()
        }
    )


@lru_cache
def calendar() -> Calendar:
    """Return arXiv's announced holidays, from calendar.toml."""
    rows = tomllib.loads(_read("calendar.toml"))
    return Calendar(
        holidays={date.fromisoformat(day): name for day, name in rows["holidays"].items()}
    )


@lru_cache
def holidays_in_chinese() -> Mapping[str, str]:
    """Return the Chinese names of the calendar's holidays by those that the calendar gives them."""
    names: dict[str, str] = tomllib.loads(_read("calendar.toml"))["chinese"]
    return names


@lru_cache
def glossary(language: str) -> Glossary:
    """Return the terms of *language* from glossary.toml, none if it has no table there."""
    rows = tomllib.loads(_read("glossary.toml")).get(language, {})
    return Glossary(renderings={term: tuple(told) for term, told in rows.items()})


@lru_cache
def feeds() -> tuple[NamedFeed, ...]:
    """
    Return the named feeds, from feeds.toml.

    Raises: InvalidInputError: Naming the feed and the word that is wrong.
    """
    return named_feeds(tomllib.loads(_read("feeds.toml")), taxonomy())


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
