"""The papers of a day page as HTML, with as many abstracts as the page has room for."""

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice

from markupsafe import Markup, escape

from paperpost.domain.blocks import block
from paperpost.domain.ids import abs_url
from paperpost.domain.pageroom import Abstracts, PagePaper, abstracts_shown
from paperpost.domain.records import Record
from paperpost.domain.text import clean
from paperpost.publish.days import Section
from paperpost.rendering import render


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSection:
    """A section of a day page with its papers as HTML."""

    id: str
    zh: str
    en: str
    papers: tuple[Markup, ...]
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """How many papers lack all abstracts, and how many only the English one."""

    whole: int
    english: int

    @property
    def any(self) -> bool:
        """Whether there is something to say."""
        return bool(self.whole or self.english)


def fitting(
    wanted: Sequence[Section], *, contact_mail: str, minimal: dict[str, str]
) -> tuple[list[ShownSection], LeftOut]:
    """
    Return the sections with as many abstracts as the page has room for, and how many lack some.

    Papers that can be shown in minimal form alone are noted in *minimal*: id → problem.
    """
    listed = [(section.id, record) for section in wanted for record in section.records]

    @cache  # most pages show all, so what is left out elsewhere is not rendered for them
    def paper(place: int, left: Abstracts) -> Markup:
        return _block(listed[place][1], left, contact_mail, minimal)

    shown = abstracts_shown(
        [
            PagePaper(section=section, bilingual=bool(record.enrichment("zh")))
            for section, record in listed
        ],
        lambda chosen: packed(paper(n, left) for n, left in enumerate(chosen)),
    )
    chosen = iter(paper(n, left) for n, left in enumerate(shown))
    filled = [
        ShownSection(
            id=section.id,
            zh=section.zh,
            en=section.en,
            papers=tuple(islice(chosen, len(section.records))),
            closed=section.closed,
        )
        for section in wanted
    ]
    return filled, LeftOut(
        whole=shown.count(Abstracts.NONE), english=shown.count(Abstracts.CHINESE)
    )


def packed(blocks: Iterable[Markup]) -> int:
    """What *blocks* weigh on the wire, in bytes."""
    return len(gzip.compress("".join(blocks).encode(), compresslevel=6, mtime=0))


def _block(record: Record, left: Abstracts, contact_mail: str, minimal: dict[str, str]) -> Markup:
    """One paper's block with what is *left* of its abstracts; a broken one's is minimal."""
    try:
        html = render(
            "blocks/page.html",
            both=block(record, "both"),
            en=block(record, "en"),
            left=left.name,
            contact_mail=contact_mail,
        )
    except Exception as exc:  # noqa: BLE001  whatever is wrong with one, the page is published
        minimal[record.arxiv_id] = f"{type(exc).__name__}: {exc}"
        html = _minimal_block(record)
    return Markup(html)  # noqa: S704  the templates and escape() made it safe


def _minimal_block(record: Record) -> str:
    arxiv_id, url = escape(record.arxiv_id), escape(abs_url(record.arxiv_id))
    title = escape(clean(str(record.paper.title or "")) or record.arxiv_id)
    return (
        f'<article class="paper pending" id="{arxiv_id}"><h3><a href="{url}">'
        f'<span class="en" lang="en">{title}</span></a></h3></article>\n'
    )
