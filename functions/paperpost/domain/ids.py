"""arXiv identifiers: the base id names a paper for ever, `v2` names one version of it."""

import re
from dataclasses import dataclass

from paperpost.domain.errors import InvalidInputError

# New form YYMM.NNNN (0704 to 1412) or YYMM.NNNNN (since 1501); old form archive/YYMMNNN, with an
# optional subject class that arXiv itself leaves out outside (math.CA/0611800 = math/0611800).
# Source: https://info.arxiv.org/help/arxiv_identifier.html, read 2026-11-23.
_NEW = r"\d{2}(?:0[1-9]|1[0-2])\.\d{4,5}"
_OLD = r"(?P<archive>[a-z]+(?:-[a-z]+)?)(?:\.[A-Z]{2})?/(?P<number>\d{2}(?:0[1-9]|1[0-2])\d{3})"
_ID = re.compile(
    rf"(?:oai:arXiv\.org:|arXiv:|https?://(?:www\.)?arxiv\.org/(?:abs|pdf)/)?"
    rf"(?:(?P<new>{_NEW})|{_OLD})(?:v(?P<version>[1-9]\d{{0,2}}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, order=True)
class VersionedId:
    """A paper's base id and the version that was named with it, or None."""

    arxiv_id: str
    version: int | None = None


def parse_id(text: str) -> VersionedId:
    """
    Return the id that *text* names: bare, `arXiv:`, OAI, or an abs or pdf address.

    Raises: InvalidInputError: If it has none of the forms that arXiv documents.
    """
    match = _ID.fullmatch(text.strip())
    if match is None:
        raise InvalidInputError(f"not an arXiv identifier: {text[:80]!r}")
    base = match["new"] or f"{match['archive']}/{match['number']}"
    return VersionedId(base, int(match["version"]) if match["version"] else None)


def abs_url(arxiv_id: str) -> str:
    """The abstract page of the newest version: what every entry links to, for ever."""
    return f"https://arxiv.org/abs/{arxiv_id}"


def pdf_url(arxiv_id: str) -> str:
    """The PDF of the newest version."""
    return f"https://arxiv.org/pdf/{arxiv_id}"


def html_url(arxiv_id: str) -> str:
    """Return arXiv's HTML rendering of the newest version; papers without one answer 404."""
    return f"https://arxiv.org/html/{arxiv_id}"


def bibtex_url(arxiv_id: str) -> str:
    """Return arXiv's own BibTeX entry for the paper."""
    return f"https://arxiv.org/bibtex/{arxiv_id}"


def newest_first(arxiv_id: str) -> tuple[int, int, str]:
    """A key that sorts base ids by the month and number arXiv gave them (use with reverse=True)."""
    digits = arxiv_id.rsplit("/", 1)[-1].replace(".", "")
    year, rest = int(digits[:2]), digits[2:]
    century = 1900 if year >= 91 else 2000  # noqa: PLR2004  arXiv began in 1991
    month, number = int(rest[:2]), int(rest[2:])
    return (century + year) * 100 + month, number, arxiv_id
