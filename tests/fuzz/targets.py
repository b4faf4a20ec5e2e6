"""What is fuzzed: each takes any bytes and raises nothing that its caller does not expect."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from lxml import etree

from paperpost import data
from paperpost.domain.errors import FeedError
from paperpost.domain.formulas import formulas
from paperpost.domain.papers import Author, Paper
from paperpost.fetch import history, sightings
from paperpost.fetch.authors import split_authors
from paperpost.fetch.feeds import read_feed
from paperpost.fetch.metadata import ArxivMetadata
from paperpost.fetch.oai import read_records
from paperpost.fetch.search import ApiSearch
from paperpost.fetch.tex import readable
from paperpost.fetch.withdrawals import is_withdrawn
from paperpost.storage.papers import _paper, _paper_item
from support.answered import Answered
from support.arxiv_answers import Known, error_feed, oai_error, oai_page, query_error, query_page
from support.arxiv_script import ScriptedPaper
from support.feeds import Item, atom, rss

NOW = datetime(2026, 4, 21, 4, 20, tzinfo=UTC)
FIRST, LAST = date(2026, 4, 1), date(2026, 4, 21)
CATEGORIES = ("cs.AI", "math.ST", "hep-th")
_LARGEST_SEED = 8_000
_RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data"
_TITLE = (
    r"M\"uller--Sch\'on {\o} ``on'' $\alpha{}<\beta$ \emph{the $O(n^2)$} \url{https://a.example}"
)
_AUTHORS = (
    r"Ada Example (Here, There), LHCb collaboration: B. {\v S}ample (1), C, Jr. ((1) X, (2) Y)"
)

# What looks like a formula in an address goes behind the words, and in a colour's name it goes.
_NOT_SHOWN = re.compile(r"\\(?:href|url|textcolor)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What takes the bytes, how large they get, where the search begins, and words of the form."""

    take: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    words: tuple[bytes, ...] = ()
    most_bytes: int = _LARGEST_SEED


def take_feed(body: bytes) -> None:
    """An announcement feed: all of it can be stored, each paper once."""
    try:
        feed = read_feed(body, source="fuzz", is_strict=False)
        days = sightings.days([feed], taxonomy=data.taxonomy(), categories=CATEGORIES, now=NOW)
    except FeedError as exc:
        _told_in_one_line(exc)
        return
    ids = [item.arxiv_id for item in feed.items]
    assert len(ids) == len(set(ids))
    _storable(paper for day in days for paper in day.papers)


def take_answer(body: bytes) -> None:
    """An answer of the API: all results that it counts, or none."""
    search = ApiSearch(Answered(body))
    known = Paper(
        arxiv_id="2604.90001",
        version=2,
        title="T",
        abstract="A",
        authors=(Author(name="Ada Example"),),
        categories=("cs.AI",),
    )
    _storable(ArxivMetadata(search).completed([known]))
    try:
        found = search.submitted("cs.AI", NOW, NOW)
    except FeedError as exc:
        _told_in_one_line(exc)
        return
    counted = etree.fromstring(body).findtext("{http://a9.com/-/spec/opensearch/1.1/}totalResults")
    assert len(found) == int(counted or -1)
    _filed(found)


def take_records(body: bytes) -> None:
    """A page of OAI-PMH."""
    try:
        page = read_records(body, source="fuzz")
    except FeedError as exc:
        _told_in_one_line(exc)
        return
    _filed([history.from_record(record) for record in page.records if record.versions])


def take_tex(body: bytes) -> None:
    """A text: formulas come through as they are, in order; it tells a withdrawal or not."""
    text = body.decode("utf-8", "ignore")
    shown, at = readable(text), 0
    shown.encode()
    for start, end in () if _NOT_SHOWN.search(text) else formulas(text):
        at = shown.find(text[start:end], at)
        assert at >= 0, "a formula was changed"
        at += end - start
    is_withdrawn(title=shown, abstract=shown, comment=shown)


def take_authors(body: bytes) -> None:
    """A list of names: nobody without a name, no empty place."""
    authors = split_authors(body.decode("utf-8", "ignore"))
    assert all(author.name.strip() and all(author.affiliations) for author in authors)


def _told_in_one_line(exc: FeedError) -> None:
    assert "\n" not in str(exc), "the error has more than one line"


def _storable(papers: Iterator[Paper]) -> None:
    for paper in papers:
        assert _paper(_paper_item(paper)) == paper, "it does not come back from the table"
        json.dumps(_paper_item(paper), ensure_ascii=False).encode()


def _filed(found: list[history.History]) -> None:
    _storable(told.paper for told in found)
    history.days(
        found, categories=CATEGORIES, calendar=data.calendar(), first=FIRST, last=LAST, now=NOW
    )


