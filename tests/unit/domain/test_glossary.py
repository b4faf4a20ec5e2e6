"""Terms with the renderings that one language accepts for them."""

import re

import pytest

from paperpost.data import glossary
from paperpost.domain.glossary import Glossary

TERMS = Glossary(
    renderings={
        "LLM": ("大语言模型",),
        "language model": ("语言模型",),
        "large language model": ("大语言模型",),
        "Monte Carlo": ("蒙特卡洛",),
        "few-shot": ("少样本",),
        "manifold": ("流形",),
    }
)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("LLMs and LLM-based agents", ["LLM"]),
        ("llm", []),
        ("Large-language models", ["large language model"]),
        ("a language model", ["language model"]),
        ("a large language model and a language model", ["large language model", "language model"]),
        ("MONTE CARLO", ["Monte Carlo"]),
        ("few shot, FEW-SHOT", ["few-shot"]),
        ("manifolds; submanifold", ["manifold"]),
        ("Manifold", ["manifold"]),
        ("", []),
    ],
)
def test_terms_are_found_as_whole_words(text: str, terms: list[str]) -> None:
    """Acronyms as written, others in any letter case; the longest where two begin alike."""
    assert list(TERMS.terms_in(text)) == terms


def test_a_term_comes_with_its_renderings() -> None:
    assert TERMS.terms_in("An LLM.") == {"LLM": ("大语言模型",)}
    assert Glossary().terms_in("An LLM.") == {}


def test_the_shipped_glossary_is_sound() -> None:
    """Every term can be found and has a Chinese rendering first, none is said twice."""
    terms = glossary("zh")

    assert 60 <= len(terms.renderings) <= 120
    for term, told in terms.renderings.items():
        assert list(terms.terms_in(f"The {term}.")) == [term]
        assert re.search("[\u4e00-\u9fff]", told[0]) or told[0] == term
        assert len(set(told)) == len(told)


def test_a_language_without_a_table_has_no_terms() -> None:
    assert glossary("sw") == Glossary()
