"""Whether an answer says what the paper says: its numbers, formulas and terms, and no others."""

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction

from paperpost.domain.formulaskeletons import formula_skeletons, skeleton, without_formulas
from paperpost.domain.numbers import (
    Number,
    han_shares,
    large_han_numbers,
    numbers,
    said_values,
)
from paperpost.enrich.checks.case import Case, Field

_LINKS = re.compile(r"(?i:arxiv):\S+|https?://[^\s,;)}\u0080-\U0010ffff]+|\bdoi:\S+|10\.\d{4,}/\S+")
# What a translation may leave out: marks of lists, and whom the paper cites.
_OPTIONAL = re.compile(
    r"\[[\d,\s-]+\]|\\cite\w*\s*\{[^}]*\}|(?<![\w.])\(?\d\)|[①-⑳]"
    r"|\([^()]*[A-Z][^()]*\b(?:19|20)\d\d[a-z]?\)|\bet al\.?,? \(?\d{4}\)?"
)
_MARKS = re.compile(r"(?<![\w.])\(?\d\)|\[\d\]|[①-⑳]|(?:^|[\n。；：，:;]\s*)\d[.、．]\s?(?!\d)")
_SPACE = re.compile(r"[\s·\-–—]+")


def keeps_its_numbers(case: Case) -> bool:
    """Every quantity of title and abstract is told, and no number is told that the paper lacks."""
    return all(
        not _lost_numbers(field) and not _invented_numbers(field, case)
        for field in case.texts
        if field.name != "tldr"
    )


def tldr_invents_no_number(case: Case) -> bool:
    """A number in the TL;DR stands in the abstract or title: it is what readers believe first."""
    return not any(_invented_numbers(field, case) for field in case.texts if field.name == "tldr")


def keeps_its_formulas(case: Case) -> bool:
    """Every formula of title and abstract stands in the translation, and no other one."""
    source = skeleton(case.evidence)
    for field in case.texts:
        told = skeleton(field.text)
        if field.name != "tldr" and any(f not in told for f in formula_skeletons(field.source)):
            return False
        if any(f not in source for f in formula_skeletons(field.text)):
            return False
    return True


def keeps_its_terms(case: Case) -> bool:
    """A term of the glossary is rendered as the glossary says, in title and abstract."""
    return not any(True for _ in missing_terms(case))


def missing_terms(case: Case) -> Iterator[str]:
    """The terms of the glossary that the paper has and the translation does not."""
    for field in case.texts:
        if field.name == "tldr":
            continue
        told = _bare(field.text)
        for term, renderings in case.glossary.terms_in(without_formulas(field.source)).items():
            if not any(_bare(rendering) in told for rendering in renderings):
                yield term


def _lost_numbers(field: Field) -> list[Number]:
    source = _LINKS.sub(" ", without_formulas(_OPTIONAL.sub(" ", field.source)))
    told = said_values(field.text)
    return [n for n in numbers(source) if n.is_quantity and not n.values & told]


def _invented_numbers(field: Field, case: Case) -> list[str]:
    """What is told in digits or in large words and stands nowhere in the paper."""
    known = said_values(unicodedata.normalize("NFKC", case.evidence))
    text = _LINKS.sub(" ", _plain(field.text))
    told = [*numbers(text), *large_han_numbers(text)]
    unknown = [n.text for n in told if not _is_known(n.values, known)]
    return unknown + [t for t, values in han_shares(text) if "百分" in t and not values & known]


def _is_known(values: frozenset[Fraction], known: frozenset[Fraction]) -> bool:
    return bool(values & known)


def _plain(text: str) -> str:
    return _MARKS.sub(" ", unicodedata.normalize("NFKC", text))


def _bare(text: str) -> str:
    return _SPACE.sub("", unicodedata.normalize("NFKC", text)).casefold()
