"""When a schedule falls due: AWS cron and rate expressions, on ordinary days and on DST nights."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from paperpost.domain.errors import InvalidInputError
from paperpost_cli.cloud.schedules import Schedule, due_between, parse_cron

EASTERN = ZoneInfo("America/New_York")


def schedule(expression: str, *, zone: str = "America/New_York") -> Schedule:
    return Schedule(name="s", expression=expression, zone=zone, function="f", payload="{}")


def eastern(day: str, start: str = "00:00", end: str = "23:59") -> tuple[datetime, datetime]:
    first = datetime.fromisoformat(f"{day}T{start}").replace(tzinfo=EASTERN)
    return first, datetime.fromisoformat(f"{day}T{end}").replace(tzinfo=EASTERN)


def wall(times: list[datetime]) -> list[str]:
    return [f"{at.astimezone(EASTERN):%H:%M%z}" for at in times]


def test_a_list_of_hours_falls_due_at_each_in_the_schedules_zone() -> None:
    """20 minutes past the hours named, by New York's clock."""
    times = due_between(schedule("cron(20 0,1,12 * * ? *)"), *eastern("2024-03-26"))

    assert wall(times) == ["00:20-0400", "01:20-0400", "12:20-0400"]
    assert all(at.tzinfo is UTC for at in times)


def test_the_window_leaves_out_its_start_and_holds_its_end() -> None:
    """Windows put end to end fire everything once."""
    daily = schedule("cron(0 6 * * ? *)")

    assert due_between(daily, *eastern("2024-03-26", "06:00", "07:00")) == []
    assert wall(due_between(daily, *eastern("2024-03-26", "05:00", "06:00"))) == ["06:00-0400"]


def test_a_time_that_spring_skips_does_not_fall_due() -> None:
    """02:30 does not exist on 2024-03-10 in New York; 03:30 does."""
    times = due_between(schedule("cron(30 1,2,3 * * ? *)"), *eastern("2024-03-10"))

    assert wall(times) == ["01:30-0500", "03:30-0400"]


def test_a_time_that_autumn_repeats_falls_due_once() -> None:
    """01:20 on 2024-11-03 in New York counts at its first passing, in summer time."""
    times = due_between(schedule("cron(20 0,1,2 * * ? *)"), *eastern("2024-11-03"))

    assert wall(times) == ["00:20-0400", "01:20-0400", "02:20-0500"]


def test_a_day_of_the_schedules_zone_may_be_another_day_in_utc() -> None:
    """21:00 on Sunday in New York is Monday in UTC."""
    times = due_between(schedule("cron(0 21 ? * SUN *)"), *eastern("2024-03-24"))

    assert times == [datetime(2024, 3, 25, 1, tzinfo=UTC)]


def test_a_rate_counts_from_the_epoch() -> None:
    """Every 15 minutes at the quarters, whatever the window's ends."""
    start, end = datetime(2024, 3, 26, 0, 7, tzinfo=UTC), datetime(2024, 3, 26, 0, 45, tzinfo=UTC)

    times = due_between(schedule("rate(15 minutes)"), start, end)

    assert [at.minute for at in times] == [15, 30, 45]


def test_a_rate_goes_on_through_a_repeated_hour() -> None:
    """An hourly rate falls due 25 times on the long day."""
    start = datetime(2024, 11, 3, 0, 0, tzinfo=EASTERN)
    end = datetime(2024, 11, 4, 0, 0, tzinfo=EASTERN)

    assert len(due_between(schedule("rate(1 hour)"), start, end)) == 25


@pytest.mark.parametrize(
    ("fields", "on", "due"),
    [
        ("0 0 1 * ? *", date(2024, 3, 1), True),
        ("0 0 1 * ? *", date(2024, 3, 2), False),
        ("0 0 ? * MON-FRI *", date(2024, 3, 29), True),
        ("0 0 ? * MON-FRI *", date(2024, 3, 30), False),
        ("0 0 ? * 1 *", date(2024, 3, 31), True),
        ("0 0 ? MAR,SEP 1 *", date(2024, 4, 7), False),
        ("0 0 L * ? *", date(2024, 2, 29), True),
        ("0 0 L * ? *", date(2023, 2, 28), True),
        ("0 0 15W * ? *", date(2024, 6, 14), True),
        ("0 0 1W * ? *", date(2024, 6, 3), True),
        ("0 0 31W * ? *", date(2024, 3, 29), True),
        ("0 0 ? * 6L *", date(2024, 3, 29), True),
        ("0 0 ? * 6L *", date(2024, 3, 22), False),
        ("0 0 ? * FRI#3 *", date(2024, 3, 15), True),
        ("0 0 ? * 6#3 *", date(2024, 3, 22), False),
        ("0 0 * * ? 2024-2026", date(2025, 1, 1), True),
        ("0 0 * * ? 2024-2026", date(2027, 1, 1), False),
        ("0 0 */10 * ? *", date(2024, 3, 21), True),
        ("0 0 5/10 * ? *", date(2024, 3, 25), True),
    ],
)
def test_days_are_told_by_number_name_range_step_and_position(
    fields: str, *, on: date, due: bool
) -> None:
    """Every form of the two day fields, of months and of years."""
    assert parse_cron(fields).on(on) is due


def test_steps_and_ranges_give_their_minutes_and_hours() -> None:
    """`*/20` from 0, `10-50/20` within, `8/6` to the end."""
    assert parse_cron("*/20 8/6 * * ? *").minutes == {0, 20, 40}
    assert parse_cron("10-50/20 8/6 * * ? *").minutes == {10, 30, 50}
    assert parse_cron("0 8/6 * * ? *").hours == {8, 14, 20}


@pytest.mark.parametrize(
    "fields",
    [
        "0 0 * * ?",
        "0 0 * * * *",
        "0 0 ? * ? *",
        "60 0 * * ? *",
        "0 24 * * ? *",
        "0 0 ? * 8 *",
        "0 0 0 * ? *",
        "0 0 * FOO ? *",
        "5-1 0 * * ? *",
        "*/0 0 * * ? *",
        "1,,2 0 * * ? *",
        "0 0 ? * 9L *",
    ],
)
def test_what_aws_would_refuse_is_refused(fields: str) -> None:
    """A wrong expression does not silently never fall due."""
    with pytest.raises(InvalidInputError):
        parse_cron(fields)


@pytest.mark.parametrize("expression", ["at(2024-03-26T00:00:00)", "rate(0 minutes)", "hourly"])
def test_an_expression_that_never_falls_due_is_refused(expression: str) -> None:
    """Neither cron nor a rate above 0."""
    with pytest.raises(InvalidInputError):
        due_between(schedule(expression), *eastern("2024-03-26"))
