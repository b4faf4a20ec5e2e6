"""A preview looks at the newest days, as far as the time of one request goes."""

import json
from dataclasses import dataclass, field

import pytest

from paperpost.domain.subscribers import Preferences, Rule
from paperpost.storage.site import StoredFile
from paperpost.subscribe.previews import preview

CATEGORIES = tuple(f"cs.{code}" for code in ("AI", "CL", "CV", "LG", "RO", "SE", "CR", "DB"))
DAYS = ("2026-04-20", "2026-04-17", "2026-04-16")
PAPERS = 100
PUBLISHED = [{"category": category, "published": PAPERS} for category in CATEGORIES]
STATUS = {"dates": [{"announced_on": on, "categories": PUBLISHED} for on in DAYS]}


@dataclass
class FakeSite:
    """Three days of eight categories, a hundred papers each."""

    read: list[str] = field(default_factory=list)

    def get(self, path: str) -> StoredFile:
        """The file, made up on demand."""
        if path == "status.json":
            return StoredFile(body=json.dumps(STATUS).encode(), etag="e")
        self.read.append(path)
        papers = [record(path, number) for number in range(PAPERS)]
        return StoredFile(body=json.dumps({"records": papers}).encode(), etag="e")


def record(path: str, number: int) -> dict[str, object]:
    """Paper *number* of the file at *path*."""
    category, on = path.removesuffix(".json").split("/")
    place = 3 * CATEGORIES.index(category) + DAYS.index(on)
    return {
        "id": f"2604.{place * PAPERS + number:05}",
        "version": 1,
        "category": category,
        "announced_on": on,
        "announce_type": "new",
        "title": f"Paper {number}",
        "abstract": "Nothing.",
        "authors": [],
        "categories": [category],
    }


@pytest.mark.parametrize(("rules", "files"), [(0, 24), (10, 19), (50, 4), (100, 2)])
def test_the_more_rules_the_fewer_papers_are_looked_at(rules: int, files: int) -> None:
    """And the count says how many, so that nobody is misled; the newest come first."""
    site = FakeSite()
    half = rules // 2
    never = tuple(Rule(field="text", phrase=f"absent{n}") for n in range(rules))
    wanted = Preferences(categories=CATEGORIES, include=never[:half], exclude=never[half:])

    shown = preview(wanted, site)

    assert len(site.read) == files
    assert shown.looked == files * PAPERS
    assert shown.days[0].isoformat() == DAYS[0]
