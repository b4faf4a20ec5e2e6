"""The files of the site as a whole: front page, status, OPML, 404, stylesheet and script."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from paperpost.domain.namedfeeds import NamedFeed
from paperpost.publish.days import announcement_facts, data_hash
from paperpost.publish.files import put_changed
from paperpost.publish.known import BUILD
from paperpost.publish.pages import (
    assets,
    front_page,
    not_found_page,
    opml,
)
from paperpost.publish.press import Press
from paperpost.publish.status import Status, Views, status_facts, status_json, status_page

SITE = "site"  # stands where a category's code does in the notes


def build_site(
    press: Press,
    views: Views,
    status: Status,
    named: Sequence[NamedFeed],
    etags: Mapping[str, str],
) -> int:
    """
    Put the site-wide files that changed, the front page last, and return how many.

    *named*: the named feeds that have entries. *etags*: what was there before *views* were read.
    Raises: ConflictError: If another publisher put one of the files meanwhile.
    """
    facts = data_hash(
        [press.fingerprint(), *_view_facts(views), *status_facts(status), *map(asdict, named)]
    )
    note = press.papers.get_published(SITE).get(BUILD, {})
    if note.get("data") == facts:
        return 0
    files = {
        **assets(),
        "404.html": not_found_page(press.facts),
        "feeds.opml": opml(press.facts, views, named),
        "status.json": status_json(status),
        "status.html": status_page(press.facts, status),
        "index.html": front_page(press.facts, views, named),
    }
    digests, puts = put_changed(press.site, files, dict(note.get("files", {})), etags)
    press.papers.put_published(SITE, BUILD, {"data": facts, "files": digests})
    return puts


def _view_facts(views: Views) -> list[Any]:
    return [
        [
            category.code,
            [announcement_facts(a) for a in view.announcements],
            [asdict(day) for day in view.days],
            view.has_feed,
        ]
        for category, view in views
    ]
