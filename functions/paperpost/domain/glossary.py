"""Terms with the renderings that one language accepts for them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

_GAP = re.compile(r"[\s-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Glossary:
    """English terms, each with its accepted renderings, the preferred one first."""

    renderings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def terms_in(self, text: str) -> Mapping[str, tuple[str, ...]]:
        """
        The terms that stand in *text* as whole words, with their renderings.

        A word with two capital letters or more (LLM, GPU) is matched as it is written, any other
        term in any letter case; a plural s and a hyphen for a space are allowed. Where two terms
        overlap the one that begins first counts, of those the longest.
        """
        if not self.renderings:
            return {}
        pattern, terms = _matcher(tuple(self.renderings))
        told = (match["term"] for match in pattern.finditer(text))
        found = dict.fromkeys(terms.get(one) or terms[_folded(one)] for one in told)
        return {term: self.renderings[term] for term in found}


@lru_cache
def _matcher(terms: tuple[str, ...]) -> tuple[re.Pattern[str], Mapping[str, str]]:
    """One pattern for all *terms*, and what its matches mean."""
    longest_first = sorted(terms, key=len, reverse=True)
    written = "|".join(_words(term) for term in longest_first)
    return (
        re.compile(rf"(?<![\w-])(?P<term>{written})s?(?![\w-])"),
        {term if _is_acronym(term) else _folded(term): term for term in terms},
    )


def _words(term: str) -> str:
    words = r"[\s-]+".join(re.escape(word) for word in _GAP.split(term))
    return words if _is_acronym(term) else f"(?i:{words})"


def _folded(term: str) -> str:
    return _GAP.sub(" ", term).casefold()


def _is_acronym(term: str) -> bool:
    """Two capitals in one word: LLM, but neither Monte Carlo nor a title in capitals."""
    return " " not in term and sum(c.isupper() for c in term) > 1
