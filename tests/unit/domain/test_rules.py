"""Rules: words, phrases and authors, whatever their case and accents."""

import pytest

from paperpost.domain.rules import hits, matches, passes
from paperpost.domain.subscribers import Rule
from support.issues import make_listing, make_paper, make_record

TITLE = "Schrödinger bridges for Graph Neural Networks in C++"


def rule(phrase: str, field: str = "text") -> Rule:
    """A rule."""
    return Rule(field=field, phrase=phrase)


@pytest.mark.parametrize(
    ("phrase", "wanted"),
    [
        ("graph neural", True),
        ("GRAPH NEURAL NETWORKS", True),
        ("schrodinger", True),
        ("Schrödinger", True),
        ("c++", True),
        ("graph", True),
        ("grap", False),
        ("raph", False),
        ("graph networks", False),
        ("bridge", False),
        ("   ", False),
    ],
)
def test_a_phrase_matches_as_whole_words_without_case_and_accents(
    phrase: str, *, wanted: bool
) -> None:
    """Word boundaries stand at the phrase's edges."""
    record = make_record(make_listing(), make_paper(title=TITLE))

    assert matches(rule(phrase), record) is wanted


def test_a_rule_looks_only_into_its_field() -> None:
    """title, abstract, or text for both."""
    record = make_record(
        make_listing(), make_paper(title="Sparse codes", abstract="We study dense nets.")
    )

    found = {
        field: [matches(rule(phrase, field), record) for phrase in ("sparse", "dense")]
        for field in ("title", "abstract", "text")
    }

    assert found == {"title": [True, False], "abstract": [False, True], "text": [True, True]}


@pytest.mark.parametrize(
    ("phrase", "wanted"),
    [
        ("Yann LeCun", True),
        ("LeCun, Yann", True),
        ("lecun", True),
        ("Erdos Pal", True),
        ("Yann Pál", False),
        ("Cun", False),
        ("", False),
    ],
)
def test_an_author_matches_in_any_order_of_names(phrase: str, *, wanted: bool) -> None:
    """All words must be words of one author's name."""
    record = make_record(make_listing(), make_paper(authors=("Yann LeCun", "Pál Erdős")))

    assert matches(rule(phrase, "author"), record) is wanted


def test_a_chinese_phrase_is_looked_for_in_the_translation_too() -> None:
    """The source holds no Chinese; without spaces a word may stand anywhere."""
    paper = make_paper()

    assert matches(rule("中文标题"), make_record(make_listing(), paper))
    assert not matches(rule("中文标题"), make_record(make_listing(), paper, enriched=False))


def test_a_latin_word_between_chinese_ones_is_a_word() -> None:
    """Han characters are no part of a Latin word."""
    assert hits(rule("diffusion"), "基于Diffusion模型") == [(2, 11)]


def test_hits_are_places_in_the_original_text() -> None:
    """Folding may change the length: the ligature is one character of the original."""
    text = "Eﬃcient Émile: efficient"

    assert [text[a:b] for a, b in hits(rule("efficient"), text)] == ["Eﬃcient", "efficient"]


def test_exclude_wins_over_include() -> None:
    """One excluded word keeps a paper out whatever else matches."""
    record = make_record(make_listing(), make_paper(title="Graph quantum learning"))

    assert passes(record, include=(), exclude=())
    assert passes(record, include=(rule("graph"), rule("absent")), exclude=())
    assert not passes(record, include=(rule("absent"),), exclude=())
    assert not passes(record, include=(rule("graph"),), exclude=(rule("quantum"),))