def _known() -> Iterator[Known]:
    first = datetime(2026, 4, 1, 9, tzinfo=UTC)
    for number, version in ((1, 1), (2, 2), (3, 6)):
        at = datetime(2026, 4, 16 + number, 9, tzinfo=UTC)
        paper = ScriptedPaper(
            arxiv_id=f"2604.9000{number}",
            version=version,
            title=_TITLE,
            authors=("Ada Example", _AUTHORS),
            categories=("stat.TH", "cs.AI"),
            submitted_at=at,
            comment="12 pages. This paper has been withdrawn",
            doi="10.1000/x",
            journal_ref="J. Nothing 1, 2",
            withdrawn=version == 2,
        )
        yield Known(paper=paper, submitted={1: first, version: at}, changed_on=LAST)


def _feeds() -> Iterator[bytes]:
    items = [
        Item(title=_TITLE, creator=_AUTHORS, categories=("cs.AI", "stat.TH"), doi="10.1/x"),
        Item(arxiv_id="hep-th/9901001", version=3, announce_type="replace-cross"),
    ]
    for write in (rss, atom):
        yield write()
        yield write(items)
        yield write(items[:1], names="cs.AI, stat")
    yield error_feed("cs.QQ")
    yield from _recorded("arxiv-rss/*.xml")


def _answers() -> Iterator[bytes]:
    known = list(_known())
    for found in (known, known[:1], []):
        yield query_page(found, total=len(found), asked={}, start=0, size=100, now=NOW)
    yield query_error("incorrect id format for abc", NOW)
    yield from _recorded("arxiv-api/*.xml")


def _records() -> Iterator[bytes]:
    known = list(_known())
    for prefix in ("arXiv", "arXivRaw"):
        yield oai_page(known, prefix=prefix, token=None, counted="", now=NOW)
        yield oai_page(known[:1], prefix=prefix, token="a", counted="", now=NOW)
    yield oai_error("badResumptionToken", "Expired.", NOW)
    yield from _recorded("arxiv-api/oai*.xml")


def _texts() -> Iterator[bytes]:
    yield _TITLE.encode()
    yield b"This paper has been withdrawn by the author (see [withdrawn] $x$): \\begin{a}b\\end{a}"
    yield from _hostile()


def _lists() -> Iterator[bytes]:
    yield _AUTHORS.encode()
    yield b"A. One, B. Two (1 and 2), et al. (9 additional authors not shown) ((1) Here, (2) There)"
    for path in sorted(_RECORDED.glob("arxiv-rss/*.xml")):
        with suppress(etree.XMLSyntaxError):
            for creator in etree.parse(path).iterfind(".//{*}creator"):
                yield (creator.text or "").encode()[:2_000]


def _recorded(pattern: str) -> Iterator[bytes]:
    """Recorded files that are small enough to begin with, where they are."""
    for path in sorted(_RECORDED.glob(pattern)):
        if path.stat().st_size <= _LARGEST_SEED:
            yield path.read_bytes()


def _hostile() -> Iterator[bytes]:
    for path in _RECORDED.glob("hostile/hostile.jsonl"):
        for line in path.read_bytes().splitlines():
            yield json.loads(line)["text"].encode()[:2_000]


def _tags(seeds: Callable[[], Iterator[bytes]]) -> tuple[bytes, ...]:
    """Every tag and attribute of the seeds, and what XML has beside them."""
    found = {tag for seed in seeds() for tag in re.findall(rb"<[^<>]{1,48}>", seed)}
    return (*sorted(found), b"<!-- -->", b"<![CDATA[", b"]]>", b"&#10;", b"&amp;", b"<?x ?>")


_WORDS = (
    rb"\'", rb"\"", rb"\v ", rb"{\o}", rb"\emph{", rb"\href{", rb"\url{", rb"\begin{a}",
    rb"\end{a}", rb"\(", rb"\)", rb"\[", rb"\]", b"$", b"$$", b"``", b"''", b"--", b"~", rb"\$",
    rb"\textsuperscript{", rb"{\it ", rb"\cite{", b"http://", b"withdrawn", b"this paper was ",
)  # fmt: skip
_MARKS = (
    b"(", b")", b", ", b" and ", b"(1)", b"((1) ", b"(2) ", b"collaboration: ", b"et al. ", b"Jr.",
    b"III", rb"{\'e}", b"{", b"}", b";", b":",
)  # fmt: skip

TARGETS = {
    "feed": Target(take=take_feed, seeds=_feeds, words=_tags(_feeds)),
    "api": Target(take=take_answer, seeds=_answers, words=_tags(_answers)),
    "oai": Target(take=take_records, seeds=_records, words=_tags(_records)),
    "tex": Target(take=take_tex, seeds=_texts, words=_WORDS, most_bytes=2_000),
    "authors": Target(take=take_authors, seeds=_lists, words=_MARKS, most_bytes=2_000),
}
