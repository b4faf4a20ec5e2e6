"""Every recorded file: which reader takes it, what that reader finds, and what all others say."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Sized
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from paperpost.domain.errors import (
    DamagedError,
    ErrorFeedError,
    FeedError,
    NotAFeedError,
    RateLimitedError,
    UnavailableError,
)
from paperpost.domain.papers import Author
from paperpost.fetch.feeds import AnnouncementFeed, read_feed
from paperpost.fetch.history import from_result
from paperpost.fetch.oai import read_records
from paperpost.fetch.sources import refuse_answer
from support.answered import read_api
from support.feeds import Item, rss


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The error that a reader must raise: its class, what its line says, the body's start."""

    error: type[FeedError]
    problem: str
    said: str = ""


FEEDS: dict[str, int | Refused] = {
    "bad-category.http400.derived.rss.xml": Refused(
        error=ErrorFeedError,
        problem="arXiv's error feed: Bad subject class 'QQ'",
        said="<?xml",
    ),
    "cs.AI_2025-08-20.excerpt.atom.xml": 57,
    "cs.AI_2025-08-20.truncated.atom.xml": Refused(
        error=DamagedError, problem="not well-formed XML, cut off or damaged at line", said="<?xml"
    ),
    "cs_2025-04-27.empty-sunday.rss.xml": 0,
    "hep-ex_2018-05-23.rdf10.xml": Refused(
        error=NotAFeedError,
        problem="not an announcement feed: the root element is RDF",
        said="<?xml",
    ),
    "math.OC_2024-02-23.spec-assembled.rss.xml": 1,
    "quant-ph_2025-04-28.excerpt.rss.xml": 54,
    "stat_2024-03-26.rss.xml": 123,
}
SERIES = {
    "cs.CV_2026-04-17.json.gz": 186,
    "cs.CV_2026-04-18.json.gz": 0,
    "cs.CV_2026-04-19.json.gz": 0,
    "cs.CV_2026-04-20.json.gz": 171,
    "cs.CV_2026-04-21.json.gz": 501,
    "cs.CV_2026-04-22.json.gz": 199,
    "cs.CV_2026-04-23.json.gz": 171,
    "cs.CV_2026-04-24.json.gz": 172,
    "cs.CV_2026-04-25.json.gz": 0,
    "cs.CV_2026-04-26.json.gz": 0,
    "cs.CV_2026-04-27.json.gz": 113,
}
ANSWERS: dict[str, int | Refused] = {
    "empty-id-not-found.xml": 0,
    "error-documented-2007_nested-xmlns.xml": Refused(
        error=ErrorFeedError, problem="the API's error: incorrect id format for", said="<?xml"
    ),
    "error-incorrect-id-format_http400.xml": Refused(
        error=ErrorFeedError, problem="the API's error: incorrect id format for abc", said="<?xml"
    ),
    "id-2104.12255v1_title-is-0.xml": 1,
    "id-astro-ph-0601001_affiliations.xml": 1,
    "id-quant-ph-0201082v1_old-style.xml": 1,
    "ids-one-missing-one-found_34-authors.xml": 1,
    "ids-very-many-authors.derived.xml": 2,
    "ids-withdrawn.derived.xml": 1,
    "search-csRO_2025-10_oldformat_2-entries.xml": 2,
    "search-testing_page100.xml": 100,
}
RECORDS = {"oai-pmh_withdrawn-records_2016.excerpt.xml": 3}
FAILURES = {
    "429-rate-exceeded.body.txt": Refused(
        error=RateLimitedError, problem="not XML, but text that starts", said="Rate exceeded."
    ),
}
TOLD = {"observed-failures.json"}  # facts about answers, see below; no answer itself
PROSE = {"README.md"}


def read_series(body: bytes) -> AnnouncementFeed:
    """One day of the series, written back into the feed that it was taken from."""
    day = json.loads(gzip.decompress(body))
    items = [
        Item(
            arxiv_id=paper["arxiv_id"],
            announce_type=paper["announce_type"],
            title=paper["title"],
            abstract=paper["abstract"],
            creator=", ".join(paper["authors"]),
            categories=(paper["primary_category"], *paper["categories"]),
        )
        for paper in day["papers"]
    ]
    return feed(rss(items, names="cs.CV", on=date.fromisoformat(day["date"])))


def feed(body: bytes) -> AnnouncementFeed:
    return read_feed(body, source="recorded")


