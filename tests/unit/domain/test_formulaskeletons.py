"""What remains of a formula however it is set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.domain.formulaskeletons import formula_skeletons, skeleton, without_formulas


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$\\alpha_{1}$", "$ \\alpha_1 $"),
        ("$\\alpha_1$", "α1"),
        ("$\\Lambda$CDM", "ΛCDM"),
        ("$\\mathcal{O}(n^{2})$", "O(n^2)"),
        ("$95\\%$", "95%"),
        ("$d \\leq 90$", "d≤90"),
        ("$\\left( a, b \\right)$", "(a,b)"),
        ("\\(x\\)", "x"),
        ("$1{,}000$", "1000"),
        ("$\\lceil H / P\\rceil$", "⌈H/P⌉"),
    ],
)
def test_one_formula_set_in_two_ways_has_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(
    ("text", "skeletons"),
    [
        ("For $n > 3$ and \\(m\\).", ["n>3", "m"]),
        ("The $\\textit{open set}$ and $Persistence$ cases.", []),
        ("About $\\approx 2$ or $10\\times$.", ["2", "10"]),
        ("The $j^{th}$ one.", ["j"]),
        ("Under 2 $\\mu$s.", []),
        ("For $0.42 each, or $5.", []),
        ("A $\\dots$ and $\\to$.", []),
    ],
)
def test_formulas_are_told_without_what_a_translation_puts_in_words(
    text: str, skeletons: list[str]
) -> None:
    assert formula_skeletons(text) == skeletons


def test_text_without_formulas_keeps_the_rest() -> None:
    assert without_formulas("For $n$ we pay $5 each.") == "For   we pay $5 each."


@given(st.text(alphabet="$\\{}()[]abα^_ %begin~|."))
def test_any_text_has_skeletons(text: str) -> None:
    assert all(one for one in formula_skeletons(text))
    assert isinstance(without_formulas(text), str)
