"""Issues: what goes into one, when it freezes, who gets what of it, and when it is due."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.enrichments import EnrichmentState
from paperpost.domain.errors import InvalidInputError, RecordError
from paperpost.domain.issuefiles import content_hash, from_bytes, to_bytes
from paperpost.domain.issues import (
    BEFORE,
    SPAN_DAYS,
    FrozenIssue,
    cadence_and_date,
    count,
    cutoff_at,
    decide,
    due_at,
    due_from,
    first_complete_on,
    has_final_enrichments,
    issue_id,
    issue_of_records,
    on_hold,
    own_dates,
    settled_by_lost,
    span,
)
from paperpost.domain.papers import AnnounceType, Listing, merge_papers
from paperpost.domain.selections import Selection, selection
from paperpost.domain.subscribers import Cadence, Preferences, Rule
from support.issues import (
    DAY,
    FROZEN_AT,
    arxiv_id,
    make_announcement,
    make_enrichment,
    make_issue,
    make_listing,
    make_paper,
    make_record,
)

NEXT = DAY + timedelta(days=1)
ALL = tuple(AnnounceType)


def ids(selected: Selection) -> list[str]:
    """The papers of a selection."""
    return [pick.record.arxiv_id for pick in selected.picks]


def reader(*categories: str, **wishes: object) -> Preferences:
    """Preferences for *categories*."""
    return Preferences(categories=categories, **wishes)  # type: ignore[arg-type]


# names and dates


def test_an_issue_is_named_by_cadence_and_date() -> None:
    """A week has one name whatever its day; ISO weeks decide at the turn of the year."""
    assert issue_id(Cadence.DAILY, DAY) == "daily-2024-03-26"
    assert issue_id(Cadence.WEEKLY, DAY) == "weekly-2024-W13"
    assert issue_id(Cadence.WEEKLY, date(2024, 12, 31)) == "weekly-2025-W01"


@given(
    on=st.dates(min_value=date(2000, 1, 3), max_value=date(2100, 1, 1)),
    cadence=st.sampled_from(Cadence),
)
def test_a_name_tells_its_own_date(on: date, cadence: Cadence) -> None:
    """Name and date are one thing; a weekly issue's date is the Friday."""
    found, friday = cadence_and_date(issue_id(cadence, on))

    assert found is cadence
    assert issue_id(cadence, friday) == issue_id(cadence, on)
    assert cadence is Cadence.DAILY or friday.isoweekday() == 5


@given(
    first=st.dates(min_value=date(2000, 1, 3)),
    second=st.dates(min_value=date(2000, 1, 3)),
    cadence=st.sampled_from(Cadence),
)
def test_names_sort_as_their_dates_do(first: date, second: date, cadence: Cadence) -> None:
    """The smallest issue is the first one."""
    names = sorted((issue_id(cadence, first), issue_id(cadence, second)))

    assert names == [issue_id(cadence, min(first, second)), issue_id(cadence, max(first, second))]


@pytest.mark.parametrize("text", ["", "daily", "daily-2024-3", "weekly-2024-13", "x-2024-03-26"])
def test_what_is_no_issue_is_refused(text: str) -> None:
    """A message with a made-up issue does not get far."""
    with pytest.raises(InvalidInputError):
        cadence_and_date(text)


def test_an_issue_spans_its_own_dates_and_the_fourteen_before() -> None:
    """Weekly: Monday to Friday, and two weeks before that Monday."""
    daily, weekly = span(Cadence.DAILY, DAY), span(Cadence.WEEKLY, date(2024, 3, 29))

    assert (daily[0], daily[-1], len(daily)) == (date(2024, 3, 12), DAY, 15)
    assert (weekly[0], weekly[-1], len(weekly)) == (date(2024, 3, 11), date(2024, 3, 29), 19)
    assert own_dates(Cadence.WEEKLY, DAY)[0] == date(2024, 3, 25)


# when to freeze

NOW = datetime(2024, 3, 26, 4, 40, tzinfo=UTC)
CUTOFF = cutoff_at(DAY, "07:30")


def decided(
    *announcements: Announcement, now: datetime = NOW, unenriched: Sequence[str] = ()
) -> tuple[bool, str]:
    """The decision over cs.CV and cs.LG."""
    found = decide(
        {a.category: a for a in announcements},
        categories=("cs.CV", "cs.LG"),
        unenriched=unenriched,
        now=now,
        cutoff_at=CUTOFF,
    )
    return found.freeze, found.reason


