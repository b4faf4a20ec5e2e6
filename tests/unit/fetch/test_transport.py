"""Talking to arXiv politely, and reading recorded files instead."""

import gzip
import tomllib
from pathlib import Path

import pytest
import requests
import responses

from paperpost.domain.errors import FeedError
from paperpost.fetch.transport import (
    MAX_BYTES,
    VERSION,
    FolderSource,
    HttpSource,
    Pace,
    folder_of,
    polite_session,
)

URL = "https://rss.arxiv.org/rss/cs.AI"


class Clock:
    """A clock that only sleeping and a request's own duration move."""

    def __init__(self) -> None:
        self.at = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@pytest.fixture
def clock() -> Clock:
    """Time that stands still."""
    return Clock()


@pytest.fixture
def session(clock: Clock) -> requests.Session:
    """The session under test, on that clock."""
    return polite_session("ops@example.org", Pace(monotonic=clock.monotonic, sleep=clock.sleep))


@pytest.fixture
def source(session: requests.Session) -> HttpSource:
    """The feeds of arXiv over that session."""
    return HttpSource("https://rss.arxiv.org/", session)


def test_each_category_is_one_request(source: HttpSource) -> None:
    """The simplest form: grouping comes later."""
    assert source.requests(["cs.AI", "quant-ph"]) == [URL, "https://rss.arxiv.org/rss/quant-ph"]


@responses.activate
def test_a_request_names_us_and_how_to_reach_us(source: HttpSource) -> None:
    """So that arXiv can tell who we are and write to us."""
    responses.get(URL, body=b"<rss/>")

    assert source.read(URL) == b"<rss/>"
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

    source.read(URL)
    session.get("https://export.arxiv.org/api/query")
    clock.at += 2
    source.read(URL)
    clock.at += 60
    source.read(URL)

    assert clock.slept == [3.0, 1.0]


@pytest.mark.parametrize(
    "url",
    [
        "http://rss.arxiv.org/rss/cs.AI",
        "https://example.org/rss/cs.AI",
        "https://rss.arxiv.org.example.org/",
    ],
)
def test_another_host_or_plain_http_is_never_asked(source: HttpSource, url: str) -> None:
    """Refused before a byte leaves (no answer is prepared here, a real request would fail)."""
    with pytest.raises(FeedError, match="not an address that may be fetched"):
        source.read(url)


@responses.activate
def test_a_redirect_elsewhere_is_not_followed(source: HttpSource) -> None:
    """The check holds for every hop."""
    responses.get(URL, status=301, headers={"Location": "https://example.org/"})
    elsewhere = responses.get("https://example.org/", body=b"<rss/>")

    with pytest.raises(FeedError, match="not an address that may be fetched"):
        source.read(URL)

    assert elsewhere.call_count == 0


@responses.activate
def test_a_redirect_within_arxiv_is_followed_in_its_own_time(
    source: HttpSource, clock: Clock
) -> None:
    """A hop is a request, with the same gap before it."""
    moved = "https://rss.arxiv.org/rss/cs.ai"
    responses.get(URL, status=301, headers={"Location": moved})
    responses.get(moved, body=b"<rss/>")

    assert source.read(URL) == b"<rss/>"
    assert clock.slept == [3.0]


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
@responses.activate
def test_any_status_but_200_is_an_error_that_tells_it(source: HttpSource, status: int) -> None:
    """A 400 of arXiv carries a valid feed: it is not believed."""
    responses.get(URL, body=b"<rss/>", status=status)

    with pytest.raises(FeedError, match=f"HTTP {status}") as refused:
        source.read(URL)

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
        source.read(URL)


@responses.activate
def test_a_body_is_capped_after_decompression(source: HttpSource) -> None:
    """A few bytes that unpack to many are refused; as many as allowed are not."""
    for name, size in (("fits", MAX_BYTES), ("bomb", MAX_BYTES + 1)):
        packed = gzip.compress(bytes(size), compresslevel=1)
        responses.get(f"{URL}-{name}", body=packed, headers={"Content-Encoding": "gzip"})

    assert len(source.read(f"{URL}-fits")) == MAX_BYTES
    with pytest.raises(FeedError, match="larger than 20,000,000 bytes"):
        source.read(f"{URL}-bomb")


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
        FolderSource(tmp_path).read(str(tmp_path / "gone.xml"))


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """The same cap as for arXiv's answers."""
    with (tmp_path / "a.xml").open("wb") as file:
        file.truncate(MAX_BYTES + 1)

    with pytest.raises(FeedError, match="larger than 20,000,000 bytes"):
        FolderSource(tmp_path).read(str(tmp_path / "a.xml"))


def test_only_a_file_address_names_a_folder(tmp_path: Path) -> None:
    """Spaces in a path survive; https is no folder."""
    spaced = tmp_path / "two words"

    assert folder_of(spaced.as_uri()) == spaced
    assert folder_of("https://rss.arxiv.org") is None
