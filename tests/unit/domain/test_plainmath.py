"""Formulas in mails and feeds: Unicode where it says the same, else source, and nothing lost."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.domain.formulas import formulas
from paperpost.domain.plainmath import plain, sources_marked

TEX = st.text(alphabet=r"$\{}^_ abxn01.,()+-=<&'*~", max_size=40)
MACROS = st.sampled_from(
    [r"\alpha", r"\frac", r"\sqrt", r"\hat", r"\mathbb", r"\text", r"\log", r"\big"]
)


@pytest.mark.parametrize(
    ("tex", "said"),
    [
        ("a budget $b = 2$ halves it", "a budget b = 2 halves it"),
        (r"$O(n\log n)$ or $\tilde{O}(\sqrt{T})$", "O(n log n) or Õ(√T)"),
        (r"90$^\circ$, 3$\times$, $10\%$", "90°, 3×, 10%"),
        (r"$p<0.05$ & $10^{-3}$", "p < 0.05 & 10⁻³"),
        (r"$\mathbb{R}^d$, $\mathcal{X}$, $\mathbf{w}$", "ℝᵈ, X, w"),
        (r"$(x_1,\dots,x_n)$", "(x₁, …, xₙ)"),
        (r"$\frac{1}{2}$, $\frac{a+b}{c}$", "1/2, (a + b)/c"),
        (r"$-1$ and $a-b$", "−1 and a − b"),
        (r"$\ell_2$, $\theta_{\max}$", "ℓ₂, θₘₐₓ"),
        ("no formula, $5 at most", "no formula, $5 at most"),
        ("between $5 and $10 an hour", "between $5 and $10 an hour"),
    ],
)
def test_a_simple_formula_is_unicode(tex: str, said: str) -> None:
    assert plain(tex) == said


@pytest.mark.parametrize(
    "tex",
    [
        r"$\hat\hat x$",
        r"$x^\big$",
        r"$e^{\eta t}$",
        r"$x_{i,j}$",
        r"$\hat{xy}$",
        r"$\begin{x}1\end{x}$",
        "$(ab_q)$",
    ],
)
def test_a_formula_that_unicode_cannot_say_stays_source(tex: str) -> None:
    assert plain(tex) == tex
    assert sources_marked(tex) == f"<code>{tex}</code>"


@given(st.lists(TEX | MACROS, max_size=12).map("".join))
def test_text_around_formulas_stays_as_it_is(text: str) -> None:
    spans = formulas(text)
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    around = [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]

    said = plain(text)

    assert re.fullmatch(".*".join(map(re.escape, around)), said, re.DOTALL)


@given(st.text(max_size=60) | TEX)
def test_marking_sources_adds_nothing_to_the_text(text: str) -> None:
    html = sources_marked(text)

    assert unescape(re.sub(r"</?code[^>]*>", "", html)) == text
