"""The author list of the feed, one string."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from paperpost.domain.papers import Author
from paperpost.fetch.authors import split_authors


@pytest.mark.parametrize(
    ("text", "authors"),
    [
        ("", ()),
        ("Ada Example", (Author(name="Ada Example"),)),
        (
            "Jos\\'e Garc\\'ia, {\\L}. Nowak",
            (Author(name="José García"), Author(name="Ł. Nowak")),
        ),
        (
            "Bo Li (Institute A, Town, Land), Cy Do",
            (Author(name="Bo Li", affiliations=("Institute A, Town, Land",)), Author(name="Cy Do")),
        ),
        (
            "Bo Li ((1) One, (2) Two), Cy Do (1)",
            (
                Author(name="Bo Li", affiliations=("(1) One, (2) Two",)),
                Author(name="Cy Do", affiliations=("1",)),
            ),
        ),
        ("(The XYZ Collaboration)", (Author(name="(The XYZ Collaboration)"),)),
        ("Bo Li (unclosed, Cy Do", (Author(name="Bo Li (unclosed"), Author(name="Cy Do"))),
        ("Bo Li), Cy Do", (Author(name="Bo Li)"), Author(name="Cy Do"))),
        ("NVIDIA, :, Bo Li,, ", (Author(name="NVIDIA"), Author(name="Bo Li"))),
        ("Bo Li, Jr., Cy Do, III", (Author(name="Bo Li Jr."), Author(name="Cy Do III"))),
        ("A.\\,B. Li, Cy Do", (Author(name="A. B. Li"), Author(name="Cy Do"))),
        (
            "LHCb collaboration: R. Aaij, et al. (909 additional authors not shown)",
            (
                Author(name="LHCb collaboration"),
                Author(name="R. Aaij"),
                Author(name="et al. (909 additional authors not shown)"),
            ),
        ),
        (
            "Bo Li (1), Cy Do (1 and 2) ((1) One, Town, (2) Two (Lab), Land)",
            (
                Author(name="Bo Li", affiliations=("One, Town",)),
                Author(name="Cy Do", affiliations=("One, Town", "Two (Lab), Land")),
            ),
        ),
        (
            "Bo Li (for the XYZ Collaboration)",
            (Author(name="Bo Li", affiliations=("for the XYZ Collaboration",)),),
        ),
    ],
)
def test_authors_are_split_outside_brackets(text: str, authors: tuple[Author, ...]) -> None:
    """Commas in an affiliation separate nobody; brackets that do not close swallow nobody."""
    assert split_authors(text) == authors


def test_every_list_of_the_recorded_feeds_gives_names_alone(shared_data: Path) -> None:
    """No TeX, no bracket, no empty name; and as many as there are commas outside brackets."""
    lists = [
        creator.text or ""
        for feed in (shared_data / "arxiv-rss").glob("*.rss.xml")
        for creator in etree.parse(feed).iter("{*}creator")
    ]
    plain = [text for text in lists if "(" not in text]

    names = [author.name for text in lists for author in split_authors(text)]
    assert len(lists) > 150
    assert [name for name in names if set(name) & set("\\{}(),;:") or not name.strip()] == []
    assert [len(split_authors(text)) for text in plain] == [t.count(",") + 1 for t in plain]


@given(st.lists(st.sampled_from(["Ada Li", "Bo Jr.", "Ł. Ó", "李明", "(The Y Group)"]), max_size=8))
def test_joined_names_come_back(names: list[str]) -> None:
    """The list that arXiv joins is the list that readers see."""
    assert [author.name for author in split_authors(", ".join(names))] == names


@given(st.text(alphabet="ab(), ", max_size=30))
def test_no_letter_of_a_list_is_lost(text: str) -> None:
    """Whatever the brackets, every letter is in a name or an affiliation."""
    split = split_authors(text)

    kept = "".join(a.name + "".join(a.affiliations) for a in split)
    assert sorted(c for c in kept if c.isalpha()) == sorted(c for c in text if c.isalpha())
    assert all(a.name for a in split)
