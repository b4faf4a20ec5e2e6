"""What says that a paper was withdrawn, and what only sounds like it."""

import gzip
import json
import time
from pathlib import Path

import pytest
from lxml import etree

from paperpost.fetch.withdrawals import is_withdrawn


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("abstract", "This paper has been withdrawn by the author due to an error."),
        ("abstract", "  The paper is withdrawn because of a gap in Lemma 2."),
        ("abstract", "This paper has been withdrawn Abstract: This paper has been withdrawn"),
        ("abstract", "Withdrawn by the authors."),
        ("abstract", "[Withdrawn]"),
        ("comment", "12 pages. This submission has been withdrawn by arXiv administrators"),
        ("comment", "Paper withdrawn due to a flaw"),
        ("comment", "Withdrawn"),
        ("comment", "The paper has been withdrawn from arXiv"),
        ("title", "Withdrawn: A Title"),
        ("title", "[WITHDRAWN] A Title"),
        ("title", "A Title (withdrawn)"),
    ],
)
def test_a_notice_is_seen_where_it_stands(field: str, text: str) -> None:
    """At the head of an abstract, in a sentence of a comment, as a label of a title."""
    assert is_withdrawn(**{field: text})


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("abstract", "We withdrew samples from the tank. This paper has been withdrawn before."),
        ("abstract", "Withdrawn drugs are studied."),
        ("abstract", "We study cash withdrawn from machines."),
        ("abstract", "This paper is about withdrawn drugs."),
        ("comment", "17 pages; paper withdrawn from IEEE Transactions and re-submitted"),
        ("comment", "This paper was withdrawn from ICLR 2025 by the authors"),
        ("comment", "supersedes a withdrawn paper"),
        ("title", "Withdrawn Drugs: A Study"),
        ("title", "Why Deposits Are Withdrawn Early"),
    ],
)
def test_other_withdrawals_flag_no_paper(field: str, text: str) -> None:
    """Neither deposits nor papers taken back from a journal."""
    assert not is_withdrawn(**{field: text})


@pytest.mark.parametrize("piece", [")", "[withdrawn ", "(withdrawn", ". ", "this paper ", "* "])
@pytest.mark.parametrize("field", ["title", "abstract", "comment"])
def test_a_text_without_end_takes_no_time(field: str, piece: str) -> None:
    """Every place in it may begin a notice; looking from each to the end took minutes."""
    began = time.process_time()

    is_withdrawn(**{field: piece * (60_000 // len(piece))})

    assert time.process_time() - began < 3


def test_recorded_papers_are_flagged_exactly_where_they_are_withdrawn(shared_data: Path) -> None:
    """One of 11 real days, none of 2,000, all notices in hostile/, two of OAI's three."""
    days = sorted((shared_data / "arxiv-rss" / "daily-series").iterdir())
    series = [p for day in days for p in json.loads(gzip.decompress(day.read_bytes()))["papers"]]
    with gzip.open(shared_data / "papers" / "papers-2000.jsonl.gz", "rt") as lines:
        papers = [json.loads(line) for line in lines]
    hostile = (shared_data / "hostile" / "hostile.jsonl").read_text().splitlines()
    notices = [h for h in map(json.loads, hostile) if h["why"] == "withdrawn notice in the comment"]
    oai = etree.parse(
        shared_data / "arxiv-api" / "oai-pmh_withdrawn-records_2016.excerpt.xml"
    ).iterfind(".//{http://arxiv.org/OAI/arXiv/}arXiv")

    flagged = {
        p["arxiv_id"]
        for p in series
        if is_withdrawn(title=p["title"], abstract=p["abstract"], comment=p["comment"] or "")
    }
    assert flagged == {"2603.02263"}
    assert not any(is_withdrawn(title=p["title"], abstract=p["abstract"]) for p in papers)
    assert len(notices) == 6
    assert all(is_withdrawn(comment=notice["text"]) for notice in notices)
    told = [
        is_withdrawn(abstract=r.findtext("{*}abstract", ""), comment=r.findtext("{*}comments", ""))
        for r in oai
    ]
    assert told == [True, True, False]
