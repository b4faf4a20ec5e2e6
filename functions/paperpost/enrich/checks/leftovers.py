"""Whether an answer was translated, and to the end."""

import re

from paperpost.domain.formulaskeletons import without_formulas
from paperpost.domain.lookalikes import squeezed
from paperpost.enrich.checks.case import Case, Field
from paperpost.enrich.checks.shape import is_name

_ASIDE = re.compile(r"[(（《“\"「『][^()（）《》“”\"「」『』]*[)）》”\"」』]")
_RUN = re.compile(r"[A-Za-z][A-Za-z'’-]*(?:[,;:]?\s+[A-Za-z][A-Za-z'’-]*)+")
_FUNCTION_WORDS = frozenset(
    {
        "the", "of", "and", "is", "are", "to", "in", "that", "we", "with", "for", "this", "by",
        "on", "which", "be", "can", "our", "an", "as", "from", "it", "has", "have", "was", "were",
        "how", "using", "or", "not", "these", "their", "at",
    }
)  # fmt: skip
_WORDS_OF_A_SENTENCE = 5
_LONGEST_RUN = 5
_MOST_FUNCTION_WORDS = 2
_HALF_WORD = re.compile(r"(?<=[\u4e00-\u9fff])([a-z]{4,})(?=[\u4e00-\u9fff，。])")


def is_translated(case: Case) -> bool:
    """The title is not, and does not repeat, the English one, unless that is a name."""
    if case.is_own_language or is_name(case.paper.title):
        return True
    title = squeezed(case.paper.title)
    told = next((squeezed(field.text) for field in case.texts if field.name == "title"), "")
    repeats = title in told and len(case.paper.title.split()) >= _WORDS_OF_A_SENTENCE
    return not title or (told != title and not repeats)


def leaves_nothing_over(case: Case) -> bool:
    """No English sentence and no half of an English word stays in the translation."""
    if case.is_own_language:
        return True
    return not any(english_runs(field) or half_words(field) for field in case.texts)


def english_runs(field: Field) -> list[str]:
    """Runs of English words that make a clause; names and terms in brackets are none."""
    text = without_formulas(field.text)
    while text != (text := _ASIDE.sub(" | ", text)):
        pass
    found = []
    for run in _RUN.findall(text):
        words = run.lower().split()
        grammar = sum(word.strip(",;:") in _FUNCTION_WORDS for word in words)
        if len(words) > _LONGEST_RUN and grammar >= _MOST_FUNCTION_WORDS:
            found.append(run)
    return found


def half_words(field: Field) -> list[str]:
    """What is left of words of which a part was translated (预valence)."""
    words = set(re.findall(r"[a-z]+", field.source.lower()))
    return [
        part
        for part in _HALF_WORD.findall(field.text)
        if part not in words and f"{part}s" not in words and part.removesuffix("s") not in words
    ]
