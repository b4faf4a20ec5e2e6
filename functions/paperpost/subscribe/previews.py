"""What a reader's wishes would have matched in the last days, read from the published records."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from paperpost.domain.records import Record, from_json
from paperpost.domain.rules import first_match, passes
from paperpost.domain.subscribers import Preferences, Rule
from paperpost.storage.site import StoredFile

_DAYS = 3
_MOST_FILES = 24
_SHOWN = 20
# So many times a paper is held against a rule, then no further file is read: rules of common words
# take about 20 microseconds each, and the function has seconds.
_MOST_CHECKS = 20_000


class Published(Protocol):
    """The site's files."""

    def get(self, path: str) -> StoredFile | None:
        """The file at *path*, or None."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A paper that would have been in a mail, and the reader's rule that it matches, if any."""

    arxiv_id: str
    title: str
    rule: Rule | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Of `looked` papers `found` match; `shown` are the first of them. `days`: newest first."""

    days: tuple[date, ...]
    looked: int
    found: int
    shown: tuple[Match, ...]


def preview(wanted: Preferences, site: Published) -> Preview:
    """Try *wanted* on the newest published days of its categories, on fewer the more rules."""
    days, papers = set[date](), dict[str, Record]()
    most = _MOST_CHECKS // (1 + len(wanted.include) + len(wanted.exclude))
    for on, path in list(_files(wanted, site))[:_MOST_FILES]:
        if len(papers) > most:
            break
        stored = site.get(path)
        if stored is None:
            continue
        days.add(on)
        for value in json.loads(stored.body)["records"]:
            record = from_json(value)
            if record.listing.announce_type in wanted.announce_types:
                papers.setdefault(record.paper.arxiv_id, record)
    matching = [
        record
        for record in papers.values()
        if passes(record, include=wanted.include, exclude=wanted.exclude)
    ]
    return Preview(
        days=tuple(sorted(days, reverse=True)),
        looked=len(papers),
        found=len(matching),
        shown=tuple(_match(record, wanted) for record in matching[:_SHOWN]),
    )


def _files(wanted: Preferences, site: Published) -> Iterator[tuple[date, str]]:
    """
    The day files of the reader's categories, newest first.

    status.json tells which there are, so nothing is asked for that does not exist.
    """
    status = site.get("status.json")
    days = json.loads(status.body)["dates"] if status else []
    with_papers = [
        (
            date.fromisoformat(day["announced_on"]),
            {row["category"] for row in day["categories"] if row["published"]},
        )
        for day in days
    ]
    for on, categories in [day for day in with_papers if day[1] & {*wanted.categories}][:_DAYS]:
        for category in wanted.categories:
            if category in categories:
                yield on, f"{category}/{on}.json"


def _match(record: Record, wanted: Preferences) -> Match:
    return Match(
        arxiv_id=record.paper.arxiv_id,
        title=record.paper.title,
        rule=first_match(wanted.include, record),
    )
