"""The API's reader: what it believes, what it refuses, and what becomes of odd entries."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st

from paperpost import data
from paperpost.domain.errors import (
    DamagedError,
    ErrorFeedError,
    FeedError,
    NotAFeedError,
    RateLimitedError,
)
from paperpost.domain.papers import Author, Paper
from paperpost.fetch import sightings
from paperpost.fetch.feeds import read_feed
from paperpost.fetch.history import History, days, from_record
from paperpost.fetch.metadata import ArxivMetadata
from paperpost.fetch.oai import read_records
from paperpost.fetch.search import ApiSearch
from paperpost.storage.papers import _paper, _paper_item
from support.answered import Answered, read_api
from support.arxiv_answers import Known, oai_page, query_error, query_page
from support.arxiv_script import ScriptedPaper
from support.feeds import Item, rss

NOW = datetime(2026, 4, 21, 4, 20, tzinfo=UTC)
V1, V2 = datetime(2026, 4, 1, 9, tzinfo=UTC), datetime(2026, 4, 20, 17, 59, 53, tzinfo=UTC)
PAPERS = (
    ScriptedPaper(
        arxiv_id="2604.90001",
        version=2,
        title="On <tags> & {\\o}rsted",
        authors=("Ada Example", "Bo Sample"),
        categories=("stat.TH", "cs.AI"),
        submitted_at=V2,
        comment=r"12 pages, M\"unster",
        doi="10.1000/x",
        journal_ref="J. Nothing 1, 2",
    ),
    ScriptedPaper(arxiv_id="hep-th/9901001", submitted_at=V1),
)


def page(
    papers: Sequence[ScriptedPaper] = PAPERS, *, total: int = 2, start: int = 0, size: int = 100
) -> bytes:
    """An answer that counts *total* results, from *start* on."""
    found = [
        Known(paper=p, submitted={1: V1, p.version: p.at}, changed_on=NOW.date()) for p in papers
    ]
    return query_page(found, total=total, asked={}, start=start, size=size, now=NOW)


def histories(body: bytes) -> list[History]:
    """What backfill takes from *body*."""
    return ApiSearch(Answered(body)).submitted("cs.AI", V1, NOW)


def test_an_answer_is_read_with_all_that_it_tells() -> None:
    """Names canonical, texts readable, the dates of the first and the newest version."""
    told, other = histories(page())

    assert told.versions == {1: V1, 2: V2}
    assert told.paper == Paper(
        arxiv_id="2604.90001",
        version=2,
        title="On <tags> & ørsted",
        abstract="We propose nothing. It works.",
        authors=(Author(name="Ada Example"), Author(name="Bo Sample")),
        categories=("math.ST", "cs.AI"),
        doi="10.1000/x",
        journal_ref="J. Nothing 1, 2",
        comment="12 pages, Münster",
        submitted_at=V1,
        updated_at=V2,
    )
    assert (other.paper.arxiv_id, other.versions) == ("hep-th/9901001", {1: V1})


def test_a_withdrawal_is_told_by_words_here_too() -> None:
    """The API has no flag for it either."""
    withdrawn = ScriptedPaper(
        arxiv_id="2604.90001", submitted_at=V1, comment="This paper has been withdrawn by arXiv."
    )

    [told] = histories(page([withdrawn], total=1))

    assert told.paper.withdrawn


def changed(old: bytes, new: bytes) -> bytes:
    """The answer with *old* replaced everywhere."""
    body = page()
    assert old in body
    return body.replace(old, new)


@pytest.mark.parametrize(
    ("body", "error", "problem"),
    [
        (b"", NotAFeedError, "the file is empty"),
        (b"Rate exceeded.", RateLimitedError, "Rate exceeded."),
        (b"<html><body>Busy</body></html>", NotAFeedError, "an HTML page"),
        (changed(b"Atom", b"Other"), NotAFeedError, "the root element is feed"),
        (changed(b"<feed", b"<x><feed").rstrip() + b"</x>", NotAFeedError, "root element is x"),
        (changed(b"opensearch:totalR", b"opensearch:r"), DamagedError, "does not count"),
        (changed(b">2</opensearch:t", b">two</opensearch:t"), DamagedError, "does not count"),
        (changed(b">2</opensearch:t", b">-2</opensearch:t"), DamagedError, "does not count"),
        (changed(b">2</opensearch:t", b">2" + b"0" * 30 + b"</opensearch:t"), DamagedError, "not"),
        (changed(b">2</opensearch:t", b">0</opensearch:t"), DamagedError, "2 of 0 results"),
        (changed(b">2</opensearch:t", b">3</opensearch:t"), DamagedError, "2 of 3 results"),
        (changed(b">100</", b">0</"), DamagedError, "no room on the page for 2 results"),
        (changed(b">0</opensearch:s", b">1</opensearch:s"), DamagedError, "from 1 on, where those"),
        (page([], total=2), DamagedError, "0 of 2 results"),
        (changed(b"<entry>", b"<entry><id/>"), DamagedError, "a result without an id"),
        (changed(b"published>", b"public>"), DamagedError, "has no date in published: ''"),
        (
            changed(b"    <updated>", b"<updated/><updated>"),
            DamagedError,
            "has no date in updated: ''",
        ),
        (changed(b">2026-04-01", b">yesterday"), DamagedError, "no date in published: 'yesterdayT"),
        (changed(b">2026-04-01", b">2026-02-30"), DamagedError, "no date in published"),
        (changed(b">2026-04-01T09:00:00Z", b">0001-01-01T00:00:00+14:00"), DamagedError, "no date"),
        (changed(b">2026-04-01T09:00:00Z", b">9999-12-31T23:59:59-14:00"), DamagedError, "no date"),
        (changed(b">2026-04-01", b">1826-04-01"), DamagedError, "no date in published"),
        (
            changed(b"2604.90001v2</id>", b"2604\n90001</id><updated/>"),
            DamagedError,
            "http://arxiv.org/abs/2604 90001 has no date in updated: ''",
        ),
        (query_error("incorrect id format for abc", NOW), ErrorFeedError, "incorrect id format"),
    ],
)
def test_what_cannot_be_believed_is_refused(
    body: bytes, error: type[FeedError], problem: str
) -> None:
    """By its own class, in one line, with the start of the body; never as fewer papers."""
    with pytest.raises(FeedError, match=re.escape(problem)) as refused:
        read_api(body, asked=2)

    assert type(refused.value) is error
    assert refused.value.said == body[:160].decode()
    assert "\n" not in str(refused.value)


def test_no_text_is_lost_behind_a_comment() -> None:
    """The package alone would read up to it."""
    body = changed(b"2026-04-01T09", b"2026<!-- x -->-04-01T09").replace(b"On ", b"On<!-- y --> ")

    told, _ = histories(body)

    assert told.paper.title == "On <tags> & ørsted"
    assert told.versions[1] == V1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/abs/2604.90001v2", b"/abs/2604.90001"),
        (b"/abs/2604.90001v2", b"/abs/99"),
        (b"stat.TH", b"53D10"),
    ],
)
def test_a_result_without_version_or_category_has_no_history(old: bytes, new: bytes) -> None:
    """What cannot be filed refuses the answer, or a day would be filled without it."""
    body = changed(old, new).replace(b'term="cs.AI"', b'term="I.2.9"')

    with pytest.raises(DamagedError):
        histories(body)


class Paged(Answered):
    """Answers with the page that is asked for, of so many papers, in pages of at most *size*."""

    def __init__(self, papers: Sequence[ScriptedPaper], *, size: int) -> None:
        super().__init__(b"")
        self._papers, self._size = papers, size

    def get(self, url: str | bytes, **options: Any) -> requests.Response:
        [start] = map(int, re.findall(r"start=(\d+)", str(url)))
        some = self._papers[start : start + self._size]
        total = len(self._papers)
        self._answer._content = page(some, total=total, start=start, size=self._size)
        return super().get(url, **options)


def test_pages_are_asked_for_until_all_are_there() -> None:
    """Each with its own start; what the API says of itself is compared with what was asked."""
    many = [ScriptedPaper(arxiv_id=f"2604.{n:05}", submitted_at=V1) for n in range(150)]

    found = ApiSearch(Paged(many, size=100)).changed("cs.AI", V1)

    assert [told.paper.arxiv_id for told in found] == [p.arxiv_id for p in many]


def test_more_papers_than_are_asked_for_are_no_whole_answer() -> None:
    """What is beyond would look as if it had never been submitted."""
    papers = [ScriptedPaper(arxiv_id=f"2604.{n:05}", submitted_at=V1) for n in range(31)]
    search = ApiSearch(Paged(papers, size=10), most=30)

    with pytest.raises(FeedError, match=r"30 papers or more of cs\.AI changed since 2026-04-01"):
        search.changed("cs.AI", V1)
    with pytest.raises(FeedError, match=r"30 papers or more of cs\.AI came in since 2026-04-01"):
        search.submitted("cs.AI", V1, NOW)


def test_a_page_that_comes_again_is_no_second_page() -> None:
    """It would be counted as papers that nobody has seen."""
    many = [ScriptedPaper(arxiv_id=f"2604.{n:05}", submitted_at=V1) for n in range(100)]

    with pytest.raises(DamagedError, match="results from 0 on, where those from 100 on"):
        ApiSearch(Answered(page(many, total=150))).changed("cs.AI", V1)


@pytest.mark.parametrize("step", [1, 500])
def test_an_answer_cut_anywhere_is_refused(step: int) -> None:
    """Never fewer papers, wherever the cut is."""
    body = page().rstrip()

    for length in range(0, len(body), step):
        with pytest.raises(FeedError):
            read_api(body[:length], asked=2)


@given(st.binary(max_size=400))
@example(b"")
def test_any_bytes_are_refused_without_a_crash(body: bytes) -> None:
    """What is no answer is a FeedError, whatever it is."""
    with pytest.raises(FeedError):
        read_api(body)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=8)), min_size=1, max_size=6))
def test_a_damaged_answer_is_read_whole_or_refused(changes: list[tuple[int, bytes]]) -> None:
    """Bytes overwritten anywhere: all results that are counted, or a FeedError."""
    body = bytearray(page())
    for place, piece in changes:
        at = place % len(body)
        body[at : at + len(piece)] = piece

    try:
        found = histories(bytes(body))
    except FeedError:
        return
    counted = re.search(rb":totalResults>\s*(\d+)", bytes(body))
    assert counted is not None
    assert len(found) == int(counted[1])


# An entry as nobody has seen one yet, though well-formed: any element may be absent or strange.
TEXTS = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), max_size=40
)
GOOD_DATES = st.sampled_from(
    [
        "2026-04-17T17:59:59Z",
        "2026-04-20T10:00:00+09:00",
        " 2026-04-17T10:00:00.25Z ",
        "1991-08-14T20:00:00Z",
    ]
)
ODD_DATES = st.one_of(
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30"]),
    st.sampled_from(["", "Z", "2026-04-17", "2026-04-17Z10:00:00", "2026-04-17T24:00:01Z"]),
    st.integers(-(10**20), 10**20).map(str),
    TEXTS,
)
GOOD_IDS = st.sampled_from(
    ["http://arxiv.org/abs/2604.99001v2", "http://arxiv.org/abs/hep-th/9901001v1"]
)
ODD_IDS = st.one_of(
    st.integers(0, 10**20).map(lambda n: f"http://arxiv.org/abs/2604.99001v{n}"), TEXTS
)


def quoted(text: str) -> str:
    return escape(text, {'"': "&quot;"})


def element(name: str, texts: st.SearchStrategy[str], **times: int) -> st.SearchStrategy[str]:
    """The element so many times."""
    return st.lists(texts.map(lambda t: f"<{name}>{quoted(t)}</{name}>"), **times).map("".join)


def entries(ids: st.SearchStrategy[str], dates: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """One entry, its other elements odd."""
    author = st.tuples(
        element("name", TEXTS, max_size=2), element("arxiv:affiliation", TEXTS, max_size=3)
    ).map(lambda parts: f"<author>{''.join(parts)}</author>")
    codes = st.one_of(st.sampled_from(["cs.AI", "stat.TH", "53D10, 53D15"]), TEXTS)
    category = codes.map(lambda code: f'<category term="{quoted(code)}"/>')
    optional = ("title", "summary", "arxiv:comment", "arxiv:doi", "arxiv:journal_ref")
    return st.tuples(
        element("id", ids, min_size=1, max_size=1),
        element("updated", dates, min_size=1, max_size=2),
        element("published", dates, min_size=1, max_size=2),
        *(element(name, TEXTS, max_size=2) for name in optional),
        st.lists(author, max_size=4).map("".join),
        st.lists(category, max_size=3).map("".join),
        st.sampled_from(["", "<category/>", "<author/>", '<arxiv:primary_category term="cs.AI"/>']),
    ).map(lambda parts: f"<entry>{''.join(parts)}</entry>")


ENTRIES = st.one_of(
    entries(GOOD_IDS, GOOD_DATES),
    entries(GOOD_IDS, st.one_of(GOOD_DATES, ODD_DATES)),
    entries(st.one_of(GOOD_IDS, ODD_IDS), GOOD_DATES),
    TEXTS.map(lambda text: f"<entry>{quoted(text)}</entry>"),
)


def answer_of(written: Sequence[str]) -> bytes:
    """An answer that holds these entries and counts them."""
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom" '
        'xmlns:o="http://a9.com/-/spec/opensearch/1.1/">'
        f"<o:totalResults>{len(written)}</o:totalResults>{''.join(written)}</feed>"
    ).encode()


@settings(max_examples=300)
@given(st.lists(ENTRIES, max_size=3))
def test_odd_entries_are_all_read_or_all_refused(written: list[str]) -> None:
    """What is read can be stored, read back and filed under a date."""
    try:
        found = histories(answer_of(written))
    except FeedError:
        return

    assert len(found) == len(written)
    assert [_paper(_paper_item(told.paper)) for told in found] == [told.paper for told in found]
    filed = days(
        found,
        categories=["cs.AI", "math.ST"],
        calendar=data.calendar(),
        first=V1.date(),
        last=NOW.date(),
        now=NOW,
    )
    assert len(filed) == 15


@settings(max_examples=300)
@given(ENTRIES)
def test_no_odd_entry_stops_what_the_api_adds(written: str) -> None:
    """Nothing is raised, and what is added can be stored."""
    known = Paper(
        arxiv_id="2604.99001",
        version=2,
        title="A Made-Up Title",
        abstract="We propose nothing.",
        authors=(Author(name="Ada Example"),),
        categories=("cs.AI",),
    )

    told = list(ArxivMetadata(ApiSearch(Answered(answer_of([written])))).completed([known]))

    assert [_paper(_paper_item(paper)) for paper in told] == told
    assert all(paper.title == known.title and paper.authors for paper in told)


def size_of(value: Any) -> int:
    """
    Bytes of an item's value.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html,
    read 2026-11-25: UTF-8 for text and names, 3 for a list or map, 1 for each element.
    """
    match value:
        case dict():
            return 3 + sum(1 + len(name.encode()) + size_of(v) for name, v in value.items())
        case list():
            return 3 + sum(1 + size_of(each) for each in value)
        case str():
            return len(value.encode())
        case _:
            return 21  # the most that a number takes


def test_texts_beyond_measure_are_cut() -> None:
    """By every reader, so that a paper always fits into the table: 400 kB an item."""
    long = "漢 " * 300_000
    huge = ScriptedPaper(
        arxiv_id="2604.90001",
        submitted_at=V1,
        title=long,
        abstract=long,
        authors=("x",) * 60_000,
        comment=long,
        doi=long,
        journal_ref=long,
        licence=long,
    )
    scripted = Known(paper=huge, submitted={1: V1}, changed_on=NOW.date())
    harvested = oai_page([scripted], prefix="arXivRaw", token=None, counted="", now=NOW)
    announced = Item(title=long, abstract=long, creator="x, " * 60_000, doi=long, journal_ref=long)

    [searched] = histories(page([huge], total=1))
    [record] = read_records(harvested, source="x").records
    [day] = sightings.days(
        [read_feed(rss([announced]), source="x")],
        taxonomy=data.taxonomy(),
        categories=["cs.AI"],
        now=NOW,
    )

    told = [searched.paper, from_record(record).paper, *day.papers]
    sizes = [size_of(_paper_item(paper)) for paper in told]
    assert len(sizes) == 3
    assert max(sizes) < 400 * 1024
