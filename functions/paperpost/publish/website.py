"""The files of the site as a whole: front page, status, OPML, 404, stylesheet and script."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from paperpost.domain.categories import Category
from paperpost.publish.days import CategoryView, announcement_facts, data_hash
from paperpost.publish.files import put_changed
from paperpost.publish.known import BUILD
from paperpost.publish.pages import (
    assets,
    front_page,
    not_found_page,
    opml,
    status_page,
    status_rows,
)
from paperpost.publish.press import Press

SITE = "site"  # stands where a category's code does in the notes


def build_site(press: Press, views: Sequence[tuple[Category, CategoryView]]) -> int:
    """Put the site-wide files that changed, the front page last, and return how many."""
    facts = data_hash([press.fingerprint(), *_view_facts(views)])
    note = press.papers.get_published(SITE).get(BUILD, {})
    if note.get("data") == facts:
        return 0
    dates = status_rows(views)
    files = {
        **assets(),
        "404.html": not_found_page(press.facts),
        "feeds.opml": opml(press.facts, views),
        "status.json": _status_json(dates),
        "status.html": status_page(press.facts, dates, views),
        "index.html": front_page(press.facts, views),
    }
    digests, puts = put_changed(press.site, files, dict(note.get("files", {})))
    press.papers.put_published(SITE, BUILD, {"data": facts, "files": digests})
    return puts


def _status_json(dates: Sequence[tuple[Any, Sequence[Any]]]) -> bytes:
    value = {
        "dates": [
            {
                "announced_on": on.isoformat(),
                "categories": [
                    {
                        "category": row.category,
                        "state": row.state,
                        "announced": row.announced,
                        "stored": row.stored,
                        "enriched": row.enriched,
                        "published": row.published,
                    }
                    for row in rows
                ],
            }
            for on, rows in dates
        ]
    }
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _view_facts(views: Sequence[tuple[Category, CategoryView]]) -> list[Any]:
    return [
        [
            category.code,
            [announcement_facts(a) for a in view.announcements],
            [asdict(day) for day in view.days],
            view.has_feed,
        ]
        for category, view in views
    ]
