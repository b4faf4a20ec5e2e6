"""What is known of a language; a language without a row gets the checks that need none."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """Bounds of a text in characters: a share of its source's length, and what is free on top."""

    least_share: float
    most_share: float
    spare: int = 0

    def allows(self, characters: int, source: int) -> bool:
        """Whether a text of *characters* may stand for a source of that many."""
        most = self.most_share * source + self.spare
        return self.least_share * source - self.spare <= characters <= most


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """
    The letters of a language and how long its texts are.

    *share* is the least share of its letters among all letters, by field; *least_tldr* the fewest
    characters of a TL;DR, *most_sentences* how many it has at most: it is no abstract.
    """

    letters: re.Pattern[str]
    share: Mapping[str, float]
    lengths: Mapping[str, Length]
    least_tldr: int
    most_sentences: int


# Chinese was measured on 2,000 real translations (docs/enrichment.md): an abstract has 0.24 to 0.38
# of the English characters, a TL;DR 34 to 161 characters; the bounds leave room on both sides.
LANGUAGES: Mapping[str, Language] = {
    "zh": Language(
        letters=_HAN,
        share={"title": 0.1, "abstract": 0.3, "tldr": 0.3},
        lengths={
            "title": Length(least_share=0.12, most_share=0.7, spare=12),
            "abstract": Length(least_share=0.17, most_share=0.55, spare=30),
            "tldr": Length(least_share=0, most_share=0.4, spare=80),
        },
        least_tldr=6,
        most_sentences=5,
    ),
    "en": Language(
        letters=_LATIN,
        share={"tldr": 0.9},
        lengths={"tldr": Length(least_share=0, most_share=0.7, spare=150)},
        least_tldr=20,
        most_sentences=3,
    ),
}


def letter_share(text: str, letters: re.Pattern[str]) -> float:
    """How many of the letters in *text* are among *letters*: 0 to 1; 0 if it has no letters."""
    all_letters = [c for c in text if c.isalpha()]
    return sum(bool(letters.match(c)) for c in all_letters) / len(all_letters) if all_letters else 0
