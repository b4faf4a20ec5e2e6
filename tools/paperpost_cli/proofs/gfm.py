"""What a reader on GitHub sees of a digest: rendered by its cmark-gfm, read back as text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import html5lib
from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options

from paperpost.domain.blocks import badges
from paperpost.domain.records import Record
from paperpost.domain.text import clean

# What GitHub makes of text after its parser, one text node at a time. Whether there is such a user,
# emoji or commit is not asked, so this finds more than GitHub would. Sources: publish/gfm.py.
_LOOKED_FOR = {
    "a formula": re.compile(r"\$.*\$"),
    "an emoji": re.compile(r":[A-Za-z0-9_+-]+:"),
}
_LOOKED_FOR_OUTSIDE_LINKS = {
    "a mention": re.compile(r"(?:^|[^A-Za-z0-9_])@[A-Za-z0-9]"),
    "an issue": re.compile(r"#\d|(?:^|\W)GH-\d", re.IGNORECASE),
    "a commit": re.compile(r"[A-Za-z0-9._-]@[0-9a-f]{7,40}\b"),
    "an address": re.compile(r"(?:https?|ftp)://|\bwww\.|[\w.+-]@[\w-]+\.[\w.-]*[A-Za-z]"),
}
# The template language of GitHub Pages reads the source, before any Markdown.
_LIQUID = re.compile(r"\{[{%]")

# Marks, and what is built of them: for random text.
TOKENS: Sequence[str] = (
    *"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    *("a", "b1", "Z", "7", "é", "中", "。", "—", "²", " ", " ", " ", "\n", "    ", "\t", "\u200b"),
    *("$$", "$x$", "\\$", "\\(", "\\[", "\\\\", "$`", "`$", "``", "```", "~~", "~~~", "**", "__"),
    *("[^1]", "[^1]:", "](", "](x)", "[x](y)", "![", "[ ]", "<b>", "</b>", "<a@b.co>", "<!--"),
    *("-->", "<https://x.y>", "<br>", "&amp;", "&#36;", "&copy", "http://", "https://x.y", "www."),
    *("www.x.y", "ftp://a.b", "mailto:", "xmpp:", "a@b.co", "@user", "mAP@0.5", "#1", "u/r#1"),
    *("GH-1", "u@a5c3785ed8", ":smile:", ":+1:", "{{", "}}", "{%", "%}", "# ", "## ", "- ", "+ "),
    *("1. ", "2) ", "> ", "---", "***", "===", "- - -", ": ", "\\alpha", "x_1", "x_{i}", "_a_"),
    *("^1", "^7"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """
    A digest as it is seen, white space folded.

    `rows`: title cell and summary; `notes`: the paragraphs. `faults`: what is there beyond text.
    """

    rows: tuple[tuple[str, str], ...]
    notes: tuple[tuple[str, ...], ...]
    faults: tuple[str, ...] = ()


def differences(digest: bytes, records: Sequence[Record]) -> list[str]:
    """What *digest* shows otherwise than *records* (in its order) have it written."""
    seen, wanted = shown(digest), as_written(records)
    found, due = (*seen.rows, *seen.notes), (*wanted.rows, *wanted.notes)
    counts = [f"{len(found)} rows and notes, not {len(due)}"] * (len(found) != len(due))
    pairs = zip(found, due, strict=False)
    return [*seen.faults, *counts, *(f"{f!r}, not {d!r}" for f, d in pairs if f != d)]


def as_written(records: Sequence[Record]) -> Shown:
    """What of *records* is to be seen, in their order."""
    return Shown(
        rows=tuple((_title_cell(record), _summary(record)) for record in records),
        notes=tuple(_paragraphs(record) for record in records),
    )


def shown(digest: bytes) -> Shown:
    """What GitHub shows of *digest*; `faults` is empty if its own layout is all there is."""
    text = digest.decode()
    _, body = html5lib.parse(rendered(text), namespaceHTMLElements=False)
    faults = [*_layout_faults(body), *(f"{m} in the source" for m in _LIQUID.findall(text))]
    rows, notes = [], []
    for _, title, summary in (row.findall("td") for row in body.findall("table/tbody/tr")):
        faults += [*_faults(title, links=True), *_faults(summary, links=False)]
        rows.append((_text(title), _text(summary)))
    for note in body.findall("section/ol/li"):
        _drop_back_reference(note)
        faults += [f"<{part.tag}> in a footnote" for part in note if part.tag != "p"]
        faults += [fault for part in note for fault in _faults(part, links=_is_address(part))]
        faults += ["not one address in a footnote"] * (sum(map(_is_address, note)) != 1)
        notes.append(tuple(_text(part) for part in note))
    return Shown(rows=tuple(rows), notes=tuple(notes), faults=tuple(faults))


def rendered(markdown: str) -> str:
    """HTML as cmark-gfm makes it, with its extensions: tables, footnotes, autolinks."""
    options = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
    html: str = github_flavored_markdown_to_html(markdown, options)
    return html


def _title_cell(record: Record) -> str:
    pending = () if record.enrichment("zh") else ("翻译待补",)
    title = clean(record.paper.title) or record.arxiv_id
    return " · ".join((title, *badges(record, chinese=True), *pending))


def _summary(record: Record) -> str:
    sentence = record.extract
    return clean(record.tldr("zh")) or (f"{sentence}（摘自原文）" if sentence else "")


def _paragraphs(record: Record) -> tuple[str, ...]:
    chinese, english = record.enrichment("zh"), record.enrichment("en")
    title = (clean(chinese.title) or record.arxiv_id) if chinese else "翻译待补"
    model = clean(chinese.model if chinese else english.model if english else "")
    said = (
        " · ".join((title, *badges(record, chinese=True))),
        clean(record.paper.title),
        f"https://arxiv.org/abs/{record.arxiv_id}",
        _summary(record),
        clean(record.tldr("en")),
        clean(chinese.abstract) if chinese else "",
        clean(record.paper.abstract),
        f"机器翻译：{model}" if model else "",
    )
    return tuple(text for text in said if text)


def _layout_faults(body: Element) -> Iterator[str]:
    """Two headings, a table between them, and the footnotes behind them."""
    tags = [child.tag for child in body]
    if tags != ["h1", "table", "h1", "section"]:
        yield f"the page is made of {tags}"


def _is_address(part: Element) -> bool:
    """Whether this is a note's paragraph that holds the paper's address alone, as a link."""
    return [child.attrib.get("href") for child in part] == [_text(part)]


def _faults(part: Element, *, links: bool) -> Iterator[str]:
    """Elements in *part* that no layout made, and text in it of which GitHub makes more."""
    for element in part.iter():
        if element is part or (links and element.tag == "a" and _leads_to_paper(element)):
            continue
        if element.tag != "span" or element.attrib or len(element.text or "") != 1:
            yield f"<{element.tag}> in {_text(part)!r}"
    for node, linked in _text_nodes(part, linked=False):
        wanted = _LOOKED_FOR if linked else {**_LOOKED_FOR, **_LOOKED_FOR_OUTSIDE_LINKS}
        yield from (f"{name} in {node!r}" for name, form in wanted.items() if form.search(node))


def _leads_to_paper(link: Element) -> bool:
    return set(link.attrib) == {"href"} and link.attrib["href"].startswith("https://arxiv.org/abs/")


def _text_nodes(element: Element, *, linked: bool) -> Iterator[tuple[str, bool]]:
    """The text nodes below *element*, and whether they stand in a link."""
    inside = linked or element.tag == "a"
    yield element.text or "", inside
    for child in element:
        yield from _text_nodes(child, linked=inside)
        yield child.tail or "", inside


def _drop_back_reference(note: Element) -> None:
    """Take out the arrow that the parser puts behind a footnote."""
    for part in note:
        for link in [child for child in part if "data-footnote-backref" in child.attrib]:
            part.remove(link)


def _text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())
