"""TeX in running text, made readable; formulas kept."""

import gzip
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from paperpost.domain.formulas import formulas
from paperpost.fetch.tex import readable

PIECES = st.sampled_from(
    [
        *(*"a {}$5,.`'\"~", "word", "摘要", "``", "''", "--", "---", "http://a.b/"),
        *("$x^2$", r"\(y\)", r"\[z\]", "$$w$$", r"\begin{a}", r"\end{a}"),
        *(r"\alpha", r"\o", r"\'e", '\\"', r"\v", r"\it ", r"\i", r"\\", r"\%", r"\$"),
        *(r"\emph{", r"\url{", r"\href{", r"\cite{"),
    ]
)


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        (r"Eduardo Garc\'ia-Portugu\'es", "Eduardo García-Portugués"),
        (r"Klaus M{\o}lmer, Hendrik Kra{\ss}, {\L}ukasz", "Klaus Mølmer, Hendrik Kraß, Łukasz"),
        (r"\"aki Mu\~noz Jakub\r{u}v Fi\v{s}er", "äki Muñoz Jakubův Fišer"),
        (r"R{\u{a}}dulescu, W\k{e}grzyn, Gon\c{c}alves", "Rădulescu, Węgrzyn, Gonçalves"),
        (r"Mart\'{\i}nez Mart\'\i nez L\^{\i} \'{\^e}", "Martínez Martínez Lî ế"),
        (r"\L ukasiewicz {\AA}gren \c c", "Łukasiewicz Ågren ç"),
        ("``focal value'' and so on", "“focal value” and so on"),
        (r'``exactly" the volatility', "“exactly” the volatility"),
        (r"`group fair' authors' choice", "‘group fair’ authors' choice"),
        (r"Duan--Pettie -- itself---is", "Duan–Pettie – itself—is"),
        (r"R\&D, 98.8\%, score\_nodes, US \$70k", "R&D, 98.8%, score_nodes, US $70k"),
        (r"\emph{\underline{g}}lobal \textbf{A}daptive", "global Adaptive"),
        (r"a {\it causal} {\em veto mechanism}", "a causal veto mechanism"),
        (r"at \url{https://a.example/~x\_y}.", "at https://a.example/~x_y."),
        (r"Code:\href{https://a.example/x}{this https URL}", "Code:https://a.example/x"),
        (r"our \href{https://a.example/}{code\_base}", "our code_base (https://a.example/)"),
        (
            r"i.e.~the F.~Kir\'aly descent~(DMSGD) 1.74~s",
            "i.e. the F. Király descent (DMSGD) 1.74 s",
        ),
        (r"{\Delta}, 360{\deg}, \nu-Flows, n^1-\epsilon", "Δ, 360°, ν-Flows, n^1-ϵ"),
        (r"180{,}000 and Allo{SR}, 9.1\,M, vs.\ clip", "180,000 and AlloSR, 9.1 M, vs. clip"),
        (r"4\textsuperscript{th} m\textsuperscript{2} H\textsubscript{2}O", "4th m² H₂O"),
        (r"don\'t say \"never\" twice", 'don\'t say "never" twice'),
        ("Cafe\u0301 \u200bx", "Café \u200bx"),
    ],
)
def test_text_macros_are_shown_as_readers_expect(tex: str, shown: str) -> None:
    """Accents, letters, quotes, dashes, styles, links, ties and escapes, most from real feeds."""
    assert readable(tex) == shown


