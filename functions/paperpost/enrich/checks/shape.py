"""Whether an answer has the form of one: its fields, lengths and letters."""

import re
import unicodedata

from paperpost.domain.formulaskeletons import without_formulas
from paperpost.domain.lookalikes import squeezed
from paperpost.enrich.checks.case import Case, Field
from paperpost.enrich.checks.languages import Language, letter_share

_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
_PUNCTUATION = frozenset("\u200c\u200d\n\t")
_REPEATED = re.compile(r"(.{4,40}?)\1{4,}|(.{2,3}?)\2{7,}", re.DOTALL)
_CODED = re.compile(r"\d|[A-Za-z].*[A-Z]")  # no word of a sentence is written so
_BETWEEN_SENTENCES = re.compile(r"[。！？](?=.)|[.!?]\s+(?=[A-Z])")
_SYMBOLS = frozenset({"So", "Sk"})


def has_its_fields(case: Case) -> bool:
    """Exactly the fields that were asked for, each a text: no half answers, nothing smuggled in."""
    return set(case.answer) == set(case.wanted) and all(
        isinstance(text, str) and text.strip() for text in case.answer.values()
    )


def has_likely_lengths(case: Case) -> bool:
    """No cut, padded or replaced text: lengths stay within what real translations have."""
    is_whole = len(case.texts) == len(case.wanted)  # none beyond LONGEST
    return is_whole and all(_is_likely(field, case) for field in case.texts)


def is_visible(case: Case) -> bool:
    """No control, formatting or private characters: they hide or reorder text, or break XML."""
    return not any(
        unicodedata.category(c) in _HIDDEN and c not in _PUNCTUATION
        for field in case.texts
        for c in field.text
    )


def is_in_its_script(case: Case) -> bool:
    """Written in the language's letters, and in no letters that the paper does not have."""
    return all(
        _has_script(field, case) and _has_no_strange_letters(field, case) for field in case.texts
    )


def does_not_repeat(case: Case) -> bool:
    """No babbling: a model that got stuck says one thing again and again."""
    return not any(_REPEATED.search(field.text) for field in case.texts)


def is_name(title: str) -> bool:
    """Whether a title may be a name alone (CLIP, AlphaFold 3), which stays as it is."""
    words = title.split()
    return len(words) == 1 or all(_CODED.search(word) for word in words)


def _is_likely(field: Field, case: Case) -> bool:
    if case.row is None:
        return True
    if field.name == "tldr" and not _is_short(field.text.strip(), case.row):
        return False
    length = case.row.lengths.get(field.name)
    against = case.paper.title if field.name == "title" else case.paper.abstract
    return length is None or length.allows(len(field.text), len(against))


def _is_short(tldr: str, row: Language) -> bool:
    """Long enough to say something, and no more than some sentences."""
    sentences = len(_BETWEEN_SENTENCES.findall(tldr)) + 1
    return len(tldr) >= row.least_tldr and sentences <= row.most_sentences


def _has_script(field: Field, case: Case) -> bool:
    if case.row is None:
        return True
    text = without_formulas(field.text)
    share = letter_share(text, case.row.letters)
    if field.name == "title" and is_name(case.paper.title):
        return share > 0 or squeezed(text) == squeezed(case.paper.title)
    return share >= case.row.share[field.name]


def _has_no_strange_letters(field: Field, case: Case) -> bool:
    """
    Letters beyond ASCII and Han, and pictures, only where the paper has them.

    Accents and Greek letters may stand for TeX; whether their words are the paper's is for another
    check to say.
    """
    known = case.paper.title if field.name == "tldr" else field.source
    for c in set(unicodedata.normalize("NFC", without_formulas(field.text))):
        if c.isascii() or c in known or unicodedata.normalize("NFD", c)[0].isascii():
            continue
        name = unicodedata.name(unicodedata.normalize("NFKC", c)[0], "")
        is_letter = c.isalpha() and not name.startswith(("CJK UNIFIED", "CJK COMPAT", "GREEK "))
        if (is_letter or unicodedata.category(c) in _SYMBOLS) and c not in "°′″":
            return False
    return True