def test_the_cutoff_is_eastern_time_in_summer_and_in_winter() -> None:
    """07:30 in New York is 11:30 UTC in March and 12:30 in January."""
    assert datetime(2024, 3, 26, 11, 30, tzinfo=UTC) == CUTOFF
    assert cutoff_at(date(2024, 1, 9), "07:30") == datetime(2024, 1, 9, 12, 30, tzinfo=UTC)


def test_an_issue_is_ready_when_every_category_is_complete_or_quiet() -> None:
    """Nobody waits for the cut-off on a good day."""
    quiet = make_announcement("cs.LG", state=AnnouncementState.QUIET, stored=0)

    assert decided(make_announcement(), quiet) == (True, "ready")


@pytest.mark.parametrize(
    "state",
    [
        AnnouncementState.WAITING,
        AnnouncementState.PARTIAL,
        AnnouncementState.STALLED,
        AnnouncementState.FAILED,
    ],
)
def test_a_late_category_is_waited_for_until_the_cutoff(state: AnnouncementState) -> None:
    """Then the issue goes without it, and says why."""
    late = make_announcement("cs.LG", state=state)

    before = decided(make_announcement(), late, now=CUTOFF - timedelta(seconds=1))
    after = decided(make_announcement(), late, now=CUTOFF)

    assert (before, after) == ((False, "announcement of cs.LG"), (True, "cutoff"))


def test_a_category_without_any_row_is_late() -> None:
    """Nothing is known of it, so it is not quiet."""
    assert decided(make_announcement()) == (False, "announcement of cs.LG")


def test_enrichment_is_waited_for_even_behind_the_cutoff() -> None:
    """The cut-off bounds late announcements alone; the hold is bounded by itself."""
    found = decided(
        make_announcement(), make_announcement("cs.LG"), now=CUTOFF, unenriched=["cs.LG"]
    )

    assert found == (False, "enrichment of cs.LG")


def test_an_announcement_is_on_hold_for_thirty_minutes_from_its_completion() -> None:
    """Only complete ones; nobody waits for a category that is late itself."""
    complete, partial = (
        make_announcement("cs.CV", at=NOW),
        make_announcement("cs.LG", at=NOW, state=AnnouncementState.PARTIAL),
    )
    hold = timedelta(minutes=30)

    held = on_hold([complete, partial], now=NOW + timedelta(minutes=29), hold=hold)
    later = on_hold([complete, partial], now=NOW + hold, hold=hold)

    assert (held, later) == ([complete], [])


def test_enrichment_is_final_in_every_state_of_the_present_text() -> None:
    """A failure ends the hold; a row for an older text does not."""
    paper = make_paper()
    failed = make_enrichment(paper, state=EnrichmentState.FAILED)
    old = replace(failed, text_hash="0" * 16)

    assert has_final_enrichments(paper, {"zh": failed}, ["zh"])
    assert not has_final_enrichments(paper, {"zh": old}, ["zh"])
    assert not has_final_enrichments(paper, {"zh": failed}, ["zh", "en"])
    assert not has_final_enrichments(paper, {}, ["zh"])


# freezing


def test_an_issue_holds_the_listings_of_its_date() -> None:
    """A paper in two categories is one paper with two listings."""
    issue = make_issue([make_listing(1), make_listing(1, "cs.LG", kind="cross"), make_listing(2)])

    assert [(p.record.arxiv_id, len(p.listings)) for p in issue.papers] == [
        (arxiv_id(2), 1),
        (arxiv_id(1), 2),
    ]
    assert {c: f.issue for c, f in issue.papers[1].first.items()} == {
        "cs.CV": "daily-2024-03-26",
        "cs.LG": "daily-2024-03-26",
    }


def test_a_listing_is_in_one_issue_only() -> None:
    """What an earlier issue of the span holds is not mailed again."""
    first = make_issue([make_listing(1)])

    second = make_issue([make_listing(1), make_listing(2, on=NEXT)], on=NEXT, earlier=[first])

    assert [p.record.arxiv_id for p in second.papers] == [arxiv_id(2)]


def test_a_listing_that_missed_its_freeze_is_a_late_arrival_in_the_next_issue() -> None:
    """It keeps its true date."""
    first = make_issue([make_listing(1)])

    second = make_issue([make_listing(1), make_listing(2)], on=NEXT, earlier=[first])

    (late,) = second.papers
    assert (late.record.arxiv_id, late.listings[0].announced_on) == (arxiv_id(2), DAY)
    assert second.is_late(late.listings[0])
    assert not first.is_late(first.papers[0].listings[0])


