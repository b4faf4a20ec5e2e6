"""Views: a paper's block with everything that a mail's templates show of it."""

from dataclasses import dataclass, replace
from datetime import date

from markupsafe import Markup

from paperpost.deliver.plaintext import wrapped
from paperpost.deliver.words import Words
from paperpost.domain.blocks import Block, Passage, block
from paperpost.domain.ids import abs_url
from paperpost.domain.plainmath import plain, sources_marked
from paperpost.domain.records import Record
from paperpost.domain.rules import author_matches, hits
from paperpost.domain.subscribers import Rule
from paperpost.domain.text import clean

# A fixed-width face looks larger than the text around it.
_CODE = '<code style="font-size:14px">'

# HTML in parts, each with whether it is what the reader's rule looks for.
Pieces = tuple[tuple[Markup, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What `blocks/mail.html` and `blocks/mail.txt` show; `…_text` is wrapped for the text part."""

    arxiv_id: str
    why: str
    title: Pieces
    title_lang: str
    subtitle: Pieces
    tldr: Markup
    tldr_lang: str
    marks: str
    authors: Pieces
    facts: str
    note: str
    abstracts: tuple[tuple[str, Pieces], ...]
    abs_url: str
    pdf_url: str
    html_url: str
    bibtex_url: str
    why_text: str
    title_text: str
    subtitle_text: str
    tldr_text: str
    meta_text: str
    abstract_texts: tuple[str, ...]
    line_text: str


def view(
    record: Record,
    language: str,
    words: Words,
    *,
    rule: Rule | None,
    late_on: date | None,
    abstracts: bool,
) -> View:
    """The view of *record*, with the reader's *rule* named and its hits marked."""
    shown = _plain_block(block(record, language))
    facts = [shown.categories, *shown.badges]
    note = ""
    if late_on is not None:
        note = words.late_note(late_on)
        facts.append(note)
    facts_text = " · ".join(facts)
    tldr = shown.tldr.text
    marks = [words.pending] if shown.pending else []
    marks += [words.extract] if shown.tldr_is_extract and tldr else []
    title_rule = rule if rule and rule.field in {"title", "text"} else None
    abstract_rule = rule if rule and rule.field in {"abstract", "text"} else None
    passages = shown.abstracts if abstracts else ()
    why = clean(words.named_rule(rule)) if rule else ""
    return View(
        arxiv_id=shown.arxiv_id,
        why=why,
        title=_marked(shown.title.text, title_rule),
        title_lang=shown.title.lang,
        subtitle=_marked(shown.subtitle.text, title_rule) if shown.subtitle else (),
        tldr=_html(tldr),
        tldr_lang=shown.tldr.lang,
        marks=" · ".join(marks),
        authors=_authors(shown, record, rule),
        facts=facts_text,
        note=note,
        abstracts=tuple((p.lang, _marked(p.text, abstract_rule)) for p in passages),
        abs_url=shown.abs_url,
        pdf_url=shown.pdf_url,
        html_url=shown.html_url,
        bibtex_url=shown.bibtex_url,
        why_text=wrapped(f"{words.rule}{why}") if why else "",
        title_text=wrapped(shown.title.text),
        subtitle_text=wrapped(shown.subtitle.text) if shown.subtitle else "",
        tldr_text=wrapped(" ".join([*(f"[{mark}]" for mark in marks), tldr]).strip()),
        meta_text=wrapped(f"{shown.authors} · {facts_text}" if shown.authors else facts_text),
        abstract_texts=tuple(wrapped(p.text) for p in passages),
        line_text=wrapped(" · ".join(filter(None, (shown.title.text, shown.arxiv_id, note)))),
    )


def minimal_view(record: Record) -> View:
    """Id, title and link: what remains of a paper that cannot be shown otherwise."""
    title = clean(record.paper.title) or record.arxiv_id
    return View(
        arxiv_id=record.arxiv_id,
        why="",
        title=((_html(title), False),),
        title_lang="en",
        subtitle=(),
        tldr=Markup(),
        tldr_lang="en",
        marks="",
        authors=(),
        facts=record.listing.category,
        note="",
        abstracts=(),
        abs_url=abs_url(record.arxiv_id),
        pdf_url=abs_url(record.arxiv_id),
        html_url=abs_url(record.arxiv_id),
        bibtex_url=abs_url(record.arxiv_id),
        why_text="",
        title_text=wrapped(title),
        subtitle_text="",
        tldr_text="",
        meta_text=record.listing.category,
        abstract_texts=(),
        line_text=wrapped(f"{title} · {record.arxiv_id}"),
    )


def _marked(text: str, rule: Rule | None) -> Pieces:
    spans = hits(rule, text) if rule else []
    return _cut(text, spans)


def _authors(shown: Block, record: Record, rule: Rule | None) -> Pieces:
    """The authors' line, with whom an author rule looks for marked if named there."""
    spans: list[tuple[int, int]] = []
    if rule and rule.field == "author":
        names = [clean(a.name) for a in record.paper.authors if author_matches(rule, a.name)]
        starts = [(shown.authors.find(name), len(name)) for name in names]
        spans = sorted((start, start + length) for start, length in starts if start >= 0)
    return _cut(shown.authors, spans)


def _cut(text: str, spans: list[tuple[int, int]]) -> Pieces:
    """*text* in parts, those of *spans* marked; overlaps belong to the earlier span."""
    pieces: list[tuple[str, bool]] = []
    done = 0
    for start, end in spans:
        if start < done:
            continue
        pieces += [(text[done:start], False), (text[start:end], True)]
        done = end
    pieces.append((text[done:], False))
    return tuple((_html(piece), is_hit) for piece, is_hit in pieces if piece)


def _plain_block(shown: Block) -> Block:
    """*shown* with its formulas in Unicode; no mail program shows MathML for certain."""
    return replace(
        shown,
        title=_plain(shown.title),
        subtitle=_plain(shown.subtitle) if shown.subtitle else None,
        tldr=_plain(shown.tldr),
        abstracts=tuple(map(_plain, shown.abstracts)),
    )


def _plain(passage: Passage) -> Passage:
    return Passage(plain(passage.text), passage.lang)


def _html(text: str) -> Markup:
    return Markup(sources_marked(text, opening=_CODE))  # noqa: S704  made of escaped text and our tag alone
