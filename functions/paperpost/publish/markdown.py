"""Markdown digests in the layout that readers know: a table, then one footnote a paper."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from paperpost.domain.blocks import Block, block
from paperpost.domain.errors import RecordError
from paperpost.domain.ids import abs_url, newest_first
from paperpost.domain.records import Record
from paperpost.publish.gfm import escaped, paragraph

_TABLE = "# 摘要\n\n| Ref | Title | Summary |\n| --- | --- | --- |\n"
_DETAILS = "\n\n# 详细\n\n"
_END = "\n\n"
_PENDING = "翻译待补"

# The archive's own rules: see render_archive.
_OLD_SUFFIX = re.compile(r"\s*\(arXiv.+")
_NEEDED = ("tldr", "translated_title", "translated_abstract")


def digest(records: Iterable[Record], minimal: dict[str, str] | None = None) -> bytes:
    """
    The digest of *records*: every listing, newest announcement and id first, text escaped.

    Of a paper that cannot be rendered it has title and link, and *minimal* learns id → problem;
    without *minimal*, what is wrong is raised.
    """
    ordered = sorted(
        records,
        key=lambda r: (r.listing.announced_on, newest_first(r.arxiv_id)),
        reverse=True,
    )
    written = [_written(n, record, minimal) for n, record in enumerate(ordered, 1)]
    rows = "\n".join(row for row, _ in written)
    notes = "\n".join(note for _, note in written)
    return f"{_TABLE}{rows}{_DETAILS}{notes}{_END}".encode()


def _written(number: int, record: Record, minimal: dict[str, str] | None) -> tuple[str, str]:
    """A paper's row and footnote."""
    try:
        return _row(number, record), _note(number, record)
    except Exception as exc:  # any text may be odd in any way; it is counted, and rings
        if minimal is None:
            raise
        minimal[record.arxiv_id] = f"{type(exc).__name__}: {exc}"
        link = f"[{record.arxiv_id}]({abs_url(record.arxiv_id)})"
        title = escaped(str(record.paper.title or "")) or record.arxiv_id
        return f"| [^{number}] | {title} · {link} | |", f"[^{number}]: {title}\n\n    {link}\n    "


def _row(number: int, record: Record) -> str:
    shown = block(record, "both")
    title = f"[{escaped(record.paper.title) or shown.arxiv_id}]({shown.abs_url})"
    words = " · ".join((title, *shown.badges, *([_PENDING] if shown.pending else ())))
    return f"| [^{number}] | {words} | {_summary(shown, escaped)} |"


def _note(number: int, record: Record) -> str:
    """The footnote; a paragraph that has nothing to say is left out."""
    shown = block(record, "both")
    title = _PENDING if shown.pending else paragraph(shown.title.text) or shown.arxiv_id
    model = escaped(shown.model or block(record, "en").model)
    paragraphs = (
        paragraph(record.paper.title),
        f"[{shown.abs_url}]({shown.abs_url})",
        _summary(shown, paragraph),
        paragraph(record.tldr("en")),
        *(paragraph(abstract.text) for abstract in shown.abstracts),
        f"机器翻译：{model}" if model else "",
    )
    heading = " · ".join((title, *shown.badges))
    indented = "\n\n".join(f"    {text}" for text in paragraphs if text)
    return f"[^{number}]: {heading}\n\n{indented}\n    "


def _summary(shown: Block, written: Callable[[str], str]) -> str:
    text = written(shown.tldr.text)
    return f"{text}（摘自原文）" if text and shown.tldr_is_extract else text


def read_archive(lines: Iterable[str], *, name: str) -> list[Mapping[str, Any]]:
    """
    Return the papers of an archive file of the original system: JSON lines.

    Raises: RecordError: With *name* and the number of the line that is not a paper.
    """
    papers = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            paper = json.loads(line)
        except json.JSONDecodeError as exc:
            raise RecordError(f"{name}, line {number}: {exc}") from exc
        wrong = _what_is_wrong(paper)
        if wrong:
            raise RecordError(f"{name}, line {number}: {wrong}")
        papers.append(paper)
    return papers


def render_archive(papers: Iterable[Mapping[str, Any]]) -> bytes:
    """
    Return the digest exactly as the original system wrote it, byte for byte: nothing is escaped.

    A paper without a TL;DR, Chinese title or Chinese abstract is left out; the order is that of the
    links, descending.
    """
    whole = [paper for paper in papers if all(paper.get(key) for key in _NEEDED)]
    ordered = list(enumerate(sorted(whole, key=lambda p: str(p["link"]), reverse=True), 1))
    rows = "\n".join(_archive_row(n, paper) for n, paper in ordered)
    notes = "\n".join(_archive_note(n, paper) for n, paper in ordered)
    return f"{_TABLE}{rows}{_DETAILS}{notes}{_END}".encode()


def _archive_row(number: int, paper: Mapping[str, Any]) -> str:
    title = _OLD_SUFFIX.sub("", paper["title"]).replace("\n", " ")
    return f"| [^{number}] | [{title}]({paper['link']}) | {paper['tldr']} |"


def _archive_note(number: int, paper: Mapping[str, Any]) -> str:
    paragraphs: Sequence[str] = (
        paper["title"],
        f"[{paper['link']}]({paper['link']})",
        paper["tldr"],
        paper.get("en_tldr") or "",
        paper["translated_abstract"],
        paper["abstract"],
    )
    indented = "\n\n".join(f"    {text}" for text in paragraphs)
    return f"[^{number}]: {paper['translated_title']}\n\n{indented}\n    "


def _what_is_wrong(paper: object) -> str:
    if not isinstance(paper, dict):
        return "not an object"
    missing = [key for key in ("link", "title", "abstract") if not isinstance(paper.get(key), str)]
    return f"field {missing[0]!r} is missing" if missing else ""
