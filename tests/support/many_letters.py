"""
Letters to readers of every kind, of real days and hostile ones; the checklist looks at each.

deliver makes them, each for a reader of its own with links and tags of theirs; only SES is not
asked. Usage: python -m support.many_letters --data SHARED_DATA --letters N. It prints a line in the
form of the oracles, and ends with status 1 if a letter fails.
"""

import argparse
import gzip
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import date, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

from oracle.checklist import faults, html_sizes
from paperpost.deliver.delivering import Deliverer
from paperpost.deliver.letters import Imprint, LetterPress
from paperpost.domain.announcements import type_in_category
from paperpost.domain.enrichments import Enrichment
from paperpost.domain.issues import FrozenIssue, issue_of_records
from paperpost.domain.papers import AnnounceType, Author, Listing, Paper
from paperpost.domain.records import Record
from paperpost.domain.subscribers import Preferences, Rule
from paperpost.observe import logger
from paperpost.settings import DeliverSettings
from support.readers import make_keys, make_subscriber
from support.records import hostile_record, make_enrichment, make_listing, stored_at

_IMPRINT = Imprint(
    site_url="https://papers.example.org",
    contact_mail="hello@example.org",
    postal_address="1 Example Street, 00000 Example",
)
_SETTINGS: dict[str, Any] = {
    **{each.name: "" for each in fields(DeliverSettings)},
    **asdict(_IMPRINT),
    "mail_from": "paperpost@papers.example.org",
}
# What it would send with is not there.
_PARTS: dict[str, Any] = {
    **dict.fromkeys(each.name for each in fields(Deliverer)),
    "settings": DeliverSettings(**_SETTINGS),
    "keys": make_keys,
}
_DELIVERER = Deliverer(**_PARTS)
_WORDS = ("diffusion", "3D", "video", "segmentation", "扩散", "language models", "robot", "a")
_AUTHORS = ("Wang", "Yang Li", "Müller", "A. Nonymous")
_ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia")
_EVERY_THIRD = 3


