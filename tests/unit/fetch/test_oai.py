"""Reading OAI-PMH: what a record tells, what is refused, and lists over many pages."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st

from paperpost.domain.errors import FeedError
from paperpost.domain.papers import Author
from paperpost.fetch.oai import OaiError, OaiPage, OaiRecord, harvest, read_records, set_of
from support.arxiv_answers import Known, oai_error, oai_page
from support.arxiv_script import ScriptedDay, ScriptedPaper
from support.arxiv_server import ArxivServer, Fault, FaultKind

TUESDAY = date(2026, 4, 21)
NIGHT = datetime(2026, 4, 21, 4, 20, tzinfo=UTC)
V1, V2 = datetime(2026, 4, 1, 9, tzinfo=UTC), datetime(2026, 4, 20, 17, 59, 53, tzinfo=UTC)
PAPER = ScriptedPaper(
    arxiv_id="2604.90001",
    version=2,
    title="On a\n  Made-Up  Title",
    abstract="  First line\nsecond line.\n  A new paragraph.\n",
    authors=("Ada Example", "Bo Sample (Here, There)", "Cy Third"),
    categories=("stat.TH", "cs.AI"),
    submitted_at=V2,
    comment="3 pages,\n  no figures",
    doi="10.1000/x",
    journal_ref="J. Nothing 1, 2",
)


def page(*papers: ScriptedPaper, prefix: str = "arXivRaw", deleted: bool = False) -> bytes:
    """An answer with these papers, whose first version is of 1 April."""
    found = [
        Known(
            paper=replace(paper, submitted_at=paper.submitted_at or V1),
            submitted={1: V1, paper.version: paper.submitted_at or V1},
            changed_on=TUESDAY,
            deleted=deleted,
        )
        for paper in papers
    ]
    return oai_page(found, prefix=prefix, token=None, counted="", now=NIGHT)


def read(body: bytes) -> OaiPage:
    return read_records(body, source="test")


def record(body: bytes) -> OaiRecord:
    (found,) = read(body).records
    return found


def test_a_raw_record_tells_everything() -> None:
    """Versions with their dates; texts unwrapped; aliases replaced; the last `and` parts names."""
    told = record(page(PAPER))

    assert (told.arxiv_id, told.datestamp) == ("2604.90001", TUESDAY)
    assert [(v.version, v.submitted_at) for v in told.versions] == [(1, V1), (2, V2)]
    assert told.title == "On a Made-Up Title"
    assert told.abstract == "First line second line.\nA new paragraph."
    assert told.categories == ("math.ST", "cs.AI")
    assert told.authors == (
        Author(name="Ada Example"),
        Author(name="Bo Sample", affiliations=("Here, There",)),
        Author(name="Cy Third"),
    )
    assert (told.comment, told.doi) == ("3 pages, no figures", "10.1000/x")
    assert (told.journal_ref, told.licence) == ("J. Nothing 1, 2", PAPER.licence)
    assert not told.withdrawn


@pytest.mark.parametrize("prefix", ["arXivRaw", "arXiv"])
def test_texts_are_readable_as_in_the_feed(prefix: str) -> None:
    """Else a day that is filled shows TeX, and its papers are translated again."""
    tex = r"M\"uller's $\alpha$--rule"
    paper = replace(PAPER, title=tex, abstract=tex, comment=tex, journal_ref=tex)

    told = record(page(paper, prefix=prefix))

    assert {told.title, told.abstract, told.comment, told.journal_ref} == {
        r"Müller's $\alpha$–rule"
    }


def test_the_other_format_parts_names_and_tells_no_versions() -> None:
    """Its `created` is the newest version's, so that no date is taken from it."""
    told = record(page(PAPER, prefix="arXiv"))

    assert told.versions == ()
    assert [author.name for author in told.authors][::2] == ["Ada Example", "Cy Third"]
    assert told.title == "On a Made-Up Title"


