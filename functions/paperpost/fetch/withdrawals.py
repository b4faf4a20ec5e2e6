"""Whether authors or arXiv took a paper back; no source has a flag for it, only words."""

import re

_PAPER = (
    r"th(?:is|e)(?: [\w-]+)? "
    r"(?:paper|submission|article|manuscript|work|preprint|version|note|e-print)"
)
# Withdrawn from a journal or a conference is not withdrawn from arXiv.
_BACK = r"withdrawn\b(?!,? (?:it )?from (?!(?:the )?arxiv|public))"
_NOTICE = re.compile(
    rf"(?:arxiv admin note: )?(?:{_PAPER} (?:has been|have been|had been|was|is)(?: being)?"
    rf"(?: \w+ly| now| hereby)? {_BACK}|(?:paper |article |submission |\W{{0,20}}){_BACK}"
    r"(?= (?:by|due|because|as|since|for|from|until|pending)\b|\s*[^\w\s]|\s*$))",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?:^|[.;:!?\])\n]|,(?= this))\s*")
_TITLE = re.compile(
    r"[\[(*\s]*withdrawn[\])*]*\s*(?::|--?|–|—|[\])*])"
    r"|.*[\[(]\s*withdrawn\b[^\])\[(]{0,200}[\])]\W{0,20}$|withdrawn\W{0,20}$",
    re.IGNORECASE | re.DOTALL,
)


def is_withdrawn(*, title: str = "", abstract: str = "", comment: str = "") -> bool:
    """
    Whether one of the texts says that this paper was withdrawn.

    An abstract says so where it begins, as arXiv asks withdrawing authors to write; a comment in
    any of its sentences; a title by a label.
    Source: https://info.arxiv.org/help/withdraw.html, read 2026-11-23.
    """
    if _TITLE.match(title) or _NOTICE.match(abstract.strip()):
        return True
    return any(_NOTICE.match(comment, found.end()) for found in _SENTENCE.finditer(comment))