@pytest.mark.parametrize(
    "text",
    [
        r"$\'e$ and $``x''$ and $a--b$ and $\emph{x}~y$",
        r"\(\'e--\) \[``a''\] $$\o~x$$ \begin{eqnarray*}x--y \o\end{eqnarray*}",
        r"$\textit{relational inner product association}$",
        r"\model{} of {\ours} by \cite{DGP:05a--b} and \codename delivers",
        r"d_{TR} < 10^{-6}, {{7*7}} ${7*7} {%raw%}, {0, 1}",
        r"~70%, (~20s), AUROC >~93, 1.5~1.8x, www.x.edu/~gould",
        "git --force, LLM-->VLM, <!-- x -->, -----, i--",
        "https://a.example/x--y/``z",
        "`HiQ` and don't, the authors' 5'' and \"x\"",
        "摘要：「方法」有效。 Ω 神\ufa19 עברית हिन्दी",
        r"C:\new\dir \d+ \u00e9",
        "{ unclosed and closed }}",
        "0",
        "",
    ],
)
def test_what_is_no_text_macro_stays_as_it_is(text: str) -> None:
    """Formulas, unknown macros, placeholders, options, addresses and other scripts."""
    assert readable(text) == text


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("less than US $10 billion in market value -- and $x--y$", ["$x--y$"]),
        ("from $5 to $10, $3M or $4M, $5-$10, $20/hour vs $k$", ["$k$"]),
        ("$2 \\times $ faster, $3$ and $1$", ["$2 \\times $", "$3$", "$1$"]),
        (r"over \$100 billion, costs \$200 and $k$", ["$k$"]),
        ("Money $ign, then $a_1$", ["$a_1$"]),
        ("$ k $-means", ["$ k $"]),
        (r"$a \$ b$ \\[2pt] \(c\)", [r"$a \$ b$", r"\(c\)"]),
        ("one $", []),
    ],
)
def test_money_begins_no_formula(text: str, inside: list[str]) -> None:
    """A dollar sign before a price does not swallow the rest."""
    assert [text[start:end] for start, end in formulas(text)] == inside


@given(st.lists(PIECES, max_size=14).map("".join))
def test_formulas_come_through_byte_for_byte(text: str) -> None:
    """Whatever stands around them, in order."""
    shown, at = readable(text), 0

    for start, end in formulas(text):
        at = shown.find(text[start:end], at)
        assert at >= 0
        at += end - start


@given(st.text(st.characters(exclude_characters="\\`'\"~-{}")))
def test_text_without_tex_is_only_composed(text: str) -> None:
    """Any script; characters that NFC would exchange for other Han characters stay."""
    kept = readable(text)

    assert unicodedata.normalize("NFC", kept) == unicodedata.normalize("NFC", text)
    assert readable(kept) == kept


@pytest.mark.parametrize(
    "text", ["{" * 50_000, "``" * 50_000, r"\'{" * 20_000 + "}" * 20_000, r"\begin{a}" * 10_000]
)
def test_hostile_text_is_read_in_little_time_and_never_fails(text: str) -> None:
    """Neither depth nor repetition is more than a moment's work."""
    assert readable(text).replace("\\", "") == text.replace("\\", "")


def test_every_recorded_text_is_settled_in_one_pass(shared_data: Path) -> None:
    """Read again, no title, abstract, name or comment changes any more."""
    changed = [
        text for text in _recorded(shared_data) if readable(readable(text)) != readable(text)
    ]

    assert changed == []


def test_no_accent_is_left_in_any_recorded_feed(shared_data: Path) -> None:
    """Names and titles of the real feeds hold no backslash outside formulas."""
    feeds = (shared_data / "arxiv-rss").glob("*.rss.xml")
    texts = [e.text or "" for f in feeds for e in etree.parse(f).iter("title", "{*}creator")]

    assert any("\\" in text for text in texts)
    assert [shown for text in texts for shown in [readable(text)] if "\\" in _outside(shown)] == []


def _recorded(shared_data: Path) -> Iterator[str]:
    with gzip.open(shared_data / "papers" / "papers-2000.jsonl.gz", "rt") as lines:
        for line in lines:
            paper = json.loads(line)
            yield from (paper["title"], paper["abstract"])
    for day in sorted((shared_data / "arxiv-rss" / "daily-series").iterdir()):
        for paper in json.loads(gzip.decompress(day.read_bytes()))["papers"]:
            yield from (paper["title"], paper["abstract"], paper["comment"] or "")
    for line in (shared_data / "hostile" / "hostile.jsonl").read_text().splitlines():
        yield str(json.loads(line)["text"])


def _outside(text: str) -> str:
    """*text* without its formulas."""
    kept, at = "", 0
    for start, end in formulas(text):
        kept, at = kept + text[at:start], end
    return kept + text[at:]
