"""The author list of the feed, one string."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.domain.papers import Author
from paperpost.fetch.authors import split_authors


@pytest.mark.parametrize(
    ("text", "authors"),
    [
        ("", ()),
        ("Ada Example", (Author(name="Ada Example"),)),
        (
            "Jos\\'e Garc\\'ia, {\\L}. Nowak",
            (Author(name="Jos\\'e Garc\\'ia"), Author(name="{\\L}. Nowak")),
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
        ("NVIDIA, :, ", (Author(name="NVIDIA"), Author(name=":"))),
    ],
)
def test_authors_are_split_outside_brackets(text: str, authors: tuple[Author, ...]) -> None:
    """Commas in an affiliation separate nobody; brackets that do not close swallow nobody."""
    assert split_authors(text) == authors


@given(st.text(alphabet="ab(), ", max_size=30))
def test_no_letter_of_a_list_is_lost(text: str) -> None:
    """Whatever the brackets, every letter is in a name or an affiliation."""
    split = split_authors(text)

    kept = "".join(a.name + "".join(a.affiliations) for a in split)
    assert sorted(c for c in kept if c.isalpha()) == sorted(c for c in text if c.isalpha())
    assert all(a.name for a in split)
