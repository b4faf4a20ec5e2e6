"""The made-up arXiv itself: a proof is worth no more than the server it is made against."""

import urllib.request
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import arxiv
import pytest
import requests

from paperpost.fetch.feeds import read_feed
from support.arxiv_script import ScriptedDay, ScriptedPaper, truth, write_script
from support.arxiv_server import ArxivServer, Fault, FaultKind

MONDAY, TUESDAY, WEDNESDAY = date(2026, 4, 20), date(2026, 4, 21), date(2026, 4, 22)
NIGHT = datetime(2026, 4, 21, 4, 20, tzinfo=UTC)  # 00:20 Eastern, Tuesday
FEED = "https://rss.arxiv.org/rss/cs.AI"
API = "https://export.arxiv.org/api/query"
SCRIPT = [
    ScriptedDay(on=MONDAY, papers=(ScriptedPaper(arxiv_id="2604.90001"),)),
    ScriptedDay(
        on=TUESDAY,
        papers=(
            ScriptedPaper(arxiv_id="2604.90003", categories=("cs.LG", "cs.AI")),
            ScriptedPaper(arxiv_id="2604.90002", doi="10.1/x", comment="3 pages"),
            ScriptedPaper(arxiv_id="2604.90001", version=2),
            ScriptedPaper(arxiv_id="2301.00009", version=6),
        ),
    ),
]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = NIGHT) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def pause(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    """Tuesday, 00:20 Eastern."""
    return Clock()


def get(server: ArxivServer, url: str, headers: Mapping[str, str] = {}) -> requests.Response:
    """One request in process."""
    with server.in_process():
        return requests.get(url, headers=dict(headers), timeout=1, allow_redirects=False)


def listed(server: ArxivServer, url: str = FEED) -> list[str]:
    feed = read_feed(get(server, url).content, source=url)
    return [f"{item.arxiv_id}v{item.version} {item.announce_type}" for item in feed.items]


def test_a_feed_lists_what_the_script_says_in_arxivs_order(clock: Clock) -> None:
    """Types are relative to what is asked for, and a sixth version is in no feed."""
    server = ArxivServer(SCRIPT, clock=clock)

    assert listed(server) == ["2604.90002v1 new", "2604.90003v1 cross", "2604.90001v2 replace"]
    assert listed(server, f"{FEED}+cs.LG")[:2] == ["2604.90002v1 new", "2604.90003v1 new"]
    assert listed(server, "https://rss.arxiv.org/atom/cs") == listed(server, f"{FEED}+cs.LG")


def test_before_a_batch_is_ready_and_on_a_quiet_day_the_feed_is_empty(clock: Clock) -> None:
    """Today's channel without items."""
    server = ArxivServer(SCRIPT, clock=clock)

    for at in (NIGHT - timedelta(minutes=17), NIGHT + timedelta(days=1)):
        clock.at = at
        assert listed(server) == []


def test_the_cut_drops_the_lowest_new_papers_first(clock: Clock) -> None:
    """As arXiv's own source seems to do at 2,000."""
    assert listed(ArxivServer(SCRIPT, clock=clock, feed_limit=1)) == ["2604.90001v2 replace"]


def test_a_bad_category_is_a_feed_with_status_400(clock: Clock) -> None:
    """Which nobody may take for an empty day."""
    answer = get(ArxivServer(SCRIPT, clock=clock), "https://rss.arxiv.org/rss/cs.XX")

    assert answer.status_code == 400
    assert b"Feed error for query: cs.XX" in answer.content


def test_the_same_etag_is_answered_304(clock: Clock) -> None:
    """A body comes only when it has changed."""
    server = ArxivServer(SCRIPT, clock=clock)
    etag = get(server, FEED).headers["ETag"]

    same = get(server, FEED, {"If-None-Match": etag})
    clock.at += timedelta(days=1)
    other = get(server, FEED, {"If-None-Match": etag})

    assert (same.status_code, same.content, other.status_code) == (304, b"", 200)


def test_a_stale_feed_has_todays_date_and_yesterdays_papers(clock: Clock) -> None:
    """For as many hours as the script says."""
    fault = Fault(kind=FaultKind.STALE, on=TUESDAY, hours=3)
    server = ArxivServer(SCRIPT, clock=clock, faults=[fault])

    stale = read_feed(get(server, FEED).content, source=FEED)
    clock.at += timedelta(hours=3)

    assert (stale.announced_on, [i.arxiv_id for i in stale.items]) == (TUESDAY, ["2604.90001"])
    assert len(listed(server)) == 3
    assert server.fired[FaultKind.STALE] == 1


def test_a_late_batch_is_nowhere_until_it_comes(clock: Clock) -> None:
    """Neither in the feed nor in the API."""
    fault = Fault(kind=FaultKind.LATE, on=TUESDAY, hours=6)
    server = ArxivServer(SCRIPT, clock=clock, faults=[fault])
    query = f"{API}?id_list=2604.90002"
    clock.at += timedelta(hours=5)

    assert listed(server) == []
    assert b"<opensearch:totalResults>0<" in get(server, query).content
    clock.at += timedelta(hours=2)
    assert len(listed(server)) == 3
    assert b"<opensearch:totalResults>1<" in get(server, query).content


def test_the_arxiv_package_reads_the_api_page_by_page(clock: Clock) -> None:
    """Search by date of submission, each paper once, dates and fields as scripted."""
    clock.at = NIGHT + timedelta(hours=2)
    server = ArxivServer(SCRIPT, clock=clock)
    search = arxiv.Search(
        query="cat:cs.AI AND submittedDate:[202604180000 TO 202604210000]",
        sort_by=arxiv.SortCriterion.SubmittedDate,
        sort_order=arxiv.SortOrder.Ascending,
    )

    with server.in_process():
        found = list(arxiv.Client(page_size=1, delay_seconds=0).results(search))

    assert [result.get_short_id() for result in found] == ["2604.90002v1", "2604.90003v1"]
    assert (found[0].doi, found[0].comment) == ("10.1/x", "3 pages")
    assert found[0].published == datetime(2026, 4, 20, 17, 59, 46, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("cat:cs.LG", 1),
        ("cat:cs.*", 4),
        ("cat:cs.AI ANDNOT cat:cs.LG", 3),
        ("(cat:cs.LG OR id:2604.90001) AND cat:cs.AI", 2),
        ("cat:cs.AI AND lastUpdatedDate:[20260420 TO 20260420]", 4),
    ],
)
def test_the_api_searches(clock: Clock, query: str, total: int) -> None:
    """Fields, ranges and operators."""
    clock.at += timedelta(hours=2)
    answer = get(ArxivServer(SCRIPT, clock=clock), f"{API}?search_query={query}&max_results=1")

    assert f"<opensearch:totalResults>{total}</".encode() in answer.content