def test_dates_before_the_first_complete_announcement_count_as_mailed() -> None:
    """A first deployment, or a category that is new to it, floods nobody."""
    old = make_listing(1, on=DAY - timedelta(days=5))

    issue = make_issue([old, make_listing(2)], first_complete={"cs.CV": DAY})

    assert [p.record.arxiv_id for p in issue.papers] == [arxiv_id(2)]


def test_what_was_listed_before_the_first_issue_counts_as_mailed_for_good() -> None:
    """What comes after its freeze is a late arrival, in whatever order issues are frozen."""
    yesterday, old = DAY - timedelta(days=1), DAY - timedelta(days=9)
    late = replace(make_listing(4, on=yesterday), stored_at=FROZEN_AT + timedelta(hours=1))
    stored = [make_listing(1, on=old), make_listing(2, on=yesterday), make_listing(3)]

    first = make_issue(stored, is_first=True)
    second = make_issue(
        [*stored, late, make_listing(5, on=NEXT), make_listing(2, "cs.LG", NEXT, "cross")],
        on=NEXT,
        earlier=[first],
    )

    assert [p.record.arxiv_id for p in first.papers] == [arxiv_id(3)]
    assert ids(selection(second, reader("cs.CV", "cs.LG"))) == [arxiv_id(5), arxiv_id(4)]
    assert ids(selection(second, reader("cs.LG"))) == [arxiv_id(2)]


def test_files_that_tell_less_can_be_read() -> None:
    """They are from before first issues, and what comes too late, were told."""
    issue = make_issue([make_listing(1)])
    value = json.loads(gzip.decompress(to_bytes(issue)))
    del value["is_first"], value["too_late"]

    assert from_bytes(gzip.compress(json.dumps(value).encode())) == issue


def test_a_category_that_never_was_complete_is_mailed_for_its_own_date_alone() -> None:
    """What is stored of a partial first day is not kept back."""
    listings = [make_listing(1, on=DAY - timedelta(days=1)), make_listing(2)]

    issue = make_issue(listings, first_complete={"cs.CV": None})

    assert [p.record.arxiv_id for p in issue.papers] == [arxiv_id(2)]


def test_the_first_complete_announcement_is_the_one_that_came_first() -> None:
    """Older dates that are backfilled later stay behind it."""
    first = make_announcement(at=NOW)
    backfilled = make_announcement(on=DAY - timedelta(days=9), at=NOW + timedelta(hours=3))
    unfinished = make_announcement(on=DAY - timedelta(days=1), state=AnnouncementState.PARTIAL)

    assert first_complete_on([backfilled, first, unfinished]) == DAY
    assert first_complete_on([unfinished]) is None


def test_what_a_lost_issue_may_have_held_counts_as_mailed() -> None:
    """All of its span that was stored by its freeze; what came later is a late arrival still."""
    older, late = make_listing(1, on=DAY - timedelta(days=9)), replace(
        make_listing(3), stored_at=FROZEN_AT + timedelta(seconds=1)
    )  # fmt: skip
    at_its_freeze = replace(make_listing(2), stored_at=FROZEN_AT)
    again = make_listing(2, "cs.LG", on=NEXT, kind="cross")

    issue = make_issue(
        [older, at_its_freeze, late, make_listing(4, on=NEXT), again],
        on=NEXT,
        settled=[settled_by_lost("daily-2024-03-26", FROZEN_AT)],
    )

    assert [p.record.arxiv_id for p in issue.papers] == [arxiv_id(n) for n in (4, 3, 2)]
    assert ids(selection(issue, reader("cs.CV"))) == [arxiv_id(4), arxiv_id(3)]
    assert ids(selection(issue, reader("cs.LG"))) == [arxiv_id(2)]


def test_a_lost_weekly_issue_may_have_held_its_whole_week() -> None:
    friday = date(2024, 3, 29)
    monday = friday + timedelta(days=3)

    issue = make_issue(
        [make_listing(1, on=friday), make_listing(2, on=monday)],
        on=monday,
        cadence=Cadence.WEEKLY,
        settled=[settled_by_lost("weekly-2024-W13", FROZEN_AT)],
    )

    assert [p.record.arxiv_id for p in issue.papers] == [arxiv_id(2)]


