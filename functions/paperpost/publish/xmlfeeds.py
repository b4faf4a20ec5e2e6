"""RSS 2.0 and Atom 1.0 through feedgen, with an entry class of our own."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from lxml import etree

from paperpost.publish.entries import Entry
from paperpost.publish.feedmeta import FeedMeta

_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
_SCHEME = "http://arxiv.org/schemas/atom"
_TTL_MINUTES = 60
# No announcement is made on these days; arXiv's own feeds say the same.
_SKIP_DAYS = ["Saturday", "Sunday"]


class LeanEntry(FeedEntry):  # type: ignore[misc]  # feedgen carries no types
    """
    An entry that writes its own elements.

    feedgen's own entry drops the rel and type of Atom links and authors without an address from
    RSS, mixes up content and description, and costs twice as much; it never calls the clock here,
    since the parent's constructor (which does) is left out on purpose.
    """

    def __init__(self, entry: Entry) -> None:  # pylint: disable=super-init-not-called
        self._entry = entry

    def register_extension(self, *_args: Any, **_kwargs: Any) -> None:  # noqa: ANN401  feedgen's
        """Do nothing: what the feed's extensions add, this entry writes itself."""

    def rss_entry(self, extensions: bool = True) -> etree._Element:  # noqa: ARG002, FBT001, FBT002
        """The RSS item."""
        entry = self._entry
        item = etree.Element("item")
        _text(item, "title", entry.title)
        _text(item, "link", entry.url)
        _text(item, "description", _escaped(entry.summary))
        _text(item, _CONTENT, entry.html)
        _text(item, "guid", entry.tag).set("isPermaLink", "false")
        for name in entry.authors:
            _text(item, _CREATOR, name)
        for category in entry.categories:
            _text(item, "category", category)
        _text(item, "pubDate", format_datetime(entry.published_at, usegmt=True))
        return item

    def atom_entry(self, extensions: bool = True) -> etree._Element:  # noqa: ARG002, FBT001, FBT002
        """The Atom entry."""
        entry = self._entry
        element = etree.Element("entry")
        _text(element, "id", entry.tag)
        _text(element, "title", entry.title)
        _text(element, "updated", iso(entry.updated_at))
        _text(element, "published", iso(entry.published_at))
        for name in entry.authors:
            _text(etree.SubElement(element, "author"), "name", name)
        etree.SubElement(element, "link", href=entry.url, rel="alternate", type="text/html")
        etree.SubElement(
            element, "link", href=entry.pdf_url, rel="related", type="application/pdf", title="PDF"
        )
        for category in entry.categories:
            etree.SubElement(element, "category", term=category, scheme=_SCHEME)
        if entry.summary:
            _text(element, "summary", entry.summary)
        _text(element, "content", entry.html).set("type", "html")
        return element


class SteadyFeed(FeedGenerator):  # type: ignore[misc]  # feedgen carries no types
    """A feed whose bytes are the same in every process."""

    def _create_rss(self, extensions: bool = True) -> tuple[etree._Element, Any]:  # noqa: FBT001, FBT002
        """Sort the days to skip: in feedgen's set their order changes with the process."""
        feed, document = super()._create_rss(extensions)
        days = feed.find("channel/skipDays")
        days[:] = sorted(days, key=lambda day: str(day.text))
        return feed, document


def rss(meta: FeedMeta, entries: Sequence[Entry]) -> bytes:
    """The RSS 2.0 feed."""
    generator = _generator(meta, entries, self_url=meta.url("rss", "xml"), mime="rss+xml")
    body: bytes = generator.rss_str()
    return body + b"\n"


def atom(meta: FeedMeta, entries: Sequence[Entry]) -> bytes:
    """The Atom 1.0 feed."""
    generator = _generator(meta, entries, self_url=meta.url("atom", "xml"), mime="atom+xml")
    body: bytes = generator.atom_str()
    return body + b"\n"


def rss_size(entry: Entry) -> int:
    """The bytes that *entry* takes in an RSS feed, at most."""
    return len(etree.tostring(LeanEntry(entry).rss_entry(), encoding="UTF-8"))


def atom_size(entry: Entry) -> int:
    """The bytes that *entry* takes in an Atom feed, at most."""
    return len(etree.tostring(LeanEntry(entry).atom_entry(), encoding="UTF-8"))


def iso(at: datetime) -> str:
    """RFC 3339, to the second."""
    return at.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _generator(meta: FeedMeta, entries: Sequence[Entry], *, self_url: str, mime: str) -> Any:  # noqa: ANN401  feedgen's
    feed = SteadyFeed()
    feed.load_extension("dc")  # for its namespace
    feed.id(meta.tag)
    feed.title(meta.title)
    feed.description(meta.description)
    feed.subtitle(meta.description)
    feed.author({"name": "Paperpost"})
    # RSS takes the link that is named last as the channel's own.
    feed.link(href=self_url, rel="self", type=f"application/{mime}")
    feed.link(href=meta.page_url, rel="alternate", type="text/html")
    feed.language(meta.html_lang)
    feed.generator("Paperpost")
    feed.rights(meta.rights)
    feed.ttl(_TTL_MINUTES)
    feed.skipDays(_SKIP_DAYS)
    # From the data: feedgen's default is the clock, which would change the bytes at every build.
    feed.updated(max(entry.updated_at for entry in entries).replace(microsecond=0))
    for entry in entries:
        feed.add_entry(LeanEntry(entry), order="append")
    return feed


def _text(parent: etree._Element, name: str, text: str) -> etree._Element:
    element = etree.SubElement(parent, name)
    element.text = text
    return element


def _escaped(text: str) -> str:
    """*text* as HTML, which is what an RSS description holds."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
