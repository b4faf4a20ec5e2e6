"""The fallback without a model: one sentence of the author's own abstract."""

from paperpost.domain.text import clean, sentences, shorten

_LIMIT = 240
# How authors open the sentence that says what they did.
_CLAIMS = (
    "we propose",
    "we introduce",
    "we present",
    "we show",
    "we prove",
    "we develop",
    "we study",
    "we find",
    "we demonstrate",
    "this paper",
    "this work",
    "in this paper",
    "in this work",
    "here we",
    "here, we",
    "our results",
    "our method",
)


def extracted_sentence(abstract: str) -> str:
    """
    Return the sentence of *abstract* that states what the paper does, at most 240 characters.

    The first sentence that opens with, or contains, a claim ("we propose …"); else the first one.
    """
    candidates = sentences(clean(abstract))
    if not candidates:
        return ""
    chosen = next((s for s in candidates if s.casefold().startswith(_CLAIMS)), None) or next(
        (s for s in candidates if any(f" {claim}" in s.casefold() for claim in _CLAIMS)),
        candidates[0],
    )
    return shorten(chosen, characters=_LIMIT)
