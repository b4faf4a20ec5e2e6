"""All files of one feed: three formats, three language variants, one window for all of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from paperpost.domain.categories import Category
from paperpost.domain.gate import Shown
from paperpost.domain.namedfeeds import NamedFeed
from paperpost.domain.text import clean
from paperpost.domain.windows import Chosen, Detail, WindowDay, WindowEntry, window
from paperpost.publish.entries import Entry, FeedDay, FeedPaper, make_entry
from paperpost.publish.feedmeta import THANKS, VARIANTS, About, FeedMeta, feed_path
from paperpost.publish.jsonfeed import json_feed, json_size
from paperpost.publish.xmlfeeds import atom, atom_size, rss, rss_size

Renderer = Callable[[FeedMeta, Sequence[Entry]], bytes]
# A new format is one line here: (file stem, ending) → renderer. JSON comes first, since the gate
# compares it: it is what two publishers of one feed contend for.
FORMATS: Mapping[tuple[str, str], Renderer] = {
    ("feed", "json"): json_feed,
    ("rss", "xml"): rss,
    ("atom", "xml"): atom,
}
_HEAD_BYTES = 4_000  # what stands around the entries, generously


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFiles:
    """
    Feed files by path, what they show in order; `minimal`: id → problem.

    `shrunk`: entries without abstracts, `tldr_only` those among them with less.
    """

    files: Mapping[str, bytes]
    shown: tuple[Shown, ...]
    minimal: Mapping[str, str]
    shrunk: int
    tldr_only: int


def feed_files(
    days: Sequence[FeedDay], metas: Iterable[FeedMeta], *, contact_mail: str = ""
) -> FeedFiles:
    """Every format and variant of the feed of *days*; no files at all where it has no entry yet."""
    papers = {p.record.arxiv_id: p for day in days for p in day.papers}
    kitchen = _Kitchen(contact_mail)
    chosen = window((_measured(day, kitchen) for day in days), head_bytes=_HEAD_BYTES)
    shown = tuple(Shown(c.arxiv_id, c.announced_on) for c in chosen)
    files: dict[str, bytes] = {}
    if chosen:
        for meta in metas:
            entries = [kitchen.entry(papers[c.arxiv_id], meta.language, c.detail) for c in chosen]
            for (stem, ending), renderer in FORMATS.items():
                files[meta.path(stem, ending)] = renderer(meta, entries)
    return FeedFiles(
        files=files,
        shown=shown,
        minimal=kitchen.minimal_among(chosen),
        shrunk=sum(c.detail is not Detail.FULL for c in chosen),
        tldr_only=sum(c.detail is Detail.TLDR_ONLY for c in chosen),
    )


def feed_paths(folder: str) -> list[str]:
    """Every feed file of *folder*, in the order in which they are put."""
    return [
        feed_path(folder, variant, stem, ending) for variant in VARIANTS for stem, ending in FORMATS
    ]


def category_metas(category: Category, *, site_url: str, said: About) -> list[FeedMeta]:
    """The heads of a category's feeds, one a language variant."""
    chinese = f"{category.code} {category.name_zh} · Paperpost 论文早报"
    english = f"{category.code} {category.name} · Paperpost"
    return _metas(category.code, chinese, english, site_url=site_url, said=said)


def named_metas(feed: NamedFeed, *, site_url: str, said: About) -> list[FeedMeta]:
    """The heads of a named feed's files, one a language variant."""
    chinese, english = f"{feed.title_zh} · Paperpost 论文早报", f"{feed.title} · Paperpost"
    return _metas(feed.folder, chinese, english, site_url=site_url, said=said)


def _metas(
    folder: str, chinese: str, english: str, *, site_url: str, said: About
) -> list[FeedMeta]:
    return [
        FeedMeta(
            folder=folder,
            variant=variant,
            title=clean(english if language == "en" else chinese),
            description=f"{said.en if language == 'en' else said.zh} {THANKS}",
            site_url=site_url,
        )
        for variant, language in VARIANTS.items()
    ]


class _Kitchen:
    """Makes each entry once per language and detail."""

    def __init__(self, contact_mail: str) -> None:
        self._contact_mail = contact_mail
        self._made: dict[tuple[str, str, Detail], Entry] = {}

    def entry(self, paper: FeedPaper, language: str, detail: Detail) -> Entry:
        """The entry, from the cache where it was made before."""
        key = (paper.record.arxiv_id, language, detail)
        if key not in self._made:
            self._made[key] = make_entry(paper, language, detail, contact_mail=self._contact_mail)
        return self._made[key]

    def minimal_among(self, chosen: Iterable[Chosen]) -> dict[str, str]:
        """Those of *chosen* that became minimal entries: id → problem."""
        ids = {c.arxiv_id for c in chosen}
        return {i: e.problem for (i, _, _), e in self._made.items() if e.problem and i in ids}


def _measured(day: FeedDay, kitchen: _Kitchen) -> WindowDay:
    """The day with the size of each entry in whatever format and variant it is largest."""
    return WindowDay(
        announced_on=day.announced_on,
        entries=tuple(
            WindowEntry(arxiv_id=paper.record.arxiv_id, sizes=_sizes(paper, kitchen))
            for paper in day.papers
        ),
    )


def _sizes(paper: FeedPaper, kitchen: _Kitchen) -> tuple[int, int, int]:
    # The bilingual entry holds all that a Chinese one holds.
    full, brief, least = (
        max(_size(kitchen.entry(paper, language, detail)) for language in ("both", "en"))
        for detail in Detail
    )
    return full, brief, least


def _size(entry: Entry) -> int:
    return max(rss_size(entry), atom_size(entry), json_size(entry))
