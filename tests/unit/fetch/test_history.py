"""When a version must have been announced, and what a day must have listed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import arxiv
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from paperpost import data
from paperpost.domain.announcements import Calendar
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.papers import AnnounceType, Author, FirstListing, Paper
from paperpost.fetch.history import (
    History,
    announced_on,
    days,
    from_record,
    from_result,
    submissions_of,
)
from paperpost.fetch.oai import OaiRecord, harvest
from paperpost.fetch.store import store_day
from paperpost.storage.papers import PaperTable
from support.arxiv_script import truth, write_script
from support.arxiv_server import ArxivServer

EASTERN = ZoneInfo("America/New_York")
PLAIN = Calendar()
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MONDAY = date(2026, 4, 20)


def eastern(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A time in April 2026; the 20th is a Monday."""
    return datetime(2026, 4, day, hour, minute, second, tzinfo=EASTERN)


@pytest.mark.parametrize(
    ("submitted", "on"),
    [
        (eastern(20, 14), 22),  # Monday 14:00 to Tuesday 14:00: Tuesday's mailing
        (eastern(21, 13, 59, 59), 22),
        (eastern(21, 14), 23),
        (eastern(22, 14), 24),
        (eastern(23, 13, 59), 24),  # Thursday's mailing, Friday's feed
        (eastern(23, 14), 27),  # Thursday 14:00 to Friday 14:00: Sunday's, Monday's feed
        (eastern(24, 13, 59), 27),
        (eastern(24, 14), 28),  # Friday 14:00 to Monday 14:00: Monday's, Tuesday's feed
        (eastern(25, 3), 28),
        (eastern(26, 23), 28),
        (eastern(27, 13, 59), 28),
    ],
)
def test_the_table_of_arxivs_help_holds(submitted: datetime, on: int) -> None:
    """https://info.arxiv.org/help/availability.html; the same moment in UTC too."""
    assert announced_on(submitted, PLAIN) == date(2026, 4, on)
    assert announced_on(submitted.astimezone(UTC), PLAIN) == date(2026, 4, on)


def test_a_quiet_day_passes_its_papers_on() -> None:
    """Those of two days stand in the next feed."""
    calendar = Calendar(holidays={date(2026, 4, 22): "made up"})

    assert announced_on(eastern(21, 9), calendar) == date(2026, 4, 23)
    assert announced_on(eastern(22, 9), calendar) == date(2026, 4, 23)
    assert submissions_of(date(2026, 4, 23), calendar) == (eastern(20, 14), eastern(22, 14))


@pytest.mark.parametrize(
    ("on", "start", "end"),
    [
        # Clocks go forward on Sunday 8 March 2026, and back on Sunday 1 November.
        (date(2026, 3, 10), "2026-03-06T19:00Z", "2026-03-09T18:00Z"),
        (date(2026, 11, 3), "2026-10-30T18:00Z", "2026-11-02T19:00Z"),
    ],
)
def test_the_nights_on_which_clocks_change(on: date, start: str, end: str) -> None:
    """14:00 stays 14:00 in New York: the weekend is an hour shorter, or longer."""
    second = timedelta(seconds=1)
    opens, closes = datetime.fromisoformat(start), datetime.fromisoformat(end)
    around = (opens - second, opens, closes - second, closes)

    assert submissions_of(on, PLAIN) == (opens, closes)
    assert [announced_on(at, PLAIN) == on for at in around] == [False, True, True, False]


def test_a_time_without_zone_and_a_quiet_date_are_refused() -> None:
    """Neither has an answer."""
    with pytest.raises(ValueError, match="without zone"):
        announced_on(datetime(2026, 4, 20, 9), PLAIN)  # noqa: DTZ001
    with pytest.raises(ValueError, match="nothing is announced on 2026-04-25: weekend"):
        submissions_of(date(2026, 4, 25), PLAIN)


TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
HOLIDAYS = st.dictionaries(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.just("made up"))
OF_2026 = st.datetimes(datetime(2025, 12, 20), datetime(2027, 1, 9), timezones=st.just(UTC))  # noqa: DTZ001


