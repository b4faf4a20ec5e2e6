"""Checks of the published feeds: each paper once, under the right link, id, date and order."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

from oracle.entries import Entry, UnreadableError, read_entries
from oracle.findings import Finding, finding
from oracle.source import Truth

FORMS = ("rss.xml", "atom.xml", "feed.json")
_FORM = re.compile(r"(?:rss|atom)(?:\.[\w-]+)?\.xml|feed(?:\.[\w-]+)?\.json")
# RFC 4151: tag:authority,date:specific
_TAG = re.compile(r"tag:[^,\s:]+,\d{4}(?:-\d\d){0,2}:\S+")

# design.md §7: the two newest days always, then whole days up to these limits.
_ALWAYS_DAYS, _MOST_DAYS, _MOST_ENTRIES, _MOST_BYTES = 2, 7, 500, 500_000
# Bytes of a day that was left out are guessed from the others, so the limit is taken with a margin.
_BYTES_MARGIN = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One feed file of a category (or of a named feed) as it was read."""

    category: str
    path: Path
    entries: tuple[Entry, ...]

    @property
    def where(self) -> str:
        """The file's place on the site."""
        return f"{self.category}/{self.path.name}"

    @property
    def ids(self) -> list[str]:
        """The papers, in the file's order."""
        return [entry.arxiv_id for entry in self.entries]


def check_feeds(site: Path, truth: Truth) -> Iterator[Finding]:
    """Yield a finding for every rule of the categories' feeds, then one for the named feeds."""
    wrong: list[str] = []
    feeds = [
        feed
        for category in truth.categories
        for feed in _read_all(site, category, bool(truth.first_seen[category]), wrong)
    ]
    many = f"{sum(len(feed.entries) for feed in feeds)} entries in {len(feeds)} files"
    announced = sum(map(len, truth.first_seen.values()))
    yield finding("feed files", f"{len(feeds)} files", wrong)
    yield finding(
        "feed entries",
        f"{announced} new or cross listings, {many}",
        [*_unread(feeds, truth), *(p for feed in feeds for p in _entries(feed, truth))],
    )
    yield finding("feed links", many, (p for feed in feeds for p in _links(feed)))
    yield finding("feed titles", many, (p for feed in feeds for p in _titles(feed)))
    yield finding("feed ids", many, _ids(feeds))
    yield finding("feed order", many, _order(feeds))
    yield finding("feed dates", many, (p for feed in feeds for p in _dates(feed, truth)))
    yield _named(site, truth)


def _read_all(site: Path, category: str, has_entries: bool, wrong: list[str]) -> list[Feed]:  # noqa: FBT001
    folder = site / category
    present = (
        {p.name for p in folder.iterdir() if _FORM.fullmatch(p.name)} if folder.is_dir() else set()
    )
    if not has_entries:
        # A category without an entry yet has pages but no feed files.
        wrong.extend(f"{category}/{name} has nothing to hold" for name in sorted(present))
        return []
    wrong.extend(f"{category}/{name} is missing" for name in FORMS if name not in present)
    feeds = []
    for name in sorted(present):
        try:
            entries = tuple(read_entries(folder / name))
        except (UnreadableError, ValueError) as exc:
            wrong.append(f"{category}/{name} cannot be read: {exc}")
            continue
        feeds.append(Feed(category=category, path=folder / name, entries=entries))
    return feeds


def _unread(feeds: list[Feed], truth: Truth) -> Iterator[str]:
    """A feed that is missing or unreadable lacks all of its entries."""
    read = {feed.where for feed in feeds}
    for category, seen in truth.first_seen.items():
        for name in FORMS:
            if seen and f"{category}/{name}" not in read:
                yield f"{category}/{name} lacks all {len(seen)} entries"


def _entries(feed: Feed, truth: Truth) -> Iterator[str]:
    """What is missing, repeated or was never announced; older days may be left out, whole."""
    first = truth.first_seen[feed.category]
    counts = Counter(feed.ids)
    yield from (f"{feed.where} has {i} {n} times" for i, n in counts.items() if n > 1)
    yield from (f"{feed.where} has {i}, not announced" for i in counts if i not in first)
    by_day: defaultdict[date, set[str]] = defaultdict(set)
    for arxiv_id, day in first.items():
        by_day[day].add(arxiv_id)
    announced = sorted(
        {k.announced_on for k in truth.days if k.category == feed.category}, reverse=True
    )
    always = set(announced[:_ALWAYS_DAYS])
    held, days, closed = 0, 0, False
    for day in sorted(by_day, reverse=True):
        missing = by_day[day] - counts.keys()
        whole_day_out = missing == by_day[day] and day not in always
        if whole_day_out and (closed or _is_full(feed, held, days, len(missing))):
            closed = True
            continue
        yield from (f"{feed.where} lacks {i} of {day}" for i in sorted(missing))
        if closed:
            yield f"{feed.where} holds {day} but not the day after it"
        held, days = held + len(by_day[day]), days + 1


