"""Papers, their listings and how two sightings of one paper become one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum


class AnnounceType(StrEnum):
    """What an announcement says of a paper, relative to one category."""

    NEW = "new"
    CROSS = "cross"
    REPLACE = "replace"
    REPLACE_CROSS = "replace-cross"

    @property
    def rank(self) -> int:
        """The place of this type in arXiv's own order: 0 for new up to 3 for replace-cross."""
        return list(AnnounceType).index(self)

    @property
    def is_replacement(self) -> bool:
        """Whether the paper had been announced before."""
        return self in {AnnounceType.REPLACE, AnnounceType.REPLACE_CROSS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """One author as arXiv names them; affiliations only where arXiv tells them."""

    name: str
    affiliations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstListing:
    """When a category first announced a paper, and as what."""

    announced_on: date
    announce_type: AnnounceType


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """
    An e-print at its newest known version. `categories` are canonical, the primary first.

    `listed`: category → its first listing there. `replaced`: category → dates of replacements.
    `earlier_abstract`: the one that the notice of a withdrawal took the place of, or ''.
    """

    arxiv_id: str
    version: int
    title: str
    abstract: str
    authors: tuple[Author, ...]
    categories: tuple[str, ...]
    licence: str | None = None
    doi: str | None = None
    journal_ref: str | None = None
    comment: str | None = None
    submitted_at: datetime | None = None
    updated_at: datetime | None = None
    withdrawn: bool = False
    earlier_abstract: str = ""
    listed: Mapping[str, FirstListing] = field(default_factory=dict)
    replaced: Mapping[str, tuple[date, ...]] = field(default_factory=dict)

    @property
    def primary(self) -> str:
        """The primary category."""
        return self.categories[0]

    def dates_in(self, category: str) -> frozenset[date]:
        """The dates whose announcements of *category* list it, as far as they are known."""
        first = self.listed.get(category)
        return frozenset(
            {*self.replaced.get(category, ()), *([first.announced_on] if first else ())}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One paper in one announcement."""

    category: str
    announced_on: date
    arxiv_id: str
    version: int
    announce_type: AnnounceType
    stored_at: datetime


def merge_papers(stored: Paper | None, seen: Paper) -> Paper:
    """
    Return what to keep of a stored paper and a new sighting of it.

    The newer version wins, but where the paper appeared elsewhere holds for every version; of one
    version, what is known is never erased by a source that does not tell it. `listed` is merged
    (see merge_listed), `replaced` only gains.
    """
    if stored is None:
        return seen
    older, newer = (stored, seen) if seen.version >= stored.version else (seen, stored)
    merged = newer if newer.version > older.version else _filled(newer, older)
    listed = dict(stored.listed)
    for category, first in seen.listed.items():
        listed[category] = merge_listed(listed.get(category), first)
    replaced = {
        category: tuple(
            sorted({*stored.replaced.get(category, ()), *seen.replaced.get(category, ())})
        )
        for category in {**stored.replaced, **seen.replaced}
    }
    return replace(
        merged,
        listed=listed,
        replaced=replaced,
        earlier_abstract=_earlier_abstract(newer, older) if merged.withdrawn else "",
        submitted_at=merged.submitted_at or older.submitted_at,
        doi=merged.doi or older.doi,
        journal_ref=merged.journal_ref or older.journal_ref,
    )


def _earlier_abstract(newer: Paper, older: Paper) -> str:
    """What the paper said before it was withdrawn, as far as that is known."""
    if newer.version == older.version or older.withdrawn or newer.earlier_abstract:
        return newer.earlier_abstract or older.earlier_abstract
    return older.abstract if older.abstract != newer.abstract else ""


def listed_as(paper: Paper, listing: Listing) -> Paper:
    """*paper* that knows of *listing*."""
    first = FirstListing(announced_on=listing.announced_on, announce_type=listing.announce_type)
    is_replacement = listing.announce_type.is_replacement
    replaced = {listing.category: (listing.announced_on,)} if is_replacement else {}
    seen = replace(paper, listed={listing.category: first}, replaced=replaced)
    return merge_papers(paper, seen)


def merge_listed(stored: FirstListing | None, seen: FirstListing) -> FirstListing:
    """
    Return the first listing of a category: the earliest `new` or `cross` stays for ever.

    A replacement fills it only when empty and yields to a `new` or `cross` that is found later.
    """
    if stored is None:
        return seen
    if stored.announce_type.is_replacement != seen.announce_type.is_replacement:
        return seen if stored.announce_type.is_replacement else stored
    return min(stored, seen, key=lambda first: first.announced_on)


def _filled(newer: Paper, older: Paper) -> Paper:
    """*newer* with what only *older* knows of the same version."""
    return replace(
        newer,
        licence=newer.licence or older.licence,
        comment=newer.comment or older.comment,
        updated_at=newer.updated_at or older.updated_at,
        withdrawn=newer.withdrawn or older.withdrawn,
    )
