"""What arXiv announced, read from the bytes of its feeds: the truth that a run is judged by."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lxml import etree

EASTERN = ZoneInfo("America/New_York")
BASE_ID = re.compile(r"(?:\d{4}\.\d{4,5}|[a-z]+(?:-[a-z]+)?/\d{7})", re.ASCII)
# An address of an abstract page inside running text; what follows `abs/` is judged elsewhere.
ABS_LINK = re.compile(r"https?://(?:www\.)?arxiv\.org/abs/([A-Za-z0-9./-]+)", re.ASCII)
FIRST_SIGHT = frozenset({"new", "cross"})
TYPES = ("new", "cross", "replace", "replace-cross")

# design.md §3, and the sixth pair of https://arxiv.org/category_taxonomy (read 2026-11-23).
ALIASES: Mapping[str, str] = {
    "stat.TH": "math.ST",
    "cs.NA": "math.NA",
    "cs.SY": "eess.SY",
    "math.IT": "cs.IT",
    "math.MP": "math-ph",
    "q-fin.EC": "econ.GN",
}
# Archives that are one category each, and those that have several.
SINGLE = frozenset(
    "gr-qc hep-ex hep-lat hep-ph hep-th math-ph nucl-ex nucl-th quant-ph".split()  # noqa: SIM905
)
ARCHIVES = SINGLE | frozenset(
    "astro-ph cond-mat cs econ eess math nlin physics q-bio q-fin stat".split()  # noqa: SIM905
)

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_WITHDRAWN = re.compile(
    r"\W*(?:this|the) [\w ,-]{0,60}\b(?:withdrawn|retracted)\b|withdrawn by", re.IGNORECASE
)


class SourceError(Exception):
    """A source feed that cannot be judged from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """One item of a feed: categories are canonical, the primary first."""

    arxiv_id: str
    title: str
    abstract: str
    authors: str
    categories: tuple[str, ...]
    is_replacement: bool

    @property
    def is_withdrawal(self) -> bool:
        """Whether the author takes the paper back, as the abstract says."""
        return self.is_replacement and bool(_WITHDRAWN.match(self.abstract))

    def type_in(self, category: str) -> str:
        """The announce type relative to *category*."""
        if self.is_replacement:
            return "replace" if category == self.categories[0] else "replace-cross"
        return "new" if category == self.categories[0] else "cross"


class Key(NamedTuple):
    """One category on one Eastern date."""

    category: str
    announced_on: date


@dataclass(frozen=True, eq=False)
class Truth:
    """Every listing: category and date → id → what was announced; `feeds` counts the files."""

    days: Mapping[Key, Mapping[str, Announced]]
    feeds: int

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The categories with at least one listing."""
        return tuple(sorted({key.category for key in self.days}))

    @cached_property
    def dates(self) -> tuple[date, ...]:
        """The dates with at least one listing, oldest first."""
        return tuple(sorted({key.announced_on for key in self.days}))

    @cached_property
    def listings(self) -> int:
        """How many listings there are, of all four types."""
        return sum(map(len, self.days.values()))

    @cached_property
    def first_seen(self) -> Mapping[str, Mapping[str, date]]:
        """By category: id → the first date on which it was `new` or `cross` there."""
        seen: dict[str, dict[str, date]] = {category: {} for category in self.categories}
        for key in sorted(self.days, key=lambda k: k.announced_on):
            for arxiv_id, paper in self.days[key].items():
                if not paper.is_replacement:
                    seen[key.category].setdefault(arxiv_id, key.announced_on)
        return seen

    @cached_property
    def sightings(self) -> Mapping[str, Sequence[tuple[Key, str]]]:
        """By id: where and as what a paper was `new` or `cross`."""
        found: defaultdict[str, list[tuple[Key, str]]] = defaultdict(list)
        for key, papers in self.days.items():
            for arxiv_id, paper in papers.items():
                if not paper.is_replacement:
                    found[arxiv_id].append((key, paper.type_in(key.category)))
        return found

    @cached_property
    def mentions(self) -> Mapping[str, frozenset[str]]:
        """The ids whose abstract pages a paper's own title or abstract links to."""
        found: dict[str, frozenset[str]] = {}
        for papers in self.days.values():
            for arxiv_id, paper in papers.items():
                linked = frozenset(linked_ids(f"{paper.title} {paper.abstract}"))
                found[arxiv_id] = found.get(arxiv_id, frozenset()) | linked
        return found


def canonical(category: str) -> str:
    """The one name of *category*."""
    return ALIASES.get(category, category)


def belongs(category: str, name: str) -> bool:
    """Whether a channel that names the category or archive *name* announces *category*."""
    if "." in name or name in SINGLE:
        return category == canonical(name)
    names = {category, *(alias for alias, real in ALIASES.items() if real == category)}
    return any(n.split(".", 1)[0] == name for n in names)


def linked_ids(text: str) -> list[str]:
    """What stands behind each abstract address in *text*, in order, with punctuation taken off."""
    return [match.rstrip(".-/") for match in ABS_LINK.findall(text)]


