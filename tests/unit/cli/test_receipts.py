"""The receipt: counts that must add up, and a line for each that does not."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from paperpost import clients
from paperpost.domain.spending import Budget, Tokens
from paperpost.storage import keys
from paperpost.storage.enrichnotes import EnrichNotes
from paperpost.storage.papers import PaperTable
from paperpost.storage.site import SiteBucket
from paperpost_cli.counting import count_bouncing
from paperpost_cli.mailbox import Mail
from paperpost_cli.receipts import (
    AnnouncementCounts,
    EnrichmentCost,
    IssueCounts,
    Receipt,
    count_announcement,
    count_cost,
    count_issue,
    find_problems,
    status_problems,
)
from paperpost_cli.replay import plan_replay
from support.aws import Cloud
from support.feeds import DAY, Item, rss
from support.records import make_announcement, make_enrichment, make_listing, make_paper

FUNCTIONS = ("fetch", "enrich", "publish", "compose", "deliver", "subscribe", "feedback")
READERS, BOUNCING = 6, 1
ANNOUNCEMENT = AnnouncementCounts(
    category="cs.AI",
    announced_on="2026-04-21",
    announced=4,
    listed=4,
    state="complete",
    enriched={"zh ok": 4, "en failed": 4},
    without_enrichment=0,
    on_page=4,
    in_markdown=4,
    in_json=4,
    in_feeds={"rss.xml": 3, "atom.xml": 3, "feed.json": 3},
    due_in_feeds=3,
)
ISSUE = IssueCounts(
    issue="daily-2026-04-21",
    audience=6,
    states={"sent": 3, "unknown": 1, "skipped": 1, "failed": 1},
    letters=4,
    addressees=4,
    confirmed_without_row=0,
)
RIGHT = Receipt(
    announcements=[ANNOUNCEMENT],
    issues=[ISSUE],
    subscribers={"confirmed": 5, "bounced": 1},
    confirmations=6,
    invocations=dict.fromkeys(FUNCTIONS, 1),
    dead_letters={},
)


def problems(receipt: Receipt) -> list[str]:
    return find_problems(receipt, readers=READERS, bouncing=BOUNCING)


def test_a_right_receipt_has_no_problem() -> None:
    """Letters of which nobody knows count as sent; skipped and failed ones are final too."""
    assert problems(RIGHT) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"state": "partial"}, "cs.AI 2026-04-21: announcement is partial, not complete"),
        ({"listed": 3}, "cs.AI 2026-04-21: 4 announced, 3 listed"),
        ({"listed": 5}, "cs.AI 2026-04-21: 4 announced, 5 listed"),
        ({"on_page": 3}, "cs.AI 2026-04-21: 4 announced, 3 on the day page"),
        ({"in_markdown": 0}, "cs.AI 2026-04-21: 4 announced, 0 in Markdown"),
        ({"in_json": 3}, "cs.AI 2026-04-21: 4 announced, 3 in JSON"),
        ({"without_enrichment": 2}, "cs.AI 2026-04-21: 2 enrichments were never tried"),
        (
            {"in_feeds": {"rss.xml": 3, "atom.xml": 2, "feed.json": 3}},
            "cs.AI 2026-04-21: 3 new or cross, 2 in atom.xml",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_announcement_that_does_not_add_up_is_named(change: dict[str, Any], said: str) -> None:
    changed = replace(RIGHT, announcements=[replace(ANNOUNCEMENT, **change), ANNOUNCEMENT])

    assert problems(changed) == [said]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"states": {"sent": 4, "planned": 1, "claimed": 1}},
            "daily-2026-04-21: letters still open: {'planned': 1, 'claimed': 1}",
        ),
        (
            {"states": {"sent": 5, "skipped": 1}},
            "daily-2026-04-21: 5 letters sent, 4 in the mailbox",
        ),
        ({"addressees": 3}, "daily-2026-04-21: 4 letters to 3 addresses"),
        ({"confirmed_without_row": 2}, "daily-2026-04-21: 2 confirmed readers have no delivery"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_issue_that_does_not_add_up_is_named(change: dict[str, Any], said: str) -> None:
    assert problems(replace(RIGHT, issues=[ISSUE, replace(ISSUE, **change)])) == [said]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_never_ran_is_named(function: str) -> None:
    """One that is not deployed at all, too."""
    idle = {**RIGHT.invocations, function: 0}
    absent = {name: 1 for name in FUNCTIONS if name != function}

    assert problems(replace(RIGHT, invocations=idle)) == [f"{function} was never invoked"]
    assert problems(replace(RIGHT, invocations=absent)) == [f"{function} was never invoked"]


def test_dead_letters_are_a_problem() -> None:
    found = problems(replace(RIGHT, dead_letters={"EnrichmentDeadLetters": 2}))

    assert found == ["messages nobody could handle: {'EnrichmentDeadLetters': 2}"]


@pytest.mark.parametrize(
    ("subscribers", "said"),
    [
        ({"confirmed": 4, "bounced": 1, "pending": 1}, ["6 readers signed up, 5 are confirmed or"]),
        ({"confirmed": 6, "bounced": 1}, ["6 readers signed up, 7 are confirmed or"]),
        ({"confirmed": 6}, ["1 readers' mail bounces, 0 are marked so"]),
        ({}, ["6 readers signed up, 0 are", "1 readers' mail bounces, 0 are"]),
    ],
)
def test_readers_who_are_neither_confirmed_nor_bounced_are_a_problem(
    subscribers: dict[str, int], said: list[str]
) -> None:
    found = problems(replace(RIGHT, subscribers=subscribers))

    assert [line.startswith(start) for line, start in zip(found, said, strict=True)] == [True] * (
        len(said)
    )


def test_without_readers_the_functions_of_the_newsletter_may_rest() -> None:
    nobody = replace(
        RIGHT,
        issues=[],
        subscribers={},
        confirmations=0,
        invocations=dict.fromkeys(("fetch", "enrich", "publish"), 1),
    )

    assert find_problems(nobody, readers=0, bouncing=0) == []


STATUS: dict[str, Any] = {
    "faults": [],
    "dates": [
        {
            "announced_on": "2026-04-21",
            "categories": [
                {"category": "cs.AI", "announced": 4, "listed": 4, "published": 4, "enriched": 4}
            ],
            "issues": [
                {"issue": "daily-2026-04-21", "audience": 6, "sent": 3, "skipped": 1, "failed": 1,
                 "unknown": 1}
            ],
        }
    ],
}  # fmt: skip


def test_the_sites_own_receipts_say_the_same() -> None:
    """What is older than what the site shows is not compared."""
    old = replace(ANNOUNCEMENT, announced_on="2026-03-02", announced=9)

    assert status_problems(STATUS, RIGHT) == []
    assert status_problems(STATUS, replace(RIGHT, announcements=[ANNOUNCEMENT, old])) == []


def test_a_count_that_the_site_tells_otherwise_is_a_problem() -> None:
    announcement = replace(ANNOUNCEMENT, on_page=3, enriched={"zh ok": 2})
    issue = replace(ISSUE, states={"sent": 4, "skipped": 1, "failed": 1})

    found = status_problems(STATUS, replace(RIGHT, announcements=[announcement], issues=[issue]))

    assert found == [
        "cs.AI 2026-04-21: 3 published, 4 in status.json",
        "cs.AI 2026-04-21: 2 enriched, 4 in status.json",
        "daily-2026-04-21: 4 sent, 3 in status.json",
        "daily-2026-04-21: 0 unknown, 1 in status.json",
    ]


def test_what_the_site_does_not_tell_of_is_a_problem() -> None:
    assert status_problems({}, RIGHT) == [
        "cs.AI 2026-04-21: status.json does not tell of it",
        "daily-2026-04-21: status.json does not tell of it",
    ]


def test_a_fault_that_the_site_tells_is_a_problem() -> None:
    fault = {"subject": "cs.AI", "announced_on": "2026-04-21", "en": "stored 4 ≠ listed 3"}

    assert status_problems({**STATUS, "faults": [fault]}, RIGHT) == [
        "status.json: cs.AI 2026-04-21: stored 4 ≠ listed 3"
    ]


def test_the_receipt_is_written_with_its_problems() -> None:
    written = json.loads(RIGHT.with_problems(["one", "two"]).to_json())

    assert written["problems"] == ["one", "two"]
    assert written["announcements"][0]["in_feeds"]["rss.xml"] == 3


def test_what_the_model_cost_is_counted_by_utc_day(cloud: Cloud, tmp_path: Path) -> None:
    """In the receipt and its summary; a day before the replay is not part of it."""
    path = tmp_path / "ai.xml"
    path.write_bytes(rss(ITEMS, names="cs.AI"))
    notes, real = EnrichNotes(clients.table(cloud.papers)), Tokens(input=700, output=300)
    budget = Budget(input_price=Decimal("0.06"), output_price=Decimal("0.24"))
    for on in (DAY - timedelta(days=1), DAY):
        notes.settle(on, Tokens(), real, budget)

    counted = count_cost(notes, plan_replay([path]))

    assert counted == [
        EnrichmentCost(on="2026-04-21", calls=1, input_tokens=700, output_tokens=300, usd=0.000114)
    ]
    said = replace(RIGHT, enrichment=counted).summary()
    assert "enrichment: 1 calls, 1000 tokens, 0.0001 USD" in said


def test_the_summary_names_the_totals() -> None:
    said = replace(RIGHT, announcements=[ANNOUNCEMENT, ANNOUNCEMENT]).summary()

    assert said.startswith("announced 8 = listed 8 in 2 announcements\nissues 1, letters 4,")


# ---------------------------------------------------------------- counting an issue


def make_mail(to: str, issue: str = "daily-2026-04-21") -> Mail:
    return Mail(
        number=1, name="1.eml", sender="", to=to, subject="", issue=issue, headers=(), html="",
        text="", source="",
    )  # fmt: skip


def row(subscriber: str, state: str, issue: str = "daily-2026-04-21") -> dict[str, str]:
    return {
        "pk": f"{keys.issue_pk(issue)}#0",
        "sk": keys.delivery_sk(subscriber),
        "state": state,
    }


def test_an_issue_counts_its_own_rows_and_letters_alone() -> None:
    """Neither those of another date nor confirmations; a second letter to somebody shows."""
    counted = count_issue(
        "daily-2026-04-21",
        rows=[row("a", "sent"), row("b", "skipped"), row("a", "sent", "daily-2026-04-22")],
        mails=[
            make_mail("a@example.org"),
            make_mail("a@example.org"),
            make_mail("a@example.org", "daily-2026-04-22"),
            make_mail("a@example.org", ""),
        ],
        confirmed={"a", "b", "c"},
    )

    assert counted == IssueCounts(
        issue="daily-2026-04-21",
        audience=2,
        states={"sent": 1, "skipped": 1},
        letters=2,
        addressees=1,
        confirmed_without_row=1,
    )


def test_a_bouncing_reader_who_signed_up_twice_is_one() -> None:
    """A run that was interrupted and goes on sends the confirmation again."""
    twice = [make_mail("bounce+reader001@simulator.amazonses.com", "")] * 2
    others = [make_mail("a@example.org", ""), make_mail("bounce@simulator.amazonses.com")]

    assert count_bouncing([*twice, *others]) == 1


# ---------------------------------------------------------------- counting an announcement

NEW, CROSS, REPLACED = "2604.99001", "2604.99002", "2603.99003"
ITEMS = [
    Item(arxiv_id=NEW),
    Item(arxiv_id=CROSS, categories=("cs.CV", "cs.AI"), announce_type="cross"),
    Item(arxiv_id=REPLACED, version=2, announce_type="replace"),
]
Count = Callable[[], AnnouncementCounts]


@pytest.fixture
def site(cloud: Cloud) -> SiteBucket:
    """Everything that the three items must have made."""
    bucket, ids = SiteBucket(clients.s3(), cloud.bucket), (NEW, CROSS, REPLACED)
    page = "".join(f'<article id="{i}">' for i in ids)
    bucket.put("cs.AI/2026-04-21.html", page.encode())
    markdown = "".join(f"[x](https://arxiv.org/abs/{i})\n" for i in ids)
    bucket.put("cs.AI/2026-04-21.md", markdown.encode())
    bucket.put("cs.AI/2026-04-21.json", json.dumps({"records": [{"id": i} for i in ids]}).encode())
    for name in ("rss.xml", "atom.xml", "feed.json"):
        entries = "".join(f"<link>https://arxiv.org/abs/{i}</link>" for i in (NEW, CROSS))
        bucket.put(f"cs.AI/{name}", entries.encode())
    return bucket


@pytest.fixture
def count(cloud: Cloud, site: SiteBucket, tmp_path: Path) -> Count:
    """Count the announcement of the three items as it stands."""
    path = tmp_path / "ai.xml"
    path.write_bytes(rss(ITEMS, names="cs.AI"))
    replay = plan_replay([path])
    papers = PaperTable(clients.table(cloud.papers))
    made = [make_paper(i, categories=("cs.AI",)) for i in (NEW, CROSS, REPLACED)]
    papers.put_papers(made)
    papers.put_listings([make_listing(paper, category="cs.AI") for paper in made])
    papers.put_announcement(make_announcement(3, category="cs.AI"))
    for paper in made:
        for language in ("zh", "en"):
            papers.put_enrichment(make_enrichment(paper, language))
    return lambda: count_announcement(
        replay, DAY, "cs.AI", papers=papers, site=site, languages=("zh", "en")
    )


def test_what_stands_everywhere_adds_up(count: Count) -> None:
    """The replacement stands on the page, not in the feeds."""
    counted = count()

    assert (counted.announced, counted.due_in_feeds) == (3, 2)
    assert counted.enriched == {"en ok": 3, "zh ok": 3}
    assert find_problems(
        replace(RIGHT, announcements=[counted]), readers=READERS, bouncing=BOUNCING
    ) == []  # fmt: skip


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("cs.AI/2026-04-21.html", "3 announced, 0 on the day page"),
        ("cs.AI/2026-04-21.md", "3 announced, 0 in Markdown"),
        ("cs.AI/2026-04-21.json", "3 announced, 0 in JSON"),
        ("cs.AI/rss.xml", "2 new or cross, 0 in rss.xml"),
        ("cs.AI/feed.json", "2 new or cross, 0 in feed.json"),
    ],
)
def test_a_file_without_the_papers_is_noticed(
    count: Count, site: SiteBucket, path: str, said: str
) -> None:
    site.put(path, b"{}")

    assert problems(replace(RIGHT, announcements=[count()])) == [f"cs.AI 2026-04-21: {said}"]


def test_what_was_never_stored_is_noticed(cloud: Cloud, tmp_path: Path) -> None:
    """Tables and bucket are empty."""
    path = tmp_path / "ai.xml"
    path.write_bytes(rss(ITEMS, names="cs.AI"))

    counted = count_announcement(
        plan_replay([path]),
        DAY,
        "cs.AI",
        papers=PaperTable(clients.table(cloud.papers)),
        site=SiteBucket(clients.s3(), cloud.bucket),
        languages=("zh", "en"),
    )

    assert (counted.state, counted.listed, counted.on_page) == ("missing", 0, 0)
    assert counted.in_feeds == {"rss.xml": 0, "atom.xml": 0, "feed.json": 0}
