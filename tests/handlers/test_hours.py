"""
When a letter goes and when it does not: compose and deliver over days, a table of cases.

Each reader is one case; all of a table live in the same days. A tick comes a quarter of an hour
before each moment that counts, at it and behind it, so that too early shows as well as too late.
Clock changes: IANA time zone database.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest

from paperpost.domain.subscribers import Cadence, SubscriberStatus
from support.aws import Cloud
from support.newsroom import Newsroom

LONG_AGO = datetime(2024, 1, 2, tzinfo=UTC)
Act = Callable[[Newsroom, str], None]


def at(text: str) -> datetime:
    """`2024-03-26T04:30` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def nothing(_room: Newsroom, _reader: str) -> None:
    """What most readers do."""


def wish(**wishes: Any) -> Act:
    """The reader changes preferences."""
    return lambda room, reader: room.change(reader, **wishes)


def become(*statuses: SubscriberStatus) -> Act:
    """The reader leaves, or comes back."""

    def act(room: Newsroom, reader: str) -> None:
        for status in statuses:
            room.become(reader, status)

    return act


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    One reader: what they asked for, what they do between plan and due time, and what comes of it.

    `mails`: issue → the time in UTC. `not_mailed`: issue → the row's state and reason.
    """

    wishes: Mapping[str, Any] = field(default_factory=dict)
    act: Act = nothing
    mails: Mapping[str, str]
    not_mailed: Mapping[str, str] = field(default_factory=dict)


TUESDAY, WEDNESDAY = "daily-2024-03-26", "daily-2024-03-27"
# Frozen at 04:30 UTC (half past midnight in New York) on both days; the act is at 06:00 on Tuesday.
ORDINARY = {
    "at_once": Case(mails={TUESDAY: "2024-03-26T04:30", WEDNESDAY: "2024-03-27T04:30"}),
    "evening_in_beijing": Case(
        wishes={"hour": 18},
        mails={TUESDAY: "2024-03-26T10:00", WEDNESDAY: "2024-03-27T10:00"},
    ),
    "morning_in_beijing": Case(
        wishes={"hour": 8},
        mails={TUESDAY: "2024-03-27T00:00", WEDNESDAY: "2024-03-28T00:00"},
    ),
    # 10:00 in Kolkata is the very moment of the freeze; an hour later is 05:30.
    "half_past_zone_at_once": Case(
        wishes={"hour": 10, "zone": "Asia/Kolkata"},
        mails={TUESDAY: "2024-03-26T04:30", WEDNESDAY: "2024-03-27T04:30"},
    ),
    "half_past_zone_later": Case(
        wishes={"hour": 11, "zone": "Asia/Kolkata"},
        mails={TUESDAY: "2024-03-26T05:30", WEDNESDAY: "2024-03-27T05:30"},
    ),
    # +12:45, in summer time +13:45: 19:00 is 05:15.
    "quarter_to_zone": Case(
        wishes={"hour": 19, "zone": "Pacific/Chatham"},
        mails={TUESDAY: "2024-03-26T05:15", WEDNESDAY: "2024-03-27T05:15"},
    ),
    # A day ahead of Greenwich, and eleven hours behind it.
    "far_east": Case(
        wishes={"hour": 0, "zone": "Pacific/Kiritimati"},
        mails={TUESDAY: "2024-03-26T10:00", WEDNESDAY: "2024-03-27T10:00"},
    ),
    "far_west": Case(
        wishes={"hour": 18, "zone": "Pacific/Pago_Pago"},
        mails={TUESDAY: "2024-03-26T05:00", WEDNESDAY: "2024-03-27T05:00"},
    ),
    "later_hour_in_mid_issue": Case(
        wishes={"hour": 18},
        act=wish(hour=20),
        mails={TUESDAY: "2024-03-26T10:00", WEDNESDAY: "2024-03-27T12:00"},
    ),
    "earlier_hour_in_mid_issue": Case(
        wishes={"hour": 20},
        act=wish(hour=18),
        mails={TUESDAY: "2024-03-26T12:00", WEDNESDAY: "2024-03-27T10:00"},
    ),
    "at_once_from_now_on": Case(
        wishes={"hour": 20},
        act=wish(hour=None),
        mails={TUESDAY: "2024-03-26T12:00", WEDNESDAY: "2024-03-27T04:30"},
    ),
    "hour_after_the_letter_went": Case(
        act=wish(hour=18),
        mails={TUESDAY: "2024-03-26T04:30", WEDNESDAY: "2024-03-27T10:00"},
    ),
    "moves_to_another_zone": Case(
        wishes={"hour": 18},
        act=wish(zone="Europe/Berlin"),
        mails={TUESDAY: "2024-03-26T10:00", WEDNESDAY: "2024-03-27T17:00"},
    ),
    "leaves_after_the_plan": Case(
        wishes={"hour": 18},
        act=become(SubscriberStatus.UNSUBSCRIBED),
        mails={},
        not_mailed={TUESDAY: "skipped unsubscribed", WEDNESDAY: "no row"},
    ),
    "leaves_and_comes_back": Case(
        wishes={"hour": 18},
        act=become(SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.CONFIRMED),
        mails={WEDNESDAY: "2024-03-27T10:00"},
        not_mailed={TUESDAY: "skipped confirmed after the freeze"},
    ),
    "is_erased_after_the_plan": Case(
        wishes={"hour": 18},
        act=become(SubscriberStatus.ERASED),
        mails={},
        not_mailed={TUESDAY: "skipped erased", WEDNESDAY: "no row"},
    ),
    "pauses_after_the_plan": Case(
        wishes={"hour": 18},
        act=wish(paused_until=date(2024, 3, 27)),
        mails={WEDNESDAY: "2024-03-27T10:00"},
        not_mailed={TUESDAY: "skipped paused"},
    ),
    # Due on Wednesday at 08:00 in Beijing, the day on which the pause is over.
    "pause_ends_before_the_hour": Case(
        wishes={"hour": 8},
        act=wish(paused_until=date(2024, 3, 27)),
        mails={TUESDAY: "2024-03-27T00:00", WEDNESDAY: "2024-03-28T00:00"},
    ),
    "other_categories_after_the_plan": Case(
        wishes={"hour": 18},
        act=wish(categories=("cs.LG",)),
        mails={},
        not_mailed={TUESDAY: "skipped nothing to say", WEDNESDAY: "skipped nothing to say"},
    ),
    "weekly_from_now_on": Case(
        wishes={"hour": 18},
        act=wish(cadence=Cadence.WEEKLY),
        mails={"weekly-2024-W13": "2024-03-30T10:00"},
        not_mailed={TUESDAY: "skipped now weekly", WEDNESDAY: "no row"},
    ),
    "weekly": Case(
        wishes={"cadence": Cadence.WEEKLY},
        mails={"weekly-2024-W13": "2024-03-30T00:00"},
        not_mailed={TUESDAY: "no row"},
    ),
    "weekly_in_the_far_west": Case(
        wishes={"cadence": Cadence.WEEKLY, "hour": 7, "zone": "America/Los_Angeles"},
        mails={"weekly-2024-W13": "2024-03-30T14:00"},
    ),
    "daily_from_now_on": Case(
        wishes={"cadence": Cadence.WEEKLY},
        act=wish(cadence=Cadence.DAILY),
        mails={WEDNESDAY: "2024-03-27T04:30"},
        not_mailed={TUESDAY: "no row", "weekly-2024-W13": "no row"},
    ),
    # The clocks of Israel go from 02:00 to 03:00 in the night from Thursday to Friday.
    "hour_that_the_clock_skips": Case(
        wishes={"hour": 2, "zone": "Asia/Jerusalem"},
        mails={TUESDAY: "2024-03-27T00:00", WEDNESDAY: "2024-03-28T00:00"},
    ),
}


def check(room: Newsroom, cases: Mapping[str, Case]) -> None:
    """Every reader has exactly the letters of the table, each once and at its time."""
    found = {reader: room.letters(reader) for reader in cases}
    why = {(r, issue): room.why_not(r, issue) for r, c in cases.items() for issue in c.not_mailed}

    wanted = {r: sorted(c.mails.items(), key=lambda mail: mail[1]) for r, c in cases.items()}
    assert found == wanted
    assert why == {(r, issue): w for r, c in cases.items() for issue, w in c.not_mailed.items()}


def moments(cases: Mapping[str, Case]) -> set[datetime]:
    """All times of the table."""
    return {at(text) for case in cases.values() for text in case.mails.values()}


@pytest.fixture
def room(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Newsroom:
    """A stack that has been in service since January."""
    made = Newsroom(cloud, monkeypatch)
    made.announce(date(2024, 1, 3), at=at("2024-01-03T05:00"))
    return made


def join(room: Newsroom, cases: Mapping[str, Case]) -> None:
    for reader, case in cases.items():
        room.join(reader, at=LONG_AGO, **case.wishes)


def act(room: Newsroom, cases: Mapping[str, Case]) -> None:
    for reader, case in cases.items():
        case.act(room, reader)


def test_ordinary_days(room: Newsroom) -> None:
    """Hours, zones, and what readers do between the plan and their hour."""
    join(room, ORDINARY)

    room.live(
        moments(ORDINARY),
        {
            at("2024-03-26T04:25"): lambda: room.announce(
                date(2024, 3, 26), at=at("2024-03-26T04:25")
            ),
            at("2024-03-26T04:50"): lambda: act(room, ORDINARY),
            at("2024-03-27T04:25"): lambda: room.announce(
                date(2024, 3, 27), at=at("2024-03-27T04:25")
            ),
            at("2024-03-28T04:20"): lambda: room.quiet(date(2024, 3, 28)),
            at("2024-03-29T04:20"): lambda: room.quiet(date(2024, 3, 29)),
        },
    )

    check(room, ORDINARY)


FRIDAY, MONDAY = "daily-2024-03-08", "daily-2024-03-11"
# The clocks of New York go from 02:00 to 03:00 on Sunday, 10 March, at 07:00 UTC. fetch was down:
# Friday's announcement is complete on Saturday evening, at 00:15 UTC of Sunday, and frozen then.
SPRING = {
    "at_once": Case(mails={FRIDAY: "2024-03-10T00:15", MONDAY: "2024-03-11T04:30"}),
    "hour_before_the_gap": Case(
        wishes={"hour": 1, "zone": "America/New_York"},
        mails={FRIDAY: "2024-03-10T06:00", MONDAY: "2024-03-11T05:00"},
    ),
    # There is no 02:00: the hour moves forward with the clock, and is itself again on Monday.
    "hour_in_the_gap": Case(
        wishes={"hour": 2, "zone": "America/New_York"},
        mails={FRIDAY: "2024-03-10T07:00", MONDAY: "2024-03-11T06:00"},
    ),
    "hour_behind_the_gap": Case(
        wishes={"hour": 3, "zone": "America/New_York"},
        mails={FRIDAY: "2024-03-10T07:00", MONDAY: "2024-03-11T07:00"},
    ),
    "where_no_clock_changes": Case(
        wishes={"hour": 12},
        mails={FRIDAY: "2024-03-10T04:00", MONDAY: "2024-03-12T04:00"},
    ),
    # Saturday eight o'clock had passed in Beijing when the week was frozen: Monday at eight.
    "weekly_frozen_too_late": Case(
        wishes={"cadence": Cadence.WEEKLY},
        mails={"weekly-2024-W10": "2024-03-11T00:00"},
        not_mailed={FRIDAY: "no row"},
    ),
    "weekly_still_in_time": Case(
        wishes={"cadence": Cadence.WEEKLY, "hour": 23, "zone": "America/New_York"},
        mails={"weekly-2024-W10": "2024-03-10T04:00"},
    ),
}


def test_a_late_freeze_in_the_night_in_which_an_hour_is_missing(room: Newsroom) -> None:
    """New York, 10 March 2024."""
    join(room, SPRING)

    room.live(
        moments(SPRING),
        {
            at("2024-03-10T00:10"): lambda: room.announce(
                date(2024, 3, 8), at=at("2024-03-10T00:10")
            ),
            at("2024-03-11T04:25"): lambda: room.announce(
                date(2024, 3, 11), at=at("2024-03-11T04:25")
            ),
        },
    )

    check(room, SPRING)


# The clocks of New York go from 02:00 back to 01:00 on Sunday, 3 November, at 06:00 UTC; Friday's
# issue is frozen on Saturday evening, at 23:15 UTC.
AUTUMN_FRIDAY, AUTUMN_MONDAY = "daily-2024-11-01", "daily-2024-11-04"
AUTUMN = {
    # 01:00 comes at 05:00 and at 06:00 UTC: the first counts, and nobody is mailed at both.
    "hour_that_comes_twice": Case(
        wishes={"hour": 1, "zone": "America/New_York"},
        mails={AUTUMN_FRIDAY: "2024-11-03T05:00", AUTUMN_MONDAY: "2024-11-04T06:00"},
    ),
    "hour_behind_it": Case(
        wishes={"hour": 2, "zone": "America/New_York"},
        mails={AUTUMN_FRIDAY: "2024-11-03T07:00", AUTUMN_MONDAY: "2024-11-04T07:00"},
    ),
    "where_no_clock_changes": Case(
        wishes={"hour": 11},
        mails={AUTUMN_FRIDAY: "2024-11-03T03:00", AUTUMN_MONDAY: "2024-11-05T03:00"},
    ),
}


def test_a_late_freeze_in_the_night_in_which_an_hour_comes_twice(room: Newsroom) -> None:
    """New York, 3 November 2024: ticks go on through both hours."""
    join(room, AUTUMN)
    freeze, second_hour = at("2024-11-02T23:15"), at("2024-11-03T06:00")

    room.live(
        moments(AUTUMN) | {freeze, second_hour},
        {
            at("2024-11-02T23:10"): lambda: room.announce(
                date(2024, 11, 1), at=at("2024-11-02T23:10")
            ),
            at("2024-11-04T05:25"): lambda: room.announce(
                date(2024, 11, 4), at=at("2024-11-04T05:25")
            ),
        },
    )

    check(room, AUTUMN)


# Mail is switched off for so long that some letters are more than 36 hours late.
LATE = {
    "at_once": Case(mails={WEDNESDAY: "2024-03-27T17:00"}, not_mailed={TUESDAY: "planned"}),
    # Due at 10:00 on Tuesday: 31 hours late when mail goes again.
    "evening": Case(
        wishes={"hour": 18},
        mails={TUESDAY: "2024-03-27T17:00", WEDNESDAY: "2024-03-27T17:00"},
    ),
}


def test_what_is_more_than_36_hours_late_waits_for_the_operator(room: Newsroom) -> None:
    """The switch is off from before Tuesday's freeze until Wednesday, 17:00 UTC."""
    join(room, LATE)

    room.live(
        {at("2024-03-26T04:30"), at("2024-03-26T10:00"), at("2024-03-27T10:00")}
        | {at("2024-03-27T17:15")},
        {
            at("2024-03-26T04:25"): lambda: room.announce(
                date(2024, 3, 26), at=at("2024-03-26T04:25")
            ),
            at("2024-03-26T04:26"): lambda: room.switch("off"),
            at("2024-03-27T04:25"): lambda: room.announce(
                date(2024, 3, 27), at=at("2024-03-27T04:25")
            ),
            at("2024-03-27T17:00"): lambda: room.switch("on"),
        },
    )

    check(room, LATE)


# Tuesday's announcement comes on Thursday, 41 hours behind the cut-off (11:30 UTC on Tuesday).
DAYS_LATE = {
    "at_once": Case(mails={}, not_mailed={TUESDAY: "planned"}),
    # As if it had been frozen at the cut-off: due on Wednesday at 10:00, 18 hours before.
    "evening": Case(wishes={"hour": 18}, mails={TUESDAY: "2024-03-28T04:30"}),
    # Due on Tuesday at 12:00, more than 36 hours before.
    "later_evening": Case(wishes={"hour": 20}, mails={}, not_mailed={TUESDAY: "planned"}),
}


def test_an_issue_that_is_frozen_days_late_waits_for_the_operator(room: Newsroom) -> None:
    """Its letters are as late as they would be had it been frozen in time."""
    join(room, DAYS_LATE)
    thursday = at("2024-03-28T04:25")

    room.live(moments(DAYS_LATE), {thursday: lambda: room.announce(date(2024, 3, 26), at=thursday)})

    check(room, DAYS_LATE)
