"""What every reader does with the texts of a paper: readable, on one line, within bounds."""

from collections.abc import Iterable

from paperpost.domain.papers import Author
from paperpost.domain.text import shorten
from paperpost.fetch.authors import is_name
from paperpost.fetch.tex import readable

# An item of a table ends at 400 kB, and one paper must not keep a whole day from being stored. What
# arXiv takes is far below: https://info.arxiv.org/help/prep.html (abstracts 1,920), 2026-11-23.
TITLE_BYTES, ABSTRACT_BYTES, AUTHORS_BYTES, LINE_BYTES = 8_000, 200_000, 120_000, 8_000
# What an author takes in the table beside the name, and beside the affiliations.
_NAME_BYTES, _PLACES_BYTES = 10, 16


def bounded(text: str, most_bytes: int) -> str:
    """*text*, cut with an ellipsis (three bytes for one) if it takes more than *most_bytes*."""
    body = text.encode()
    if len(body) <= most_bytes:
        return text
    return shorten(text, characters=len(body[: most_bytes - 2].decode(errors="ignore")))


def prose(text: str, most_bytes: int) -> str:
    """*text* readable and bounded; before too, so that no text costs more time than its bound."""
    return bounded(readable(bounded(text.strip(), most_bytes)), most_bytes)


def line(text: str | None, most_bytes: int = LINE_BYTES) -> str | None:
    """The same on one line; None if nothing is left."""
    return " ".join(prose(text, most_bytes).split()) or None if text else None


def named(authors: Iterable[Author]) -> tuple[Author, ...]:
    """Those of *authors* who have a name, readable; as many as fit."""
    told = (
        Author(
            name=line(author.name) or "",
            affiliations=tuple(filter(None, map(line, author.affiliations))),
        )
        for author in authors
    )
    return fitting(author for author in told if is_name(author.name))


def fitting(authors: Iterable[Author]) -> tuple[Author, ...]:
    """As many of *authors* as fit, and an ellipsis for the rest: thousands with full names do."""
    found, left = list[Author](), AUTHORS_BYTES
    for author in authors:
        left -= _NAME_BYTES + len(author.name.encode())
        if author.affiliations:
            left -= _PLACES_BYTES + sum(1 + len(place.encode()) for place in author.affiliations)
        if left < 0:
            return (*found, Author(name="…"))
        found.append(author)
    return tuple(found)