@given(first=OF_2026, second=OF_2026, holidays=HOLIDAYS)
def test_who_submits_later_is_not_announced_earlier(
    first: datetime, second: datetime, holidays: dict[date, str]
) -> None:
    """And nobody is announced on a quiet day, nor on the day of submission."""
    calendar = Calendar(holidays=holidays)
    early, late = sorted((first, second))

    assert announced_on(early, calendar) <= announced_on(late, calendar)
    on = announced_on(first, calendar)
    assert not calendar.quiet_reason(on)
    assert on > first.astimezone(EASTERN).date()


@given(at=TIMES, holidays=HOLIDAYS)
def test_the_window_of_a_date_holds_exactly_what_it_announces(
    at: datetime, holidays: dict[date, str]
) -> None:
    """The two functions are each other's inverse."""
    calendar = Calendar(holidays=holidays)

    start, end = submissions_of(announced_on(at, calendar), calendar)

    assert start <= at < end


def history(versions: dict[int, datetime], *, categories: tuple[str, ...] = ("cs.AI",)) -> History:
    """A paper with these versions."""
    paper = Paper(
        arxiv_id="2604.90001",
        version=max(versions),
        title="T",
        abstract="A",
        authors=(Author(name="Ada Example"),),
        categories=categories,
    )
    return History(paper=paper, versions=versions)


def listed(*histories: History, first: int = 20, last: int = 28) -> dict[tuple[int, str], str]:
    """(Day of April, category) → version and type, of what was listed."""
    found = days(
        histories,
        categories=("cs.AI", "cs.LG"),
        calendar=PLAIN,
        first=date(2026, 4, first),
        last=date(2026, 4, last),
        now=NOW,
    )
    return {
        (day.announced_on.day, category): f"v{listing.version} {listing.announce_type}"
        for day in found
        for category, listings in day.listings.items()
        for listing in listings
    }


def test_first_versions_are_new_or_cross_and_later_ones_replace() -> None:
    """Relative to each category."""
    told = history({1: eastern(20, 9), 2: eastern(22, 9)}, categories=("cs.LG", "cs.AI"))

    assert listed(told) == {
        (21, "cs.LG"): "v1 new",
        (21, "cs.AI"): "v1 cross",
        (23, "cs.LG"): "v2 replace",
        (23, "cs.AI"): "v2 replace-cross",
    }


def test_a_sixth_version_was_in_no_feed() -> None:
    """A fifth was."""
    told = history({1: eastern(1, 9), 5: eastern(20, 9), 6: eastern(21, 9)})

    assert listed(told) == {(21, "cs.AI"): "v5 replace"}


def test_two_versions_of_one_day_are_listed_once() -> None:
    """The newer version; a paper that is new stays new."""
    assert listed(history({1: eastern(20, 9), 2: eastern(20, 10)})) == {(21, "cs.AI"): "v2 new"}
    assert listed(history({2: eastern(20, 9), 3: eastern(20, 10)})) == {(21, "cs.AI"): "v3 replace"}


def test_dates_outside_the_range_are_left_out() -> None:
    """Both ends belong to it."""
    told = history({1: eastern(20, 9), 2: eastern(21, 9), 3: eastern(22, 9), 4: eastern(23, 9)})

    assert [on for on, _ in listed(told, first=22, last=23)] == [22, 23]


def test_every_due_date_has_a_day_for_every_category() -> None:
    """Also without a listing, so that the announcement is settled; quiet dates have none."""
    found = days(
        [],
        categories=("cs.AI", "cs.LG"),
        calendar=Calendar(holidays={date(2026, 4, 22): "made up"}),
        first=MONDAY,
        last=date(2026, 4, 27),
        now=NOW,
    )

    assert [day.announced_on.day for day in found] == [20, 21, 23, 24, 27]
    assert all(day.listings == {"cs.AI": (), "cs.LG": ()} for day in found)


def test_a_papers_first_listings_go_with_it() -> None:
    """As store_day keeps them."""
    told = history({1: eastern(20, 9)}, categories=("cs.LG", "cs.AI"))
    (day,) = days(
        [told],
        categories=("cs.AI", "cs.LG"),
        calendar=PLAIN,
        first=date(2026, 4, 21),
        last=date(2026, 4, 21),
        now=NOW,
    )

    assert day.papers[0].listed == {
        "cs.AI": FirstListing(announced_on=date(2026, 4, 21), announce_type=AnnounceType.CROSS),
        "cs.LG": FirstListing(announced_on=date(2026, 4, 21), announce_type=AnnounceType.NEW),
    }


