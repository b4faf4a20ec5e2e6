"""Frozen issues as bytes: `issues/<issue>.json.gz`, the same value always the same file."""

import gzip
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from paperpost.domain.errors import RecordError
from paperpost.domain.issues import Count, First, FrozenIssue, FrozenPaper
from paperpost.domain.papers import AnnounceType, Listing
from paperpost.domain.records import from_json, to_json


def issue_path(issue: str) -> str:
    """Where the bucket keeps the frozen *issue*."""
    return f"issues/{issue}.json.gz"


def to_bytes(issue: FrozenIssue) -> bytes:
    """The issue as gzipped JSON; the same value has the same bytes."""
    value = {
        "issue": issue.issue,
        "announced_on": issue.announced_on.isoformat(),
        "frozen_at": issue.frozen_at.astimezone(UTC).isoformat(),
        "reason": issue.reason,
        "is_first": issue.is_first,
        "too_late": issue.too_late,
        "counts": {
            category: {
                "announced": c.announced,
                "stored": c.stored,
                "settled": c.settled,
                "enriched": dict(c.enriched),
            }
            for category, c in issue.counts.items()
        },
        "papers": [_paper_json(paper) for paper in issue.papers],
    }
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    # A lone surrogate in a title must not keep everybody's issue from being stored.
    return gzip.compress(text.encode("utf-8", "replace"), mtime=0)


def from_bytes(body: bytes) -> FrozenIssue:
    """
    Return the issue that `to_bytes` wrote.

    Raises: RecordError: If *body* is anything else.
    """
    try:
        value = json.loads(gzip.decompress(body))
        return FrozenIssue(
            issue=value["issue"],
            announced_on=date.fromisoformat(value["announced_on"]),
            frozen_at=datetime.fromisoformat(value["frozen_at"]),
            reason=value["reason"],
            counts={category: Count(**c) for category, c in value["counts"].items()},
            papers=tuple(map(_paper_from_json, value["papers"])),
            # Files from before these were told lack them.
            is_first=bool(value.get("is_first", False)),
            too_late=int(value.get("too_late", 0)),
        )
    except (OSError, EOFError, KeyError, TypeError, ValueError) as exc:
        raise RecordError(f"not a frozen issue: {exc}") from exc


def content_hash(body: bytes) -> str:
    """The hex digest by which the ledger knows an issue's bytes."""
    return hashlib.sha256(body).hexdigest()


def _paper_json(paper: FrozenPaper) -> dict[str, Any]:
    """The documented record of its first listing, with all listings and `first` beside it."""
    return {
        **to_json(paper.record),
        "listings": [
            {
                "category": x.category,
                "announced_on": x.announced_on.isoformat(),
                "announce_type": x.announce_type.value,
                "listed_version": x.version,
                "stored_at": x.stored_at.astimezone(UTC).isoformat(),
            }
            for x in paper.listings
        ],
        "first": {
            category: [first.announce_type.value, first.issue]
            for category, first in paper.first.items()
        },
    }


def _paper_from_json(value: Mapping[str, Any]) -> FrozenPaper:
    record = from_json(value)
    return FrozenPaper(
        record=record,
        listings=tuple(
            Listing(
                category=x["category"],
                announced_on=date.fromisoformat(x["announced_on"]),
                arxiv_id=record.arxiv_id,
                version=int(x["listed_version"]),
                announce_type=AnnounceType(x["announce_type"]),
                stored_at=datetime.fromisoformat(x["stored_at"]),
            )
            for x in value["listings"]
        ),
        first={
            category: First(announce_type=AnnounceType(announce_type), issue=issue)
            for category, (announce_type, issue) in value["first"].items()
        },
    )
