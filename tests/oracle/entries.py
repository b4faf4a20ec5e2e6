"""The entries of a published feed, whatever its form."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from lxml import etree

from oracle.source import BASE_ID, EASTERN

_ATOM = "{http://www.w3.org/2005/Atom}"
_ADDRESS = re.compile(rf"https?://(?:\w+\.)?arxiv\.org/\w+/({BASE_ID.pattern})(?:v\d+)?/?")


class UnreadableError(Exception):
    """A file that a reader could not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One paper in a feed; `dates` are the days that its time may mean, none without a time."""

    link: str
    entry_id: str
    title: str
    dates: frozenset[date]

    @property
    def arxiv_id(self) -> str:
        """The base id that the link means, or the link itself if it means none."""
        match = _ADDRESS.fullmatch(self.link)
        return match[1] if match else self.link


def read_entries(path: Path) -> list[Entry]:
    """
    Return the entries of the RSS 2.0, Atom or JSON Feed file at *path*, in its order.

    Raises: UnreadableError: If it is none of them, or has no title.
    """
    try:
        if path.suffix == ".json":
            return _json_feed(path.read_bytes())
        root = etree.fromstring(path.read_bytes(), etree.XMLParser(resolve_entities=False))
    except (OSError, ValueError, etree.XMLSyntaxError) as exc:
        raise UnreadableError(str(exc)) from exc
    if root.tag == "rss":
        return _rss(root)
    if root.tag == f"{_ATOM}feed":
        return _atom(root)
    raise UnreadableError(f"an unknown root element {root.tag}")


def _rss(root: etree._Element) -> list[Entry]:
    channel = root.find("channel")
    if channel is None or not (channel.findtext("title") or "").strip():
        raise UnreadableError("no channel with a title")
    return [
        Entry(
            link=item.findtext("link") or "",
            entry_id=item.findtext("guid") or "",
            title=item.findtext("title") or "",
            dates=_days(_mail_time(item.findtext("pubDate"))),
        )
        for item in channel.findall("item")
    ]


def _atom(root: etree._Element) -> list[Entry]:
    if not (root.findtext(f"{_ATOM}title") or "").strip():
        raise UnreadableError("no title")
    return [
        Entry(
            link=next(
                (
                    link.get("href", "")
                    for link in entry.findall(f"{_ATOM}link")
                    if link.get("rel", "alternate") == "alternate"
                ),
                "",
            ),
            entry_id=entry.findtext(f"{_ATOM}id") or "",
            title=_all_text(entry.find(f"{_ATOM}title")),
            dates=_days(_iso_time(entry.findtext(f"{_ATOM}published"))),
        )
        for entry in root.findall(f"{_ATOM}entry")
    ]


def _json_feed(body: bytes) -> list[Entry]:
    feed = json.loads(body)
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UnreadableError("not a JSON Feed")
    if not str(feed.get("title") or "").strip():
        raise UnreadableError("no title")
    return [
        Entry(
            link=str(item.get("url") or ""),
            entry_id=str(item.get("id") or ""),
            title=str(item.get("title") or ""),
            dates=_days(_iso_time(str(item.get("date_published") or ""))),
        )
        for item in items
    ]


def _all_text(element: etree._Element | None) -> str:
    return "" if element is None else "".join(str(text) for text in element.itertext())


def _mail_time(text: str | None) -> datetime | None:
    return parsedate_to_datetime(text) if text else None


def _iso_time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _days(at: datetime | None) -> frozenset[date]:
    # The design fixes the day, not the hour: as written, in Eastern time or in UTC will do.
    if at is None:
        return frozenset()
    if at.tzinfo is None:
        raise UnreadableError(f"a time without zone: {at.isoformat()}")
    return frozenset({at.date(), at.astimezone(EASTERN).date(), at.astimezone(UTC).date()})