def test_a_count_tells_what_was_announced_stored_and_enriched() -> None:
    """It is what the letter's head shows."""
    records = [
        make_record(make_listing(1), make_paper(1)),
        make_record(make_listing(2), make_paper(2), enriched=False),
    ]

    found = count([make_announcement(stored=2, announced=3)], records, ["zh"])

    assert (found.announced, found.stored, found.settled, found.enriched) == (3, 2, True, {"zh": 1})
    assert not count([], [], []).settled


# the frozen bytes


def test_the_bytes_give_the_issue_back_and_depend_on_it_alone() -> None:
    """What is written twice has one hash."""
    issue = make_issue([make_listing(1), make_listing(1, "cs.LG", kind="cross"), make_listing(2)])

    body = to_bytes(issue)

    assert from_bytes(body) == issue
    assert to_bytes(from_bytes(body)) == body
    assert content_hash(body) == content_hash(to_bytes(issue))


def test_a_title_that_cannot_be_encoded_does_not_keep_an_issue_from_freezing() -> None:
    """A lone surrogate becomes a question mark."""
    issue = make_issue([make_listing(1)], [make_paper(1, title="odd \ud800 title")])

    assert from_bytes(to_bytes(issue)).papers[0].record.paper.title == "odd ? title"


@pytest.mark.parametrize("body", [b"", b"{}", to_bytes(make_issue([]))[:-9]])
def test_other_bytes_are_no_issue(body: bytes) -> None:
    """Torn or foreign files are told apart from issues."""
    with pytest.raises(RecordError):
        from_bytes(body)


# one reader's part


def test_a_reader_gets_the_papers_of_their_categories_and_types() -> None:
    """Crosses only if wanted, replacements only if asked for."""
    issue = make_issue(
        [
            make_listing(1),
            make_listing(2, kind="cross"),
            make_listing(3, kind="replace"),
            make_listing(4, "cs.LG"),
        ]
    )

    found = {
        "default": ids(selection(issue, reader("cs.CV"))),
        "new": ids(selection(issue, reader("cs.CV", announce_types=(AnnounceType.NEW,)))),
        "all": ids(selection(issue, reader("cs.CV", announce_types=ALL))),
        "other": ids(selection(issue, reader("math.AG"))),
    }

    assert found == {
        "default": [arxiv_id(1), arxiv_id(2)],
        "new": [arxiv_id(1)],
        "all": [arxiv_id(1), arxiv_id(2), arxiv_id(3)],
        "other": [],
    }


def test_a_paper_in_two_of_a_readers_categories_comes_once() -> None:
    """Shown as the best of its listings: new before cross."""
    issue = make_issue([make_listing(1, "cs.LG", kind="cross"), make_listing(1, "cs.CV")])

    (pick,) = selection(issue, reader("cs.LG", "cs.CV")).picks

    assert pick.record.listing.announce_type is AnnounceType.NEW


def test_a_paper_crossed_later_comes_to_those_who_have_not_seen_it() -> None:
    """Who read it in cs.CV on Tuesday does not get it again for cs.LG on Wednesday."""
    first = make_issue([make_listing(1)])
    second = make_issue([make_listing(1, "cs.LG", on=NEXT, kind="cross")], on=NEXT, earlier=[first])

    assert ids(selection(second, reader("cs.LG"))) == [arxiv_id(1)]
    assert ids(selection(second, reader("cs.CV", "cs.LG"))) == []
    assert ids(selection(second, reader("cs.CV"))) == []


def test_a_type_that_a_reader_does_not_want_is_no_sight_of_the_paper() -> None:
    """A cross-list that was not wanted on Tuesday leaves the new listing of Wednesday."""
    first = make_issue([make_listing(1, "cs.LG", kind="cross")])
    second = make_issue([make_listing(1, "cs.CV", on=NEXT)], on=NEXT, earlier=[first])
    only_new = reader("cs.CV", "cs.LG", announce_types=(AnnounceType.NEW,))

    assert ids(selection(first, only_new)) == []
    assert ids(selection(second, only_new)) == [arxiv_id(1)]


def test_a_paper_first_listed_long_ago_is_not_new_to_its_old_readers() -> None:
    """Beyond the span the paper's own first listings tell it."""
    months_ago = date(2024, 1, 9)
    paper = make_paper(1, listed={"cs.CV": (months_ago, "new"), "cs.LG": (DAY, "cross")}, version=3)
    issue = make_issue([make_listing(1, "cs.LG", kind="cross")], [paper])

    assert ids(selection(issue, reader("cs.LG"))) == [arxiv_id(1)]
    assert ids(selection(issue, reader("cs.LG", "cs.CV"))) == []


