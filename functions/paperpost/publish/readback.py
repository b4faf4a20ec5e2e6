"""Reading feeds back, both candidates before they are put and what readers have now."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from lxml import etree

from paperpost.domain.announcements import eastern_date
from paperpost.domain.errors import RefusedError
from paperpost.domain.gate import Shown
from paperpost.publish.entries import TAG, tag_of

_ATOM = "{http://www.w3.org/2005/Atom}"


def check_readable(files: Mapping[str, bytes], shown: Sequence[Shown]) -> None:
    """
    Read every feed file back: well-formed, and exactly the ids of *shown* in that order.

    Raises: RefusedError: Naming the file that is not what was meant.
    """
    wanted = [tag_of(entry.arxiv_id) for entry in shown]
    for path, body in files.items():
        try:
            found = [tag for tag, _ in _json(body)] if path.endswith(".json") else _xml(body)
        except (ValueError, KeyError, etree.XMLSyntaxError) as exc:
            raise RefusedError(path, f"it cannot be read back: {exc}") from exc
        if found != wanted:
            raise RefusedError(path, f"it holds {len(found)} entries, {len(wanted)} were meant")


def published_entries(feed_json: bytes) -> tuple[Shown, ...]:
    """
    What readers of a published JSON Feed see, in order.

    Raises: ValueError: If it is no JSON Feed of ours.
    """
    try:
        return tuple(Shown(tag.removeprefix(TAG), on) for tag, on in _json(feed_json))
    except (KeyError, TypeError) as exc:
        raise ValueError(f"not a JSON Feed of ours: {exc}") from exc


def _json(body: bytes) -> list[tuple[str, date]]:
    return [
        (item["id"], eastern_date(datetime.fromisoformat(item["date_published"])))
        for item in json.loads(body)["items"]
    ]


def _xml(body: bytes) -> list[str]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    root = etree.fromstring(body, parser)
    if root.tag == "rss":
        return [guid.text or "" for guid in root.iterfind("channel/item/guid")]
    return [found.text or "" for found in root.iterfind(f"{_ATOM}entry/{_ATOM}id")]