@pytest.mark.parametrize(
    "query",
    ["id_list=abc", "search_query=cat:", "search_query=(cat:cs.AI", "max_results=30001&id_list=1"],
)
def test_a_wrong_query_is_an_error_entry_with_status_400(clock: Clock, query: str) -> None:
    """In the form recorded in 2026."""
    answer = get(ArxivServer(SCRIPT, clock=clock), f"{API}?{query}")

    assert answer.status_code == 400
    assert b"<title>Error</title>" in answer.content


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (Fault(kind=FaultKind.STATUS, status=429), 429, b"Rate exceeded."),
        (Fault(kind=FaultKind.STATUS), 503, b"Sorry."),
        (Fault(kind=FaultKind.HTML), 200, b"<!DOCTYPE html>"),
        (Fault(kind=FaultKind.RATE_EXCEEDED), 200, b"Rate exceeded."),
        (Fault(kind=FaultKind.ERROR_FEED), 400, b"<?xml version='1.0'"),
        (Fault(kind=FaultKind.REDIRECT), 302, b""),
        (Fault(kind=FaultKind.TRUNCATED, at_byte=5), 200, b"<?xml"),
    ],
)
def test_a_fault_strikes_the_requests_it_names(
    clock: Clock, fault: Fault, status: int, body: bytes
) -> None:
    """The second of three, the others are well."""
    named = {name: getattr(fault, name) for name in ("kind", "status", "at_byte")}
    server = ArxivServer(SCRIPT, clock=clock, faults=[Fault(**named, requests=frozenset({2}))])

    answers = [get(server, FEED) for _ in range(3)]

    assert [a.status_code for a in answers] == [200, status, 200]
    assert answers[1].content.startswith(body)
    assert answers[0].content == answers[2].content
    assert server.fired == {fault.kind: 1}


def test_retry_after_is_seconds_or_a_date(clock: Clock) -> None:
    """The date is reckoned on the virtual clock."""
    server = ArxivServer(
        SCRIPT,
        clock=clock,
        faults=[
            Fault(kind=FaultKind.STATUS, retry_after_s=60, times=1),
            Fault(kind=FaultKind.STATUS, retry_after_s=60, retry_as_date=True, times=1),
        ],
    )

    told = [get(server, FEED).headers.get("Retry-After") for _ in range(3)]

    assert told == ["60", "Tue, 21 Apr 2026 04:21:00 GMT", None]


