"""fetch and a made-up arXiv on a virtual clock: faults, missed days, two fetchers at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from paperpost.domain.announcements import EASTERN, Announcement, AnnouncementState
from paperpost.domain.errors import FeedError, InvalidInputError
from support.arxiv_script import ScriptedDay, ScriptedPaper, truth, write_script
from support.arxiv_server import Fault, FaultKind
from support.aws import Cloud
from support.nights import Night

CATEGORIES = ("cs.AI", "cs.LG", "stat.ML")
MONDAY = date(2026, 4, 20)
TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=n) for n in (1, 2, 3))
WEEK = write_script(first=MONDAY, days=5, categories=CATEGORIES, seed=4)
POLLS = (time(0, 20), time(3, 20), time(7, 20))


class Week(Night):
    """A night after the other."""

    def nights(self, first: date, days: int, **options: Any) -> list[Any]:
        """Every poll of some nights."""
        return [
            self.poll_at(first + timedelta(days=n), at, **options)
            for n in range(days)
            for at in POLLS
        ]


@pytest.fixture
def night(cloud: Cloud) -> Week:
    """Monday, 00:20 Eastern, nothing stored."""
    return Week(cloud, CATEGORIES, at=datetime(2026, 4, 20, 4, 20, tzinfo=UTC))


def assert_as_announced(night: Week, script: Sequence[ScriptedDay]) -> None:
    """Every category of every day holds what the script says, and is complete."""
    for (on, category), expected in truth(script, CATEGORIES).items():
        assert night.told(on, category) == expected, (on, category)
        state = night.state(on, category)
        assert state is not None, (on, category)
        assert state[:3] == ("complete", len(expected), len(expected)), (on, category)


def test_a_quiet_week_is_stored_as_announced(night: Week) -> None:
    """One request a poll; three seconds apart; a poll with nothing new writes nothing."""
    server = night.serving(WEEK)
    with server.in_process():
        assert not any(isinstance(p, FeedError) for p in night.nights(MONDAY, 5))
        before = night.items()
        again = night.run()

    assert_as_announced(night, WEEK)
    assert night.items() == before
    assert (again["papers"], again["listings"], again["backfilled"]) == (0, 0, 0)
    assert server.smallest_gap_s >= 3
    assert len(server.log) == 16
    assert [logged.status for logged in server.log].count(304) == 11


FAULTS = {
    "stale": Fault(kind=FaultKind.STALE, on=TUESDAY, hours=2),
    "six hours late": Fault(kind=FaultKind.LATE, on=TUESDAY, hours=6),
    "429": Fault(kind=FaultKind.STATUS, status=429, on=TUESDAY, times=3),
    "429 with Retry-After": Fault(
        kind=FaultKind.STATUS, status=429, retry_after_s=3000, on=TUESDAY, times=1
    ),
    "503 with a date": Fault(
        kind=FaultKind.STATUS, status=503, retry_after_s=60, retry_as_date=True, on=TUESDAY, times=1
    ),
    "503 all day": Fault(kind=FaultKind.STATUS, status=503, on=TUESDAY),
    "feeds gone for three days": Fault(
        kind=FaultKind.STATUS, status=500, on=TUESDAY, until=THURSDAY, endpoint="feed"
    ),
    "a page": Fault(kind=FaultKind.HTML, on=TUESDAY, times=2),
    "rate exceeded": Fault(kind=FaultKind.RATE_EXCEEDED, on=TUESDAY, times=5),
    "error feed": Fault(kind=FaultKind.ERROR_FEED, on=TUESDAY, times=1, endpoint="feed"),
    "cut": Fault(kind=FaultKind.TRUNCATED, on=TUESDAY, times=2),
    "short": Fault(kind=FaultKind.SHORT, on=TUESDAY, times=5),
    "empty": Fault(kind=FaultKind.EMPTY, on=TUESDAY, times=2, endpoint="feed"),
    "reset": Fault(kind=FaultKind.RESET, on=TUESDAY, times=6),
    "slow": Fault(kind=FaultKind.SLOW, on=TUESDAY, seconds=40, times=1),
    "bomb": Fault(kind=FaultKind.BOMB, on=TUESDAY, times=1),
    "redirect": Fault(kind=FaultKind.REDIRECT, on=TUESDAY, times=1),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_loses_repeats_and_misdates_nothing(night: Week, fault: Fault) -> None:
    """Later polls, or the next night's, make it good; then nothing more is written."""
    server = night.serving(WEEK, fault)
    with server.in_process():
        night.nights(MONDAY, 5)
        before = night.items()
        night.run()

    assert server.fired[fault.kind] >= 1
    assert_as_announced(night, WEEK)
    assert night.items() == before
    assert server.smallest_gap_s >= 3
    for category in CATEGORIES:
        assert night.papers.get_fetch_note(category)["until"] == WEEK[-1].on.isoformat()


