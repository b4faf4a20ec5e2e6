"""Rules: words, phrases and authors, whatever their case and accents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.domain.rules import (
    RuleError,
    author_matches,
    hits,
    is_broad,
    matches,
    parse_rule,
    parse_rules,
    passes,
    rule_text,
)
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


@pytest.mark.parametrize(
    ("phrase", "name", "wanted"),
    [
        ("Y. LeCun", "Yann LeCun", True),
        ("LeCun, Y", "Yann LeCun", True),
        ("Y. LeCun", "Y. LeCun", True),
        ("é cartan", "Élie Cartan", True),
        ("J. J. Hopfield", "John Joseph Hopfield", True),
        ("J.-L. Godard", "Jean-Luc Godard", True),
        ("J. J. Hopfield", "John Hopfield", False),
        ("J. L. Godard", "Jean-Pierre Godard", False),
        ("L. LeCun", "Yann LeCun", False),
        ("A. LeCun", "Yann LeCun", False),
        ("Yann LeCun", "Y. LeCun", False),
        ("Y.", "Yann LeCun", False),
        ("Y L", "Yann LeCun", False),
        ("X Y", "Y. X.", True),
        ("王 LeCun", "王小明 LeCun", False),
        ("Li Li", "Li Wei", False),
        ("Li Li", "Li Li", True),
    ],
)
def test_an_initial_beside_a_whole_word_stands_for_a_name(
    phrase: str, name: str, *, wanted: bool
) -> None:
    """Each word of the rule needs a word of its own; a full name never means an initial."""
    assert author_matches(rule(phrase, "author"), name) is wanted
    assert (
        matches(
            rule(phrase, "author"), make_record(make_listing(), make_paper(authors=("Ada", name)))
        )
        is wanted
    )


NAMES = st.text(st.sampled_from("abcdéöñ"), min_size=2, max_size=6)


@given(st.lists(NAMES, min_size=2, max_size=5), st.data())
def test_any_given_names_may_be_cut_to_initials_in_any_order(
    names: list[str], data: st.DataObject
) -> None:
    """As long as one of them is whole."""
    short = data.draw(st.sets(st.integers(0, len(names) - 1), max_size=len(names) - 1))
    words = [name[0].upper() + "." if n in short else name for n, name in enumerate(names)]
    phrase = " ".join(data.draw(st.permutations(words)))

    assert author_matches(rule(phrase, "author"), " ".join(names).title())


@given(st.lists(NAMES, min_size=1, max_size=4), st.sampled_from("abcdxyz"))
def test_an_initial_too_many_matches_only_who_has_one_name_more(
    names: list[str], initial: str
) -> None:
    """It cannot stand for a name that another word of the rule stands for."""
    phrase, name = " ".join([*names, initial]), " ".join(names)

    assert not author_matches(rule(phrase, "author"), name)
    assert author_matches(rule(phrase, "author"), f"{initial}aron {name}")


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


@pytest.mark.parametrize(
    ("text", "field", "phrase"),
    [
        ("diffusion", "text", "diffusion"),
        ("  graph   neural network ", "text", "graph neural network"),
        ("title: diffusion", "title", "diffusion"),
        ("Abstract:survey", "abstract", "survey"),
        ("author: Yann LeCun", "author", "Yann LeCun"),
        ("作者：张三", "author", "张三"),
        ("标题: 扩散模型", "title", "扩散模型"),
        ('"graph neural"', "text", "graph neural"),
        ('title: "a: b"', "title", "a: b"),
        ('"Rust: a language"', "text", "Rust: a language"),
        ("“扩散”", "text", "扩散"),
        ("3:1 mixtures", "text", "3:1 mixtures"),
        ("C++", "text", "C++"),
    ],
)
def test_a_rule_is_read_from_a_line(text: str, field: str, phrase: str) -> None:
    assert parse_rule(text) == Rule(field=field, phrase=phrase)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("ttile: diffusion", "ttile"),
        ("Rust: a language", "Rust"),
        ("title:", "title:"),
        ("title: ++", "++"),
        ("", ""),
        ('""', '""'),
        ('title: "open', '"open'),
        ('“open"', '“open"'),
        ("x" * 101, "x" * 101),
    ],
)
def test_a_rule_that_cannot_be_read_names_the_word_at_fault(text: str, word: str) -> None:
    with pytest.raises(RuleError) as raised:
        parse_rule(text)

    assert raised.value.word == word
    assert word[:40] in str(raised.value)


def test_several_rules_are_read_each_once() -> None:
    assert parse_rules(["a", " ", "title: a", "a"]) == (rule("a"), rule("a", "title"))


def comes_back(text: str) -> bool:
    """Whether *text* is a rule that can be written and read again, or is refused in one line."""
    try:
        read = parse_rule(text)
    except RuleError as exc:
        return len(str(exc).splitlines()) == 1
    return parse_rule(rule_text(read)) == read


PHRASES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)


@given(st.sampled_from(["title", "abstract", "text", "author"]), PHRASES)
def test_a_rule_that_was_read_is_written_so_that_it_is_read_again(field: str, text: str) -> None:
    """Whatever can be said as a quoted phrase comes back, in whichever field."""
    assert comes_back(f'{field}: "{text}"')


@given(st.text(max_size=80))
def test_any_text_is_a_rule_or_is_refused_in_one_line(text: str) -> None:
    assert comes_back(text)


@given(PHRASES, st.text(max_size=80), st.text(max_size=20))
def test_hits_are_in_order_inside_the_text_and_hit_again(phrase: str, text: str, more: str) -> None:
    """Each place holds the phrase by itself; the text may be anything."""
    found = hits(rule(phrase), f"{more} {phrase} {text}")
    places = [place for pair in found for place in pair]

    assert places == sorted(places)
    assert all(0 <= a < b for a, b in found)


@given(
    st.text(st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=0x24F), min_size=1), PHRASES
)
def test_a_word_between_spaces_is_always_found(word: str, text: str) -> None:
    assert hits(rule(word), f"{text} {word} {text}")


@pytest.mark.parametrize(
    ("lines", "code", "word"),
    [
        (["good", "autor: LeCun"], "field", "autor"),
        (["title: ---"], "empty", "---"),
        (["x" * 101], "long", "x" * 101),
        (['"open'], "quote", '"open'),
        ([f"word{n}" for n in range(51)], "many", "word50"),
    ],
)
def test_an_error_has_a_code_for_whoever_has_words_of_its_own(
    lines: list[str], code: str, word: str
) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rules(lines)

    assert (caught.value.code, caught.value.word) == (code, word)


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [("Wang", True), ("J. Smith", True), ("X Y", True), ("Yann LeCun", False), ("王小明", True)],
)
def test_initials_and_single_words_are_broad_for_an_author(phrase: str, *, expected: bool) -> None:
    """Elsewhere a single word is as it should be."""
    assert is_broad(Rule(field="author", phrase=phrase)) is expected
    assert not is_broad(Rule(field="title", phrase=phrase))