@pytest.mark.parametrize(
    ("authors", "names"),
    [
        (("A. One and B. Two",), ["A. One", "B. Two"]),
        (("A. One, B. Two, and C. Three",), ["A. One", "B. Two", "C. Three"]),
        (("The ATLAS and CMS Collaborations",), ["The ATLAS and CMS Collaborations"]),
        (("A. One and the CMS Collaboration",), ["A. One", "the CMS Collaboration"]),
        (("A. One (Oil and Gas, X) and B. Two",), ["A. One", "B. Two"]),
        (("Alexandra Andersand",), ["Alexandra Andersand"]),
        (("and",), ["and"]),
    ],
)
def test_names_are_parted_at_and(authors: tuple[str, ...], names: Sequence[str]) -> None:
    """The raw list is the submitter's own sentence."""
    told = record(page(ScriptedPaper(arxiv_id="2604.90001", authors=authors)))

    assert [author.name for author in told.authors] == names


@pytest.mark.parametrize(
    "said",
    [
        "This paper has been withdrawn by the author",
        "The article was withdrawn due to an error",
        "withdrawn by arXiv administrators",
    ],
)
def test_words_of_withdrawal_are_believed_in_comment_and_abstract(said: str) -> None:
    """There is no flag in the text formats."""
    assert record(page(ScriptedPaper(arxiv_id="2604.90001", comment=said))).withdrawn
    assert record(page(ScriptedPaper(arxiv_id="2604.90001", abstract=said))).withdrawn


def test_a_version_without_source_is_a_withdrawal() -> None:
    """The flag I of the newest version."""
    assert record(page(ScriptedPaper(arxiv_id="2604.90001", withdrawn=True))).withdrawn


def test_an_abstract_about_withdrawn_papers_is_none() -> None:
    """Only its beginning counts."""
    said = "We study retractions. Often the paper was withdrawn by its author."
    assert not record(page(ScriptedPaper(arxiv_id="2604.90001", abstract=said))).withdrawn


def test_texts_beyond_measure_are_cut() -> None:
    """So that a paper always fits into the table; and a list of names without end takes no time."""
    long = ScriptedPaper(
        arxiv_id="2604.90001",
        title="t " * 10_000,
        abstract="a " * 200_000,
        authors=("x and " * 50_000,),
        comment="c" * 10_000,
    )
    told = record(page(long))

    assert (len(told.title), len(told.comment or "")) == (7_996, 7_998)  # cut at a word
    assert len(told.abstract) <= 200_000
    assert len(told.authors) < 12_000


def test_a_deleted_record_is_told_by_its_id() -> None:
    """It has no metadata."""
    told = read(page(ScriptedPaper(arxiv_id="hep-th/9901001"), deleted=True))

    assert (told.records, told.deleted) == ((), ("hep-th/9901001",))


def test_no_records_is_an_empty_page() -> None:
    """It is no error that nothing changed."""
    assert read(oai_error("noRecordsMatch", "Nothing.", NIGHT)) == OaiPage()


@pytest.mark.parametrize("code", ["badResumptionToken", "badArgument", "badVerb", "noSetHierarchy"])
def test_an_error_of_the_protocol_keeps_its_code(code: str) -> None:
    """So that the caller may begin anew where a token has expired."""
    with pytest.raises(OaiError, match=f"test: OAI-PMH answers {code}: Because.") as refused:
        read(oai_error(code, "Because.", NIGHT))

    assert refused.value.is_expired is (code == "badResumptionToken")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b"<date>", b"<date>no ", "has no date of submission"),
        (b"2026 09:00:00", b"1826 09:00:00", "has no date of submission"),
        (b'version="v1"', b'version="1"', "has the version '1'"),
        (b'version="v1"', b'version="v2"', "has the version 'v2', or has it twice"),
        (b"<categories>stat.TH cs.AI<", b"<categories><", "has no category"),
        (b"<id>2604.90001<", b"<id>2604.90002<", "comes with the metadata of '2604.90002'"),
        (b"oai:arXiv.org:2604.90001", b"oai:other:1", "not an arXiv identifier"),
        (b"<datestamp>2026", b"<datestamp>2O26", "has the datestamp '2O26-04-21'"),
        (b"arXivRaw/", b"arXivOld/", "has metadata in no format"),
        (b"header>", b"heading>", "a record without a header"),
        (b"ListRecords>", b"ListSets>", "without a list of records"),
        (b"openarchives.org/OAI/2.0/", b"example.org/", "not an OAI-PMH answer"),
    ],
)
def test_a_record_that_cannot_be_believed_refuses_the_page(
    old: bytes, new: bytes, problem: str
) -> None:
    """In one line that says what it was."""
    body = page(PAPER)
    assert old in body

    with pytest.raises(FeedError, match=problem) as refused:
        read(body.replace(old, new))
    assert "\n" not in str(refused.value)


