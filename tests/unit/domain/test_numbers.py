"""Numbers of English and Chinese text that can be compared."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.domain.numbers import large_han_numbers, numbers, said_values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,000", {1000}),
        ("1{,}000", {1000}),
        ("１，０００", {1000}),
        (".5", {Fraction(1, 2)}),
        ("3.5 million", {Fraction(7, 2), 3_500_000}),
        ("3.5百万", {Fraction(7, 2), 3_500_000}),
        ("350万", {350, 3_500_000}),
        ("7B", {7, 7_000_000_000}),
        ("70亿", {70, 7_000_000_000}),
        ("50%", {50, Fraction(1, 2)}),
        ("50\\%", {50, Fraction(1, 2)}),
        ("3成", {30, Fraction(3, 10)}),
        ("10×", {10}),
        ("1990s", {1990, 90, 20}),
    ],
)
def test_a_number_in_digits_has_these_values(text: str, values: set[Fraction]) -> None:
    assert [number.values for number in numbers(text)] == [values]


@pytest.mark.parametrize(
    ("text", "is_quantity"),
    [
        ("12 cats", True),
        ("12%", True),
        ("12x", True),
        ("12 GB", True),
        ("5-fold", True),
        ("GPT-4", False),
        ("H100", False),
        ("3D", False),
        ("2nd", False),
        ("n^2", False),
    ],
)
def test_a_number_in_a_name_is_no_quantity(text: str, is_quantity: bool) -> None:  # noqa: FBT001  a table
    """A translation may drop what is no quantity (COVID-19 is 新冠), but not invent it."""
    assert [number.is_quantity for number in numbers(text)] == [is_quantity]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("twenty-one", 21),
        ("three hundred", 300),
        ("two decades", 20),
        ("hundreds of thousands", 100_000),
        ("threefold", 3),
        ("the nineteenth", 19),
        ("low fifties", 50),
        ("half", Fraction(1, 2)),
        ("Part III", 3),
        ("in March", 3),
        ("二〇二四", 2024),
        ("两万五千", 25_000),
        ("一千亿", 100_000_000_000),
        ("百分之九十五点五", Fraction(191, 2)),
        ("三成", 30),
        ("一半", 50),
        ("十倍", 10),
    ],
)
def test_a_number_in_words_is_said(text: str, value: Fraction) -> None:
    assert value in said_values(text)


@pytest.mark.parametrize(
    "text",
    [
        "十分重要",
        "千万不要",
        "统一一维",
        "数十万个",
        "一种方法",
        "成千上万",
        "百科全书",
        "第一",
        "三个",
    ],
)
def test_what_only_looks_like_a_large_number_is_none(text: str) -> None:
    assert large_han_numbers(text) == []


@given(st.integers(min_value=0, max_value=10**12))
def test_a_number_survives_thousands_separators(number: int) -> None:
    assert said_values(f"{number:,}") >= {number}
    assert numbers(f"共{number}个")[0].values >= {number}


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """Nothing that a stranger or a model writes raises."""
    assert said_values(text) >= {v for n in large_han_numbers(text) for v in n.values}


@given(st.text(alphabet="零〇一二两三四五六七八九十百千万亿点半成倍百分之0123456789.,%"))
def test_any_heap_of_numerals_is_read(text: str) -> None:
    assert isinstance(said_values(text), frozenset)
    assert isinstance(large_han_numbers(text), list)