@pytest.mark.parametrize(
    "name", ["stale", "503 all day", "error feed", "empty", "bomb", "redirect", "six hours late"]
)
def test_a_night_without_the_batch_fails_loudly(night: Week, name: str) -> None:
    """The run raises, so that the schedule retries and the alarm hears of it."""
    with night.serving(WEEK, FAULTS[name]).in_process():
        night.nights(MONDAY, 1)
        told = night.poll_at(TUESDAY, POLLS[0])

    assert isinstance(told, FeedError)


def test_yesterdays_batch_under_todays_date_is_stalled_and_not_stored(night: Week) -> None:
    """Only the ids tell it; the feed's own date is today's."""
    with night.serving(WEEK, FAULTS["stale"]).in_process():
        night.nights(MONDAY, 1)
        told = night.poll_at(TUESDAY, time(0, 20))
        stalled = night.state(TUESDAY, "cs.AI")
        listed = night.told(TUESDAY, "cs.AI")
        night.poll_at(TUESDAY, time(3, 20))

    assert "the batch before under the date of today" in str(told)
    assert stalled is not None
    assert stalled[0] == "stalled"
    assert listed == {}
    assert night.told(TUESDAY, "cs.AI") == truth(WEEK, CATEGORIES)[TUESDAY, "cs.AI"]


def test_a_missed_day_is_filled_with_its_replacements_and_says_so(night: Week) -> None:
    """OAI-PMH tells every version's date, also of papers that were replaced again since."""
    with night.serving(WEEK, FAULTS["feeds gone for three days"]).in_process():
        night.nights(MONDAY, 4)

    assert night.told(TUESDAY, "cs.AI") == truth(WEEK, CATEGORIES)[TUESDAY, "cs.AI"]
    found = night.state(TUESDAY, "cs.AI")
    assert found is not None
    assert (found[0], found[3]) == ("complete", "backfilled")


def test_without_oai_the_api_fills_a_missed_day(night: Week) -> None:
    """But for versions between a first and a newest one, and the announcement says so."""
    replaced = [ScriptedPaper(arxiv_id=f"2604.9000{n}", version=2) for n in (1, 2)]
    script = [
        ScriptedDay(
            on=MONDAY, papers=tuple(ScriptedPaper(arxiv_id=f"2604.9000{n}") for n in (1, 2))
        ),
        ScriptedDay(on=TUESDAY, papers=(ScriptedPaper(arxiv_id="2604.90003"), *replaced)),
        ScriptedDay(on=WEDNESDAY, papers=(ScriptedPaper(arxiv_id="2604.90002", version=3),)),
    ]
    gone = Fault(kind=FaultKind.STATUS, status=500, on=TUESDAY, endpoint="feed")
    no_oai = Fault(
        kind=FaultKind.STATUS, status=503, on=MONDAY, until=date(2027, 1, 1), endpoint="oai"
    )
    with night.serving(script, gone, no_oai).in_process():
        night.nights(MONDAY, 3, categories=["cs.AI"])

    assert night.told(TUESDAY, "cs.AI") == {"2604.90001": (2, "replace"), "2604.90003": (1, "new")}
    found = night.state(TUESDAY, "cs.AI")
    assert found is not None
    assert (found[0], found[3]) == ("complete", "backfilled without some replacements")


