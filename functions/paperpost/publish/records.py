"""The data beside a day page: `<date>.json`, one record a line."""

import json
from collections.abc import Sequence
from typing import Any

from paperpost.domain.announcements import Announcement
from paperpost.domain.records import Record, to_json


def records_json(announcement: Announcement, records: Sequence[Record]) -> bytes:
    """The announcement and its records in reading order, in the form of docs/data-model.md."""
    head = {
        "category": announcement.category,
        "announced_on": announcement.announced_on.isoformat(),
        "announcement": {
            "state": announcement.state.value,
            "announced": announcement.announced,
            "stored": announcement.stored,
        },
    }
    opening = _dump(head).removesuffix("}")
    lines = ",\n".join(_dump(to_json(record)) for record in records)
    text = f'{opening},"records":[\n{lines}\n]}}\n'
    # A lone surrogate in arXiv's text has no UTF-8 form; written as an escape it is valid JSON.
    return text.encode("utf-8", "backslashreplace")


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
