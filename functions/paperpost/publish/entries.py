"""From records to feed entries: who is in a feed, under which id and date, and with what text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from markupsafe import escape

from paperpost.domain.announcements import EASTERN
from paperpost.domain.blocks import block
from paperpost.domain.ids import abs_url, pdf_url
from paperpost.domain.plainmath import plain
from paperpost.domain.records import Record, reading_order
from paperpost.domain.text import clean
from paperpost.domain.windows import Detail
from paperpost.rendering import render

# RFC 4151: `tag:` authority "," date ":" specific. The id names the paper, not the place where it
# is published: it is the same in every feed, on every site and after a move of the site, so that
# no reader ever shows a paper twice. 2026 is the year in which this scheme was minted.
TAG = "tag:paperpost,2026:"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPaper:
    """
    One entry-to-be: the record of its first listing with the newest text, and its two times.

    `published_at` is midnight (Eastern) of the announcement, as arXiv's own feed dates it;
    `changed_at` moves when the paper itself changes. Both come from the data.
    """

    record: Record
    published_at: datetime
    changed_at: datetime

    def updated_at(self, language: str) -> datetime:
        """When something changed that an entry in *language* (zh, en or both) shows."""
        shown = self.record.enrichment("en" if language == "en" else "zh")
        return max(self.changed_at, shown.updated_at) if shown else self.changed_at


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedDay:
    """One announcement day of a feed, its papers in reading order."""

    announced_on: date
    papers: tuple[FeedPaper, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    One paper as one feed shows it; all text is safe for XML, `html` is escaped markup.

    `problem`: why it is a minimal entry, or ''.
    """

    arxiv_id: str
    title: str
    summary: str
    html: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    published_at: datetime
    updated_at: datetime
    problem: str = ""

    @property
    def tag(self) -> str:
        """The entry's id, for ever."""
        return tag_of(self.arxiv_id)

    @property
    def url(self) -> str:
        """The abstract page."""
        return abs_url(self.arxiv_id)

    @property
    def pdf_url(self) -> str:
        """The PDF."""
        return pdf_url(self.arxiv_id)


def tag_of(arxiv_id: str) -> str:
    """The id of a paper's entry in every feed."""
    return TAG + arxiv_id


def feed_days(records: Iterable[Record], *, replacements: bool = False) -> tuple[FeedDay, ...]:
    """
    Return the days that a feed can hold, newest first, each paper once with its newest text.

    A paper stands at its first new or cross listing; a replacement renews the entry that is there
    and is one by itself only where *replacements* asks for it.
    """
    by_id: dict[str, list[Record]] = {}
    for record in records:
        by_id.setdefault(record.arxiv_id, []).append(record)
    days: dict[date, list[FeedPaper]] = {}
    for listed in by_id.values():
        firsts = [r for r in listed if not r.listing.announce_type.is_replacement]
        if firsts or replacements:
            paper = _feed_paper(firsts, listed)
            days.setdefault(paper.record.listing.announced_on, []).append(paper)
    return tuple(
        FeedDay(
            announced_on=on,
            papers=tuple(sorted(days[on], key=lambda paper: reading_order(paper.record))),
        )
        for on in sorted(days, reverse=True)
    )


def _feed_paper(firsts: Sequence[Record], listed: Sequence[Record]) -> FeedPaper:
    shown_at = min(firsts, key=_listed_on) if firsts else max(listed, key=_listed_on)
    newest = max(listed, key=lambda r: (r.paper.version, _listed_on(r)))
    record = Record(paper=newest.paper, listing=shown_at.listing, enrichments=newest.enrichments)
    times = [
        *(midnight(_listed_on(r)) for r in listed),
        *([newest.paper.updated_at] if newest.paper.updated_at else []),
    ]
    return FeedPaper(
        record=record, published_at=midnight(_listed_on(shown_at)), changed_at=max(times)
    )


def make_entry(paper: FeedPaper, language: str, detail: Detail, *, contact_mail: str) -> Entry:
    """
    Return the entry of *paper* in a feed of *language* (zh, en or both).

    A paper that cannot be rendered becomes a minimal entry: it never fails its feed.
    """
    try:
        return _entry(paper, language, detail, contact_mail)
    except Exception as exc:  # noqa: BLE001  whatever is wrong with one, the others are published
        return _minimal(paper, language, problem=f"{type(exc).__name__}: {exc}")


def _entry(paper: FeedPaper, language: str, detail: Detail, contact_mail: str) -> Entry:
    shown = block(paper.record, language)
    html = render(
        "blocks/feed.html",
        block=shown,
        language=language,
        detail=int(detail),
        contact_mail=contact_mail,
    )
    return Entry(
        arxiv_id=paper.record.arxiv_id,
        title=shown.title.text or paper.record.arxiv_id,
        summary=plain(shown.tldr.text),
        html=clean(html),  # one line, and nothing that XML forbids
        authors=tuple(name for a in paper.record.paper.authors if (name := clean(a.name))),
        categories=tuple(clean(code) for code in paper.record.paper.categories),
        published_at=paper.published_at,
        updated_at=paper.updated_at(language),
    )


def _minimal(paper: FeedPaper, language: str, *, problem: str) -> Entry:
    arxiv_id = paper.record.arxiv_id
    title = clean(str(paper.record.paper.title or "")) or arxiv_id
    return Entry(
        arxiv_id=arxiv_id,
        title=title,
        summary="",
        html=f'<p><a href="{escape(abs_url(arxiv_id))}">{escape(title)}</a></p>',
        authors=(),
        categories=(),
        published_at=paper.published_at,
        updated_at=paper.updated_at(language),
        problem=problem,
    )


def midnight(announced_on: date) -> datetime:
    """The UTC time of midnight Eastern on *announced_on*: arXiv's own date of an announcement."""
    return datetime.combine(announced_on, time(), EASTERN).astimezone(UTC)


def _listed_on(record: Record) -> date:
    return record.listing.announced_on