def test_when_neither_answers_the_gap_stays_and_the_run_fails(night: Week) -> None:
    """Nothing is made up; the next poll tries again."""
    gone = Fault(kind=FaultKind.STATUS, status=500, on=TUESDAY, endpoint="feed")
    others = [
        Fault(kind=FaultKind.STATUS, status=503, on=MONDAY, until=WEDNESDAY, endpoint=endpoint)
        for endpoint in ("oai", "api")
    ]
    with night.serving(WEEK, gone, *others).in_process():
        night.nights(MONDAY, 2)
        told = night.poll_at(WEDNESDAY, time(0, 20))
        missing = night.state(TUESDAY, "cs.AI")
        night.poll_at(THURSDAY, time(0, 20))

    assert isinstance(told, FeedError)
    assert missing is not None
    assert missing[0] == "failed"
    assert_as_announced(night, WEEK[:4])


def test_a_first_deployment_has_no_gaps(night: Week) -> None:
    """Days before the first poll are not due: nobody is flooded."""
    server = night.serving(WEEK)
    with server.in_process():
        told = night.poll_at(THURSDAY, time(0, 20))

    assert isinstance(told, dict)
    assert (told["backfilled"], told["missing"]) == (0, 0)
    assert night.state(WEDNESDAY, "cs.AI") is None


def test_a_paper_that_was_held_back_is_not_listed_twice(night: Week) -> None:
    """A feed of a later day has announced what by its date belonged to the missed one."""
    held = ScriptedPaper(arxiv_id="2604.99999", submitted_at=datetime(2026, 4, 20, 12, tzinfo=UTC))
    script = [
        ScriptedDay(on=MONDAY, papers=(ScriptedPaper(arxiv_id="2604.90001"),)),
        ScriptedDay(on=TUESDAY, papers=(ScriptedPaper(arxiv_id="2604.90002"),)),
        ScriptedDay(on=WEDNESDAY, papers=(ScriptedPaper(arxiv_id="2604.90003"), held)),
    ]
    gone = Fault(kind=FaultKind.STATUS, status=500, on=TUESDAY, endpoint="feed")
    with night.serving(script, gone).in_process():
        night.nights(MONDAY, 3, categories=["cs.AI"])

    assert set(night.told(TUESDAY, "cs.AI")) == {"2604.90002"}
    assert set(night.told(WEDNESDAY, "cs.AI")) == {"2604.90003", "2604.99999"}


def test_a_missed_day_waits_for_a_batch_that_may_hold_what_was_held_back(night: Week) -> None:
    """OAI-PMH cannot tell it from the missed day's papers; the feed of the next day can."""
    held = ScriptedPaper(arxiv_id="2604.99999", submitted_at=datetime(2026, 4, 20, 12, tzinfo=UTC))
    wednesday = [ScriptedPaper(arxiv_id=f"2604.9001{n}") for n in range(5)]
    script = [
        ScriptedDay(on=MONDAY, papers=(ScriptedPaper(arxiv_id="2604.90001"),)),
        ScriptedDay(on=TUESDAY, papers=(ScriptedPaper(arxiv_id="2604.90002"),)),
        ScriptedDay(on=WEDNESDAY, papers=(*wednesday, held)),
    ]
    gone = Fault(kind=FaultKind.STATUS, status=500, on=TUESDAY, endpoint="feed")
    with night.serving(script, gone, ready=timedelta(hours=2)).in_process():
        night.nights(MONDAY, 3, categories=["cs.AI"])

    assert set(night.told(TUESDAY, "cs.AI")) == {"2604.90002"}
    assert "2604.99999" in night.told(WEDNESDAY, "cs.AI")