def test_a_paper_that_its_category_lists_again_is_not_new_again() -> None:
    """Whether the first time was mailed long ago, last week, or before this deployment began."""
    again, yesterday = make_listing(1), DAY - timedelta(days=1)
    paper = make_paper(1, listed={"cs.CV": (date(2024, 1, 9), "new")})
    first = make_issue([make_listing(1, on=yesterday)], on=yesterday)
    unmailed = make_listing(1, on=yesterday)

    issues = [
        make_issue([again], [paper]),
        make_issue([again], earlier=[first]),
        make_issue([again, unmailed], first_complete={"cs.CV": DAY}),
        make_issue([unmailed, again], first_complete={"cs.CV": DAY}),
    ]

    assert [ids(selection(issue, reader("cs.CV"))) for issue in issues] == [[], [], [], []]


def test_a_paper_that_counts_as_mailed_in_one_category_is_not_new_to_its_readers() -> None:
    """The category began later than the listing; another category lists it today."""
    yesterday = DAY - timedelta(days=1)
    listings = [make_listing(1, on=yesterday), make_listing(1, "cs.LG", kind="cross")]

    issue = make_issue(listings, first_complete={"cs.CV": DAY})

    assert issue.papers[0].first["cs.CV"].issue == BEFORE
    assert ids(selection(issue, reader("cs.CV", "cs.LG"))) == []
    assert ids(selection(issue, reader("cs.LG"))) == [arxiv_id(1)]


def test_late_arrivals_stand_apart_unless_the_reader_has_a_listing_in_time() -> None:
    """The late listing is in cs.CV, today's in cs.LG."""
    listings = [
        make_listing(1, on=DAY - timedelta(days=1)),
        make_listing(1, "cs.LG", kind="cross"),
    ]
    issue = make_issue(listings)

    only_late, both = selection(issue, reader("cs.CV")), selection(issue, reader("cs.CV", "cs.LG"))

    assert (len(only_late.late), len(only_late.rest)) == (1, 0)
    assert (len(both.late), len(both.rest)) == (0, 1)


def test_include_rules_choose_and_are_named_and_exclude_rules_win() -> None:
    """With rules, only what they match comes."""
    papers = [make_paper(1, title="Graphs"), make_paper(2, title="Sets"), make_paper(3)]
    issue = make_issue([make_listing(n) for n in (1, 2, 3)], papers)
    graphs, sets = Rule(field="title", phrase="graphs"), Rule(field="title", phrase="sets")

    chosen = selection(issue, reader("cs.CV", include=(graphs,)))
    without = selection(issue, reader("cs.CV", exclude=(sets,)))

    assert [(p.record.arxiv_id, p.rule) for p in chosen.matched] == [(arxiv_id(1), graphs)]
    assert ids(chosen) == [arxiv_id(1)]
    assert ids(without) == [arxiv_id(3), arxiv_id(1)]


def test_a_withdrawal_is_told_to_those_who_had_been_due_the_paper() -> None:
    """One line, whatever their announce types; strangers to the paper hear nothing."""
    last_week = DAY - timedelta(days=7)
    known = make_paper(1, withdrawn=True, version=2, listed={"cs.CV": (last_week, "new")})
    older = make_paper(
        2, withdrawn=True, version=2, listed={"cs.CV": (DAY - timedelta(days=31), "new")}
    )
    issue = make_issue(
        [make_listing(1, kind="replace"), make_listing(2, kind="replace")], [known, older]
    )

    found = selection(issue, reader("cs.CV", announce_types=(AnnounceType.NEW,)))
    crosses = selection(issue, reader("cs.CV", announce_types=(AnnounceType.CROSS,)))

    assert [p.record.arxiv_id for p in found.withdrawals] == [arxiv_id(1)]
    assert ids(found) == [arxiv_id(1)]
    assert ids(crosses) == []


