"""What the operator is told first, and what does not count as wrong."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from paperpost.domain.deliveries import IssueState
from paperpost.domain.morning import Morning, local_day, troubles
from paperpost.domain.quotas import Quota
from support.mornings import DAY, NOW, WELL, WRONG, mailing


def test_on_a_good_morning_nothing_is_wrong() -> None:
    """A model that failed twice and an empty queue of dead letters are no news."""
    assert troubles(WELL) == []


def test_everything_that_is_wrong_is_told_once_the_worst_first() -> None:
    told = [trouble.what for trouble in troubles(WRONG)]

    assert [text.split()[0] for text in told] == [
        "SES", "48,000", "The", "41", "daily-2024-03-26", "3", "cs.CV,", "Nothing",
        "amazon.nova-lite-v1:0", "The", "The", "Not",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"locked": "restored: the ledger"}, "No letter goes out. Restored: the ledger."),
        ({"switch": "confirmations"}, "The switch for mail stands at confirmations"),
        ({"dead_letters": {"Q": 1}}, "1 message that nobody could handle: Q"),
        ({"alarms": ("paperpost-MorningLetter",)}, "The alarm paperpost-MorningLetter rings"),
        ({"unread": ("the alarms (AccessDenied)",)}, "Not to be read: the alarms"),
        ({"issues": (mailing(open=3, overdue=1),)}, "1 letter of daily-2024-03-26"),
    ],
)
def test_each_trouble_stands_alone(change: dict[str, object], what: str) -> None:
    (trouble,) = troubles(replace(WELL, **change))  # type: ignore[arg-type]

    assert trouble.what.startswith(what)
    assert trouble.first


@pytest.mark.parametrize(
    ("quota", "what"),
    [
        (Quota(used=39_999, limit=50_000, rate=1, is_sending=True, enforcement="HEALTHY"), []),
        (Quota(used=10**6, limit=-1, rate=1, is_sending=True, enforcement="HEALTHY"), []),
        (Quota(used=0, limit=200, rate=1, is_sending=True, enforcement=""), []),
        (
            Quota(used=40_000, limit=50_000, rate=1, is_sending=True, enforcement="HEALTHY"),
            ["40,000 of the 50,000"],
        ),
        (
            Quota(used=0, limit=200, rate=1, is_sending=False, enforcement="SHUTDOWN"),
            ["SES lets this account send nothing."],
        ),
    ],
)
def test_a_quota_is_trouble_from_four_fifths_on(quota: Quota, what: list[str]) -> None:
    told = [trouble.what[: len(w)] for trouble, w in zip(
        troubles(replace(WELL, quota=quota)), what, strict=True
    )]  # fmt: skip

    assert told == what


def test_an_announcement_that_never_came_is_trouble_half_a_day_later() -> None:
    """Fetch may have stopped altogether, and then no count differs."""
    assert WELL.status is not None
    due = datetime(2024, 3, 27, 4, 20, tzinfo=UTC)

    on_time, late = (
        troubles(replace(WELL, now=due + timedelta(hours=hours))) for hours in (12, 12.1)
    )

    assert on_time == []
    assert [trouble.what for trouble in late] == [
        "Nothing is known of the announcement that was due on 2024-03-27."
    ]


def test_a_morning_of_which_nothing_can_be_read_is_no_good_morning() -> None:
    blank = Morning(
        on=DAY,
        now=NOW,
        status=None,
        issues=None,
        spends=None,
        breakers=None,
        quota=None,
        readers=None,
        locked=None,
        switch=None,
        switch_name="/paperpost/sending",
        dead_letters=None,
        alarms=None,
        unread=("status.json (publish has put none)",),
    )

    assert len(troubles(blank)) == 1
    assert (blank.dates(), blank.mailings()) == ((), ())


def test_the_letter_tells_of_the_last_24_hours_and_of_what_is_still_open() -> None:
    """At seven in Shanghai the Eastern date of the day before is nearly over."""
    old = replace(mailing(DAY - timedelta(days=9), open=1), state=IssueState.SENDING)
    morning = replace(WELL, issues=(old, mailing(DAY - timedelta(days=3)), mailing()))

    assert [d.announced_on for d in morning.dates()] == [DAY, DAY - timedelta(days=1)]
    assert [m.announced_on for m in morning.mailings()] == [DAY, old.announced_on]


@pytest.mark.parametrize(
    ("at", "on"),
    [
        (datetime(2024, 3, 26, 23, 0, tzinfo=UTC), date(2024, 3, 27)),
        (datetime(2024, 3, 26, 16, 0, tzinfo=UTC), date(2024, 3, 27)),
        (datetime(2024, 3, 27, 3, 59, tzinfo=UTC), date(2024, 3, 27)),
        (datetime(2024, 3, 27, 4, 0, tzinfo=UTC), None),
    ],
)
def test_a_letter_is_due_until_noon_of_the_operators_day(at: datetime, on: date | None) -> None:
    assert local_day(at, "Asia/Shanghai") == on
