"""Rules as readers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.domain.ruletexts import RuleError, is_broad, parse_rules, rules_text
from paperpost.domain.subscribers import Rule


def test_a_line_is_a_rule_and_its_first_word_may_say_where_to_look() -> None:
    """Without one, title and abstract; Chinese names of the fields are as good."""
    text = "diffusion  model\n\ntitle: survey\n作者：Yann LeCun\n摘要: 大模型\n3D: digits"

    assert parse_rules(text) == (
        Rule(field="text", phrase="diffusion model"),
        Rule(field="title", phrase="survey"),
        Rule(field="author", phrase="Yann LeCun"),
        Rule(field="abstract", phrase="大模型"),
        Rule(field="text", phrase="3D: digits"),
    )


@pytest.mark.parametrize(
    ("text", "problem", "word"),
    [
        ("good\nautor: LeCun", "field", "autor"),
        ("title: ---", "empty", "---"),
        ("author:", "empty", "author:"),
        ("x" * 101, "long", "x" * 20),
        ("\n".join(f"word{n}" for n in range(51)), "many", "word50"),
    ],
)
def test_an_error_names_the_word_at_fault(text: str, problem: str, word: str) -> None:
    """And its own text, which may be logged, does not."""
    with pytest.raises(RuleError) as caught:
        parse_rules(text)

    assert (caught.value.problem, caught.value.word) == (problem, word)
    assert word not in str(caught.value)


@pytest.mark.parametrize(
    ("phrase", "broad"),
    [("Wang", True), ("J. Smith", True), ("X Y", True), ("Yann LeCun", False), ("王小明", True)],
)
def test_initials_and_single_words_are_broad_for_an_author(phrase: str, broad: bool) -> None:  # noqa: FBT001  the expected answer
    """Elsewhere a single word is as it should be."""
    assert is_broad(Rule(field="author", phrase=phrase)) is broad
    assert not is_broad(Rule(field="title", phrase=phrase))


@given(st.text(max_size=300))
def test_whatever_is_written_is_rules_or_an_error_that_says_why(text: str) -> None:
    """And rules that were read are written so that they are read as the same."""
    try:
        rules = parse_rules(text)
    except RuleError:
        return

    assert parse_rules(rules_text(rules)) == rules
