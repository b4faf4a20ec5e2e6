"""Selections: what of an issue one reader gets, each paper once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from paperpost.domain.issues import FrozenIssue, FrozenPaper
from paperpost.domain.papers import AnnounceType
from paperpost.domain.records import Record, reading_order
from paperpost.domain.rules import first_match
from paperpost.domain.subscribers import Preferences, Rule

_WITHDRAWAL_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A paper in one reader's letter. `rule`: the reader's rule that it matches, if any."""

    record: Record
    late: bool = False
    rule: Rule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """
    What of an issue one reader gets, in the order of the letter, each paper once.

    `left_out`: how many papers more there are than the reader wants at most.
    """

    matched: tuple[Pick, ...] = ()
    rest: tuple[Pick, ...] = ()
    late: tuple[Pick, ...] = ()
    replacements: tuple[Pick, ...] = ()
    withdrawals: tuple[Pick, ...] = ()
    left_out: int = 0

    @property
    def picks(self) -> tuple[Pick, ...]:
        """All of them."""
        return (
            *self.matched,
            *self.rest,
            *self.late,
            *self.replacements,
            *self.withdrawals,
        )


def selection(issue: FrozenIssue, preferences: Preferences) -> Selection:
    """
    Return what a reader with *preferences* gets of *issue*.

    A new or cross-listed paper belongs to the smallest issue over the reader's categories, so a
    reader meets it once. Replacements come if asked for; a withdrawal is told to whoever had been
    due the paper in the last 30 days.
    """
    new: list[Pick] = []
    replaced: list[Pick] = []
    withdrawn: list[Pick] = []
    for paper in issue.papers:
        if first_match(preferences.exclude, paper.record) is not None:
            continue
        rule = first_match(preferences.include, paper.record)
        if preferences.include and rule is None:
            continue
        if _is_due(paper, issue, preferences):
            new.append(_pick(paper, issue, preferences, rule))
        elif not any(
            listing.category in preferences.categories and listing.announce_type.is_replacement
            for listing in paper.listings
        ):
            continue
        elif paper.record.paper.withdrawn and _was_due(paper, issue, preferences):
            withdrawn.append(Pick(record=paper.record, rule=rule))
        elif _wanted_replacements(paper, preferences):
            replaced.append(_pick(paper, issue, preferences, rule, replacement=True))
    return _ordered(new, replaced, withdrawn, preferences)


def _is_due(paper: FrozenPaper, issue: FrozenIssue, preferences: Preferences) -> bool:
    issues = [
        first.issue
        for category in preferences.categories
        if (first := paper.first.get(category)) and _wants(preferences, first.announce_type)
    ]
    return bool(issues) and min(issues) == issue.issue


def _was_due(paper: FrozenPaper, issue: FrozenIssue, preferences: Preferences) -> bool:
    since = issue.announced_on - timedelta(days=_WITHDRAWAL_DAYS)
    return any(
        since <= first.announced_on <= issue.announced_on
        and not first.announce_type.is_replacement
        and _wants(preferences, first.announce_type)
        for category, first in paper.record.paper.listed.items()
        if category in preferences.categories
    )


def _wants(preferences: Preferences, announce_type: AnnounceType) -> bool:
    return announce_type in preferences.announce_types


def _wanted_replacements(paper: FrozenPaper, preferences: Preferences) -> bool:
    return any(
        listing.category in preferences.categories
        and listing.announce_type.is_replacement
        and _wants(preferences, listing.announce_type)
        for listing in paper.listings
    )


def _pick(
    paper: FrozenPaper,
    issue: FrozenIssue,
    preferences: Preferences,
    rule: Rule | None,
    *,
    replacement: bool = False,
) -> Pick:
    """The paper as the best of the reader's own listings shows it: in time, new, first category."""
    listing = min(
        (
            x
            for x in paper.listings
            if x.category in preferences.categories
            and x.announce_type.is_replacement is replacement
            and _wants(preferences, x.announce_type)
        ),
        key=lambda x: (
            issue.is_late(x),
            x.announce_type.rank,
            preferences.categories.index(x.category),
        ),
    )
    return Pick(
        record=replace(paper.record, listing=listing), late=issue.is_late(listing), rule=rule
    )


def _ordered(
    new: Iterable[Pick],
    replaced: Iterable[Pick],
    withdrawn: Iterable[Pick],
    preferences: Preferences,
) -> Selection:
    places = {category: n for n, category in enumerate(preferences.categories)}

    def by_primary(pick: Pick) -> tuple[Any, ...]:
        primary = next(iter(pick.record.paper.categories), "")  # none: it cannot be rendered
        return places.get(primary, len(places)), primary, reading_order(pick.record)

    def by_date(pick: Pick) -> tuple[Any, ...]:
        return -pick.record.listing.announced_on.toordinal(), reading_order(pick.record)

    found = list(new)
    in_time = [p for p in found if not p.late]
    capped = _Cap(preferences.most)
    return Selection(
        matched=capped(sorted((p for p in in_time if p.rule), key=by_primary)),
        rest=capped(sorted((p for p in in_time if not p.rule), key=by_primary)),
        late=capped(sorted((p for p in found if p.late), key=by_date)),
        replacements=capped(sorted(replaced, key=by_primary)),
        withdrawals=tuple(sorted(withdrawn, key=by_primary)),
        left_out=capped.left_out,
    )


class _Cap:
    """Lets the first *most* picks through, over all calls, and counts the others."""

    def __init__(self, most: int | None) -> None:
        self._most, self.left_out = most, 0

    def __call__(self, picks: Sequence[Pick]) -> tuple[Pick, ...]:
        if self._most is None:
            return tuple(picks)
        taken = tuple(picks[: self._most])
        self._most -= len(taken)
        self.left_out += len(picks) - len(taken)
        return taken