# What each finds in a body when so many items are asked for, which only the API is told.
READERS: dict[str, Callable[[bytes, int], Sized]] = {
    "feed": lambda body, _: feed(body).items,
    "series": lambda body, _: read_series(body).items,
    "api": lambda body, asked: read_api(body, asked=asked or 1),
    "oai": lambda body, _: read_records(body, source="recorded").records,
}
ROWS: list[tuple[str, str, int | Refused]] = [
    *(("feed", f"arxiv-rss/{name}", told) for name, told in FEEDS.items()),
    *(("series", f"arxiv-rss/daily-series/{name}", told) for name, told in SERIES.items()),
    *(("api", f"arxiv-api/{name}", told) for name, told in ANSWERS.items()),
    *(("oai", f"arxiv-api/{name}", told) for name, told in RECORDS.items()),
    *(
        (reader, f"arxiv-api/failures/{name}", told)
        for reader in ("feed", "api", "oai")
        for name, told in FAILURES.items()
    ),
]
READ = [(reader, path, told) for reader, path, told in ROWS if isinstance(told, int)]
NOT_READ = [(reader, path, told) for reader, path, told in ROWS if isinstance(told, Refused)]
OTHERS = [
    (reader, path)
    for reader in ("feed", "api", "oai")
    for path in dict.fromkeys(path for _, path, _ in ROWS)
    if (reader, path) not in {(r, p) for r, p, _ in ROWS}
]


def test_every_recorded_file_has_its_row(shared_data: Path) -> None:
    """A file that is added must be read or refused here."""
    rows = {path for _, path, _ in ROWS} | {f"arxiv-api/failures/{name}" for name in TOLD}
    folders = [shared_data / "arxiv-rss", shared_data / "arxiv-api"]

    files = {
        path.relative_to(shared_data).as_posix()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and path.name not in PROSE
    }

    assert files == rows


@pytest.mark.parametrize(("reader", "path", "count"), READ)
def test_a_recorded_file_is_read_whole(
    shared_data: Path, reader: str, path: str, count: int
) -> None:
    """So many items, as counted in the file by hand or told by itself."""
    assert len(READERS[reader]((shared_data / path).read_bytes(), count)) == count


@pytest.mark.parametrize(("reader", "path", "refused"), NOT_READ)
def test_a_recorded_file_is_refused(
    shared_data: Path, reader: str, path: str, refused: Refused
) -> None:
    """By an error of its own class, in one line, with the start of the body for the log."""
    with pytest.raises(FeedError, match=refused.problem) as raised:
        READERS[reader]((shared_data / path).read_bytes(), 1)

    assert type(raised.value) is refused.error
    assert raised.value.said.startswith(refused.said)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("reader", "path"), OTHERS)
def test_no_other_reader_takes_it(shared_data: Path, reader: str, path: str) -> None:
    """An answer of one endpoint is never an empty answer of another."""
    with pytest.raises(FeedError) as raised:
        READERS[reader]((shared_data / path).read_bytes(), 1)

    assert "\n" not in str(raised.value)


def test_the_answers_that_others_have_seen_are_refused_with_their_status(
    shared_data: Path,
) -> None:
    """The recorded facts: 429 asks us to come less often, 406 gives no answer."""
    told = json.loads((shared_data / "arxiv-api/failures/observed-failures.json").read_bytes())
    classes = {429: RateLimitedError, 406: UnavailableError}
    seen = [(r["status"], r.get("body", "")) for r in told["responses"] if r["status"] != 200]

    for status, body in seen:
        with pytest.raises(UnavailableError) as raised:
            refuse_answer("https://export.arxiv.org/api/query", status, None, body.encode())
        assert type(raised.value) is classes[status]
        assert (raised.value.status, raised.value.said) == (status, body)
    assert len(seen) == 4


def test_the_error_answer_comes_with_status_400(shared_data: Path) -> None:
    """Then the status is told, whatever the body says."""
    body = (shared_data / "arxiv-api/error-incorrect-id-format_http400.xml").read_bytes()

    with pytest.raises(ErrorFeedError) as raised:
        read_api(body, status=400)

    assert raised.value.status == 400
    assert raised.value.said == body[:160].decode()


@pytest.mark.parametrize(
    ("name", "names", "announced_on", "counts"),
    [
        (
            "stat_2024-03-26.rss.xml",
            ("stat",),
            date(2024, 3, 26),
            {"new": 35, "cross": 27, "replace": 41, "replace-cross": 20},
        ),
        (
            "quant-ph_2025-04-28.excerpt.rss.xml",
            ("quant-ph",),
            date(2025, 4, 28),
            {"new": 27, "cross": 7, "replace": 14, "replace-cross": 6},
        ),
        (
            "cs.AI_2025-08-20.excerpt.atom.xml",
            ("cs.AI",),
            date(2025, 8, 20),
            {"new": 41, "cross": 16},
        ),
        (
            "math.OC_2024-02-23.spec-assembled.rss.xml",
            ("math.OC",),
            date(2024, 2, 23),
            {"replace-cross": 1},
        ),
        ("cs_2025-04-27.empty-sunday.rss.xml", ("cs",), date(2025, 4, 27), {}),
    ],
)
def test_a_real_feed_tells_its_names_its_date_and_every_type(
    shared_data: Path, name: str, names: tuple[str, ...], announced_on: date, counts: dict[str, int]
) -> None:
    """As counted by hand; no prefix leaks into an abstract."""
    told = feed((shared_data / "arxiv-rss" / name).read_bytes())

    assert (told.names, told.announced_on) == (names, announced_on)
    assert Counter(item.announce_type.value for item in told.items) == counts
    assert all(item.title and item.abstract and item.authors for item in told.items)
    assert not any("Announce Type" in item.abstract for item in told.items)