def test_a_document_type_is_refused() -> None:
    """No entity is ever resolved."""
    doctype = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n<OAI-PMH'
    with pytest.raises(FeedError, match="document type"):
        read(page(PAPER).replace(b"<OAI-PMH", doctype, 1))


def test_every_cut_of_an_answer_is_refused() -> None:
    """At whatever byte: half a list is never a list."""
    body = page(PAPER).rstrip()

    for end in range(len(body)):
        with pytest.raises(FeedError):
            read(body[:end])


@given(st.binary(max_size=400))
@example(b"")
def test_arbitrary_bytes_are_refused_with_a_typed_error(body: bytes) -> None:
    """No crash, whatever comes."""
    with pytest.raises(FeedError):
        read(body)


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=6)), min_size=1, max_size=6),
    st.sampled_from(["arXiv", "arXivRaw"]),
)
def test_a_damaged_answer_is_read_or_refused(changes: list[tuple[int, bytes]], prefix: str) -> None:
    """Bytes overwritten anywhere: a page, or a FeedError."""
    body = bytearray(page(PAPER, ScriptedPaper(arxiv_id="hep-th/9901001"), prefix=prefix))
    for place, piece in changes:
        at = place % len(body)
        body[at : at + len(piece)] = piece

    try:
        told = read(bytes(body))
    except FeedError:
        return
    assert len(told.records) + len(told.deleted) <= 2


@pytest.mark.parametrize(
    ("category", "spec"),
    [
        ("cs.AI", "cs:cs:AI"),
        ("cs", "cs:cs"),
        ("hep-th", "physics:hep-th"),
        ("astro-ph.CO", "physics:astro-ph:CO"),
        ("math.ST", "math:math:ST"),
    ],
)
def test_a_category_has_its_set(category: str, spec: str) -> None:
    """Group, archive, category."""
    assert set_of(category) == spec


def server_of(
    count: int, *, size: int = 3, faults: Sequence[Fault] = (), counts: bool = False
) -> ArxivServer:
    """One day of *count* papers, served in pages of *size*."""
    papers = [ScriptedPaper(arxiv_id=f"2604.{90000 + number}") for number in range(count)]
    return ArxivServer(
        [ScriptedDay(on=TUESDAY, papers=tuple(papers))],
        clock=lambda: NIGHT,
        faults=faults,
        oai_page_size=size,
        oai_counts=counts,
    )


def harvested(server: ArxivServer, *, category: str = "cs.AI", day: date = TUESDAY) -> list[str]:
    with server.in_process(), requests.Session() as session:
        pages = harvest(session, category=category, from_=day, until=day)
        return [told.arxiv_id for page in pages for told in page.records]