def test_a_withdrawal_is_told_to_those_whose_rules_knew_the_paper_by_its_abstract() -> None:
    """The notice has taken the abstract's place; who had shut the paper out hears nothing."""
    last_week = DAY - timedelta(days=7)
    notice = "This paper has been withdrawn by the authors."
    first = make_paper(1, abstract="We colour graphs.", listed={"cs.CV": (last_week, "new")})
    gone = make_paper(1, abstract=notice, withdrawn=True, version=2)
    issue = make_issue([make_listing(1, kind="replace")], [merge_papers(first, gone)])
    graphs, trees = Rule(field="abstract", phrase="graphs"), Rule(field="text", phrase="trees")

    told = selection(issue, reader("cs.CV", include=(trees, graphs)))

    assert [(p.record.arxiv_id, p.rule) for p in told.withdrawals] == [(arxiv_id(1), graphs)]
    assert ids(selection(issue, reader("cs.CV", include=(trees,)))) == []
    assert ids(selection(issue, reader("cs.CV", exclude=(graphs,)))) == []


def test_a_withdrawn_paper_is_new_once_and_then_a_line() -> None:
    """New on Tuesday, withdrawn on Wednesday, crossed on Thursday, withdrawn anew a month later."""
    listed = {"cs.CV": (DAY, "new"), "cs.LG": (DAY + timedelta(days=2), "cross")}
    new, gone = make_paper(1), make_paper(1, listed=listed, withdrawn=True, version=2)
    month = DAY + timedelta(days=30)
    days = [
        (DAY, new, [make_listing(1)]),
        (NEXT, gone, [make_listing(1, on=NEXT, kind="replace")]),
        (
            DAY + timedelta(days=2),
            gone,
            [make_listing(1, "cs.LG", on=DAY + timedelta(days=2), kind="cross")],
        ),
        (month, gone, [make_listing(1, on=month, kind="replace")]),
    ]
    issues: list[FrozenIssue] = []
    seen: list[tuple[int, int]] = []

    for on, paper, listings in days:
        recent = [i for i in issues if on - i.announced_on <= timedelta(days=SPAN_DAYS)]
        issues.append(make_issue(listings, [paper], on=on, earlier=recent))
        got = selection(issues[-1], reader("cs.CV", "cs.LG"))
        seen.append((len(got.rest) + len(got.late), len(got.withdrawals)))

    assert seen == [(1, 0), (0, 1), (0, 0), (0, 1)]


def test_the_rest_stands_by_primary_category_new_before_cross() -> None:
    """The reader's own categories come in their own order."""
    papers = [
        make_paper(1, categories=("cs.LG",)),
        make_paper(2, categories=("cs.CV",)),
        make_paper(3, categories=("math.ST", "cs.CV")),
    ]
    listings = [
        make_listing(1, "cs.LG"),
        make_listing(2, "cs.CV"),
        make_listing(3, "cs.CV", kind="cross"),
    ]
    issue = make_issue(listings, papers)

    assert ids(selection(issue, reader("cs.CV", "cs.LG"))) == [arxiv_id(n) for n in (2, 1, 3)]


def test_no_more_papers_than_the_reader_asked_for() -> None:
    """The first ones stay, the others are counted."""
    issue = make_issue([make_listing(n) for n in range(1, 6)])

    found = selection(issue, reader("cs.CV", most=2))

    assert (ids(found), found.left_out) == ([arxiv_id(5), arxiv_id(4)], 3)


LISTINGS = st.builds(
    make_listing,
    st.integers(1, 6),
    st.sampled_from(["cs.CV", "cs.LG", "cs.CL"]),
    st.sampled_from([DAY + timedelta(days=n) for n in range(3)]),
    st.sampled_from(["new", "cross", "replace"]),
)


@given(
    arrivals=st.lists(st.tuples(LISTINGS, st.integers(0, 3)), max_size=25),
    categories=st.sets(st.sampled_from(["cs.CV", "cs.LG", "cs.CL"]), min_size=1),
)
def test_every_reader_meets_a_paper_exactly_once_however_late_its_listings_come(
    arrivals: list[tuple[Listing, int]], categories: set[str]
) -> None:
    """Over the issues of four days; a category lists a paper as new or cross but once."""
    once: dict[tuple[str, str], tuple[Listing, int]] = {}
    for listing, delay in arrivals:
        once.setdefault((listing.category, listing.arxiv_id), (listing, delay))
    stored = [
        (listing, max(listing.announced_on, DAY + timedelta(days=delay)))
        for listing, delay in once.values()
    ]
    wishes = reader(*sorted(categories))
    issues: list[FrozenIssue] = []
    got: list[str] = []

    for day in (DAY + timedelta(days=n) for n in range(4)):
        known = [x for x, at in stored if at <= day and x.announced_on <= day]
        issues.append(make_issue(known, on=day, earlier=issues))
        got += ids(selection(issues[-1], wishes))

    wanted = {
        x.arxiv_id
        for x, _ in stored
        if x.category in categories and not x.announce_type.is_replacement
    }
    assert sorted(got) == sorted(wanted)