def test_what_was_held_back_until_the_missed_day_is_filed_there(night: Week) -> None:
    """By their dates they belong to Monday, which is complete without them: the change tells."""
    before = datetime(2026, 4, 17, 12, tzinfo=UTC)
    held = ScriptedPaper(arxiv_id="2604.90005", submitted_at=before)
    again = ScriptedPaper(arxiv_id="2604.90001", version=2, submitted_at=before)
    crossed = ScriptedPaper(
        arxiv_id="2604.90004", categories=("cs.LG",), late_cross_in=("cs.AI",), submitted_at=before
    )
    monday = (
        ScriptedPaper(arxiv_id="2604.90001", submitted_at=before - timedelta(hours=1)),
        replace(crossed, late_cross_in=()),
    )
    script = [
        ScriptedDay(on=MONDAY, papers=monday),
        ScriptedDay(
            on=TUESDAY, papers=(ScriptedPaper(arxiv_id="2604.90002"), held, again, crossed)
        ),
        ScriptedDay(on=WEDNESDAY, papers=(ScriptedPaper(arxiv_id="2604.90003"),)),
    ]
    gone = Fault(kind=FaultKind.STATUS, status=500, on=TUESDAY, endpoint="feed")
    with night.serving(script, gone).in_process():
        night.nights(MONDAY, 3, categories=["cs.AI", "cs.LG"])

    assert night.told(TUESDAY, "cs.AI") == {
        "2604.90001": (2, "replace"),
        "2604.90002": (1, "new"),
        "2604.90004": (1, "cross"),
        "2604.90005": (1, "new"),
    }
    assert night.told(TUESDAY, "cs.LG") == {}
    assert set(night.told(WEDNESDAY, "cs.AI")) == {"2604.90003"}


def test_what_of_todays_batch_could_not_be_read_is_filled_the_same_night(night: Week) -> None:
    """The batch has come, so OAI-PMH has all of it too."""
    partial = Announcement(
        category="cs.AI",
        announced_on=MONDAY,
        state=AnnouncementState.PARTIAL,
        announced=3,
        stored=2,
        updated_at=night.at,
    )
    night.papers.put_announcement(partial)
    gone = Fault(kind=FaultKind.STATUS, status=500, on=MONDAY, endpoint="feed")
    with night.serving(WEEK, gone).in_process():
        told = night.poll_at(MONDAY, time(0, 20), categories=["cs.AI"])

    assert isinstance(told, FeedError)
    assert night.told(MONDAY, "cs.AI") == truth(WEEK, CATEGORIES)[MONDAY, "cs.AI"]
    found = night.state(MONDAY, "cs.AI")
    assert found is not None
    assert (found[0], found[3]) == ("complete", "backfilled")


def test_a_second_fetcher_ends_at_once_and_changes_nothing(night: Week) -> None:
    """The first one holds the lease."""
    until = night.at + timedelta(minutes=5)
    night.notes.take_lease("first", until=until, now=night.at)
    server = night.serving(WEEK)
    with server.in_process():
        assert night.run() == {"busy": 1}

    assert server.log == []
    assert night.items() == {}


def test_a_fetcher_that_died_is_followed_when_its_time_is_over(night: Week) -> None:
    until = night.at + timedelta(minutes=5)
    night.notes.take_lease("dead", until=until, now=night.at)
    night.at = until
    server = night.serving(WEEK)
    with server.in_process():
        night.run()

    assert_as_announced(night, WEEK[:1])
    assert (server.log[0].at - until).total_seconds() == 3


def test_the_gap_holds_from_one_fetcher_to_the_next(night: Week) -> None:
    """And what Retry-After asked the one for is kept to by the other."""
    busy = Fault(kind=FaultKind.STATUS, status=503, retry_after_s=900, on=MONDAY, times=1)
    server = night.serving(WEEK, busy)
    with server.in_process():
        first = night.poll_at(MONDAY, time(0, 20))
        second = night.poll_at(MONDAY, time(0, 20))
        asked = len(server.log)
        night.pause(900)
        night.run()
        night.run()

    assert isinstance(first, FeedError)
    assert isinstance(second, FeedError)
    assert asked == 1
    assert_as_announced(night, WEEK[:1])
    assert server.smallest_gap_s == 3


def test_the_lease_is_given_back_after_an_error(night: Week) -> None:
    """Else a failed poll would cost the next one."""
    with night.serving(WEEK, FAULTS["503 all day"]).in_process():
        night.nights(MONDAY, 1)
        night.poll_at(TUESDAY, time(0, 20))

    assert night.notes.take_lease("next", until=night.at, now=night.at) is not None


