"""BibTeX: an independent reader finds every paper, and what it says comes back."""

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pybtex.database import BibliographyData
from pybtex.database.input.bibtex import Parser

from paperpost.domain.records import Record
from paperpost.domain.text import clean
from paperpost.publish.bibtex import bibliography, escaped
from support.records import make_paper, make_record

ESCAPES = {
    r"\textbackslash{}": "\\",
    r"\textbraceleft{}": "{",
    r"\textbraceright{}": "}",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    **{f"\\{sign}": sign for sign in "&%$#_"},
}
ESCAPED = str.maketrans({sign: escape for escape, sign in ESCAPES.items()})


def read(*records: Record) -> BibliographyData:
    """What pybtex reads; it raises at anything that is not well-formed."""
    return Parser(encoding="utf-8").parse_stream(
        io.StringIO(bibliography(records, {}).decode(), newline="")
    )


def unescaped(text: str) -> str:
    """The text behind the escapes, read from left to right."""
    found = ""
    while text:
        escape = next((e for e in ESCAPES if text.startswith(e)), "")
        found += ESCAPES[escape] if escape else text[0]
        text = text[len(escape) or 1 :]
    return found


def test_an_entry_says_what_a_citation_needs() -> None:
    paper = replace(make_paper("math/0611800"), doi="10.1000/a_(b)", journal_ref="J. Made Up 3 (4)")

    entry = read(make_record(paper=paper)).entries["math/0611800"]

    assert dict(entry.fields) == {
        "title": "{A Made-Up Title}",
        "year": "2006",
        "eprint": "math/0611800",
        "archiveprefix": "arXiv",
        "primaryclass": "cs.CV",
        "doi": "10.1000/a_(b)",
        "howpublished": "J. Made Up 3 (4)",
        "url": "https://arxiv.org/abs/math/0611800",
    }
    assert [str(person) for person in entry.persons["author"]] == ["Example, Ada", "Sample, Bo"]


def test_maths_stays_and_everything_else_is_escaped() -> None:
    """An unpaired dollar, an unbalanced brace or a comment sign is text, not TeX."""
    told = {text: escaped(text) for text in ("50% of $x_{1}$", "$5 & more", "$}{$", "$a%b$ #1")}

    assert told == {
        "50% of $x_{1}$": r"50\% of $x_{1}$",
        "$5 & more": r"\$5 \& more",
        "$}{$": r"\$\textbraceright{}\textbraceleft{}\$",
        "$a%b$ #1": r"\$a\%b\$ \#1",
    }


@pytest.mark.parametrize(
    "text",
    ["from $5 to $10", "$a & b$", r"$\input{/etc/passwd}$", r"$\def\x{\x}\x$", "$$x$$", r"$\{x$"],
)
def test_what_is_no_formula_or_might_do_something_is_text(text: str) -> None:
    """A price, an alignment sign outside a table, a command that reads files or never ends."""
    assert escaped(text) == text.translate(ESCAPED)


def test_a_paper_that_cannot_be_rendered_is_an_entry_with_title_and_link() -> None:
    broken = make_record("2604.99002", paper=make_paper("2604.99002", title="Odd", categories=()))

    minimal: dict[str, str] = {}

    bibliography([make_record(), broken], minimal)
    found = read(make_record(), broken).entries

    assert list(minimal) == ["2604.99002"]
    assert dict(found["2604.99002"].fields) == {
        "title": "{Odd}",
        "url": "https://arxiv.org/abs/2604.99002",
    }


def test_a_group_is_one_author() -> None:
    """A comma or an `and` inside a name does not make two of it."""
    names = ("Dogs and Cats Collaboration", "NVIDIA, Inc.", "others", "Ada Example")

    entry = read(make_record(paper=make_paper(authors=names))).entries["2604.99001"]

    assert [p.last_names for p in entry.persons["author"]] == [
        ["{Dogs and Cats Collaboration}"],
        ["{NVIDIA, Inc.}"],
        ["{others}"],
        ["Example"],
    ]


def test_a_paper_listed_twice_is_one_entry() -> None:
    """A repeated key is an error for BibTeX."""
    assert list(read(make_record(), make_record()).entries) == ["2604.99001"]


@given(st.text(st.characters(exclude_characters="$"), max_size=60))
def test_any_title_comes_back(text: str) -> None:
    """What pybtex reads of any text without maths is, without its escapes, that text."""
    entry = read(make_record(paper=make_paper(title=text))).entries["2604.99001"]

    assert unescaped(entry.fields["title"][1:-1]) == (clean(text) or "2604.99001")


@given(st.text('${}\\%#_ab@",= ', max_size=40))
def test_no_text_ends_its_entry(text: str) -> None:
    """Whatever stands in a title, author or comment, the entry behind it is read as well."""
    paper = replace(make_paper(title=text, authors=(text, "Ada Example")), comment=text)

    found = read(make_record(paper=paper), make_record("2604.99002"))

    assert list(found.entries) == ["2604.99001", "2604.99002"]
    assert len(found.entries["2604.99001"].persons["author"]) == 1 + bool(clean(text))


def test_every_hostile_string_is_read(hostile: list[Record]) -> None:
    """Title, author and comment of each are the same string."""
    assert len(read(*hostile).entries) == len(hostile)
