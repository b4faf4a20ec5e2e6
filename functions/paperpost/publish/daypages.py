"""The page of one announcement: every paper's block, and as many abstracts as a phone can load."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from markupsafe import Markup, escape

from paperpost.domain.blocks import block
from paperpost.domain.categories import Category
from paperpost.domain.ids import abs_url
from paperpost.domain.records import Record
from paperpost.domain.text import clean
from paperpost.publish.abstracts import Abstracts, Plan, fitting
from paperpost.publish.days import Day, Section, counts, sections
from paperpost.publish.pages import SiteFacts, page
from paperpost.rendering import render


@dataclass(frozen=True, slots=True, kw_only=True)
class _ShownSection:
    id: str
    zh: str
    en: str
    papers: tuple[Markup, ...]
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page's bytes, and the papers on it that are shown in minimal form: id → problem."""

    body: bytes
    minimal: Mapping[str, str]


def day_page(
    facts: SiteFacts,
    category: Category,
    day: Day,
    *,
    previous: date | None,
    following: date | None,
    has_feed: bool,
) -> Page:
    """`<category>/<date>.html` of an announcement, with the abstracts that there is room for."""
    minimal: dict[str, str] = {}
    found = sections(day)
    by_id = {record.arxiv_id: record for section in found for record in section.records}

    @cache
    def paper(arxiv_id: str, abstracts: Abstracts) -> Markup:
        return _paper(by_id[arxiv_id], facts, minimal, abstracts)

    def body(plan: Plan) -> bytes:
        return page(
            "site/day.html",
            facts,
            root="../",
            category=category,
            day=counts(day, facts.languages),
            receipt=day.receipt(facts.languages),
            sections=[_shown(section, plan, paper) for section in found],
            is_shortened=plan.is_short,
            previous=previous,
            next=following,
            has_feed=has_feed,
            next_at=facts.next_after(day.announced_on),
        )

    sizes = {section.id: len(section.records) for section in found}
    return Page(body=fitting(body, sizes), minimal=minimal)


def _shown(
    section: Section, plan: Plan, paper: Callable[[str, Abstracts], Markup]
) -> _ShownSection:
    ids = [record.arxiv_id for record in section.records]
    return _ShownSection(
        id=section.id,
        zh=section.zh,
        en=section.en,
        papers=tuple(paper(i, plan.abstracts(section.id, n)) for n, i in enumerate(ids)),
        closed=section.closed,
    )


def _paper(
    record: Record, facts: SiteFacts, minimal: dict[str, str], abstracts: Abstracts
) -> Markup:
    """One paper's block; one that cannot be rendered is shown by id, title and link."""
    try:
        both = block(record, "both")
        html = render(
            "blocks/page.html",
            both=both,
            en=block(record, "en"),
            abstracts=abstracts.of([passage for passage in both.abstracts if passage.text]),
            contact_mail=facts.contact_mail,
        )
    except Exception as exc:  # noqa: BLE001  whatever is wrong with one, the page is published
        minimal[record.arxiv_id] = f"{type(exc).__name__}: {exc}"
        arxiv_id, url = escape(record.arxiv_id), escape(abs_url(record.arxiv_id))
        title = escape(clean(str(record.paper.title or "")) or record.arxiv_id)
        html = (
            f'<article class="paper pending" id="{arxiv_id}"><h3><a href="{url}">'
            f'<span class="en" lang="en">{title}</span></a></h3></article>\n'
        )
    return Markup(html)  # noqa: S704  the template and escape() made it safe
