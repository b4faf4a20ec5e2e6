"""The feed's author list, one string, taken apart."""

from paperpost.domain.papers import Author
from paperpost.domain.text import clean


def split_authors(text: str) -> tuple[Author, ...]:
    """
    The authors of a comma-joined list; commas inside brackets belong to affiliations.

    A list whose brackets do not close is split at every comma, so that no name is swallowed.
    """
    depth, parts = 0, [""]
    for character in text:
        depth += (character == "(") - (character == ")" and depth > 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    if depth:
        return tuple(Author(name=part.strip()) for part in text.split(",") if part.strip())
    return tuple(_author(part.strip()) for part in parts if part.strip())


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
    if not clean(name):
        return Author(name=text)
    told = (affiliation.strip() for affiliation in affiliations)
    return Author(name=clean(name), affiliations=tuple(a for a in told if a))