@given(
    arrivals=st.lists(st.tuples(LISTINGS, st.integers(0, 3)), max_size=25),
    categories=st.sets(st.sampled_from(["cs.CV", "cs.LG", "cs.CL"]), min_size=1),
    begins=st.integers(0, 2),
    lost=st.sets(st.integers(0, 3)),
)
def test_nor_however_late_mail_begins_and_whatever_file_is_lost(
    arrivals: list[tuple[Listing, int]], categories: set[str], begins: int, lost: set[int]
) -> None:
    """Each issue's file may be lost once it was mailed; what was there when mail began is not."""
    once: dict[tuple[str, str], Listing] = {}
    for listing, delay in arrivals:
        late = max(listing.announced_on - DAY, timedelta(days=delay))
        stored = replace(listing, stored_at=FROZEN_AT + late - timedelta(minutes=20))
        once.setdefault((listing.category, listing.arxiv_id), stored)
    listings, wishes = list(once.values()), reader(*sorted(categories))
    issues: list[FrozenIssue] = []
    got: list[str] = []

    for day in range(begins, 4):
        on, at = DAY + timedelta(days=day), FROZEN_AT + timedelta(days=day)
        known = [x for x in listings if x.stored_at <= at and x.announced_on <= on]
        issue = make_issue(
            known,
            on=on,
            earlier=[e for e in issues if (e.announced_on - DAY).days not in lost],
            settled=[
                settled_by_lost(e.issue, e.frozen_at)
                for e in issues
                if (e.announced_on - DAY).days in lost
            ],
            is_first=day == begins,
            frozen_at=at,
        )
        issues.append(issue)
        got += ids(selection(issue, wishes))

    began, began_at = DAY + timedelta(days=begins), FROZEN_AT + timedelta(days=begins)
    own = [x for x in listings if x.category in categories and not x.announce_type.is_replacement]
    before = {x.arxiv_id for x in own if x.announced_on < began and x.stored_at <= began_at}
    assert sorted(got) == sorted({x.arxiv_id for x in own} - before)


def test_records_make_an_issue_of_their_newest_date() -> None:
    """For a preview; older records belong to other issues."""
    records = [
        make_record(make_listing(1), make_paper(1)),
        make_record(make_listing(2, on=DAY - timedelta(days=1)), make_paper(2)),
    ]

    issue = issue_of_records(records, frozen_at=FROZEN_AT)

    assert (issue.issue, len(issue.papers)) == ("daily-2024-03-26", 1)
    assert (issue.counts["cs.CV"].stored, issue.counts["cs.CV"].enriched["zh"]) == (1, 1)
    with pytest.raises(InvalidInputError):
        issue_of_records([], frozen_at=FROZEN_AT)


# when a letter is due


@pytest.mark.parametrize(
    ("frozen", "hour", "zone", "due"),
    [
        # as soon as it is ready
        ("2024-03-26T04:30Z", None, "Asia/Shanghai", "2024-03-26T04:30Z"),
        # frozen 12:30 in Beijing: 18:00 today, 08:00 tomorrow, 12:00 just passed
        ("2024-03-26T04:30Z", 18, "Asia/Shanghai", "2024-03-26T10:00Z"),
        ("2024-03-26T04:30Z", 8, "Asia/Shanghai", "2024-03-27T00:00Z"),
        ("2024-03-26T04:30Z", 12, "Asia/Shanghai", "2024-03-27T04:00Z"),
        # exactly at the hour is in time
        ("2024-03-26T04:00Z", 12, "Asia/Shanghai", "2024-03-26T04:00Z"),
        # half-hour zones, and the far side of the date line
        ("2024-03-26T04:30Z", 10, "Asia/Kolkata", "2024-03-26T04:30Z"),
        ("2024-03-26T04:30Z", 7, "Asia/Kathmandu", "2024-03-27T01:15Z"),
        ("2024-03-26T04:30Z", 18, "Pacific/Kiritimati", "2024-03-26T04:00Z+1"),
        # the clocks go forward on 10 March in New York: there is no 02:00, 03:00 EDT is meant
        ("2024-03-10T05:30Z", 2, "America/New_York", "2024-03-10T07:00Z"),
        ("2024-03-10T07:00Z", 2, "America/New_York", "2024-03-10T07:00Z"),
        ("2024-03-10T07:01Z", 2, "America/New_York", "2024-03-11T06:00Z"),
        # and back on 3 November: 01:00 comes twice, the first counts
        ("2024-11-03T04:30Z", 1, "America/New_York", "2024-11-03T05:00Z"),
        ("2024-11-03T05:30Z", 1, "America/New_York", "2024-11-04T06:00Z"),
    ],
)
def test_a_daily_letter_is_due_at_once_or_at_the_first_local_hour(
    frozen: str, hour: int | None, zone: str, due: str
) -> None:
    """By the time-zone rules of the reader's zone."""
    text, _, days = due.partition("+")
    wanted = datetime.fromisoformat(text) + timedelta(days=int(days or 0))

    assert due_at(Cadence.DAILY, datetime.fromisoformat(frozen), hour=hour, zone=zone) == wanted


