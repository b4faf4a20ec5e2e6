"""Recorded days of cs.CV split into announcements by each paper's categories."""

import gzip
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from support.feeds import Item, rss

MONDAY, LOST, LATE, NEXT = (date(2026, 4, day) for day in (20, 22, 23, 27))


def write_feeds(
    series: Path, folder: Path, categories: Sequence[str], *, is_short: bool
) -> dict[date, dict[str, str]]:
    """Each recorded day as one file a category, with a withdrawal; date → category → file name."""
    folder.mkdir(parents=True, exist_ok=True)
    seen = Counter[str]()
    found: dict[date, dict[str, str]] = {}
    days = {
        on: json.loads(gzip.decompress((series / f"cs.CV_{on}.json.gz").read_bytes()))["papers"]
        for on in (MONDAY, LOST, LATE, NEXT)
    }
    if is_short:
        days = {on: _crossed(papers, categories) for on, papers in days.items()}
    days[NEXT].append(_withdrawal(days[MONDAY], categories))
    for on, papers in days.items():
        for paper in papers:
            is_first = paper["announce_type"] in {"new", "cross"}
            seen[paper["arxiv_id"]] += 1 if is_first or seen[paper["arxiv_id"]] else 2
        for category in categories:
            items = [_item(p, category, seen) for p in papers if category in p["categories"]]
            if items:
                name = f"{on}-{category}.xml"
                (folder / name).write_bytes(rss(items, names=category, on=on))
                found.setdefault(on, {})[category] = name
    return found


def _crossed(papers: Sequence[dict[str, Any]], categories: Sequence[str]) -> list[dict[str, Any]]:
    """Few papers share small categories: every second one of them is cross-listed in all."""
    small = [paper for paper in papers if {*paper["categories"]} & {*categories}]
    for paper in small[::2]:
        paper["categories"] = list(dict.fromkeys((*paper["categories"], *categories)))
    return small


def _withdrawal(papers: Sequence[Mapping[str, Any]], categories: Sequence[str]) -> dict[str, Any]:
    """No recorded day has one: the new paper in most of *categories* is taken back."""
    new = [paper for paper in papers if paper["announce_type"] == "new"]
    most = max(new, key=lambda paper: len({*paper["categories"]} & {*categories}))
    said = (
        "This paper has been withdrawn by the authors."  # as arXiv asks: in place of the abstract
    )
    return {**most, "announce_type": "replace", "abstract": said}


def _item(paper: Mapping[str, Any], category: str, seen: Mapping[str, int]) -> Item:
    primary = paper["primary_category"]
    kind = "replace" if paper["announce_type"].startswith("replace") else "new"
    crossed = {"new": "cross", "replace": "replace-cross"}[kind]
    return Item(
        arxiv_id=paper["arxiv_id"],
        version=seen[paper["arxiv_id"]],
        announce_type=kind if category == primary else crossed,
        title=paper["title"],
        abstract=paper["abstract"],
        creator=", ".join(paper["authors"]),
        categories=(primary, *(c for c in paper["categories"] if c != primary)),
    )