def test_a_real_item_keeps_every_field(shared_data: Path) -> None:
    """Affiliations with commas are no authors, aliases are one category, the licence is kept."""
    quantum = feed((shared_data / "arxiv-rss/quant-ph_2025-04-28.excerpt.rss.xml").read_bytes())
    stat = feed((shared_data / "arxiv-rss/stat_2024-03-26.rss.xml").read_bytes())

    [affiliated] = [i for i in quantum.items if any(a.affiliations for a in i.authors)]
    assert [a.name for a in affiliated.authors][:2] == ["M. R. Nirmal", "Ankit Khandelwal"]
    assert all(len(a.affiliations) == 1 for a in affiliated.authors)
    assert len([i for i in quantum.items if i.doi]) == 7
    assert all(i.licence and i.licence.startswith("http") for i in quantum.items)
    assert not any("stat.TH" in i.categories for i in stat.items)
    assert any("math.ST" in i.categories for i in stat.items)


def test_an_answer_in_the_form_of_2025_is_read(shared_data: Path) -> None:
    """Namespaces on each element, wrapped lines, the alias cs.SY beside its own name."""
    body = (shared_data / "arxiv-api/search-csRO_2025-10_oldformat_2-entries.xml").read_bytes()

    first, _ = [from_result(result).paper for result in read_api(body, asked=2)]

    assert (first.arxiv_id, first.version) == ("2510.14968", 1)
    assert first.title.endswith("for Planner Alignment in Long-Horizon Tasks")
    assert first.abstract.startswith("To tackle long-horizon tasks")
    assert first.categories == ("cs.RO", "cs.AI", "cs.CV", "cs.LG", "eess.SY")
    assert first.submitted_at == datetime(2025, 10, 16, 17, 59, 37, tzinfo=UTC)
    assert len(first.authors) == 4


def test_classes_of_mathematics_and_computing_are_no_categories(shared_data: Path) -> None:
    """Until 2025 the API told MSC and ACM classes among the categories."""
    body = (shared_data / "arxiv-api/search-csRO_2025-10_oldformat_2-entries.xml").read_bytes()
    classes = b'<category term="53D10, 53D15" scheme="x"/><category term="I.2.9; F.2" scheme="x"/>'
    told = body.replace(b'<category term="cs.AI"', classes + b'<category term="cs.AI"')
    assert told != body

    first, _ = [from_result(result).paper for result in read_api(told, asked=2)]

    assert first.categories == ("cs.RO", "cs.AI", "cs.CV", "cs.LG", "eess.SY")


def test_old_ids_affiliations_and_accents_of_real_answers(shared_data: Path) -> None:
    """What the fields of three recorded answers become."""

    def papers(name: str) -> list[tuple[str, tuple[Author, ...]]]:
        results = read_api((shared_data / "arxiv-api" / name).read_bytes(), asked=10)
        told = [from_result(result).paper for result in results]
        return [(paper.arxiv_id, paper.authors) for paper in told]

    [(old, _)] = papers("id-quant-ph-0201082v1_old-style.xml")
    [(affiliated_id, affiliated)] = papers("id-astro-ph-0601001_affiliations.xml")
    [(_, many)] = papers("ids-one-missing-one-found_34-authors.xml")

    assert (old, affiliated_id) == ("quant-ph/0201082", "astro-ph/0601001")
    assert any(author.affiliations for author in affiliated)
    assert len(many) == 34
    assert "Dirk Wübben" in {author.name for author in many}


def test_withdrawn_records_of_oai_pmh(shared_data: Path) -> None:
    """Two withdrawn papers by their words; one withdrawn from a journal only is not."""
    [path] = RECORDS
    told = read_records((shared_data / "arxiv-api" / path).read_bytes(), source=path)

    assert [(r.arxiv_id, r.withdrawn) for r in told.records] == [
        ("0704.0213", True),
        ("0705.1442", True),
        ("0707.1063", False),
    ]
    assert told.records[0].authors == (Author(name="Ketan D. Mulmuley Hariharan Narayanan"),)
    assert told.records[2].categories == ("cs.IT",)
    assert told.records[2].datestamp == date(2008, 12, 11)
    assert told.records[2].abstract.startswith("The problem of sampling a discrete-time sequence")
    assert told.resumption_token is None