def _is_full(feed: Feed, held: int, days: int, more: int) -> bool:
    size = feed.path.stat().st_size
    guessed = size * (held + more) / max(held, 1)
    return (
        days >= _MOST_DAYS or held + more > _MOST_ENTRIES or guessed > _MOST_BYTES * _BYTES_MARGIN
    )


def _links(feed: Feed) -> Iterator[str]:
    for entry in feed.entries:
        if entry.link != f"https://arxiv.org/abs/{entry.arxiv_id}":
            yield f"{feed.where} links to {entry.link!r}"


def _titles(feed: Feed) -> Iterator[str]:
    for entry in feed.entries:
        if not entry.title.strip():
            yield f"{feed.where}: {entry.arxiv_id} has no title"


def _ids(feeds: list[Feed]) -> Iterator[str]:
    """One tag URI a paper, the same wherever the paper stands, and no URI for two papers."""
    tags: dict[str, str] = {}
    owners: dict[str, str] = {}
    for feed in feeds:
        counts = Counter(entry.entry_id for entry in feed.entries)
        yield from (f"{feed.where} has the id {t} {n} times" for t, n in counts.items() if n > 1)
        for entry in feed.entries:
            arxiv_id, tag = entry.arxiv_id, entry.entry_id
            names = {arxiv_id, arxiv_id.replace("/", "%2F")}
            if not _TAG.fullmatch(tag) or not any(tag.endswith(name) for name in names):
                yield f"{feed.where}: {tag!r} is no tag: URI of {arxiv_id}"
            if tags.setdefault(arxiv_id, tag) != tag:
                yield f"{feed.where}: {arxiv_id} is {tag} here, {tags[arxiv_id]} elsewhere"
            if owners.setdefault(tag, arxiv_id) != arxiv_id:
                yield f"{feed.where}: {tag} names {arxiv_id} and {owners[tag]}"


def _order(feeds: list[Feed]) -> Iterator[str]:
    """Papers that two files of a category share stand in one order; `_entries` tells the rest."""
    leading: dict[str, Feed] = {}
    for feed in sorted(feeds, key=lambda f: f.path.name != FORMS[0]):
        lead = leading.setdefault(feed.category, feed)
        shared = set(lead.ids) & set(feed.ids)
        here = [i for i in dict.fromkeys(feed.ids) if i in shared]
        there = [i for i in dict.fromkeys(lead.ids) if i in shared]
        at = next(
            (n for n, pair in enumerate(zip(here, there, strict=True)) if pair[0] != pair[1]), None
        )
        if at is not None:
            yield f"{feed.where} has {here[at]} where {lead.path.name} has {there[at]}"


def _dates(feed: Feed, truth: Truth) -> Iterator[str]:
    """Each entry under the date on which the category first announced it, newest day first."""
    first = truth.first_seen[feed.category]
    known = [entry for entry in feed.entries if entry.arxiv_id in first]
    for entry in known:
        day = first[entry.arxiv_id]
        if entry.dates and day not in entry.dates:
            yield f"{feed.where}: {entry.arxiv_id} of {day} is dated {min(entry.dates)}"
    for above, below in pairwise(known):
        if first[above.arxiv_id] < first[below.arxiv_id]:
            yield f"{feed.where}: {below.arxiv_id} stands below {above.arxiv_id} of an older day"


def _named(site: Path, truth: Truth) -> Finding:
    """Named feeds, where there are any: each paper once, nothing that was not announced."""
    wrong: list[str] = []
    folders = sorted(p for p in (site / "f").glob("*") if p.is_dir())
    feeds = [f for p in folders for f in _read_named(p, wrong)]
    announced = _announced_anywhere(truth.first_seen)
    for feed in feeds:
        counts = Counter(feed.ids)
        wrong.extend(f"{feed.where} has {i} {n} times" for i, n in counts.items() if n > 1)
        wrong.extend(f"{feed.where} has {i}, not announced" for i in counts if i not in announced)
        wrong.extend(_links(feed))
    wrong.extend(_order(feeds))
    return finding("named feeds", f"{len(folders)} named feeds", wrong)


def _announced_anywhere(first_seen: Mapping[str, Mapping[str, date]]) -> set[str]:
    return {arxiv_id for seen in first_seen.values() for arxiv_id in seen}


def _read_named(folder: Path, wrong: list[str]) -> list[Feed]:
    present = [p.name for p in folder.iterdir() if _FORM.fullmatch(p.name)]
    return _read_all(folder.parent, folder.name, bool(present), wrong)
