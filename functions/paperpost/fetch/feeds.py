"""arXiv's announcement feed, RSS 2.0 or Atom: bytes in, domain values out, nothing read or kept."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from lxml import etree

from paperpost.domain.announcements import eastern_date
from paperpost.domain.categories import canonical
from paperpost.domain.errors import (
    DamagedError,
    ErrorFeedError,
    FeedError,
    InvalidInputError,
    NotAFeedError,
    RateLimitedError,
)
from paperpost.domain.ids import VersionedId, parse_id
from paperpost.domain.papers import AnnounceType, Author
from paperpost.domain.text import clean, shorten
from paperpost.fetch.authors import split_authors
from paperpost.fetch.tidy import (
    ABSTRACT_BYTES,
    AUTHORS_BYTES,
    LINE_BYTES,
    TITLE_BYTES,
    bounded,
    fitting,
    line,
    prose,
)
from paperpost.fetch.withdrawals import is_withdrawn

# Elements as https://info.arxiv.org/help/rss_specifications.html names them, read 2026-11-23.
_NS = {
    "atom": "http://www.w3.org/2005/Atom",
    "arxiv": "http://arxiv.org/schemas/atom",
    "dc": "http://purl.org/dc/elements/1.1/",
}
_ATOM_FEED = "{http://www.w3.org/2005/Atom}feed"
_NAMES = re.compile(r"(?P<names>\S.*?) updates on (?:the )?arXiv\.org", re.IGNORECASE)
_QUERY = re.compile(r"/(?:rss|atom)/(?P<names>[^/?#\s]+)$")
_PREFIX = re.compile(r"arXiv:\S+\s+Announce Type:\s*\S+\s*Abstract:\s*")
_MARKUP_AT_START = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<!?(?P<name>[\w:?-]+)", re.ASCII)
_EVIDENCE = 160  # how much of what a source said is quoted in an error
# lxml's elements carry no types of their own that would help here.
_Element = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedItem:
    """
    One paper as the feed tells it; its texts are made readable, formulas stay TeX.

    `announce_type` is relative to everything that the feed announces, see type_in_category.
    `categories` are canonical, the primary first.
    """

    arxiv_id: str
    version: int
    announce_type: AnnounceType
    title: str
    abstract: str
    authors: tuple[Author, ...]
    categories: tuple[str, ...]
    licence: str | None = None
    doi: str | None = None
    journal_ref: str | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementFeed:
    """
    What one feed announces: `names` are the categories or archives of its channel.

    `announced_on` is the Eastern date that the feed itself carries. No items is a valid value: on a
    quiet day there are none; the caller knows whether a batch was due. `refused`: why items beside
    `items` cannot be believed, one each.
    """

    source: str
    names: tuple[str, ...]
    announced_on: date
    items: tuple[FeedItem, ...]
    refused: tuple[FeedError, ...] = ()


def read_feed(body: bytes, *, source: str, is_strict: bool = True) -> AnnouncementFeed:
    """
    Return what the announcement feed *body* says; *source* names it in errors.

    Unless *is_strict*, an item that cannot be believed does not take the others with it: see
    `refused`.

    Raises: FeedError: In one line, what makes this no feed of arXiv's that can be believed.
    """
    root, said = whole_document(body, source=source), evidence(body)
    if root.tag == "rss":
        channel = root.find("channel")
        if channel is None:
            raise FeedError(source, "an RSS document without a channel")
        items, refused = _items(channel.findall("item"), _rss_item, source)
        names, announced_on = _names(channel, "title", source, said), _rss_date(channel, source)
    elif root.tag == _ATOM_FEED:
        entries = root.findall("atom:entry", _NS)
        names = _names(root, "atom:title", source, said)
        announced_on = _atom_date(root, entries, source)
        items, refused = _items(entries, _atom_item, source)
    else:
        problem = f"not an announcement feed: the root element is {_local(root)}"
        raise NotAFeedError(source, problem, said=said)
    if refused and (is_strict or not items):
        raise refused[0]
    return AnnouncementFeed(
        source=source, names=names, announced_on=announced_on, items=items, refused=refused
    )


def whole_document(body: bytes, *, source: str) -> _Element:
    """
    The root element of *body*, if it is XML to its end and declares no document type.

    Raises: FeedError: If it is anything else; *source* names it.
    """
    said = evidence(body)
    if not body.strip():
        raise NotAFeedError(source, "the file is empty")
    if is_rate_limit(body):
        raise RateLimitedError(source, f"not XML, but text that starts {_start(said)!r}", said=said)
    start = _MARKUP_AT_START.match(body)
    opening = start["name"].lower() if start else b""
    if opening == b"html" or re.match(rb"\s*<!doctype\s+html", body, re.IGNORECASE):
        raise NotAFeedError(source, "an HTML page instead of a feed", said=said)
    # No entity, document type or outside file is ever resolved: the body is untrusted.
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as exc:
        if start is None:
            problem = f"not XML, but text that starts {_start(said)!r}"
            raise NotAFeedError(source, problem, said=said) from exc
        problem = f"not well-formed XML, cut off or damaged at line {exc.lineno}"
        raise DamagedError(source, problem, said=said) from exc
    if root.getroottree().docinfo.internalDTD is not None:
        problem = "the document declares a document type, which no feed does"
        raise NotAFeedError(source, problem, said=said)
    if _local(root).lower() == "html":
        raise NotAFeedError(source, "an HTML page instead of a feed", said=said)
    return root


def evidence(body: bytes) -> str:
    """How *body* begins, for logs."""
    return body[:_EVIDENCE].decode("utf-8", "replace")


def is_rate_limit(body: bytes) -> bool:
    """Whether *body* is arXiv's way to say 429, which comes with the status 200 too."""
    return body[:64].lstrip().lower().startswith(b"rate exceeded")


