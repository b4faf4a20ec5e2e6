"""What the API adds, and that nothing it does stops fetch."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from paperpost.domain.papers import Author, Paper
from paperpost.fetch.metadata import ArxivMetadata
from paperpost.fetch.pace import Pace
from paperpost.fetch.search import ApiSearch
from paperpost.fetch.transport import ATTEMPTS, polite_session

NOW = datetime(2026, 4, 21, 4, 20, tzinfo=UTC)
API = "https://export.arxiv.org/api/query"
FEED = """<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" \
xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns="http://www.w3.org/2005/Atom">
  <opensearch:totalResults>1</opensearch:totalResults>
  <entry>
    <id>http://arxiv.org/abs/2604.99001v{version}</id>
    <title>A Made-Up Title</title>
    <updated>2026-04-20T10:00:00Z</updated>
    <summary>Another text than the feed's.</summary>
    <published>2026-04-17T17:59:59Z</published>
    <arxiv:comment>12 pages,
      3 figures</arxiv:comment>
    <arxiv:journal_ref>J. Examples 1 (2026)</arxiv:journal_ref>
    <author><name>José Example</name><arxiv:affiliation>Somewhere</arxiv:affiliation></author>
    <author><name>Bo Sample</name></author>
  </entry>
</feed>"""
PAPER = Paper(
    arxiv_id="2604.99001",
    version=2,
    title="A Made-Up Title",
    abstract="We propose nothing.",
    authors=(Author(name="Jos\\'e Example"), Author(name="Bo Sample", affiliations=("There",))),
    categories=("cs.AI",),
    doi="10.5555/1",
)


@pytest.fixture
def metadata() -> ArxivMetadata:
    """The API over a session that does not wait."""
    pace = Pace(now=lambda: NOW, sleep=lambda _: None)
    return ArxivMetadata(ApiSearch(polite_session("ops@example.org", pace)))


@responses.activate
def test_what_the_feed_lacks_is_added_and_nothing_else(metadata: ArxivMetadata) -> None:
    """Dates, comment, journal reference and names in Unicode; never title or abstract."""
    responses.get(API, body=FEED.format(version=2))

    [completed] = metadata.completed([PAPER])

    assert completed == replace(
        PAPER,
        submitted_at=datetime(2026, 4, 17, 17, 59, 59, tzinfo=UTC),
        updated_at=datetime(2026, 4, 20, 10, tzinfo=UTC),
        comment="12 pages, 3 figures",
        journal_ref="J. Examples 1 (2026)",
        authors=(
            Author(name="José Example", affiliations=("Somewhere",)),
            Author(name="Bo Sample", affiliations=("There",)),
        ),
    )
    assert responses.calls[0].request.headers["User-Agent"].startswith("Paperpost/")


@responses.activate
def test_tex_and_names_of_nobody_in_the_answer_reach_no_reader(metadata: ArxivMetadata) -> None:
    """Comments and references are TeX there too; a lone colon is no author in either list."""
    told = FEED.format(version=2).replace(
        "12 pages,", r"M\"uller--Sch\'on, \url{https://a.example},"
    )
    told = told.replace("<author>", "<author><name>:</name></author><author>", 1)
    responses.get(API, body=told)

    [completed] = metadata.completed([PAPER])

    assert completed.comment == "Müller–Schón, https://a.example, 3 figures"
    assert [author.name for author in completed.authors] == ["José Example", "Bo Sample"]


@responses.activate
def test_a_withdrawal_told_in_the_comment_flags_the_paper(
    metadata: ArxivMetadata, shared_data: Path
) -> None:
    """The feed's abstract does not say so; what the feed said is not taken back."""
    body = (shared_data / "arxiv-api" / "ids-withdrawn.derived.xml").read_bytes()
    responses.get(API, body=body)
    responses.get(API, body=FEED.format(version=2))

    [withdrawn] = metadata.completed([replace(PAPER, arxiv_id="2603.02263")])
    [still] = metadata.completed([replace(PAPER, withdrawn=True)])

    assert withdrawn.withdrawn
    assert still.withdrawn


@responses.activate
def test_another_number_of_authors_changes_no_author(metadata: ArxivMetadata) -> None:
    """The feed's list is whole; one that counts otherwise is not trusted."""
    responses.get(API, body=FEED.format(version=2))
    three = replace(PAPER, authors=(*PAPER.authors, Author(name="Cy Third")))

    [completed] = metadata.completed([three])

    assert completed.authors == three.authors


@responses.activate
def test_an_index_that_is_a_version_behind_only_tells_the_submission(
    metadata: ArxivMetadata,
) -> None:
    """The rest is of another version; without updated_at the paper is asked for again."""
    responses.get(API, body=FEED.format(version=1))

    [completed] = metadata.completed([PAPER])

    assert completed == replace(PAPER, submitted_at=datetime(2026, 4, 17, 17, 59, 59, tzinfo=UTC))


@responses.activate
def test_papers_are_asked_for_by_the_hundred(metadata: ArxivMetadata) -> None:
    """An address never gets longer than arXiv's front accepts."""
    responses.get(API, body=FEED.format(version=2))
    papers = [replace(PAPER, arxiv_id=f"2604.{n:05}") for n in range(10001, 10251)]

    list(metadata.completed(papers))

    asked = [
        parse_qs(urlsplit(str(call.request.url)).query)["id_list"][0].split(",")
        for call in responses.calls
    ]
    assert [len(ids) for ids in asked] == [100, 100, 50]
    assert [i for ids in asked for i in ids] == [p.arxiv_id for p in papers]


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 429, "body": "Rate exceeded."},
        {"status": 200, "body": "Rate exceeded."},
        {"status": 503},
        {"body": requests.ReadTimeout("x")},
        {"status": 301, "headers": {"Location": "https://example.org/"}},
        {"body": "<html>Busy</html>"},
        {"body": FEED.format(version=2).replace("2026-04-17", "yesterday")},
        {"body": FEED.format(version=2)[:700]},
        {"body": FEED.format(version=2).replace("/abs/2604.99001v2", "/api/errors#x")},
        {"body": FEED.format(version=2).replace("2604.99001", "2604.99002")},
    ],
)
@responses.activate
def test_no_answer_of_the_api_stops_fetch(
    metadata: ArxivMetadata, answer: dict[str, object]
) -> None:
    """Nothing is added, nothing is raised."""
    responses.get(API, **answer)  # type: ignore[arg-type]

    assert list(metadata.completed([PAPER])) == []


@responses.activate
def test_a_page_that_fails_does_not_take_the_next_with_it(metadata: ArxivMetadata) -> None:
    """The hundred and first paper is asked for although the first hundred failed."""
    others = [replace(PAPER, arxiv_id=f"2604.{n:05}") for n in range(10001, 10101)]
    for _ in range(ATTEMPTS):
        responses.get(API, status=503)
    responses.get(API, body=FEED.format(version=2))

    completed = list(metadata.completed([*others, PAPER]))

    assert [paper.arxiv_id for paper in completed] == ["2604.99001"]