def test_polls_in_summer_and_winter_time_and_on_a_leap_day(night: Week) -> None:
    """The date is the Eastern one, on the day the clocks change too."""
    for first in (date(2026, 3, 6), date(2026, 10, 30), date(2028, 2, 28)):
        script = write_script(first=first, days=5, categories=CATEGORIES, seed=first.year)
        night.at = datetime.combine(first, time(0, 20), EASTERN).astimezone(UTC)
        with night.serving(script).in_process():
            told = night.nights(first, 5)

        assert [str(t) for t in told if isinstance(t, FeedError)] == []
        assert_as_announced(night, script)


@pytest.mark.parametrize(("day", "said"), [(1, 0), (2, 1)])
def test_a_month_before_the_known_holidays_end_the_log_says_so(
    night: Week, caplog: pytest.LogCaptureFixture, day: int, said: int
) -> None:
    first = date(2026, 12, day)
    night.at = datetime.combine(first, time(0, 20), EASTERN).astimezone(UTC)
    with night.serving(write_script(first=first, days=1, categories=CATEGORIES)).in_process():
        night.run()

    assert sum("knows no holidays after" in told for told in caplog.messages) == said


def test_a_whole_archive_is_one_request(night: Week) -> None:
    """And each of its categories gets what is its own."""
    categories = ("econ.EM", "econ.GN", "econ.TH")
    script = write_script(first=MONDAY, days=1, categories=categories, seed=8)
    server = night.serving(script)
    with server.in_process():
        night.run(categories=categories)

    assert [logged.target for logged in server.log] == ["/rss/econ"]
    assert {category: night.told(MONDAY, category) for category in categories} == {
        category: papers for (_, category), papers in truth(script, categories).items()
    }


def test_on_a_holiday_nothing_is_due_and_nothing_is_missed(night: Week) -> None:
    """Thanksgiving, a Thursday: the feed is empty, and the days around it are whole."""
    first, holiday = date(2026, 11, 24), date(2026, 11, 26)
    night.at = datetime.combine(first, time(0, 20), EASTERN).astimezone(UTC)
    script = write_script(first=first, days=7, categories=CATEGORIES, quiet={holiday})
    with night.serving(script).in_process():
        told = night.nights(first, 7)

    assert [str(t) for t in told if isinstance(t, FeedError)] == []
    assert night.state(holiday, "cs.AI") == ("quiet", 0, 0, "Thanksgiving")
    assert_as_announced(night, script)


def test_a_holidays_mailing_may_be_the_one_of_its_evening(night: Week) -> None:
    """Then its own feed has a batch, and the one of the next due day is empty instead."""
    first, holiday, after = (date(2026, 11, day) for day in (24, 26, 27))
    night.at = datetime.combine(first, time(0, 20), EASTERN).astimezone(UTC)
    script = write_script(first=first, days=7, categories=CATEGORIES, quiet={after})
    with night.serving(script).in_process():
        told = night.nights(first, 7)

    assert [str(t) for t in told if isinstance(t, FeedError)] == []
    assert night.state(holiday, "cs.AI") is not None
    assert night.state(after, "cs.AI") == ("quiet", 0, 0, "Thanksgiving")
    assert_as_announced(night, script)


def test_a_late_batch_behind_a_holiday_with_papers_is_stored(night: Week) -> None:
    """Quiet is no last word: what comes after all is announced on its day."""
    first, after = date(2026, 11, 25), date(2026, 11, 27)
    night.at = datetime.combine(first, time(0, 20), EASTERN).astimezone(UTC)
    script = write_script(first=first, days=3, categories=CATEGORIES)
    late = Fault(kind=FaultKind.LATE, on=after, hours=6)
    with night.serving(script, late).in_process():
        night.nights(first, 3)

    assert_as_announced(night, script)


def test_what_a_feed_announced_before_its_calendar_day_is_not_filled_again(night: Week) -> None:
    """The calendar takes the holiday for quiet, so history dates its batch to the day after."""
    first, after = date(2026, 11, 24), date(2026, 11, 27)
    night.at = datetime.combine(first, time(0, 20), EASTERN).astimezone(UTC)
    script = write_script(first=first, days=7, categories=CATEGORIES)
    gone = Fault(kind=FaultKind.STATUS, status=500, on=after, endpoint="feed")
    with night.serving(script, gone).in_process():
        night.nights(first, 7)

    assert_as_announced(night, script)


