"""
The deployed stack's schedules: which are there, when they fall due, and firing one.

`list_schedules(emulator, stack)` reads them back from the emulator, so the launcher fires only what
the template declares. `due_between(schedule, start, end)` is pure. `fire(emulator, schedule)`
invokes the target with its input, as EventBridge Scheduler does, but waits for the result; retries
and the dead-letter queue of a schedule are not acted out.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from paperpost.domain.errors import InvalidInputError, PaperpostError
from paperpost_cli.cloud.emulator import Emulator
from paperpost_cli.cloud.stack import Stack

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WEEK = 7


class ScheduleFailedError(PaperpostError):
    """The function that a schedule invoked raised an error."""

    def __init__(self, schedule: str, error: str) -> None:
        self.schedule, self.error = schedule, error
        super().__init__(f"schedule {schedule}: {error}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One EventBridge Scheduler schedule with a Lambda function as its target."""

    name: str
    expression: str
    zone: str
    function: str
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """
    A parsed AWS cron expression; days of the month or of the week are predicates of a date.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html, read
    2026-11-23.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    day_of_month: str
    day_of_week: str

    def on(self, day: date) -> bool:
        """Whether it falls due on *day* at all."""
        return (
            day.year in self.years
            and day.month in self.months
            and _is_day_of_month(self.day_of_month, day)
            and _is_day_of_week(self.day_of_week, day)
        )


def list_schedules(emulator: Emulator, stack: Stack) -> list[Schedule]:
    """The stack's enabled schedules, by name."""
    scheduler = emulator.client("scheduler")
    found = []
    for name in sorted(stack.resources("AWS::Scheduler::Schedule").values()):
        kept = scheduler.get_schedule(Name=name)
        if kept["State"] != "ENABLED":
            continue
        found.append(
            Schedule(
                name=name,
                expression=kept["ScheduleExpression"],
                zone=kept["ScheduleExpressionTimezone"],
                function=kept["Target"]["Arn"].rsplit(":function:", 1)[1],
                payload=kept["Target"].get("Input", "{}"),
            )
        )
    return found


def fire(emulator: Emulator, schedule: Schedule) -> Any:  # noqa: ANN401 - whatever it returns
    """
    Invoke the schedule's function with its input and return what it returned.

    Raises: ScheduleFailedError: the function raised, timed out or could not start.
    """
    answer = emulator.client("lambda").invoke(
        FunctionName=schedule.function, Payload=schedule.payload.encode()
    )
    result = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        text = result.get("errorMessage") if isinstance(result, dict) else None
        raise ScheduleFailedError(schedule.name, str(text or result))
    return result


def due_between(schedule: Schedule, start: datetime, end: datetime) -> list[datetime]:
    """
    When *schedule* falls due after *start* and up to *end*, in UTC and in order.

    A cron time in the hour that spring skips is left out; one in the hour that autumn repeats
    counts once, at its first passing. A rate counts from 1970-01-01 UTC, so that windows can be put
    end to end; in AWS it counts from the schedule's creation.

    Raises: InvalidInputError: the expression is neither `cron(...)` nor `rate(...)`.
    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html, read
        2026-11-23.
    """
    if match := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", schedule.expression):
        return list(_rate_between(int(match[1]) * _UNITS[match[2]], start, end))
    if match := re.fullmatch(r"cron\((.+)\)", schedule.expression):
        return list(_cron_between(parse_cron(match[1]), ZoneInfo(schedule.zone), start, end))
    raise InvalidInputError(f"{schedule.name}: neither cron nor rate: {schedule.expression}")