def _names(channel: _Element, title_path: str, source: str, said: str) -> tuple[str, ...]:
    """The categories or archives in the channel's title, else those of its own address."""
    title = clean(channel.findtext(title_path, "", _NS))
    if title.startswith("Feed error"):
        told = clean(
            channel.findtext("description", "", _NS) or channel.findtext("atom:subtitle", "", _NS)
        )
        problem = f"arXiv's error feed: {shorten(told or title, characters=_EVIDENCE)}"
        raise ErrorFeedError(source, problem, said=said)
    match = _NAMES.fullmatch(title)
    names = match["names"].split(",") if match else []
    if not names:
        links = channel.findall("atom:link", _NS)
        address = next((link.get("href", "") for link in links if link.get("rel") == "self"), "")
        asked = _QUERY.search(address)
        names = asked["names"].split("+") if asked else []
    named = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    if not named:
        raise FeedError(source, "the feed does not say which category it announces")
    return named


def _rss_date(channel: _Element, source: str) -> date:
    text = channel.findtext("pubDate", "")
    try:
        return eastern_date(parsedate_to_datetime(text))
    except (ValueError, OverflowError) as exc:
        raise FeedError(source, f"no date of announcement: pubDate is {text[:40]!r}") from exc


def _atom_date(feed: _Element, entries: Iterable[_Element], source: str) -> date:
    """The latest date among the entries, else the one on which the feed was built."""
    told = [entry.findtext("atom:published", "", _NS) for entry in entries]
    texts = [text for text in told if text] or [feed.findtext("atom:updated", "", _NS)]
    try:
        return max(eastern_date(datetime.fromisoformat(text.strip())) for text in texts)
    except (ValueError, OverflowError) as exc:
        raise FeedError(source, f"no date of announcement: {texts[0][:40]!r}") from exc


def _items(
    elements: Iterable[_Element], read: Callable[[_Element, str], FeedItem], source: str
) -> tuple[tuple[FeedItem, ...], tuple[FeedError, ...]]:
    """What the elements say, each paper once, and why some of them are not believed."""
    items, refused = dict[str, FeedItem](), list[FeedError]()
    for element in elements:
        try:
            item = read(element, source)
        except FeedError as exc:
            refused.append(exc)
            continue
        if item.arxiv_id in items:
            refused.append(FeedError(source, f"{item.arxiv_id} is announced twice"))
        else:
            items[item.arxiv_id] = item
    return tuple(items.values()), tuple(refused)


def _rss_item(item: _Element, source: str) -> FeedItem:
    return _item(
        item,
        source,
        identifier=item.findtext("guid", ""),
        title=item.findtext("title", ""),
        description=item.findtext("description", ""),
        categories=[category.text or "" for category in item.findall("category")],
    )


def _atom_item(entry: _Element, source: str) -> FeedItem:
    return _item(
        entry,
        source,
        identifier=entry.findtext("atom:id", "", _NS),
        title=entry.findtext("atom:title", "", _NS),
        description=entry.findtext("atom:summary", "", _NS),
        categories=[category.get("term", "") for category in entry.findall("atom:category", _NS)],
    )


def _item(
    element: _Element,
    source: str,
    *,
    identifier: str,
    title: str,
    description: str,
    categories: Iterable[str],
) -> FeedItem:
    paper = _versioned_id(identifier, source)
    named = f"{paper.arxiv_id}v{paper.version}"
    told = element.findtext("arxiv:announce_type", "", _NS).strip()
    if told not in set(AnnounceType):
        problem = f"the unknown announce type {told[:40]!r}" if told else "no announce type"
        raise FeedError(source, f"{named} has {problem}")
    coded = canonical(code.strip() for code in categories if code.strip())
    if not coded:
        raise FeedError(source, f"{named} has no category")
    assert paper.version is not None
    told_title = prose(title, TITLE_BYTES)
    abstract = prose(_PREFIX.sub("", description.strip(), count=1), ABSTRACT_BYTES)
    creators = (creator.text or "" for creator in element.findall("dc:creator", _NS))
    return FeedItem(
        arxiv_id=paper.arxiv_id,
        version=paper.version,
        announce_type=AnnounceType(told),
        title=told_title,
        abstract=abstract,
        authors=fitting(split_authors(bounded(", ".join(creators), AUTHORS_BYTES))),
        categories=coded,
        licence=_optional(element, "dc:rights"),
        doi=_optional(element, "arxiv:DOI"),
        journal_ref=line(_optional(element, "arxiv:journal_reference")),
        withdrawn=is_withdrawn(title=told_title, abstract=abstract),
    )


def _versioned_id(identifier: str, source: str) -> VersionedId:
    if not identifier.strip():
        raise FeedError(source, "an item has no identifier")
    try:
        paper = parse_id(identifier)
    except InvalidInputError as exc:
        raise FeedError(source, str(exc)) from exc
    if paper.version is None:
        raise FeedError(source, f"{paper.arxiv_id} comes without its version")
    return paper


def _optional(element: _Element, path: str) -> str | None:
    return bounded(element.findtext(path, "", _NS).strip(), LINE_BYTES) or None


def _start(said: str) -> str:
    return shorten(clean(said), characters=60)


def _local(element: _Element) -> str:
    return str(etree.QName(element).localname)
