"""What does not add up is a fault, unless a state in progress explains it for a while."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from paperpost.domain.announcements import AnnouncementState
from paperpost.domain.deliveries import IssueState
from paperpost.domain.mailed import Mailed
from paperpost.domain.reconciliation import Published, announcement_faults, issue_faults
from support.records import DAY, make_announcement, stored_at

HOLD = timedelta(minutes=30)
SOON = stored_at(DAY) + timedelta(minutes=1)
RIGHT = Published(announced=6, stored=6, listed=6, published=6)
ISSUE = Mailed(
    issue=f"daily-{DAY}",
    state=IssueState.CLOSED,
    frozen_at=datetime(2026, 4, 21, 5, 0, tzinfo=UTC),
    sent=4,
    skipped=1,
    failed=1,
)


def faults(
    published: Published | None, *, now: datetime = SOON, announced: int = 6, **changes: object
) -> list[str]:
    announcement = replace(make_announcement(6), announced=announced, **changes)  # type: ignore[arg-type]
    return [f.en for f in announcement_faults(announcement, published, now=now, hold=HOLD)]


def test_counts_that_are_equal_from_arxiv_to_the_page_add_up() -> None:
    assert faults(RIGHT) == []


@pytest.mark.parametrize(
    ("published", "said"),
    [
        (replace(RIGHT, listed=5, published=5), ["stored 6 ≠ listed 5", "stored 6 ≠ published 5"]),
        (replace(RIGHT, published=5), ["stored 6 ≠ published 5"]),
        (replace(RIGHT, listed=7, published=7), ["stored 6 ≠ listed 7", "stored 6 ≠ published 7"]),
    ],
)
def test_a_page_that_was_built_from_other_counts_is_a_fault_at_once(
    published: Published, said: list[str]
) -> None:
    assert faults(published) == said


def test_a_complete_announcement_that_is_not_all_stored_is_a_fault() -> None:
    assert faults(replace(RIGHT, announced=7), announced=7) == ["announced 7 ≠ stored 6"]


@pytest.mark.parametrize("published", [None, replace(RIGHT, announced=4, stored=4, published=4)])
def test_publish_may_be_behind_for_its_hold_and_an_hour(published: Published | None) -> None:
    """A new day waits for its translations; ids that came later wait for the next build."""
    since = stored_at(DAY) + HOLD + timedelta(hours=1)

    assert faults(published, now=since) == []
    assert faults(published, now=since + timedelta(seconds=1)) == [
        "complete, but not published in time"
    ]


@pytest.mark.parametrize("state", ["waiting", "partial", "stalled", "failed"])
def test_a_state_in_progress_explains_every_difference_for_a_day(state: str) -> None:
    day_later = stored_at(DAY) + timedelta(hours=24)
    changes = {"state": AnnouncementState(state), "completed_at": None}

    assert faults(None, announced=9, now=day_later, **changes) == []
    assert faults(None, announced=9, now=day_later + timedelta(seconds=1), **changes) == [
        "unfinished for a day"
    ]


def test_a_quiet_day_has_no_papers() -> None:
    quiet = {"state": AnnouncementState.QUIET, "completed_at": None}

    assert faults(None, announced=0, stored=0, **quiet) == []
    assert faults(None, **quiet) == ["papers on a day without announcement"]


def test_an_empty_complete_announcement_needs_no_page() -> None:
    """Nothing was announced, so nothing has to be published."""
    assert faults(None, announced=0, stored=0, now=SOON + timedelta(days=3)) == []


def test_a_closed_issue_has_no_letter_open_or_unknown() -> None:
    def said(issue: Mailed) -> list[str]:
        return [f.en for f in issue_faults(issue, now=issue.frozen_at)]

    assert said(ISSUE) == []
    assert said(replace(ISSUE, open=1)) == ["closed with 1 letters open"]
    assert said(replace(ISSUE, unknown=2)) == ["closed with 2 letters open"]


def test_an_issue_may_be_open_for_four_days() -> None:
    sending = replace(ISSUE, state=IssueState.SENDING, open=3)
    limit = sending.frozen_at + timedelta(hours=96)

    assert list(issue_faults(sending, now=limit)) == []
    (fault,) = issue_faults(sending, now=limit + timedelta(seconds=1))
    assert (fault.subject, fault.announced_on) == (f"daily-{DAY}", DAY)
    assert fault.en == "3 letters open after four days"