def test_what_several_sources_tell_of_a_paper_is_joined() -> None:
    """The API knows first and newest; OAI-PMH the version between."""
    api = history({1: eastern(20, 9), 3: eastern(22, 9)})
    oai = history({1: eastern(20, 9), 2: eastern(21, 9)})

    expected = {
        (21, "cs.AI"): "v1 new",
        (22, "cs.AI"): "v2 replace",
        (23, "cs.AI"): "v3 replace",
    }
    assert listed(api, oai) == listed(oai, api) == expected


def test_a_record_without_versions_has_no_history() -> None:
    """The format arXiv does not tell them."""
    told = OaiRecord(
        arxiv_id="2604.90001",
        datestamp=MONDAY,
        title="T",
        abstract="A",
        authors=(),
        categories=("cs.AI",),
    )
    with pytest.raises(InvalidInputError, match="does not tell the versions"):
        from_record(told)


FIRST, LENGTH = date(2026, 5, 11), 40
CATEGORIES = ("cs.AI", "cs.LG", "hep-th")


@pytest.fixture
def server() -> ArxivServer:
    """Forty days around two holidays, all over."""
    holidays = data.calendar().holidays
    script = write_script(
        first=FIRST, days=LENGTH, categories=CATEGORIES, quiet=set(holidays), seed=7
    )
    return ArxivServer(script, clock=lambda: datetime(2026, 7, 1, tzinfo=UTC), oai_page_size=20)


def announced(found: list[History], *, category: str) -> dict[date, dict[str, tuple[int, str]]]:
    told = days(
        found,
        categories=(category,),
        calendar=data.calendar(),
        first=FIRST,
        last=FIRST + timedelta(days=LENGTH - 1),
        now=NOW,
    )
    return {
        day.announced_on: {
            each.arxiv_id: (each.version, str(each.announce_type))
            for each in day.listings[category]
        }
        for day in told
    }


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_harvest_long_after_rebuilds_every_announcement(
    server: ArxivServer, category: str
) -> None:
    """Every paper, on its date, as the type that the feed of the day gave it."""
    with server.in_process(), requests.Session() as session:
        pages = list(harvest(session, category=category, from_=FIRST))
    found = [from_record(record) for page in pages for record in page.records]

    expected = truth(server.days, [category])
    assert announced(found, category=category) == {on: all_ for (on, _), all_ in expected.items()}


def test_a_search_of_the_api_rebuilds_what_was_new(server: ArxivServer) -> None:
    """A window of submissions is the first versions of one announcement."""
    on = FIRST + timedelta(days=8)
    start, end = submissions_of(on, data.calendar())
    last = end - timedelta(minutes=1)
    query = f"cat:cs.AI AND submittedDate:[{start:%Y%m%d%H%M} TO {last:%Y%m%d%H%M}]"

    with server.in_process():
        results = list(arxiv.Client(page_size=5, delay_seconds=0).results(arxiv.Search(query)))
    found = announced([from_result(result) for result in results], category="cs.AI")

    expected = truth(server.days, ["cs.AI"])[on, "cs.AI"]
    assert expected
    assert {i: t for i, t in found[on].items() if t[0] == 1} == {
        i: t for i, t in expected.items() if t[0] == 1
    }


def test_rebuilt_days_are_stored_as_any_other(
    server: ArxivServer, papers: PaperTable, queue: object
) -> None:
    """And a second time writes nothing."""
    with server.in_process(), requests.Session() as session:
        pages = list(harvest(session, category="cs.AI", from_=FIRST))
    found = days(
        [from_record(record) for page in pages for record in page.records],
        categories=("cs.AI",),
        calendar=data.calendar(),
        first=FIRST,
        last=FIRST + timedelta(days=9),
        now=NOW,
    )

    def store() -> int:
        stored = [
            store_day(day, papers=papers, queue=queue, languages=("zh",), now=NOW)  # type: ignore[arg-type]
            for day in found
        ]
        return sum(each.listings for each in stored)

    assert store() == sum(len(day.listings["cs.AI"]) for day in found) > 20
    assert store() == 0
