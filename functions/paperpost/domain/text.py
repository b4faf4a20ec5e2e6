"""Plain text: what may be shown, cut at a word, counted in columns."""

import re
import unicodedata

# What XML 1.0 allows: https://www.w3.org/TR/xml/#charsets, read 2026-11-23. Tab and line feed
# become a space, so that a title is one line; other controls and lone surrogates go.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Marks that reorder or hide text; the joiners of Arabic and Indic letters (U+200C, U+200D) stay.
_INVISIBLE = re.compile("[\u200b\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_SPACE = re.compile(r"\s+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"“'(\[$\\])")
# A full stop behind these ends no sentence.
_ABBREVIATIONS = (
    "e.g.",
    "i.e.",
    "et al.",
    "cf.",
    "vs.",
    "resp.",
    "w.r.t.",
    "Fig.",
    "Eq.",
    "approx.",
    "No.",
)


def clean(text: str) -> str:
    """*text* on one line, without characters that XML forbids or that hide or reorder others."""
    return _SPACE.sub(" ", _INVISIBLE.sub("", _FORBIDDEN.sub(" ", text))).strip()


def shorten(text: str, *, characters: int) -> str:
    """*text* cut to at most *characters*, at a word where one ends near, with an ellipsis."""
    if len(text) <= characters:
        return text
    cut = text[: characters - 1]
    at_word = cut.rfind(" ")
    if at_word > characters * 2 // 3:
        cut = cut[:at_word]
    return cut.rstrip(" ,;:，；、") + "…"


def sentences(text: str) -> list[str]:
    """The English *text* split behind full stops, question and exclamation marks."""
    found: list[str] = []
    for part in _SENTENCE_END.split(text.strip()):
        if found and found[-1].endswith(_ABBREVIATIONS):
            found[-1] += f" {part}"
        elif part:
            found.append(part)
    return found


def columns(text: str) -> int:
    """The width of *text* in a fixed-width font, where a Han character counts two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