def test_a_reset_and_a_short_body_break_the_request(clock: Clock) -> None:
    """As requests tells it, at the first byte or while reading."""
    for kind in (FaultKind.RESET, FaultKind.SHORT):
        server = ArxivServer(SCRIPT, clock=clock, faults=[Fault(kind=kind)])
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            get(server, FEED)


def test_a_slow_body_takes_its_time(clock: Clock) -> None:
    """On the virtual clock."""
    fault = Fault(kind=FaultKind.SLOW, seconds=20)
    server = ArxivServer(SCRIPT, clock=clock, faults=[fault], pause=clock.pause)

    get(server, FEED)

    assert clock.at > NIGHT + timedelta(seconds=20)


def test_a_bomb_is_small_until_it_is_unpacked(clock: Clock) -> None:
    """Sixty-four megabytes out of less than a hundred thousand bytes."""
    server = ArxivServer(SCRIPT, clock=clock, faults=[Fault(kind=FaultKind.BOMB)])

    assert len(server.answer("/rss/cs.AI", {}).body) < 100_000
    assert len(get(server, FEED).content) == 64_000_000


def test_an_empty_page_counts_results_that_it_does_not_give(clock: Clock) -> None:
    """And the plainly empty one counts none."""
    clock.at += timedelta(hours=2)
    faults = [Fault(kind=FaultKind.EMPTY_PAGE, times=1), Fault(kind=FaultKind.EMPTY, times=1)]
    server = ArxivServer(SCRIPT, clock=clock, faults=faults)

    bodies = [get(server, f"{API}?id_list=2604.90002").content for _ in range(3)]

    assert [b"totalResults>1<" in body for body in bodies] == [True, False, True]
    assert [b"<entry>" in body for body in bodies] == [False, False, True]


def test_every_request_is_logged_with_its_virtual_time(clock: Clock) -> None:
    """Faulty ones too; the smallest gap is over all endpoints."""
    server = ArxivServer(SCRIPT, clock=clock, faults=[Fault(kind=FaultKind.HTML, endpoint="api")])

    get(server, FEED, {"User-Agent": "Paperpost"})
    clock.pause(5)
    get(server, f"{API}?id_list=2604.90002")
    clock.pause(3)
    get(server, FEED)

    assert server.smallest_gap_s == 3
    assert [(each.number, each.endpoint, each.fault) for each in server.log] == [
        (1, "feed", None),
        (2, "api", FaultKind.HTML),
        (3, "feed", None),
    ]
    assert server.log[0].user_agent == "Paperpost"


def test_a_socket_tells_the_same_bytes(clock: Clock) -> None:
    """The server on loopback and the one in process are one."""
    server = ArxivServer(SCRIPT, clock=clock)
    with (
        server.listening() as base,
        urllib.request.urlopen(f"{base}/rss/cs.AI", timeout=5) as answer,
    ):
        over_socket = answer.read()

    assert over_socket == get(server, FEED).content


def test_a_reset_over_a_socket_is_one(clock: Clock) -> None:
    """The client sees a broken connection."""
    server = ArxivServer(SCRIPT, clock=clock, faults=[Fault(kind=FaultKind.RESET)])

    with server.listening() as base, pytest.raises(requests.ConnectionError):
        requests.get(f"{base}/rss/cs.AI", timeout=5)


def test_a_written_script_plays_sixty_days_as_its_own_truth() -> None:
    """What feeds list over two months, daylight saving included, is what the script announces."""
    categories = ("cs.AI", "cs.LG", "hep-th")
    script = write_script(first=date(2026, 2, 16), days=60, categories=categories, seed=3)
    clock = Clock()
    server = ArxivServer(script, clock=clock)
    told = {}
    with server.in_process():
        for day in range(60):
            clock.at = datetime(2026, 2, 16, 6, tzinfo=UTC) + timedelta(days=day)
            for category in categories:
                body = requests.get(f"https://rss.arxiv.org/rss/{category}", timeout=1).content
                feed = read_feed(body, source=category)
                if feed.announced_on.weekday() < 5:
                    told[feed.announced_on, category] = {
                        item.arxiv_id: (item.version, str(item.announce_type))
                        for item in feed.items
                    }

    assert told == truth(script, categories)
    assert write_script(first=date(2026, 2, 16), days=60, categories=categories, seed=3) == script
