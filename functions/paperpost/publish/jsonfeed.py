"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/, read 2026-11-23)."""

import json
from collections.abc import Sequence
from typing import Any

from paperpost.publish.entries import Entry
from paperpost.publish.feedmeta import FeedMeta
from paperpost.publish.xmlfeeds import iso


def json_feed(meta: FeedMeta, entries: Sequence[Entry]) -> bytes:
    """The JSON feed, one entry a line."""
    head = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": meta.title,
        "home_page_url": meta.page_url,
        "feed_url": meta.url("feed", "json"),
        "description": meta.description,
        "language": meta.html_lang,
        "authors": [{"name": "Paperpost", "url": f"{meta.site_url}/"}],
    }
    opening = _dump(head).removesuffix("}")
    items = ",\n".join(_dump(_item(entry)) for entry in entries)
    return f'{opening},"items":[\n{items}\n]}}\n'.encode()


def json_size(entry: Entry) -> int:
    """The bytes that *entry* takes in a JSON feed."""
    return len(_dump(_item(entry)).encode()) + 2


def _item(entry: Entry) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": entry.tag,
        "url": entry.url,
        "title": entry.title,
        "content_html": entry.html,
        "date_published": iso(entry.published_at),
        "date_modified": iso(entry.updated_at),
    }
    if entry.summary:
        item["summary"] = entry.summary
    if entry.authors:
        item["authors"] = [{"name": name} for name in entry.authors]
    if entry.categories:
        item["tags"] = list(entry.categories)
    return item


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
