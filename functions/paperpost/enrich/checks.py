"""What an answer must be before anybody sees it; each check has a name that logs show."""

import re
import unicodedata
from collections.abc import Mapping

from paperpost.domain.papers import Paper
from paperpost.enrich.prompt import OWN_LANGUAGE, fields

# An address ends where Chinese text or punctuation begins, space or not. Letter case is ignored in
# its beginning alone: under that flag a range beyond ASCII takes in i, k and s.
_LINK = re.compile(
    r"(?i:(?:https?|ftp|mailto|javascript|data):|\bwww\.)"
    r"[^\s,;(){}<>\"'`\u0080-\U0010ffff]+"
)
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|<!--|```|\]\(|&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+);")
_FORMULA = re.compile(r"\$[^$]*\$|\\\(.*?\\\)|\\\[.*?\\\]", re.DOTALL)
# The share of Han characters among letters: a Chinese abstract keeps names and terms in Latin
# letters, a title may keep more of them (measured on 2,000 real translations, see the tests).
_HAN_SHARE = {"title": 0.05, "abstract": 0.2, "tldr": 0.2}
_LONGEST = {"title": 500, "abstract": 8000, "tldr": 800}
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs"})  # control, formatting, private use, half a pair


def failed_check(answer: Mapping[str, object], paper: Paper, language: str) -> str:
    """The name of the first check that *answer* fails, or '' if it may be shown."""
    wanted = fields(language)
    if set(answer) != set(wanted):
        return "fields"
    source = f"{paper.title}\n{paper.abstract}"
    for name in wanted:
        text = answer[name]
        if not isinstance(text, str) or not text.strip():
            return "fields"
        failed = _failed_in(text, name, source, language)
        if failed:
            return failed
    return ""


def _failed_in(text: str, name: str, source: str, language: str) -> str:
    if len(text) > _LONGEST[name]:
        return "length"
    if any(unicodedata.category(c) in _HIDDEN and c not in "\n\t" for c in text):
        return "control characters"
    if not _links(text) <= _links(source):
        return "link"
    if any(markup not in source for markup in _MARKUP.findall(text)):
        return "markup"
    share = han_share(_FORMULA.sub(" ", text))
    if language == OWN_LANGUAGE:
        return "script" if share > _HAN_SHARE["title"] else ""
    return "script" if share < _HAN_SHARE[name] else ""


def _links(text: str) -> set[str]:
    return {link.rstrip(".") for link in _LINK.findall(text)}


def han_share(text: str) -> float:
    """How many of the letters in *text* are Han characters: 0 to 1; 0 if it has no letters."""
    letters = [c for c in text if c.isalpha()]
    if not letters:
        return 0.0
    han = sum("\u3400" <= c <= "\u9fff" or "\U00020000" <= c <= "\U0003ffff" for c in letters)
    return han / len(letters)
