"""Talking to arXiv politely, and reading recorded files instead."""

import gzip
import tomllib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import requests
import responses

from paperpost import clients, data
from paperpost.domain.errors import ErrorFeedError, FeedError, NotAFeedError, RateLimitedError
from paperpost.fetch.pace import Pace
from paperpost.fetch.sources import FolderSource, HttpSource, Request, folder_of, halves
from paperpost.fetch.transport import MAX_BYTES, VERSION, polite_session
from paperpost.storage.fetchnotes import FetchNotes
from support.aws import Cloud

URL = "https://rss.arxiv.org/rss/cs.AI"
ASKED = Request(address=URL, categories=("cs.AI",))


class Clock:
    """A clock that only sleeping and a request's own duration move."""

    def __init__(self) -> None:
        self.at = datetime(2026, 4, 21, 4, 20, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    """Time that stands still."""
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    """The pace on that clock, with four minutes for requests."""
    return Pace(now=clock.now, sleep=clock.sleep, until=clock.at + timedelta(minutes=4))


@pytest.fixture
def session(pace: Pace) -> requests.Session:
    """The session under test; its jitter is always the whole of what may be waited."""
    return polite_session("ops@example.org", pace, jitter=lambda _least, most: most)


@pytest.fixture
def notes(cloud: Cloud) -> FetchNotes:
    """Where validators are kept."""
    return FetchNotes(clients.table(cloud.papers))


@pytest.fixture
def source(session: requests.Session, notes: FetchNotes) -> HttpSource:
    """The feeds of arXiv over that session."""
    return HttpSource("https://rss.arxiv.org/", session, notes, data.taxonomy())


def test_categories_are_asked_for_together(source: HttpSource) -> None:
    """One request for all, as long as the address stays short."""
    many = [f"cs.A{n}" for n in range(30)]

    assert [r.address for r in source.requests(["cs.AI", "quant-ph"])] == [f"{URL}+quant-ph"]
    assert [len(r.categories) for r in source.requests(many)] == [24, 6]


def test_a_whole_archive_is_asked_for_by_its_own_name(source: HttpSource) -> None:
    """Statistics has math.ST under another name; what is left is asked for together."""
    asked = source.requests([*data.taxonomy().members("stat"), "quant-ph", "cs.AI"])

    base = "https://rss.arxiv.org/rss"
    assert [r.address for r in asked] == [f"{base}/stat", f"{base}/quant-ph+cs.AI"]
    assert set(asked[0].categories) == set(data.taxonomy().members("stat"))
    assert [r.address for r in halves(source, asked[0])] == [
        f"{base}/stat.AP+stat.CO+stat.ME",
        f"{base}/stat.ML+stat.OT+math.ST",
    ]


@responses.activate
def test_a_request_names_us_and_how_to_reach_us(source: HttpSource) -> None:
    """So that arXiv can tell who we are and write to us."""
    responses.get(URL, body=b"<rss/>")

    assert source.read(ASKED) == b"<rss/>"
    sent = responses.calls[0].request.headers["User-Agent"]
    assert sent == f"Paperpost/{VERSION} (+mailto:ops@example.org)"


def test_the_version_that_is_sent_is_the_projects() -> None:
    """One version, in pyproject.toml; the function's package does not carry that file."""
    text = Path(__file__).parents[3].joinpath("pyproject.toml").read_text(encoding="utf-8")

    assert tomllib.loads(text)["project"]["version"] == VERSION


@responses.activate
def test_three_seconds_lie_between_requests_whatever_the_endpoint(
    session: requests.Session, source: HttpSource, clock: Clock
) -> None:
    """The first goes at once; time that has passed by itself counts."""
    responses.get(URL, body=b"x")
    responses.get("https://export.arxiv.org/api/query", body=b"x")

    source.read(ASKED)
    session.get("https://export.arxiv.org/api/query")
    clock.at += timedelta(seconds=2)
    source.read(ASKED)
    clock.at += timedelta(seconds=60)
    source.read(ASKED)

    assert clock.slept == [3.0, 1.0]


@pytest.mark.parametrize(
    "url",
    [
        "http://rss.arxiv.org/rss/cs.AI",
        "https://example.org/rss/cs.AI",
        "https://rss.arxiv.org.example.org/",
        "https://rss.arxiv.org@169.254.169.254/latest/meta-data/",
        "https://rss.arxiv.org:8443/rss/cs.AI",
        "https://[::1]/rss/cs.AI",
    ],
)
def test_another_host_or_plain_http_is_never_asked(source: HttpSource, url: str) -> None:
    """Refused before a byte leaves (no answer is prepared here, a real request would fail)."""
    with pytest.raises(FeedError, match="not an address that may be fetched"):
        source.read(Request(address=url))


@responses.activate
def test_a_redirect_elsewhere_is_not_followed(source: HttpSource) -> None:
    """The check holds for every hop."""
    responses.get(URL, status=301, headers={"Location": "https://example.org/"})
    elsewhere = responses.get("https://example.org/", body=b"<rss/>")

    with pytest.raises(FeedError, match="not an address that may be fetched"):
        source.read(ASKED)

    assert elsewhere.call_count == 0


@responses.activate
def test_a_redirect_within_arxiv_is_followed_in_its_own_time(
    source: HttpSource, clock: Clock
) -> None:
    """A hop is a request, with the same gap before it."""
    moved = "https://rss.arxiv.org/rss/cs.ai"
    responses.get(URL, status=301, headers={"Location": moved})
    responses.get(moved, body=b"<rss/>")

    assert source.read(ASKED) == b"<rss/>"
    assert clock.slept == [3.0]


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
@responses.activate
def test_any_status_but_200_is_an_error_that_tells_it(source: HttpSource, status: int) -> None:
    """A 400 of arXiv carries a valid feed: it is not believed."""
    responses.get(URL, body=b"<rss/>", status=status)

    with pytest.raises(FeedError, match=f"HTTP {status}") as refused:
        source.read(ASKED)

    assert refused.value.status == status


@pytest.mark.parametrize(
    "fault",
    [requests.ConnectTimeout("x"), requests.ReadTimeout("x"), requests.ConnectionError("x")],
)
@responses.activate
def test_no_answer_is_an_error_that_tells_why(source: HttpSource, fault: Exception) -> None:
    """Time-outs and broken connections are named."""
    responses.get(URL, body=fault)

    with pytest.raises(FeedError, match=f"no answer: {type(fault).__name__}"):
        source.read(ASKED)


@pytest.mark.parametrize("status", [429, 500, 503])
@responses.activate
def test_a_refusal_that_may_pass_is_tried_again_with_growing_patience(
    source: HttpSource, clock: Clock, status: int
) -> None:
    """Four times at most; the wait is drawn from zero to 4, 8 and 16 seconds."""
    for _ in range(3):
        responses.get(URL, status=status)
    responses.get(URL, body=b"<rss/>")

    assert source.read(ASKED) == b"<rss/>"
    assert clock.slept == [4.0, 8.0, 16.0]


@responses.activate
def test_however_short_the_jitter_three_seconds_lie_between_two_tries(
    pace: Pace, clock: Clock
) -> None:
    responses.get(URL, status=503)
    responses.get(URL, body=b"x")

    polite_session("ops@example.org", pace, jitter=lambda least, _most: least).get(URL)

    assert clock.slept == [3.0]


@responses.activate
def test_what_was_cut_on_its_way_is_asked_for_again(source: HttpSource) -> None:
    """The headers promise more than comes."""
    responses.get(
        URL, body=b"<rss", headers={"Content-Length": "6"}, auto_calculate_content_length=False
    )
    responses.get(URL, body=b"<rss/>")

    assert source.read(ASKED) == b"<rss/>"


@pytest.mark.parametrize("as_date", [False, True])
@responses.activate
def test_retry_after_is_kept_to_as_seconds_or_as_a_date(
    source: HttpSource,
    clock: Clock,
    as_date: bool,  # noqa: FBT001
) -> None:
    """Longer than the jitter, and counted from the answer."""
    at = clock.at + timedelta(seconds=100)
    told = format_datetime(at, usegmt=True) if as_date else "100"
    responses.get(URL, status=429, headers={"Retry-After": told})
    responses.get(URL, body=b"<rss/>")

    source.read(ASKED)

    assert clock.slept == [100.0]


@responses.activate
def test_a_wait_beyond_the_end_of_the_run_is_not_waited_for_but_left_to_the_next(
    source: HttpSource, pace: Pace, clock: Clock
) -> None:
    """The host stays unasked until then, an hour at most; other hosts may be asked."""
    responses.get(URL, status=429, headers={"Retry-After": "86400"})
    other = responses.get("https://export.arxiv.org/api/query", body=b"x")
    begun = clock.at

    for _ in range(2):
        with pytest.raises(RateLimitedError, match="asked us to wait until 05:20 UTC"):
            source.read(ASKED)
    source._session.get("https://export.arxiv.org/api/query")

    assert len(responses.calls) == 2
    assert other.call_count == 1
    assert pace.waits.hosts == {"rss.arxiv.org": begun + timedelta(hours=1)}


@responses.activate
def test_when_no_time_is_left_nothing_is_asked(source: HttpSource, clock: Clock) -> None:
    """So that what came can be stored."""
    clock.at += timedelta(minutes=5)

    with pytest.raises(FeedError, match="no time is left"):
        source.read(ASKED)


@responses.activate
def test_rate_exceeded_with_a_good_status_is_tried_again(source: HttpSource) -> None:
    responses.get(URL, body=b"Rate exceeded.")
    responses.get(URL, body=b"<rss/>")

    assert source.read(ASKED) == b"<rss/>"


@responses.activate
def test_a_page_and_a_bad_request_are_told_apart_with_their_evidence(source: HttpSource) -> None:
    """The error holds the status and how the body began."""
    responses.get(URL, body=b"<p>Busy", content_type="text/html; charset=utf-8")
    responses.get(URL, body=b"<rss>no such category</rss>", status=400)

    with pytest.raises(NotAFeedError) as page:
        source.read(ASKED)
    with pytest.raises(ErrorFeedError) as error:
        source.read(ASKED)

    assert (page.value.source, page.value.status, page.value.said) == (URL, 200, "<p>Busy")
    assert (error.value.status, error.value.said) == (400, "<rss>no such category</rss>")


@responses.activate
def test_what_was_kept_is_only_asked_for_if_it_changed(source: HttpSource) -> None:
    """By ETag and by date; what was read but not kept is read again."""
    responses.get(URL, body=b"<rss/>", headers={"ETag": '"1"', "Last-Modified": "Tue"})
    responses.get(URL, body=b"<rss/>", headers={"ETag": '"1"', "Last-Modified": "Tue"})
    responses.get(URL, status=304)

    assert source.read(ASKED, if_changed=True) == b"<rss/>"
    assert source.read(ASKED, if_changed=True) == b"<rss/>"
    source.keep(ASKED)
    assert source.read(ASKED, if_changed=True) is None

    asked = [call.request.headers for call in responses.calls]
    assert ["If-None-Match" in headers for headers in asked] == [False, False, True]
    assert asked[2]["If-None-Match"] == '"1"'
    assert asked[2]["If-Modified-Since"] == "Tue"


@responses.activate
def test_an_unchanged_answer_to_a_whole_question_is_no_feed(source: HttpSource) -> None:
    """A 304 that nobody asked for is not believed."""
    responses.get(URL, status=304)

    with pytest.raises(FeedError, match="HTTP 304"):
        source.read(ASKED)


@responses.activate
def test_a_body_is_capped_after_decompression(source: HttpSource) -> None:
    """A few bytes that unpack to many are refused; as many as allowed are not."""
    for name, size in (("fits", MAX_BYTES), ("bomb", MAX_BYTES + 1)):
        packed = gzip.compress(bytes(size), compresslevel=1)
        responses.get(f"{URL}-{name}", body=packed, headers={"Content-Encoding": "gzip"})

    assert len(source.read(Request(address=f"{URL}-fits")) or b"") == MAX_BYTES
    with pytest.raises(FeedError, match="larger than 20,000,000 bytes"):
        source.read(Request(address=f"{URL}-bomb"))


def test_a_folder_announces_its_xml_files_in_order_of_names(tmp_path: Path) -> None:
    """Other files lie there unread."""
    for name in ("b.xml", "a.rss.xml", "notes.txt"):
        (tmp_path / name).write_bytes(name.encode())
    folder = FolderSource(tmp_path)

    assert [folder.read(r) for r in folder.requests(["cs.AI"])] == [b"a.rss.xml", b"b.xml"]


def test_a_missing_folder_or_file_is_named(tmp_path: Path) -> None:
    """The message holds the path."""
    with pytest.raises(FeedError, match="nowhere: no such folder"):
        FolderSource(tmp_path / "nowhere").requests([])
    with pytest.raises(FeedError, match=r"gone\.xml: cannot be read: No such file"):
        FolderSource(tmp_path).read(Request(address=str(tmp_path / "gone.xml")))


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """The same cap as for arXiv's answers."""
    with (tmp_path / "a.xml").open("wb") as file:
        file.truncate(MAX_BYTES + 1)

    with pytest.raises(FeedError, match="larger than 20,000,000 bytes"):
        FolderSource(tmp_path).read(Request(address=str(tmp_path / "a.xml")))


def test_only_a_file_address_names_a_folder(tmp_path: Path) -> None:
    """Spaces in a path survive; https is no folder."""
    spaced = tmp_path / "two words"

    assert folder_of(spaced.as_uri()) == spaced
    assert folder_of("https://rss.arxiv.org") is None