def test_a_mailing_that_arxiv_put_off_is_filed_once_on_the_day_it_came(night: Week) -> None:
    """OAI-PMH knows its papers before the feed does; they are not the missed day's."""
    put_off = ScriptedPaper(
        arxiv_id="2604.90002", submitted_at=datetime(2026, 4, 20, 12, tzinfo=UTC)
    )
    script = [
        ScriptedDay(on=MONDAY, papers=(ScriptedPaper(arxiv_id="2604.90001"),)),
        ScriptedDay(on=WEDNESDAY, papers=(ScriptedPaper(arxiv_id="2604.90003"), put_off)),
    ]
    with night.serving(script, ready=timedelta(hours=2)).in_process():
        night.nights(MONDAY, 2, categories=["cs.AI"])
        early = night.poll_at(WEDNESDAY, time(0, 20), categories=["cs.AI"])
        before = night.told(TUESDAY, "cs.AI")
        night.poll_at(WEDNESDAY, time(3, 20), categories=["cs.AI"])

    assert isinstance(early, FeedError)
    assert before == night.told(TUESDAY, "cs.AI") == {}
    assert set(night.told(WEDNESDAY, "cs.AI")) == {"2604.90002", "2604.90003"}
    assert night.state(TUESDAY, "cs.AI") == ("complete", 0, 0, "backfilled")


def test_a_feed_that_stays_empty_is_filled_around_after_two_due_days(night: Week) -> None:
    """Readers do not wait for ever: OAI-PMH stands in when two more batches should have come."""
    empty = Fault(kind=FaultKind.EMPTY, on=TUESDAY, until=date(2026, 4, 24), endpoint="feed")
    with night.serving(WEEK, empty).in_process():
        night.nights(MONDAY, 3)
        waits = night.told(TUESDAY, "cs.AI")
        night.nights(THURSDAY, 1)

    assert waits == {}
    assert night.told(TUESDAY, "cs.AI") == truth(WEEK, CATEGORIES)[TUESDAY, "cs.AI"]


def test_an_api_that_hangs_does_not_put_healing_off(night: Week) -> None:
    """Missed days come before what the API adds: a paper never waits for it."""
    faults = [
        Fault(kind=FaultKind.STATUS, status=500, on=TUESDAY, endpoint="feed"),
        Fault(kind=FaultKind.SLOW, seconds=100, on=WEDNESDAY, endpoint="api"),
    ]
    with night.serving(WEEK, *faults).in_process():
        night.nights(MONDAY, 2)
        night.poll_at(WEDNESDAY, time(0, 20), api=True)

    assert night.told(TUESDAY, "cs.AI") == truth(WEEK, CATEGORIES)[TUESDAY, "cs.AI"]


def test_the_api_adds_what_it_knows_when_its_index_has_come_so_far(night: Week) -> None:
    """Papers do not wait for it: they are there at once, and completed by a later poll."""
    with night.serving(WEEK).in_process():
        first = night.poll_at(MONDAY, time(0, 20), api=True)
        second = night.poll_at(MONDAY, time(3, 20), api=True)

    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first["incomplete"] == first["papers"] > 0
    assert second["incomplete"] == 0
    for paper in night.papers.get_papers(night.told(MONDAY, "cs.AI")).values():
        assert paper.comment


# filling days by order


def ordered(category: str, first: date, last: date) -> dict[str, Any]:
    return {
        "task": "backfill",
        "category": category,
        "from": first.isoformat(),
        "to": last.isoformat(),
    }