def parse_cron(fields: str) -> Cron:
    """
    The expression of six fields: minutes, hours, day of month, month, day of week, year.

    Raises: InvalidInputError: it is not one that AWS accepts.
    """
    parts = fields.upper().split()
    if len(parts) != len(("minutes", "hours", "day", "month", "weekday", "year")):
        raise InvalidInputError(f"cron needs six fields: {fields}")
    minutes, hours, day, month, weekday, year = parts
    if (day == "?") == (weekday == "?"):
        raise InvalidInputError(f"one of day of month and day of week must be '?': {fields}")
    parsed = Cron(
        minutes=_numbers(minutes, 0, 59),
        hours=_numbers(hours, 0, 23),
        months=_numbers(month, 1, 12, names=_MONTHS),
        years=_numbers(year, 1970, 2199),
        day_of_month=day,
        day_of_week=weekday,
    )
    any_day = date(2024, 2, 1)  # a wrong day field shows at once
    _is_day_of_month(day, any_day)
    _is_day_of_week(weekday, any_day)
    return parsed


def _rate_between(period: timedelta, start: datetime, end: datetime) -> Iterator[datetime]:
    if not period:
        raise InvalidInputError("a rate of 0 never falls due")
    at = _EPOCH + ((start - _EPOCH) // period + 1) * period
    while at <= end:
        yield at
        at += period


def _cron_between(cron: Cron, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        if cron.on(day):
            for hour in sorted(cron.hours):
                for minute in sorted(cron.minutes):
                    wall = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001
                    at = wall.replace(tzinfo=zone).astimezone(UTC)
                    exists = at.astimezone(zone).replace(tzinfo=None) == wall
                    if exists and start < at <= end:
                        yield at
        day += timedelta(days=1)


def _numbers(field: str, low: int, high: int, *, names: list[str] | None = None) -> frozenset[int]:
    """The values of one field: `*`, `5`, `1-5`, `1,3`, `*/15`, `10/20`, `MON-FRI`."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        if slash and not (step.isdecimal() and int(step)):
            raise InvalidInputError(f"a step must be a number above 0: {field}")
        first, dash, last = span.partition("-")
        begin = low if span == "*" else _number(first, low, high, names)
        end = _number(last, low, high, names) if dash else begin
        if span == "*" or (slash and not dash):
            end = high
        if end < begin:
            raise InvalidInputError(f"a range must rise: {field}")
        found.update(range(begin, end + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, low: int, high: int, names: list[str] | None) -> int:
    if names and text in names:
        return names.index(text) + 1
    if not text.isdecimal() or not low <= int(text) <= high:
        raise InvalidInputError(f"not between {low} and {high}: {text or 'nothing'}")
    return int(text)


def _is_day_of_month(field: str, day: date) -> bool:
    """Numbers, `L` (the last day) or `15W` (the weekday nearest to the 15th in its month)."""
    if field in ("*", "?"):
        return True
    last = _last_day(day)
    if field == "L":
        return day.day == last
    if match := re.fullmatch(r"(\d+)W", field):
        return day.day == _nearest_weekday(day, _number(match[1], 1, 31, None))
    return day.day in _numbers(field, 1, 31)


def _is_day_of_week(field: str, day: date) -> bool:
    """Numbers from 1 (Sunday), names, `5L` (the last Thursday) or `6#3` (the third Friday)."""
    if field in ("*", "?"):
        return True
    weekday = day.isoweekday() % _WEEK + 1
    if match := re.fullmatch(r"(\w+)#([1-5])", field):
        nth = (day.day - 1) // _WEEK + 1
        return weekday == _number(match[1], 1, _WEEK, _DAYS) and nth == int(match[2])
    if match := re.fullmatch(r"(\w+)L", field):
        in_last_week = day.day > _last_day(day) - _WEEK
        return weekday == _number(match[1], 1, _WEEK, _DAYS) and in_last_week
    if field == "L":
        return weekday == _WEEK
    return weekday in _numbers(field, 1, _WEEK, names=_DAYS)


def _last_day(day: date) -> int:
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return (following - timedelta(days=1)).day


def _nearest_weekday(day: date, wanted: int) -> int:
    """The day of the month of the Monday to Friday nearest to the *wanted* one."""
    last = _last_day(day)
    target = day.replace(day=min(wanted, last))
    if target.isoweekday() == 6:  # noqa: PLR2004 - Saturday
        return target.day - 1 if target.day > 1 else target.day + 2
    if target.isoweekday() == _WEEK:
        return target.day + 1 if target.day < last else target.day - 2
    return target.day
