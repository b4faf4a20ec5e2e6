"""Formulas on a page: set where the TeX is known, else source; never markup of their own."""

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from paperpost.domain.mathml import with_formulas


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain <b> & $5", "plain &lt;b&gt; &amp; $5"),
        (r"$10\times$ faster", "10× faster"),
        (r"$\sim$2", "∼2"),
        ("$x^2$", "<math><msup><mi>x</mi><mn>2</mn></msup></math>"),
        (r"$\ell_2$", "<math><msub><mo>ℓ</mo><mn>2</mn></msub></math>"),
        (
            r"\(\mathbb{R}^{n}\)",
            "<math><msup><mi>ℝ</mi><mrow><mi>n</mi></mrow></msup></math>",
        ),
        (r"$\frac1n$", "<math><mfrac><mn>1</mn><mi>n</mi></mfrac></math>"),
        (r"$\sqrt{n}$", "<math><msqrt><mrow><mi>n</mi></mrow></msqrt></math>"),
        (r"$\hat\theta_k$", ('<math><msub><mover accent="true"><mi>θ</mi><mo>^</mo></mover>'
         "<mi>k</mi></msub></math>")),
        (r"$\text{for all }x$", "<math><mtext>for all </mtext><mi>x</mi></math>"),
        (r"$\unknown{x}<y$", r"<code>$\unknown{x}&lt;y$</code>"),
        ("$x^{2$", "<code>$x^{2$</code>"),
        ("$a-b$", "<math><mi>a</mi><mo>−</mo><mi>b</mi></math>"),
        ("$-1$ to $[-1,1]$", "−1 to [−1,1]"),
        ("$a=-b$", '<math><mi>a</mi><mo>=</mo><mo form="prefix">−</mo><mi>b</mi></math>'),
        (r"$x^\big$ $\frac\left12$", r"<code>$x^\big$</code> <code>$\frac\left12$</code>"),
        (r"$\left( x \right)$", "<math><mo>(</mo><mi>x</mi><mo>)</mo></math>"),
        ("$a<b$", "<math><mi>a</mi><mo>&lt;</mo><mi>b</mi></math>"),
    ],
)  # fmt: skip
def test_a_formula_is_set_or_shown_as_its_source(text: str, html: str) -> None:
    assert with_formulas(text) == html


# https://www.w3.org/TR/mathml-core/: with any other number of children it is an error.
PARTS = {"msub": 2, "msup": 2, "msubsup": 3, "mfrac": 2, "mover": 2}
TEX = st.lists(
    st.sampled_from(
        [*"$^_{}xy12<>&'\"|. ", r"\(", r"\)", r"\frac", r"\sqrt", r"\text", r"\mathbb", r"\alpha",
         r"\left", r"\big ", r"\hat", "<script>", "</math>", "<img src=x onerror=a>", "\\", r"\%"]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(text=TEX)
def test_whatever_stands_in_a_formula_opens_no_element_but_ours(text: str) -> None:
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("lxml"), namespaceHTMLElements=False)

    root = parser.parse(f"<p>{with_formulas(text)}</p>").getroot()

    names = {etree.QName(e).localname for e in root.iter()}
    assert names <= {
        "html", "head", "body", "p", "code", "math", "mi", "mn", "mo", "mtext", "mrow", "msub",
        "msup", "msubsup", "mfrac", "msqrt", "mover",
    }  # fmt: skip
    assert {name for e in root.iter() for name in e.attrib} <= {"accent", "form"}
    assert all(len(e) == PARTS.get(etree.QName(e).localname, len(e)) for e in root.iter())


@given(text=st.text())
def test_any_text_is_shown(text: str) -> None:
    assert isinstance(with_formulas(text), str)


@pytest.mark.parametrize(
    "deep", ["{" * 500 + "x" + "}" * 500, r"\sqrt" * 200 + " x", r"\hat" * 350 + " x"]
)
def test_a_formula_nested_without_end_is_source(deep: str) -> None:
    deep = f"${deep}$"

    assert with_formulas(deep) == f"<code>{deep}</code>"
