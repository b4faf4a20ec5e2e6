"""What one build of a category is made from, and what is noted of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any

from paperpost.domain.records import Record, to_json
from paperpost.publish.days import Day, data_hash, day_facts, progress
from paperpost.publish.known import Known
from paperpost.publish.latecomers import Latecomers, late_note


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """
    The days to build, newest first, and late arrivals.

    `later`: older dates whose pages are to be renewed. `facts`: a hash that changes with all that
    shows of papers.
    """

    known: Known
    days: Sequence[Day]
    late: Latecomers
    later: frozenset[date]
    facts: str

    @property
    def records(self) -> list[Record]:
        """All that pages and feeds show of it."""
        return [*(record for day in self.days for record in day.records), *self.late.moved]

    @property
    def is_published(self) -> bool:
        """Whether readers have seen all days; a new one waits for its own translations alone."""
        return all(self.known.counted(day.announced_on) for day in self.days)

    @property
    def is_noted(self) -> bool:
        """Whether the last build was made from the same."""
        build = self.known.build
        return (build.get("announced"), build.get("data")) == (self.known.announced, self.facts)

    def note(self, languages: Sequence[str]) -> dict[str, Any]:
        """What to note of the data, and of what is left to do."""
        built = {day.announced_on for day in self.days}
        done = progress(self.records, languages)
        later = self.later - built
        left = [
            a
            for a in self.known.with_papers
            if a.announced_on not in built and not self.known.is_noted_as(a)
        ]
        return {
            "announced": self.known.announced,
            "data": self.facts,
            "open": done.open + len(left) + len(later),
            "later": sorted(map(date.isoformat, later)),
            "not_shown": done.not_shown,
            "late": late_note(self.known, self.days),
        }


def material(
    known: Known, days: Sequence[Day], late: Latecomers, *, later: frozenset[date]
) -> Material:
    """The material, with its facts."""
    facts = [*chain.from_iterable(map(day_facts, days)), *map(to_json, late.moved)]
    return Material(known=known, days=days, late=late, later=later, facts=data_hash(facts))
