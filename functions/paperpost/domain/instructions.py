"""
Sentences of a paper that speak to the model that reads it.

Two strengths. A *command* says what to write into a title, summary or translation, addresses the
model, or fakes the end of the paper's own text: no answer to such a paper is believed. A *mention*
(a quoted "ignore all previous instructions") stands in papers about such attacks as well: only
what nothing else in the paper says is not believed.
"""

import base64
import binascii
import re

from paperpost.domain.commandpatterns import (
    BARE_COMMAND,
    COMMANDS,
    IMPERATIVE,
    MENTIONS,
    OTHER_LANGUAGES,
    TO_THE_READER,
)
from paperpost.domain.lookalikes import lookalike

_SENTENCE = re.compile(r"[^.!?。！？\n]*(?:[.!?。！？](?!\s|$)[^.!?。！？\n]*)*[.!?。！？\n]?\s*")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}|(?:[0-9a-fA-F]{2}[\s:]?){12,}")
_LEAST_READABLE = 0.9


def commands_a_model(text: str, *, is_title: bool = False) -> bool:
    """Whether a sentence of *text*, plain or encoded, tells its reading model what to write."""
    told = lookalike(text)
    if any(pattern.search(told) for pattern in COMMANDS) or OTHER_LANGUAGES.search(text):
        return True
    if BARE_COMMAND.search(told, 1 if is_title else 0):  # a title may begin like a command
        return True
    if any(TO_THE_READER.search(match[0]) for match in IMPERATIVE.finditer(told)):
        return True
    return any(
        bool(MENTIONS.search(hidden)) or commands_a_model(hidden) for hidden in decoded(told)
    )


def without_mentions(text: str) -> str:
    """*text* without the sentences that mention instructions to a model."""
    return "".join(s for s in _SENTENCE.findall(text) if not MENTIONS.search(lookalike(s)))


def decoded(text: str) -> list[str]:
    """What the base64 and hexadecimal runs of *text* say, those that say something in ASCII."""
    found = []
    for run in _ENCODED.findall(text):
        for one in (_base64(run), _hexadecimal(run)):
            letters = sum(c.isascii() and (c.isprintable() or c.isspace()) for c in one)
            if one and letters >= _LEAST_READABLE * len(one):
                found.append(one)
    return found


def _base64(run: str) -> str:
    bare = run.rstrip("=")
    padded = bare + "=" * (-len(bare) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_" if set(bare) & set("-_") else None).decode(
            "utf-8", "replace"
        )
    except (binascii.Error, ValueError):
        return ""


def _hexadecimal(run: str) -> str:
    try:
        return bytes.fromhex(re.sub(r"[\s:]", "", run)).decode("utf-8", "replace")
    except ValueError:
        return ""
