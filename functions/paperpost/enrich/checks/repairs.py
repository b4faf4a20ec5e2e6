"""Harmless faults of an answer that are mended before it is checked."""

import re
import unicodedata
from collections.abc import Mapping

from paperpost.enrich.checks.case import LONGEST

# What titles carried before 2024, and models copied: (arXiv:2403.01234v1 [cs.CV]).
_SUFFIX = re.compile(
    r"[。.．]?\s*[(（]\s*arXiv\s*[:：]\s*[\w./-]+v?\d*\s*(?:[\[【][^\]】]*[\]】])?[^"
    r"()（）]{0,16}[)）]\s*[。.]?\s*$",
    re.IGNORECASE,
)
# What the description carries since: `arXiv:2403.01234v1 Announce Type: new Abstract:`, translated.
_PREFIX = re.compile(
    r"^\s*(?:摘要\s*[:：]\s*)?arXiv\s*[:：]\s*[\w./-]+\s+(?:[^:：。]{0,8}类型"
    r"|Announce Type)\s*[:：]"
    r"(?:[^:：]{0,24}?(?:摘要|抽象|Abstract)\s*[:：]|[^:：。]{0,12}。)\s*",
    re.IGNORECASE,
)
_LABELS = {
    "title": re.compile(r"^\s*(?:标题|题目|中文标题|Title)\s*[:：]\s*", re.IGNORECASE),
    "abstract": re.compile(r"^\s*(?:中文)?(?:摘要|Abstract)\s*[:：]\s*", re.IGNORECASE),
    "tldr": re.compile(
        r"^\s*(?:一句话(?:总结|概括|摘要|要点)?|要点|TL;?DR)\s*[:：]\s*", re.IGNORECASE
    ),
}
_BREAK = re.compile(r"\s*</?\s*br\s*/?\s*>\s*", re.IGNORECASE)
# Zero-width spaces, joiners and marks of order; the joiners of other scripts stay between letters.
_INVISIBLE = re.compile(
    "[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
_JOINER = re.compile("(?<=[\u3400-\u9fff\\s])[\u200c\u200d]+|[\u200c\u200d]+(?=[\u3400-\u9fff\\s])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SPACE = re.compile(r"[ \t\u00a0\u3000]+")
_QUOTES = {"“": "”", '"': '"', "'": "'", "「": "」", "『": "』", "《": "》", "‘": "’"}
_SHORT_FIELDS = frozenset({"title", "tldr"})


def repaired(answer: Mapping[str, object]) -> Mapping[str, object]:
    """*answer* with its harmless faults mended; what is no text, or too long, is left as it is."""
    return {
        name: _settled(name, text)
        if isinstance(text, str) and len(text) <= LONGEST.get(name, 0)
        else text
        for name, text in answer.items()
    }


def _settled(name: str, text: str) -> str:
    """Mend until nothing changes: under one fault there may be another."""
    while (mended := _mended(name, text)) != text:
        text = mended
    return text


def _mended(name: str, text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    text = _JOINER.sub("", _INVISIBLE.sub("", _CONTROL.sub("", text)))
    text = _SPACE.sub(" ", _BREAK.sub(" ", text)).strip()
    if name == "title":
        text = _SUFFIX.sub("", text)
    if name == "abstract":
        text = _PREFIX.sub("", text)
    if name in _LABELS:
        text = _LABELS[name].sub("", text)
    return _unquoted(text) if name in _SHORT_FIELDS else text


def _unquoted(text: str) -> str:
    """*text* without quotation marks around all of it."""
    closing = _QUOTES.get(text[:1])
    inside = text[1:-1]
    if not closing or not text.endswith(closing) or not inside:
        return text
    return text if text[0] in inside or closing in inside else inside
