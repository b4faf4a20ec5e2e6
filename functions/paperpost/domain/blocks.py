"""A block: one paper as mail, page and feed show it, in the order that readers learn once."""

from dataclasses import dataclass

from paperpost.domain.ids import abs_url, bibtex_url, html_url, pdf_url
from paperpost.domain.papers import AnnounceType, Paper
from paperpost.domain.records import Record
from paperpost.domain.text import clean

_AUTHORS_SHOWN = 3
# Whoever looks for one of a collaboration's thousands looks for the collaboration, whose name is
# first; the names of a few such papers would weigh more than a page.
_AUTHORS_FOUND = 200
_BADGES = {
    AnnounceType.CROSS: ("交叉列表", "cross-list"),
    AnnounceType.REPLACE: ("更新版", "replacement"),
    AnnounceType.REPLACE_CROSS: ("更新版", "replacement"),
}
_HTML_LANG = {"zh": "zh-Hans", "en": "en"}


@dataclass(frozen=True, slots=True)
class Passage:
    """A text with the language to mark it up with (`zh-Hans` or `en`)."""

    text: str
    lang: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """
    What there is to show of a paper to a reader of one language (`zh`, `en` or `both`).

    `subtitle` is the original title under a translated one, for readers of both, else None.
    `tldr_is_extract`: the sentence is the author's own, to be marked as from the abstract.
    `pending`: the translation that this reader expects is not there. `more_authors`: the names that
    `authors` only counts, for a filter to look through. `abstracts` holds the reader's languages,
    Chinese first. `model` names who translated, or is ''.
    """

    arxiv_id: str
    title: Passage
    subtitle: Passage | None
    tldr: Passage
    tldr_is_extract: bool
    pending: bool
    authors: str
    more_authors: str
    categories: str
    badges: tuple[str, ...]
    withdrawn: bool
    abstracts: tuple[Passage, ...]
    model: str
    abs_url: str
    pdf_url: str
    html_url: str
    bibtex_url: str


def block(record: Record, language: str) -> Block:
    """The block of *record* for a reader of *language*: zh, en or both (Chinese first)."""
    chinese = language != "en"
    paper = record.paper
    enrichment = record.enrichment("zh") if chinese else None
    # A title is a link: it must not be empty, whatever a source or a model left out.
    original = Passage(clean(paper.title) or paper.arxiv_id, "en")
    translated = clean(enrichment.title) if enrichment else ""
    tldr = record.tldr("zh" if chinese else "en")
    abstracts = []
    if enrichment and enrichment.abstract:
        abstracts.append(Passage(clean(enrichment.abstract), "zh-Hans"))
    if language != "zh" or not abstracts:
        abstracts.append(Passage(clean(paper.abstract), "en"))
    shown = enrichment or (record.enrichment("en") if not chinese else None)
    return Block(
        arxiv_id=paper.arxiv_id,
        title=Passage(translated, "zh-Hans") if translated else original,
        subtitle=original if translated and language == "both" else None,
        tldr=Passage(clean(tldr), _HTML_LANG["zh" if chinese else "en"])
        if tldr
        else Passage(record.extract, "en"),
        tldr_is_extract=not tldr,
        pending=chinese and enrichment is None,
        authors=authors_line(paper, chinese=chinese),
        more_authors=", ".join(clean(a.name) for a in paper.authors[_AUTHORS_SHOWN:_AUTHORS_FOUND]),
        categories=categories_line(paper),
        badges=badges(record, chinese=chinese),
        withdrawn=paper.withdrawn,
        abstracts=tuple(abstracts),
        model=shown.model if shown else "",
        abs_url=abs_url(paper.arxiv_id),
        pdf_url=pdf_url(paper.arxiv_id),
        html_url=html_url(paper.arxiv_id),
        bibtex_url=bibtex_url(paper.arxiv_id),
    )


def authors_line(paper: Paper, *, chinese: bool) -> str:
    """The first three authors, and how many there are (Chinese) or how many more (English)."""
    names = [clean(a.name) for a in paper.authors]
    if len(names) <= _AUTHORS_SHOWN:
        return ", ".join(names)
    shown = ", ".join(names[:_AUTHORS_SHOWN])
    if chinese:
        return f"{shown} 等\N{NO-BREAK SPACE}{len(names)}\N{NO-BREAK SPACE}人"
    others = len(names) - _AUTHORS_SHOWN
    return f"{shown} and {others} other{'s' if others > 1 else ''}"


def categories_line(paper: Paper) -> str:
    """The primary category, an arrow, and the categories it is cross-listed to."""
    crossed = paper.categories[1:]
    return f"{paper.primary} ← {', '.join(crossed)}" if crossed else paper.primary


def badges(record: Record, *, chinese: bool) -> tuple[str, ...]:
    """In words: that it is withdrawn, a cross-list or a replacement, and which version."""
    words = []
    if record.paper.withdrawn:
        words.append("已撤稿" if chinese else "withdrawn")
    named = _BADGES.get(record.listing.announce_type)
    if named:
        words.append(named[0] if chinese else named[1])
    if record.paper.version > 1:
        words.append(f"v{record.paper.version}")
    return tuple(words)