@given(count=st.integers(0, 25), size=st.integers(1, 9), counts=st.booleans())
def test_paging_yields_each_record_once(count: int, size: int, counts: bool) -> None:  # noqa: FBT001
    """Whatever the size of the pages."""
    server = server_of(count, size=size, counts=counts)

    assert harvested(server) == [f"2604.{90000 + number}" for number in range(count)]
    assert len(server.log) == max(1, -(-count // size))


def test_only_the_set_and_dates_that_were_asked_for_come() -> None:
    """The server has others."""
    server = server_of(2)

    assert harvested(server, category="cs.LG") == []
    assert harvested(server, category="cs") == ["2604.90000", "2604.90001"]
    assert harvested(server, day=TUESDAY - timedelta(days=1)) == []


def test_an_expired_token_ends_a_harvest_with_its_code() -> None:
    """What came before it was yielded; the list is not whole."""
    clock = [NIGHT]
    server = server_of(5, size=2)
    server._clock = lambda: clock[0]

    with server.in_process(), requests.Session() as session:
        pages = harvest(session, category="cs.AI", from_=TUESDAY)
        assert len(next(pages).records) == 2
        clock[0] += timedelta(days=1)
        with pytest.raises(OaiError, match="badResumptionToken"):
            next(pages)


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (Fault(kind=FaultKind.STATUS, status=503), r"no records in the answer \(HTTP 503\)"),
        (Fault(kind=FaultKind.HTML), "an HTML page"),
        (Fault(kind=FaultKind.RATE_EXCEEDED), "not XML, but text that starts 'Rate exceeded"),
        (Fault(kind=FaultKind.TRUNCATED, at_byte=900), "cut off"),
        (Fault(kind=FaultKind.RESET), "no answer: ConnectionError"),
        (Fault(kind=FaultKind.OAI_ERROR, code="badArgument"), "badArgument"),
    ],
)
def test_a_fault_on_the_second_page_is_no_end_of_the_list(fault: Fault, problem: str) -> None:
    """It is an error, never a shorter list."""
    named = {name: getattr(fault, name) for name in ("kind", "status", "at_byte", "code")}
    server = server_of(5, faults=[Fault(**named, requests=frozenset({2}))])

    with pytest.raises(FeedError, match=problem):
        harvested(server)


class Repeating:
    """A session whose every answer is the same page, which says that there is another."""

    def __init__(self, tokens: Sequence[str], counted: str = "") -> None:
        self.tokens, self.counted, self.calls = list(tokens), counted, 0

    def get(self, url: str, params: object) -> requests.Response:  # noqa: ARG002
        answer = requests.Response()
        answer.status_code = 200
        token = self.tokens[self.calls % len(self.tokens)]
        answer._content = oai_page([], prefix="arXiv", token=token, counted=self.counted, now=NIGHT)
        self.calls += 1
        return answer


def test_a_list_that_turns_in_a_circle_ends() -> None:
    """A token that came before is not followed again."""
    session = Repeating(["a", "b"])

    with pytest.raises(FeedError, match="in a circle"):
        list(harvest(session, category="cs.AI", from_=TUESDAY))  # type: ignore[arg-type]
    assert session.calls == 3


def test_a_list_without_end_ends() -> None:
    """After so many pages as months can have."""
    session = Repeating([str(number) for number in range(1000)])

    with pytest.raises(FeedError, match="no end of the list after 50 pages"):
        list(harvest(session, category="cs.AI", from_=TUESDAY))  # type: ignore[arg-type]


def test_a_list_that_ends_before_its_own_count_is_no_whole_list() -> None:
    """Where the server counts, the count must be reached."""
    session = Repeating(["a", ""], counted=' completeListSize="7"')

    with pytest.raises(FeedError, match="ended after 0 of 7 records"):
        list(harvest(session, category="cs.AI", from_=TUESDAY))  # type: ignore[arg-type]


class Answering:
    """A session that gives these bodies, one after the other."""

    def __init__(self, *bodies: bytes) -> None:
        self._bodies = iter(bodies)

    def get(self, _url: str, params: object = None) -> SimpleNamespace:  # noqa: ARG002
        return SimpleNamespace(status_code=200, content=next(self._bodies))


def test_a_list_that_breaks_off_with_no_records_is_not_whole() -> None:
    """That nothing matches is an answer to a question, not to a token."""
    known = Known(paper=PAPER, submitted={1: V1, 2: V2}, changed_on=TUESDAY, deleted=False)
    first = oai_page([known], prefix="arXivRaw", token="more", counted="", now=NIGHT)
    session = Answering(first, oai_error("noRecordsMatch", "", now=NIGHT))

    with pytest.raises(FeedError, match="broke off after 1 records"):
        list(harvest(session, category="cs.AI", from_=TUESDAY))  # type: ignore[arg-type]