def read_sources(feeds: Sequence[Path], categories: Sequence[str] | None) -> Truth:
    """
    Return what *feeds* announced in *categories*, or in all that the channels name.

    Raises: SourceError: If a file is not an announcement feed.
    """
    configured = {canonical(c) for c in categories} if categories else None
    days: defaultdict[Key, dict[str, Announced]] = defaultdict(dict)
    for path in feeds:
        names, announced_on, items = _read_feed(path)
        for item in items:
            for category in item.categories:
                if configured is not None and category not in configured:
                    continue
                if any(belongs(category, name) for name in names):
                    _keep(days[Key(category, announced_on)], item)
    return Truth(dict(days), len(feeds))


def _keep(day: dict[str, Announced], item: Announced) -> None:
    # Two files of one date may show one paper; its first sight outranks its replacement.
    known = day.get(item.arxiv_id)
    if known is None or (known.is_replacement and not item.is_replacement):
        day[item.arxiv_id] = item


def _read_feed(path: Path) -> tuple[list[str], date, list[Announced]]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(path.read_bytes(), parser)
    except (OSError, etree.XMLSyntaxError) as exc:
        raise SourceError(f"{path.name}: {exc}") from exc
    if root.tag == "rss":
        channel = root.find("channel")
        if channel is None:
            raise SourceError(f"{path.name}: no channel")
        announced_on = _rss_date(path, channel)
        return _names(path, channel.findtext("title")), announced_on, list(_rss(path, channel))
    if root.tag == f"{_ATOM}feed":
        return (
            _names(path, root.findtext(f"{_ATOM}title")),
            _atom_date(path, root),
            list(_atom(path, root)),
        )
    raise SourceError(f"{path.name}: neither RSS 2.0 nor Atom")


def _names(path: Path, title: str | None) -> list[str]:
    match = re.fullmatch(r"\s*(\S.*) updates on arXiv\.org\s*", title or "")
    if match is None:
        raise SourceError(f"{path.name}: the channel names no category: {title!r}")
    known = {archive.casefold(): archive for archive in ARCHIVES}
    return [known.get(n.strip().casefold(), n.strip()) for n in match[1].split(",")]


def _rss_date(path: Path, channel: etree._Element) -> date:
    text = channel.findtext("pubDate") or channel.findtext("lastBuildDate")
    try:
        return parsedate_to_datetime(text or "").astimezone(EASTERN).date()
    except ValueError as exc:
        raise SourceError(f"{path.name}: no date: {text!r}") from exc


def _atom_date(path: Path, root: etree._Element) -> date:
    entries = root.findall(f"{_ATOM}entry/{_ATOM}published")
    texts = {e.text or "" for e in entries} or {root.findtext(f"{_ATOM}updated") or ""}
    try:
        dates = {datetime.fromisoformat(t).astimezone(EASTERN).date() for t in texts}
    except ValueError as exc:
        raise SourceError(f"{path.name}: no date: {exc}") from exc
    if len(dates) != 1:
        raise SourceError(f"{path.name}: entries of {len(dates)} dates")
    return dates.pop()


def _rss(path: Path, channel: etree._Element) -> Iterator[Announced]:
    for item in channel.findall("item"):
        yield _announced(
            path,
            link=item.findtext("link"),
            title=item.findtext("title"),
            description=item.findtext("description"),
            categories=[c.text or "" for c in item.findall("category")],
            item=item,
        )


def _atom(path: Path, root: etree._Element) -> Iterator[Announced]:
    for entry in root.findall(f"{_ATOM}entry"):
        links = [
            link.get("href")
            for link in entry.findall(f"{_ATOM}link")
            if link.get("rel", "alternate") == "alternate"
        ]
        yield _announced(
            path,
            link=links[0] if links else None,
            title=entry.findtext(f"{_ATOM}title"),
            description=entry.findtext(f"{_ATOM}summary"),
            categories=[c.get("term", "") for c in entry.findall(f"{_ATOM}category")],
            item=entry,
        )


def _announced(
    path: Path,
    *,
    link: str | None,
    title: str | None,
    description: str | None,
    categories: Iterable[str],
    item: etree._Element,
) -> Announced:
    arxiv_id = (link or "").rpartition("/abs/")[2].strip()
    announce_type = (item.findtext(f"{_ARXIV}announce_type") or "").strip()
    names = tuple(dict.fromkeys(canonical(c.strip()) for c in categories if c.strip()))
    if not BASE_ID.fullmatch(arxiv_id) or announce_type not in TYPES or not names:
        raise SourceError(f"{path.name}: an item without id, type or category: {link!r}")
    return Announced(
        arxiv_id=arxiv_id,
        title=" ".join((title or "").split()),
        abstract=(description or "").partition("Abstract:")[2].strip(),
        authors=item.findtext(f"{_DC}creator") or "",
        categories=names,
        is_replacement=announce_type.startswith("replace"),
    )