@pytest.mark.parametrize(("hours", "late"), [(-7, False), (36, False), (36.1, True), (99, True)])
def test_an_issue_that_is_frozen_days_late_is_due_as_if_it_had_been_at_its_cutoff(
    hours: float, *, late: bool
) -> None:
    """So its letters are overdue, and wait for the operator."""
    frozen_at = CUTOFF + timedelta(hours=hours)

    assert due_from(frozen_at, CUTOFF) == (CUTOFF if late else frozen_at)


@pytest.mark.parametrize(
    ("hour", "zone", "due"),
    [
        (None, "Asia/Shanghai", "2024-03-30T00:00Z"),
        (21, "Asia/Shanghai", "2024-03-30T13:00Z"),
        (None, "America/Los_Angeles", "2024-03-30T15:00Z"),
    ],
)
def test_a_weekly_letter_is_due_on_saturday(hour: int | None, zone: str, due: str) -> None:
    """At the reader's hour, or at 08:00; the issue froze on Friday morning in New York."""
    frozen = datetime(2024, 3, 29, 4, 30, tzinfo=UTC)

    assert due_at(Cadence.WEEKLY, frozen, hour=hour, zone=zone) == datetime.fromisoformat(due)


@pytest.mark.parametrize(
    ("frozen", "hour", "due"),
    [
        # Saturday at eight in Beijing was midnight UTC
        ("2024-03-29T23:59Z", None, "2024-03-30T00:00Z"),
        ("2024-03-30T00:00Z", None, "2024-03-30T00:00Z"),
        ("2024-03-30T00:01Z", None, "2024-03-31T00:00Z"),
        ("2024-03-30T00:01Z", 21, "2024-03-30T13:00Z"),
        ("2024-04-02T00:01Z", None, "2024-04-03T00:00Z"),
        # fetched and enriched ahead of its Saturday, however early
        ("2024-03-27T00:01Z", None, "2024-03-30T00:00Z"),
    ],
)
def test_a_week_that_is_frozen_late_goes_at_the_next_such_hour(
    frozen: str, hour: int | None, due: str
) -> None:
    """Not a week later, together with the next one."""
    found = due_at(
        Cadence.WEEKLY,
        datetime.fromisoformat(frozen),
        hour=hour,
        zone="Asia/Shanghai",
        friday=date(2024, 3, 29),
    )

    assert found == datetime.fromisoformat(due)


@given(
    frozen=st.datetimes(
        # hypothesis wants naive bounds and adds the zone
        min_value=datetime(2024, 1, 1),  # noqa: DTZ001
        max_value=datetime(2030, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    hour=st.integers(0, 23),
    zone=st.sampled_from(
        ["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]
    ),
)
def test_nobody_waits_longer_than_two_days_and_nobody_is_due_before_the_freeze(
    frozen: datetime, hour: int, zone: str
) -> None:
    """A gap or fold moves the hour, never the day after."""
    waited = due_at(Cadence.DAILY, frozen, hour=hour, zone=zone) - frozen

    assert timedelta() <= waited <= timedelta(hours=25)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc", "America", "x" * 300])
def test_an_unknown_zone_is_told(zone: str) -> None:
    """The caller decides what to do about it; a folder of zones, too, is none."""
    with pytest.raises(InvalidInputError):
        due_at(Cadence.DAILY, FROZEN_AT, hour=7, zone=zone)