def issues(data: Path) -> Iterator[FrozenIssue]:
    """The recorded days that announced something, then one day of nothing but hostile strings."""
    with gzip.open(data / "papers" / "papers-2000.jsonl.gz", "rt", encoding="utf-8") as lines:
        chinese = [json.loads(line) for line in lines]
    for path in sorted((data / "arxiv-rss" / "daily-series").glob("*.gz")):
        day = json.loads(gzip.decompress(path.read_bytes()))
        records = list(_records(day, chinese))
        if records:
            yield _issue(records)
    hostile = (data / "hostile" / "hostile.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in hostile]
    yield _issue([hostile_record(n, text) for n, text in enumerate(texts, 1)])


def _issue(records: Sequence[Record]) -> FrozenIssue:
    on = max(record.listing.announced_on for record in records)
    return issue_of_records(records, frozen_at=stored_at(on) + timedelta(minutes=30))


def _records(day: Mapping[str, Any], chinese: Sequence[Mapping[str, str]]) -> Iterator[Record]:
    """Each paper in each of its categories; every third without a translation."""
    on = date.fromisoformat(day["date"])
    for n, (told, model) in enumerate(zip(day["papers"], cycle(chinese), strict=False)):
        primary = told["primary_category"]
        kind = AnnounceType(told["announce_type"])
        paper = Paper(
            arxiv_id=told["arxiv_id"],
            version=2 if kind.is_replacement else 1,
            title=told["title"],
            abstract=told["abstract"],
            authors=tuple(Author(name=name) for name in told["authors"]),
            categories=(primary, *(c for c in told["categories"] if c != primary)),
            withdrawn=n % 50 == 0 and kind.is_replacement,
        )
        enrichments = {} if n % _EVERY_THIRD == 0 else _enrichments(paper, model)
        for category in paper.categories:
            yield Record(
                paper=paper, listing=_listing(paper, category, on, kind), enrichments=enrichments
            )


def _listing(paper: Paper, category: str, on: date, kind: AnnounceType) -> Listing:
    told: AnnounceType = AnnounceType.NEW if kind is AnnounceType.CROSS else kind
    told = type_in_category(told, primary=paper.primary, category=category)
    return make_listing(paper, category=category, on=on, announce_type=told)


def _enrichments(paper: Paper, model: Mapping[str, str]) -> dict[str, Enrichment]:
    """Somebody else's Chinese, as long as real Chinese is."""
    chinese = replace(
        make_enrichment(paper, "zh"),
        title=model["translated_title"] or "题",
        abstract=model["translated_abstract"] or "文",
        tldr=model["tldr"] or "句",
    )
    return {"zh": chinese, "en": make_enrichment(paper, "en")}


def wishes(dice: random.Random, categories: Sequence[str]) -> Preferences:
    """Any preferences that a reader can choose."""

    def rules(most: int) -> tuple[Rule, ...]:
        return tuple(
            Rule(field="author", phrase=dice.choice(_AUTHORS))
            if dice.random() < 0.3
            else Rule(field=dice.choice(("title", "abstract", "text")), phrase=dice.choice(_WORDS))
            for _ in range(dice.randint(0, most))
        )

    wanted = dice.sample(list(AnnounceType), dice.randint(1, len(AnnounceType)))
    return Preferences(
        categories=tuple(dice.sample(categories, dice.randint(1, min(6, len(categories))))),
        announce_types=tuple(sorted(wanted, key=lambda kind: kind.rank)),
        include=rules(3),
        exclude=rules(1),
        language=dice.choice(("zh", "en", "both")),
        length=dice.choice(("brief", "full")),
        zone=dice.choice(_ZONES),
        hour=dice.choice((None, 0, 7, 18)),
        most=dice.choice((None, None, 1, 20)),
    )


def write_letters(data: Path, letters: int) -> tuple[str, list[str]]:
    """So many letters, over all issues in turn: a figure, and what is wrong."""
    dice = random.Random(letters)
    found, empty = Counter[str](), 0
    kinds, decoded, sent = Counter[str](), 0, 0
    for issue in cycle(tuple(issues(data))):
        if kinds.total() >= letters:
            break
        listed = sorted({li.category for paper in issue.papers for li in paper.listings})
        common = Counter(li.category for paper in issue.papers for li in paper.listings)
        likely = sorted(listed, key=lambda category: -common[category])[:20]
        preferences = wishes(dice, likely)
        reader = make_subscriber(
            f"{dice.getrandbits(128):032x}",
            address=f"reader{kinds.total()}@example.com",
            preferences=preferences,
        )
        press = LetterPress(issue, _IMPRINT)
        raw = _DELIVERER._message(reader, press, now=issue.frozen_at)
        if raw is None:
            empty += 1  # nothing for such a reader: no letter
            continue
        found.update(faults(raw))
        kinds[f"{preferences.language} {preferences.length}"] += 1
        sizes = html_sizes(raw)
        decoded, sent = max(decoded, sizes[0]), max(sent, sizes[1])
    each = ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items()))
    figure = (
        f"{kinds.total()} letters ({each}; {empty} readers had nothing to read), largest HTML "
        f"{decoded:,} bytes, {sent:,} as sent"
    )
    return figure, [f"{n}× {fault}" for fault, n in found.most_common()]


def main() -> int:
    """Print the line and return the status."""
    parser = argparse.ArgumentParser(description="Write letters and check each.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--letters", type=int, required=True)
    given = parser.parse_args()
    logger.setLevel("CRITICAL")
    figure, wrong = write_letters(given.data, given.letters)
    end = f"FAILED: {'; '.join(wrong[:5])}" if wrong else "ok"
    sys.stdout.write(f"letters to readers of every kind: {figure} … {end}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
