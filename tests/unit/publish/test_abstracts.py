"""Long days: a page stays below what a phone can load, and loses no more than it must."""

import zlib
from dataclasses import dataclass, replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperpost.data import taxonomy
from paperpost.domain.announcements import AnnouncementState
from paperpost.domain.papers import AnnounceType
from paperpost.domain.records import Record
from paperpost.publish.abstracts import PAGE_LIMIT, Abstracts, Plan, fitting
from paperpost.publish.daypages import day_page
from paperpost.publish.days import Day, make_day
from paperpost.publish.pages import SiteFacts
from support.records import make_announcement, make_enrichment, make_listing, make_paper

SECTIONS = ("new", "cross", "late", "replacements", "withdrawn")
CLOSER = {Abstracts.ALL: 2, Abstracts.ONE: 1, Abstracts.NONE: 0}


def noise(seed: str, size: int) -> bytes:
    """Bytes that no compression makes smaller."""
    return Random(seed).randbytes(size)


@dataclass
class FakePage:
    """So many bytes a paper, and so many for each abstract; it remembers the plan of each body."""

    sizes: dict[str, int]
    own: int
    abstract: int

    def body(self, plan: Plan) -> bytes:
        parts = list[bytes]()
        for section, papers in self.sizes.items():
            for n in range(papers):
                parts.append(noise(f"{section} {n}", self.own))
                many = CLOSER[plan.abstracts(section, n)]
                parts += [noise(f"{section} {n} {k}", self.abstract) for k in range(many)]
        self.plan = plan
        return b"".join(parts)


def made(sizes: dict[str, int], own: int = 100, abstract: int = 1000) -> tuple[bytes, Plan]:
    page = FakePage(sizes=sizes, own=own, abstract=abstract)
    return fitting(page.body, sizes), page.plan


def test_an_ordinary_day_shows_every_abstract() -> None:
    _, plan = made({"new": 50, "replacements": 20})

    assert not plan.is_short
    assert plan.abstracts("replacements", 19) is Abstracts.ALL


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ({"new": 100, "replacements": 50}, {"new": "all", "replacements": "none"}),
        (
            {"new": 120, "cross": 20, "replacements": 50},
            {"new": "one", "cross": "one", "replacements": "none"},
        ),
        (
            {"new": 180, "cross": 60, "replacements": 50},
            {"new": "one", "cross": "none", "replacements": "none"},
        ),
    ],
)
def test_a_long_day_gives_up_what_is_missed_least(
    sizes: dict[str, int], shown: dict[str, str]
) -> None:
    """Folded replacements first, then the second language, then cross-lists."""
    body, plan = made(sizes)

    assert len(body) <= PAGE_LIMIT
    assert {section: plan.abstracts(section, 0).value for section in sizes} == shown


def test_of_a_day_beyond_all_measure_the_last_new_papers_go_without() -> None:
    sizes = {"new": 400}

    body, plan = made(sizes)

    assert plan.most_new is not None
    assert [plan.abstracts("new", n) for n in (plan.most_new - 1, plan.most_new)] == [
        Abstracts.ONE,
        Abstracts.NONE,
    ]
    assert PAGE_LIMIT - 15_000 < len(body) <= PAGE_LIMIT


@given(
    sizes=st.dictionaries(st.sampled_from(SECTIONS), st.integers(0, 40), max_size=5),
    own=st.integers(1, 400),
    abstract=st.integers(1, 9_000),
)
@settings(max_examples=25, deadline=None)
def test_a_page_fits_whenever_it_can_and_then_holds_as_much_as_possible(
    sizes: dict[str, int], own: int, abstract: int
) -> None:
    """Its own papers are never left out, whatever they weigh."""
    body, plan = made(sizes, own, abstract)

    bare = own * sum(sizes.values())
    assert len(body) >= bare
    assert len(zlib.compress(body)) <= max(PAGE_LIMIT, bare + 1_000)
    if plan.most_new is not None and plan.most_new < sizes.get("new", 0):
        assert len(body) + abstract > PAGE_LIMIT - 11_000


def long_day(papers: int) -> Day:
    """New papers whose texts compress as badly as real ones: hexadecimal digits."""
    records = list[Record]()
    for n in range(papers):
        text = noise(str(n), 600).hex()
        paper = make_paper(f"2604.{n:05}", title=f"Paper {n}", abstract=text)
        zh = make_enrichment(paper, "zh")
        listing = make_listing(paper, announce_type=AnnounceType.NEW)
        translated = replace(zh, abstract=f"中文{text[::-1]}")
        records.append(Record(paper=paper, listing=listing, enrichments={"zh": translated}))
    announcement = replace(make_announcement(papers), state=AnnouncementState.COMPLETE)
    return make_day(announcement, records)


@pytest.mark.parametrize("papers", [20, 300])
def test_every_paper_of_a_long_day_is_on_its_page_and_the_page_says_what_is_missing(
    facts: SiteFacts, papers: int
) -> None:
    """Their titles lead to the abstracts that have no room."""
    category = taxonomy().categories["cs.CV"]
    made = day_page(facts, category, long_day(papers), previous=None, following=None, has_feed=True)
    body = made.body.decode()

    folded = body.count("<details><summary>")
    assert body.count('<article class="paper') == papers
    assert len(zlib.compress(body.encode())) <= PAGE_LIMIT
    assert (folded < papers) == ("some abstracts are left out" in body)
    assert folded > 0