def test_what_the_api_could_not_tell_one_night_is_asked_for_later(night: Week) -> None:
    """Dead on Tuesday, and always a day behind: comments and withdrawals come all the same."""
    said = "This paper has been withdrawn by the author due to an error."
    script = [
        ScriptedDay(on=MONDAY + timedelta(days=n), papers=(ScriptedPaper(arxiv_id=i, **told),))
        for n, (i, told) in enumerate(
            [
                ("2604.90001", {"comment": "9 pages", "doi": "10.1/x"}),
                ("2604.90002", {"comment": "5 pages"}),
                ("2604.90001", {"version": 2, "comment": said, "withdrawn": True}),
                ("2604.90004", {}),
                ("2604.90005", {}),
            ]
        )
    ]
    dead = Fault(kind=FaultKind.STATUS, status=503, on=TUESDAY, endpoint="api")
    with night.serving(script, dead, api_lag=timedelta(hours=20)).in_process():
        night.nights(MONDAY, 5, categories=["cs.AI"], api=True)

    found = night.papers.get_papers(["2604.90001", "2604.90002"])
    first = found["2604.90001"]
    assert (first.version, first.withdrawn, first.comment, first.doi) == (2, True, said, "10.1/x")
    assert found["2604.90002"].comment == "5 pages"


def test_a_feed_that_stays_on_an_old_batch_repeats_nothing(night: Week) -> None:
    """Under each day's date, while OAI-PMH fills the days in the end."""
    script = [
        ScriptedDay(
            on=MONDAY + timedelta(days=n),
            papers=(
                ScriptedPaper(arxiv_id=f"2604.9000{n}"),
                ScriptedPaper(arxiv_id=f"2603.9000{n}", version=2),
            ),
        )
        for n in range(5)
    ]
    stuck = Fault(
        kind=FaultKind.STALE, on=TUESDAY, until=date(2026, 4, 24), endpoint="feed", batch_of=MONDAY
    )
    with night.serving(script, stuck).in_process():
        night.nights(MONDAY, 9, categories=["cs.AI"])

    assert {on: set(night.told(on, "cs.AI")) for on in (d.on for d in script)} == {
        day.on: {paper.arxiv_id for paper in day.papers} for day in script
    }


def test_days_before_the_first_poll_are_filled_by_order_and_only_once(night: Week) -> None:
    """What is complete is skipped, so that a range can be gone on with."""
    server = night.serving(WEEK)
    with server.in_process():
        night.at += timedelta(days=5)
        first = night.run(ordered("cs.AI", MONDAY, THURSDAY))
        asked = len(server.log)
        again = night.run(ordered("cs.AI", MONDAY, THURSDAY))

    for day in WEEK[:4]:
        assert night.told(day.on, "cs.AI") == truth(WEEK, CATEGORIES)[day.on, "cs.AI"]
    assert (first["backfilled"], first["missing"]) == (4, 0)
    assert (again["backfilled"], again["missing"], len(server.log)) == (0, 0, asked)


def test_of_days_long_past_the_first_versions_are_filled_through_the_api(night: Week) -> None:
    """Whoever looks for replacements would have to follow all that changed since."""
    server = night.serving(WEEK)
    with server.in_process():
        night.at += timedelta(days=80)
        night.run(ordered("cs.AI", MONDAY, MONDAY))

    expected = truth(WEEK, CATEGORIES)[MONDAY, "cs.AI"]
    assert set(night.told(MONDAY, "cs.AI")) == set(expected)
    assert {logged.endpoint for logged in server.log} == {"api"}
    state = night.state(MONDAY, "cs.AI")
    assert state is not None
    assert state[3] == "backfilled without replacements"


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (ordered("cs.QQ", MONDAY, MONDAY), "no category"),
        (ordered("cs.CV", MONDAY, MONDAY), "not among the configured"),
        (ordered("cs.AI", TUESDAY, MONDAY), "before today"),
        (ordered("cs.AI", MONDAY, date(2026, 4, 25)), "before today"),
        (
            {"task": "backfill", "category": "cs.AI", "from": "yesterday", "to": "2026-04-20"},
            "needs",
        ),
        ({"task": "backfill"}, "needs"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    night: Week, event: dict[str, Any], said: str
) -> None:
    """In one line, before anything is asked."""
    night.at = datetime(2026, 4, 25, 12, tzinfo=UTC)
    server = night.serving(WEEK)
    with server.in_process(), pytest.raises(InvalidInputError, match=said):
        night.run(event)

    assert server.log == []
