"""What the oracle says each issue owes a reader, on days small enough to see it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from oracle.owed import Listing, Owed, Reader, World
from oracle.source import Announced, Truth
from oracle.wishes import wishes_of

THURSDAY, FRIDAY, MONDAY = (date(2026, 4, day) for day in (23, 24, 27))
JOINED = datetime(2026, 4, 20, tzinfo=UTC)


def at(day: date, hour: int = 4) -> datetime:
    return datetime(day.year, day.month, day.day, hour, 21, tzinfo=UTC)


def world(*listings: Listing, abstract: str = "") -> World:
    ids = {listing.arxiv_id for listing in listings}
    papers = {
        i: [
            (x.at, x.on, announced(i, is_replacement=x.type.startswith("replace"), told=abstract))
            for x in listings
            if x.arxiv_id == i
        ]
        for i in ids
    }
    return World(listings=listings, papers=papers, truth=Truth({}, 0))


def announced(arxiv_id: str, *, is_replacement: bool, told: str) -> Announced:
    return Announced(
        arxiv_id=arxiv_id,
        title="Video Diffusion",
        abstract=told if is_replacement else "",
        authors="Ada Example",
        categories=("cs.CV",),
        is_replacement=is_replacement,
    )


def owed(found: World, **fields: Any) -> dict[str, Owed]:
    wishes = wishes_of({"categories": ["cs.CV"], **fields})
    return {
        issue.name: found.owed(issue, wishes)
        for issue in found.issues
        if issue.cadence == wishes.cadence
    }


def sections(told: dict[str, Owed]) -> list[tuple[str, Sequence[str]]]:
    """Issue and section, with the papers there."""
    return [
        (f"{name} {section}", sorted(getattr(each, section)))
        for name, each in told.items()
        for section in ("new", "late", "replaced", "withdrawn")
        if getattr(each, section)
    ]


NEW = Listing("1", "cs.CV", THURSDAY, "new", at(THURSDAY))
CROSSED_LATE = Listing("1", "cs.LG", THURSDAY, "cross", at(THURSDAY, 10))
NEXT = Listing("2", "cs.CV", MONDAY, "new", at(MONDAY))


def test_a_category_that_came_late_is_told_late_to_its_own_readers_alone() -> None:
    found = world(NEW, CROSSED_LATE, NEXT)

    both = sections(owed(found, categories=["cs.CV", "cs.LG"]))
    crossed = sections(owed(found, categories=["cs.LG"]))

    assert both == [("daily-2026-04-23 new", ["1"]), ("daily-2026-04-27 new", ["2"])]
    assert crossed == [("daily-2026-04-27 late", ["1"])]


def test_a_lost_day_has_no_issue_of_its_own_once_a_newer_one_is_frozen() -> None:
    lost = Listing("3", "cs.CV", FRIDAY, "new", at(MONDAY, 9))
    after = Listing("4", "cs.CV", date(2026, 4, 28), "new", at(date(2026, 4, 28)))

    assert sections(owed(world(NEW, NEXT, lost, after))) == [
        ("daily-2026-04-23 new", ["1"]),
        ("daily-2026-04-27 new", ["2"]),
        ("daily-2026-04-28 new", ["4"]),
        ("daily-2026-04-28 late", ["3"]),
    ]


def test_a_week_is_frozen_at_the_cut_off_where_friday_brings_nothing() -> None:
    found = world(NEW, CROSSED_LATE, NEXT)

    weekly = [issue for issue in found.issues if issue.cadence == "weekly"]

    assert [(issue.name, issue.frozen_at) for issue in weekly] == [
        ("weekly-2026-W17", datetime(2026, 4, 24, 11, 30, tzinfo=UTC)),
        ("weekly-2026-W18", datetime(2026, 5, 1, 11, 30, tzinfo=UTC)),
    ]
    told = sections(owed(found, cadence="weekly"))
    assert told == [("weekly-2026-W17 new", ["1"]), ("weekly-2026-W18 new", ["2"])]


def test_a_withdrawal_is_told_to_whom_the_paper_was_due_whatever_their_types() -> None:
    back = Listing("1", "cs.CV", MONDAY, "replace", at(MONDAY))
    found = world(NEW, back, abstract="This paper has been withdrawn by the authors.")

    default = sections(owed(found))
    crosses = sections(owed(found, announce_types=["cross", "replace"]))

    assert default[1:] == [("daily-2026-04-27 withdrawn", ["1"])]
    assert crosses == [("daily-2026-04-27 replaced", ["1"])]


def test_nobody_gets_an_issue_from_before_they_came_or_while_they_rest() -> None:
    issue = world(NEW).issues[0]
    wishes = wishes_of({"categories": ["cs.CV"]})
    resting = wishes_of({"categories": ["cs.CV"], "paused_until": "2026-04-24"})

    def reader(joined_at: datetime, what: Any) -> Reader:
        return Reader(address="a@example.org", joined_at=joined_at, wishes=((joined_at, what),))

    assert reader(JOINED, wishes).gets(issue) == wishes
    assert reader(at(THURSDAY, 5), wishes).gets(issue) is None
    assert reader(JOINED, resting).gets(issue) is None
