"""events/records.jsonl: the sample day's records as a run publishes them, each paper once."""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from support.events import EVENTS

PATH = EVENTS / "records.jsonl"
# In place of the moments at which a run stored something, which no two runs share: the first poll.
STORED_AT = "2026-04-21T04:21:00Z"
_OF_LISTING = {"category", "announced_on", "announce_type", "listed_version"}

_Record = dict[str, Any]


def record_lines(days: Iterable[bytes]) -> str:
    """
    Return what belongs into records.jsonl, made from the published `<date>.json` files *days*.

    A paper stands as its primary category lists it, or else the first category that does, in the
    order of names; lines are in the order of ids.
    """
    by_id: dict[str, list[_Record]] = {}
    for day in days:
        for record in json.loads(day)["records"]:
            by_id.setdefault(record["id"], []).append(_timeless(record))
    chosen = [min(records, key=_told_first) for _, records in sorted(by_id.items())]
    return "".join(
        json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n" for record in chosen
    )


def papers_told_differently(days: Iterable[bytes]) -> set[str]:
    """The papers of which two categories' files say more than their listing differently."""
    told: dict[str, _Record] = {}
    differing = set()
    for day in days:
        for record in map(_timeless, json.loads(day)["records"]):
            of_paper = {key: value for key, value in record.items() if key not in _OF_LISTING}
            if told.setdefault(record["id"], of_paper) != of_paper:
                differing.add(record["id"])
    return differing


def kept_lines(fresh: str) -> str:
    """The text of records.jsonl, which first becomes *fresh* if PAPERPOST_RENEW=1 asks for that."""
    if os.environ.get("PAPERPOST_RENEW") == "1":
        PATH.write_text(fresh, encoding="utf-8")
    return PATH.read_text(encoding="utf-8")


def _told_first(record: Mapping[str, Any]) -> tuple[bool, str]:
    return record["category"] != record["categories"][0], record["category"]


def _timeless(record: _Record) -> _Record:
    enrichments = {
        language: {**e, "updated_at": STORED_AT} if "updated_at" in e else e
        for language, e in record["enrichments"].items()
    }
    return {**record, "stored_at": STORED_AT, "enrichments": enrichments}
