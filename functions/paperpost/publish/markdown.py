"""Markdown digests in the layout that readers know: a table, then one footnote a paper."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from paperpost.domain.blocks import badges
from paperpost.domain.errors import RecordError
from paperpost.domain.ids import abs_url, newest_first
from paperpost.domain.records import Record
from paperpost.domain.text import clean

_TABLE = "# 摘要\n\n| Ref | Title | Summary |\n| --- | --- | --- |\n"
_DETAILS = "\n\n# 详细\n\n"
_END = "\n\n"

# Every ASCII punctuation mark may follow a backslash in CommonMark
# (https://spec.commonmark.org/0.31.2/#backslash-escapes, read 2026-11-23); these are the ones that
# would start something: code, emphasis, links, tables, HTML, entities, maths, mentions, issues.
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|$~#&!@]")
# What starts a list or a heading rule at the beginning of a paragraph.
_BLOCK_START = re.compile(r"^(\d+)([.)])(?=\s|$)|^([-+=])")

# The archive's own rules: see render_archive.
_OLD_SUFFIX = re.compile(r"\s*\(arXiv.+")
_NEEDED = ("tldr", "translated_title", "translated_abstract")


def digest(records: Iterable[Record]) -> bytes:
    """The digest of *records*: every listing, newest announcement and id first, text escaped."""
    ordered = sorted(
        records,
        key=lambda r: (r.listing.announced_on, newest_first(r.arxiv_id)),
        reverse=True,
    )
    numbered = list(enumerate(ordered, 1))
    rows = "\n".join(_row(n, record) for n, record in numbered)
    notes = "\n".join(_note(n, record) for n, record in numbered)
    return f"{_TABLE}{rows}{_DETAILS}{notes}{_END}".encode()


def escaped(text: str) -> str:
    """*text* on one line so that Markdown shows it as it was written."""
    plain = _SPECIAL.sub(lambda mark: "\\" + mark[0], clean(text))
    return _BLOCK_START.sub(
        lambda start: f"{start[1]}\\{start[2]}" if start[1] else f"\\{start[3]}", plain
    )


def _row(number: int, record: Record) -> str:
    title = f"[{escaped(record.paper.title)}]({abs_url(record.arxiv_id)})"
    words = " · ".join((title, *badges(record, chinese=True)))
    return f"| [^{number}] | {words} | {_summary(record)} |"


def _note(number: int, record: Record) -> str:
    paper, link = record.paper, abs_url(record.arxiv_id)
    chinese = record.enrichment("zh")
    paragraphs = [
        escaped(paper.title),
        f"[{link}]({link})",
        _summary(record),
        escaped(record.tldr("en")),
        escaped(chinese.abstract) if chinese else "",
        escaped(paper.abstract),
    ]
    heading = escaped(chinese.title) if chinese and chinese.title else "翻译待补"
    indented = "\n\n".join(f"    {text}" for text in paragraphs if text)
    return f"[^{number}]: {heading}\n\n{indented}\n    "


def _summary(record: Record) -> str:
    return escaped(record.tldr("zh")) or f"{escaped(record.extract)}（摘自原文）"


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
