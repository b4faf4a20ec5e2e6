"""`<date>.bib`: a day's papers as BibTeX entries, for BibTeX, Biber and reference managers."""

import re
from collections.abc import Iterable, Mapping

from paperpost.domain.formulas import formulas
from paperpost.domain.ids import abs_url, newest_first
from paperpost.domain.mathml import is_known
from paperpost.domain.papers import Paper
from paperpost.domain.records import Record
from paperpost.domain.text import clean

# Braces count in BibTeX even behind a backslash, so a literal one needs a command of its own.
# Source: https://www.bibtex.org/SpecialSymbols/ and btxdoc.pdf section 4, read 2026-11-26.
_ESCAPED = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\textbraceleft{}",
        "}": r"\textbraceright{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{sign: f"\\{sign}" for sign in "&%$#_"},
    }
)
# In these the value is read as it stands, so what could end or unbalance it has no place there.
_VERBATIM = re.compile(r"[^\s{}\\%#~^$&\x00-\x1f]+")
_PROTECTED_NAME = re.compile(r",|\b(?:and|others)\b", re.IGNORECASE)


def bibliography(records: Iterable[Record], minimal: dict[str, str] | None = None) -> bytes:
    """
    One entry for each paper of *records*, in their order, in UTF-8.

    Of a paper that cannot be rendered it has title and link, and *minimal* learns id → problem;
    without *minimal*, what is wrong is raised.
    """
    papers = {record.arxiv_id: record.paper for record in records}
    return "\n".join(_written(paper, minimal) for paper in papers.values()).encode()


def _written(paper: Paper, minimal: dict[str, str] | None) -> str:
    try:
        return _entry(paper)
    except Exception as exc:  # any text may be odd in any way; it is counted, and rings
        if minimal is None:
            raise
        minimal[paper.arxiv_id] = f"{type(exc).__name__}: {exc}"
        title = escaped(str(paper.title or "")) or paper.arxiv_id
        return _misc(paper.arxiv_id, {"title": f"{{{title}}}", "url": abs_url(paper.arxiv_id)})


def _entry(paper: Paper) -> str:
    year, _ = divmod(newest_first(paper.arxiv_id)[0], 100)
    fields = {
        # The inner braces keep capitals as they are.
        "title": f"{{{escaped(paper.title) or paper.arxiv_id}}}",
        "author": " and ".join(name for a in paper.authors if (name := _name(a.name))),
        "year": str(paper.submitted_at.year if paper.submitted_at else year),
        "eprint": paper.arxiv_id,
        "archiveprefix": "arXiv",
        "primaryclass": _verbatim(paper.primary),
        "doi": _verbatim(paper.doi or ""),
        "note": escaped(paper.comment or ""),
        "howpublished": escaped(paper.journal_ref or ""),
        "url": abs_url(paper.arxiv_id),
    }
    return _misc(paper.arxiv_id, fields)


def _misc(key: str, fields: Mapping[str, str]) -> str:
    lines = (f"  {name} = {{{value}}}" for name, value in fields.items() if value)
    return f"@misc{{{key},\n" + ",\n".join(lines) + "\n}\n"


def escaped(text: str) -> str:
    """*text* as TeX: a formula of known TeX is kept, every other special sign is escaped."""
    shown, made, at = clean(text), list[str](), 0
    for start, end in formulas(shown):
        if _can_stand(shown[start:end]):
            made += [shown[at:start].translate(_ESCAPED), shown[start:end]]
            at = end
    return "".join([*made, shown[at:].translate(_ESCAPED)])


def _can_stand(maths: str) -> bool:
    """Whether *maths* is in a line, of known TeX alone, and keeps its braces balanced."""
    depth = 0
    for sign in maths:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth < 0:
            return False
    in_a_line = maths.startswith(("$", r"\(")) and not maths.startswith("$$")
    return in_a_line and depth == 0 and is_known(maths)


def _name(name: str) -> str:
    """An author; one whose name BibTeX would take apart (a comma, an `and`) is braced."""
    text = escaped(name)
    return f"{{{text}}}" if _PROTECTED_NAME.search(text) else text


def _verbatim(text: str) -> str:
    found = clean(text)
    return found if _VERBATIM.fullmatch(found) else ""
