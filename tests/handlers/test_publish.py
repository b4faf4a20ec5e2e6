"""publish against tables and a bucket in process: what is put, when, and what never is."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from paperpost import clients
from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.deliveries import IssueState
from paperpost.domain.enrichments import EnrichmentState
from paperpost.domain.issuefiles import issue_path, to_bytes
from paperpost.domain.issues import FrozenIssue
from paperpost.domain.mailed import MAILED_PATH, Mailed
from paperpost.domain.mailed import to_bytes as mail_counts
from paperpost.domain.papers import AnnounceType, Paper, listed_as
from paperpost.publish import handler as publish
from paperpost.publish.entries import tag_of
from paperpost.storage.papers import PaperTable
from paperpost.storage.site import SiteBucket
from support.aws import Cloud
from support.records import (
    DAY,
    make_announcement,
    make_enrichment,
    make_listing,
    make_paper,
    stored_at,
)

NEXT = DAY + timedelta(days=1)
AFTER_HOLD = timedelta(minutes=31)
_BEFORE_PUT = "provide-client-params.s3.PutObject"


@dataclass
class Context:
    """What Powertools asks of a Lambda context."""

    function_name: str = "publish"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:publish"
    aws_request_id: str = "request"


@dataclass
class Stage:
    """The stage as its triggers and readers see it."""

    papers: PaperTable
    site: SiteBucket
    bucket: str
    set_now: Callable[[datetime], None]
    watchers: list[Callable[..., None]] = field(default_factory=list)

    def announce(
        self, papers: list[Paper], *, on: date = DAY, enriched: bool = True, **changes: Any
    ) -> None:
        """Store an announcement of cs.CV as fetch does, and what enrich adds to it."""
        announce_type = changes.pop("announce_type", AnnounceType.NEW)
        listings = [make_listing(p, on=on, announce_type=announce_type) for p in papers]
        self.papers.put_papers(map(listed_as, papers, listings))
        self.papers.put_listings(listings)
        if enriched:
            self.enrich(papers, at=stored_at(on) + timedelta(minutes=3))
        self.papers.put_announcement(replace(make_announcement(len(papers), on=on), **changes))

    def enrich(self, papers: list[Paper], *, at: datetime) -> None:
        """Add both languages."""
        for paper in papers:
            for language in ("zh", "en"):
                self.papers.put_enrichment(make_enrichment(paper, language, at=at))

    def heal(self, at: datetime) -> dict[str, int]:
        """The schedule fires."""
        self.set_now(at)
        return publish.handler({"task": "heal"}, Context())  # type: ignore[arg-type]

    def stream(self, at: datetime, *pairs: tuple[str, str]) -> dict[str, int]:
        """The stream brings items with these keys."""
        self.set_now(at)
        records = [{"dynamodb": {"Keys": {"pk": {"S": pk}, "sk": {"S": sk}}}} for pk, sk in pairs]
        return publish.handler({"Records": records}, Context())  # type: ignore[arg-type]

    def lose(self, arxiv_id: str) -> None:
        """Drop a listing, as a torn read or a careless hand would."""
        key = {"pk": f"LIST#cs.CV#{DAY}", "sk": f"0#{arxiv_id}"}
        clients.table(os.environ["PAPERS_TABLE"]).delete_item(Key=key)

    def watch_puts(self, seen: Callable[[str], None]) -> None:
        """Call *seen* with each path before it is put; what it raises breaks the put."""

        def before(params: dict[str, Any], **_: Any) -> None:
            seen(params["Key"])

        clients.s3().meta.events.register(_BEFORE_PUT, before)
        self.watchers.append(before)

    def entries(self, path: str = "cs.CV/feed.json") -> list[str]:
        """The ids that a reader sees."""
        stored = self.site.get(path)
        return [i["id"] for i in json.loads(stored.body)["items"]] if stored else []

    def text(self, path: str) -> str:
        """A file as text; '' where there is none."""
        stored = self.site.get(path)
        return stored.body.decode() if stored else ""

    def stamps(self) -> dict[str, str]:
        """Path → when it was put and what it holds, of every file."""
        listed = clients.s3().list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {o["Key"]: f"{o['LastModified']} {o['ETag']}" for o in listed}


@pytest.fixture
def stage(cloud: Cloud) -> Iterator[Stage]:
    """Publish of cs.CV and cs.LG, with its clock in hand."""
    os.environ.update(
        PAPERS_TABLE=cloud.papers,
        SITE_BUCKET=cloud.bucket,
        SITE_URL="https://paperpost.example",
        CATEGORIES="cs.CV,cs.LG",
        CONTACT_MAIL="help@paperpost.example",
        POWERTOOLS_METRICS_NAMESPACE="Paperpost",
        MAIL="on",
    )

    def set_now(at: datetime) -> None:
        offset = at - datetime.now(at.tzinfo)
        os.environ["CLOCK_OFFSET_S"] = str(offset.total_seconds())

    made = Stage(
        papers=PaperTable(clients.table(cloud.papers)),
        site=SiteBucket(clients.s3(), cloud.bucket),
        bucket=cloud.bucket,
        set_now=set_now,
    )
    yield made
    for watcher in made.watchers:
        clients.s3().meta.events.unregister(_BEFORE_PUT, watcher)


def papers(*numbers: int) -> list[Paper]:
    return [make_paper(f"2604.9900{n}") for n in numbers]


def tags(*numbers: int) -> list[str]:
    return [tag_of(f"2604.9900{n}") for n in numbers]


AT = stored_at(DAY) + timedelta(minutes=5)


def test_a_complete_enriched_announcement_is_published_whole(stage: Stage) -> None:
    stage.announce(papers(1, 2))

    stage.heal(AT)

    assert stage.entries() == tags(2, 1)
    wanted = {f"cs.CV/{DAY}.{ending}" for ending in ("html", "md", "json", "bib")}
    wanted |= {f"cs.CV/{name}" for name in ("index.html", "latest.md", "rss.xml", "atom.xml")}
    wanted |= {"index.html", "status.html", "status.json", "feeds.opml", "404.html", "style.css"}
    assert wanted <= set(stage.stamps())
    assert stage.text("cs.CV/latest.md") == stage.text(f"cs.CV/{DAY}.md")


def test_a_category_without_papers_has_pages_but_no_feed(stage: Stage) -> None:
    stage.heal(AT)

    assert [path for path in stage.stamps() if path.startswith("cs.LG/")] == ["cs.LG/index.html"]


def test_files_carry_their_types(stage: Stage) -> None:
    stage.announce(papers(1))
    stage.heal(AT)

    types = {
        path: clients.s3().head_object(Bucket=stage.bucket, Key=path)["ContentType"]
        for path in ("cs.CV/rss.zh.xml", "cs.CV/feed.json", "filter.js", "feeds.opml")
    }

    assert types == {
        "cs.CV/rss.zh.xml": "application/rss+xml; charset=utf-8",
        "cs.CV/feed.json": "application/feed+json; charset=utf-8",
        "filter.js": "text/javascript; charset=utf-8",
        "feeds.opml": "text/x-opml; charset=utf-8",
    }


def test_a_second_run_puts_and_writes_nothing(stage: Stage) -> None:
    stage.announce(papers(1, 2))
    stage.papers.put_announcement(
        make_announcement(0, on=NEXT, state=AnnouncementState.QUIET, reason="weekend")
    )
    stage.heal(AT)
    before, notes = stage.stamps(), stage.papers.get_published("cs.CV")

    again = stage.heal(AT + timedelta(minutes=5))
    woken = stage.stream(AT + timedelta(minutes=6), ("CATEGORY#cs.CV", str(DAY)))

    assert again["files_put"] == woken["files_put"] == 0
    assert (stage.stamps(), stage.papers.get_published("cs.CV")) == (before, notes)


def test_files_that_are_there_are_not_put_again_though_every_note_is_lost(stage: Stage) -> None:
    stage.announce(papers(1))
    stage.heal(AT)
    table = clients.table(os.environ["PAPERS_TABLE"])
    for category in ("cs.CV", "cs.LG", "site"):
        for key in stage.papers.get_published(category):
            table.delete_item(Key={"pk": f"PUBLISHED#{category}", "sk": key})

    assert stage.heal(AT)["files_put"] == 0


def test_readers_wait_for_the_translation(stage: Stage) -> None:
    """Held while an enrichment is open; the stream event of the last one publishes at once."""
    stage.announce(papers(1), enriched=False)

    stage.stream(AT, ("CATEGORY#cs.CV", str(DAY)))
    held = stage.entries()
    stage.enrich(papers(1), at=AT)
    stage.stream(AT, ("PAPER#2604.99001", "ENRICHMENT#zh"), ("PAPER#2604.99001", "ENRICHMENT#en"))

    assert held == []
    assert stage.entries() == tags(1)
    assert "虚构的标题" in stage.text("cs.CV/rss.xml")


def test_a_dead_model_costs_the_translation_and_not_the_paper(stage: Stage) -> None:
    stage.announce(papers(1), enriched=False)

    stage.heal(stored_at(DAY) + AFTER_HOLD)

    assert stage.entries() == tags(1)
    assert "翻译待补" in stage.text(f"cs.CV/{DAY}.html")


def test_a_late_translation_upgrades_the_same_entry(stage: Stage) -> None:
    stage.announce(papers(1, 2), enriched=False)
    stage.heal(stored_at(DAY) + AFTER_HOLD)
    stage.enrich(papers(1), at=stored_at(DAY) + timedelta(hours=2))

    stage.stream(stored_at(DAY) + timedelta(hours=2), ("PAPER#2604.99001", "ENRICHMENT#zh"))

    assert stage.entries() == tags(2, 1)
    assert "虚构的标题" in stage.text("cs.CV/rss.xml")


def test_a_lost_event_heals(stage: Stage) -> None:
    """Nobody told of the translation; the next scheduled run finds it."""
    stage.announce(papers(1), enriched=False)
    stage.heal(stored_at(DAY) + AFTER_HOLD)
    stage.enrich(papers(1), at=stored_at(DAY) + timedelta(minutes=40))

    stage.heal(stored_at(DAY) + timedelta(minutes=45))

    assert "虚构的标题" in stage.text("cs.CV/rss.xml")


def test_a_final_failure_is_looked_at_once_an_hour(stage: Stage) -> None:
    (paper,) = papers(1)
    stage.announce([paper], enriched=False)
    for language in ("zh", "en"):
        failed = make_enrichment(paper, language, state=EnrichmentState.FAILED)
        stage.papers.put_enrichment(failed)
    stage.heal(AT)
    stage.enrich([paper], at=AT + timedelta(minutes=1))

    stage.heal(AT.replace(hour=5, minute=55))
    between = stage.text("cs.CV/rss.xml")
    stage.heal(AT.replace(hour=6, minute=0))

    assert "虚构的标题" not in between
    assert "虚构的标题" in stage.text("cs.CV/rss.xml")


@pytest.mark.parametrize("state", ["waiting", "partial", "stalled", "failed"])
def test_an_announcement_that_is_not_complete_is_not_published(stage: Stage, state: str) -> None:
    stage.announce(papers(1), state=AnnouncementState(state), completed_at=None)

    stage.heal(stored_at(DAY) + AFTER_HOLD)

    assert stage.entries() == []
    assert not stage.text(f"cs.CV/{DAY}.html")
    assert json.loads(stage.text("status.json"))["dates"][0]["categories"][0]["state"] == state


def test_a_mismatch_fails_the_run_when_everything_else_is_published(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """A listing is lost before the page is built: the page says so, and so does a metric."""
    stage.announce(papers(1, 2))
    stage.lose("2604.99002")

    with pytest.raises(publish.ReceiptMismatchError, match=f"cs.CV {DAY}: stored 2 ≠ listed 1"):
        stage.heal(AT)

    assert stage.entries() == tags(1)
    status = json.loads(stage.text("status.json"))
    assert status["adds_up"] is False
    assert {fault["subject"] for fault in status["faults"]} == {"cs.CV"}
    assert "不相符" in stage.text("status.html")
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [m["ReceiptMismatch"] for m in metrics if "ReceiptMismatch" in m] == [[2.0]]
    with pytest.raises(publish.ReceiptMismatchError):
        stage.stream(AT + timedelta(minutes=1), ("CATEGORY#cs.CV", str(DAY)))


def test_a_listing_without_its_paper_is_counted_and_missed(stage: Stage) -> None:
    stage.announce(papers(1, 2))
    key = {"pk": "PAPER#2604.99002", "sk": "PAPER"}
    clients.table(os.environ["PAPERS_TABLE"]).delete_item(Key=key)

    with pytest.raises(publish.ReceiptMismatchError, match="stored 2 ≠ published 1"):
        stage.heal(AT)

    (row,) = json.loads(stage.text("status.json"))["dates"][0]["categories"]
    assert (row["stored"], row["listed"], row["published"]) == (2, 2, 1)


def test_letters_are_counted_beside_their_date_as_soon_as_compose_tells(stage: Stage) -> None:
    """Nothing but the receipts is put for it, and the same counts are put once."""
    stage.announce(papers(1))
    stage.heal(AT)
    issue = Mailed(issue=f"daily-{DAY}", state=IssueState.CLOSED, frozen_at=AT, sent=3, failed=1)
    stage.site.put(MAILED_PATH, mail_counts([issue]))
    before = stage.stamps()

    puts = [stage.heal(AT + timedelta(minutes=n))["files_put"] for n in (5, 10)]

    changed = {path for path, stamp in stage.stamps().items() if before[path] != stamp}
    assert (puts, changed) == ([2, 0], {"status.html", "status.json"})
    (shown,) = json.loads(stage.text("status.json"))["dates"][0]["issues"]
    assert (shown["audience"], shown["sent"], shown["failed"]) == (4, 3, 1)


def test_broken_mail_counts_hold_no_page_back(stage: Stage) -> None:
    stage.announce(papers(1))
    stage.site.put(MAILED_PATH, b"{")

    stage.heal(AT)

    assert stage.entries() == tags(1)
    assert json.loads(stage.text("status.json"))["dates"][0]["issues"] == []


def test_what_is_announced_later_than_today_waits(stage: Stage) -> None:
    """A replay may have stored tomorrow's rows; the clock decides what is published."""
    stage.announce(papers(1))
    stage.announce(papers(2), on=NEXT)

    stage.heal(AT)

    assert stage.entries() == tags(1)


def test_the_stream_builds_only_what_it_touches(stage: Stage) -> None:
    stage.announce(papers(1))

    stage.stream(AT, ("CATEGORY#cs.LG", str(DAY)))
    untouched = stage.entries()
    result = stage.stream(AT, *[("CATEGORY#cs.CV", str(DAY))] * 20)

    assert untouched == []
    assert stage.entries() == tags(1)
    assert result["categories_changed"] == 1


def test_an_event_of_a_category_that_is_not_configured_is_passed_over(stage: Stage) -> None:
    assert stage.stream(AT, ("CATEGORY#math.CO", str(DAY)))["categories_changed"] == 0


def test_a_quiet_day_has_a_page_and_leaves_the_feed_alone(stage: Stage) -> None:
    stage.announce(papers(1))
    stage.heal(AT)
    feed = stage.stamps()["cs.CV/rss.xml"]
    stage.papers.put_announcement(
        make_announcement(0, on=NEXT, state=AnnouncementState.QUIET, reason="Juneteenth")
    )

    stage.heal(stored_at(NEXT))

    assert "Juneteenth" in stage.text(f"cs.CV/{NEXT}.html")
    assert stage.stamps()["cs.CV/rss.xml"] == feed
    assert stage.text("cs.CV/latest.md") == stage.text(f"cs.CV/{DAY}.md")


def test_a_new_day_is_linked_from_the_one_before(stage: Stage) -> None:
    stage.announce(papers(1))
    stage.heal(AT)
    stage.announce(papers(2), on=NEXT)

    stage.heal(stored_at(NEXT) + timedelta(minutes=5))

    assert f'rel="next" href="{NEXT}.html"' in stage.text(f"cs.CV/{DAY}.html")
    assert stage.entries() == tags(2, 1)


def test_a_replacement_renews_its_entry_and_stands_on_its_own_day(stage: Stage) -> None:
    stage.announce(papers(1))
    stage.heal(AT)
    second = make_paper("2604.99001", version=2, title="A Better Title")
    stage.announce([second], on=NEXT, announce_type=AnnounceType.REPLACE)

    stage.heal(stored_at(NEXT) + timedelta(minutes=5))

    assert stage.entries() == tags(1)
    assert "A Better Title" in stage.text("cs.CV/rss.en.xml")
    assert 'id="replacements"' in stage.text(f"cs.CV/{NEXT}.html")


def test_what_was_stored_after_the_issue_was_frozen_stands_under_late_arrivals(
    stage: Stage,
) -> None:
    stage.announce(papers(1))
    issue = FrozenIssue(
        issue=f"daily-{DAY}",
        announced_on=DAY,
        frozen_at=stored_at(DAY) + timedelta(hours=1),
        reason="ready",
        papers=(),
        counts={},
    )
    stage.site.put_once(issue_path(issue.issue), to_bytes(issue))
    (late,) = papers(2)
    stage.papers.put_papers([late])
    stage.papers.put_listings(
        [replace(make_listing(late), stored_at=stored_at(DAY) + timedelta(hours=2))]
    )
    stage.papers.put_announcement(make_announcement(2))

    stage.heal(stored_at(DAY) + timedelta(hours=3))

    section = stage.text(f"cs.CV/{DAY}.html").split('<section id="late">')[1]
    assert 'id="2604.99002"' in section
    assert stage.entries() == tags(2, 1)


def freeze(stage: Stage, on: date) -> None:
    """The daily issue of *on*, frozen an hour after its papers were stored."""
    issue = FrozenIssue(
        issue=f"daily-{on}",
        announced_on=on,
        frozen_at=stored_at(on) + timedelta(hours=1),
        reason="ready",
        papers=(),
        counts={},
    )
    stage.site.put_once(issue_path(issue.issue), to_bytes(issue))


def arrive_late(stage: Stage, paper: Paper, *, at: datetime, of: int, on: date = DAY) -> None:
    """ArXiv's API tells of one more paper of a day long past, which has *of* with it."""
    listing = replace(make_listing(paper, on=on), stored_at=at)
    stage.papers.put_papers([listed_as(paper, listing)])
    stage.papers.put_listings([listing])
    stage.enrich([paper], at=at)
    stage.papers.put_announcement(replace(make_announcement(of, on=on), updated_at=at))


def dated(stage: Stage, path: str = "cs.CV/feed.json") -> list[tuple[str, date]]:
    """The ids that a reader sees, each with its day."""
    items = json.loads(stage.text(path))["items"]
    return [(i["id"], datetime.fromisoformat(i["date_published"]).date()) for i in items]


def nine_days(stage: Stage) -> list[date]:
    """A paper a day, 0 to 8, so that the two oldest days have left the feed by the last one."""
    days = [DAY + timedelta(days=n) for n in range(9)]
    for n, on in enumerate(days):
        stage.announce(papers(n), on=on)
        freeze(stage, on)
        stage.heal(stored_at(on) + timedelta(minutes=40))
    return days


def test_a_late_arrival_of_a_day_that_left_the_feed_enters_it_on_the_day_it_was_stored(
    stage: Stage,
) -> None:
    """Its page is that of its true date; the two newest days and it push the oldest one out."""
    days = nine_days(stage)
    at = stored_at(days[8]) + timedelta(hours=3)
    arrive_late(stage, papers(9)[0], at=at, of=2)

    stage.stream(at, ("CATEGORY#cs.CV", str(DAY)))

    assert dated(stage)[:3] == [(tags(9)[0], days[8]), (tags(8)[0], days[8]), (tags(7)[0], days[7])]
    section = stage.text(f"cs.CV/{DAY}.html").split('<section id="late">')[1]
    assert 'id="2604.99009"' in section
    assert 'id="2604.99009"' not in stage.text(f"cs.CV/{days[8]}.html")


def test_a_late_arrival_stays_on_its_day_and_leaves_the_feed_with_it_for_good(
    stage: Stage,
) -> None:
    """On a Saturday without papers; day after day is published, and its page is touched again."""
    days = nine_days(stage)
    stored_on = days[8] + timedelta(days=1)
    arrive_late(stage, papers(9)[0], at=stored_at(stored_on), of=2)
    stage.stream(stored_at(stored_on), ("CATEGORY#cs.CV", str(DAY)))
    seen = [dict(dated(stage)).get(tags(9)[0])]

    for n in range(1, 10):
        on = stored_on + timedelta(days=n)
        stage.announce([make_paper(f"2605.9900{n}")], on=on)
        stage.heal(stored_at(on) + timedelta(minutes=40))
        stage.stream(stored_at(on) + timedelta(minutes=50), ("CATEGORY#cs.CV", str(DAY)))
        seen.append(dict(dated(stage)).get(tags(9)[0]))

    assert seen == [stored_on] * 7 + [None] * 3


def test_a_late_arrival_that_the_feed_had_room_for_does_not_come_again(stage: Stage) -> None:
    """It stood on its true date and left with it, though the day it was stored is still there."""
    days = nine_days(stage)
    at = stored_at(days[8]) + timedelta(hours=3)
    arrive_late(stage, papers(9)[0], at=at, of=2, on=days[2])
    stage.stream(at, ("CATEGORY#cs.CV", str(days[2])))
    before = dict(dated(stage)).get(tags(9)[0])
    stage.announce([make_paper("2605.99001")], on=days[8] + timedelta(days=1))

    for minutes in (40, 45):
        now = stored_at(days[8] + timedelta(days=1)) + timedelta(minutes=minutes)
        stage.heal(now)
        stage.stream(now, ("CATEGORY#cs.CV", str(days[2])))

    assert before == days[2]
    assert tags(9)[0] not in stage.entries()


def test_a_late_arrival_has_its_translation_and_its_new_version_where_it_stands(
    stage: Stage,
) -> None:
    days = nine_days(stage)
    at = stored_at(days[8]) + timedelta(hours=3)
    arrive_late(stage, papers(9)[0], at=at, of=2)
    stage.stream(at, ("CATEGORY#cs.CV", str(DAY)))
    on = days[8] + timedelta(days=1)
    second = make_paper("2604.99009", version=2, title="A Better Title")
    stage.announce([second], on=on, announce_type=AnnounceType.REPLACE)

    stage.heal(stored_at(on) + timedelta(minutes=40))

    assert dict(dated(stage))[tags(9)[0]] == days[8]
    assert "A Better Title" in stage.text("cs.CV/rss.en.xml")


def test_a_late_arrival_stays_though_every_note_is_lost(stage: Stage) -> None:
    days = nine_days(stage)
    at = stored_at(days[8]) + timedelta(hours=3)
    arrive_late(stage, papers(9)[0], at=at, of=2)
    stage.stream(at, ("CATEGORY#cs.CV", str(DAY)))
    before = dated(stage)
    for key in stage.papers.get_published("cs.CV"):
        clients.table(os.environ["PAPERS_TABLE"]).delete_item(
            Key={"pk": "PUBLISHED#cs.CV", "sk": key}
        )

    stage.heal(at + timedelta(minutes=40))

    assert dated(stage) == before


def test_a_day_that_came_whole_after_its_issue_is_not_late(stage: Stage) -> None:
    """A category that is followed from today on has a past; its feed does not begin with that."""
    days = nine_days(stage)
    for on in (DAY - timedelta(days=2), DAY - timedelta(days=1)):
        freeze(stage, on)
        for n, minutes in enumerate((0, 30)):
            at = stored_at(days[8]) + timedelta(hours=3, minutes=minutes)
            arrive_late(stage, make_paper(f"2603.9900{on.day % 10}{n}"), at=at, of=n + 1, on=on)

    stage.heal(stored_at(days[8]) + timedelta(hours=4))

    assert stage.entries() == tags(8, 7, 6, 5, 4, 3, 2)
    assert 'id="late"' not in stage.text(f"cs.CV/{DAY - timedelta(days=2)}.html")


def test_older_days_have_pages_though_the_feed_has_room_for_seven(stage: Stage) -> None:
    days = [DAY + timedelta(days=n) for n in range(9)]
    for n, on in enumerate(days):
        stage.announce(papers(n), on=on)

    stage.heal(stored_at(days[-1]) + timedelta(minutes=5))

    assert stage.entries() == tags(8, 7, 6, 5, 4, 3, 2)
    assert all(stage.text(f"cs.CV/{on}.html") for on in days)
    assert stage.text("cs.CV/index.html").count('<li><a href="2026-') == 9


def test_a_candidate_that_loses_a_paper_is_refused_and_the_old_files_stay(stage: Stage) -> None:
    stage.announce(papers(1, 2))
    stage.heal(AT)
    before = stage.stamps()
    stage.lose("2604.99001")
    stage.announce(papers(3), on=NEXT)

    with pytest.raises(publish.NotAllPublishedError, match="has 1 papers, 2 are published"):
        stage.heal(stored_at(NEXT) + timedelta(minutes=5))

    assert {k: v for k, v in stage.stamps().items() if k.startswith("cs.CV/")} == {
        k: v for k, v in before.items() if k.startswith("cs.CV/")
    }


def test_a_refused_category_does_not_keep_the_others_back(stage: Stage) -> None:
    stage.announce(papers(1, 2))
    stage.heal(AT)
    stage.lose("2604.99001")
    stage.announce(papers(3), on=NEXT)
    paper = make_paper("2604.99009", categories=("cs.LG",))
    stage.papers.put_papers([paper])
    stage.papers.put_listings([make_listing(paper, category="cs.LG", on=NEXT)])
    stage.enrich([paper], at=stored_at(NEXT))
    stage.papers.put_announcement(make_announcement(1, category="cs.LG", on=NEXT))

    with pytest.raises(publish.NotAllPublishedError):
        stage.heal(stored_at(NEXT) + timedelta(minutes=5))

    assert stage.entries("cs.LG/feed.json") == tags(9)


def test_a_category_that_cannot_be_built_does_not_keep_the_others_back(stage: Stage) -> None:
    """Whatever it stumbles over: here a file of it that cannot be put."""

    def crash(path: str) -> None:
        if path.startswith("cs.CV/"):
            raise ConnectionError

    stage.watch_puts(crash)
    stage.announce(papers(1))
    paper = make_paper("2604.99009", categories=("cs.LG",))
    stage.papers.put_papers([paper])
    stage.papers.put_listings([make_listing(paper, category="cs.LG")])
    stage.enrich([paper], at=AT)
    stage.papers.put_announcement(make_announcement(1, category="cs.LG"))

    with pytest.raises(publish.NotAllPublishedError, match=r"cs\.CV not published: Conn"):
        stage.heal(AT)

    assert stage.entries("cs.LG/feed.json") == tags(9)


def test_an_unreadable_published_feed_is_replaced(stage: Stage) -> None:
    stage.announce(papers(1))
    stage.heal(AT)
    stage.site.put("cs.CV/feed.json", b"torn {")
    stage.announce(papers(2), on=NEXT)

    stage.heal(stored_at(NEXT) + timedelta(minutes=5))

    assert stage.entries() == tags(2, 1)


def test_a_feed_of_which_one_file_is_gone_is_guarded_by_the_others(stage: Stage) -> None:
    """A careless hand took the bilingual JSON Feed; no paper may go with it."""
    stage.announce(papers(1, 2))
    stage.heal(AT)
    clients.s3().delete_object(Bucket=stage.bucket, Key="cs.CV/feed.json")
    stage.lose("2604.99001")
    stage.announce(papers(2, 3))

    with pytest.raises(publish.NotAllPublishedError, match=r"2604\.99001 missing"):
        stage.stream(AT + timedelta(minutes=5), ("CATEGORY#cs.CV", str(DAY)))

    assert "2604.99001" in stage.text("cs.CV/rss.xml")


def test_links_to_a_page_are_put_after_the_page(stage: Stage) -> None:
    """Feeds first, which link to arXiv, then day pages, the category's index, the front page."""
    order: list[str] = []
    stage.watch_puts(order.append)
    stage.announce(papers(1))

    stage.heal(AT)

    first = [order.index(f"cs.CV/{name}") for name in ("rss.xml", f"{DAY}.html", "index.html")]
    assert first == sorted(first)
    assert order[-1] == "index.html"


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_a_crash_between_puts_heals(stage: Stage) -> None:
    """One feed is out, the others are not: the next run finishes without putting it again."""
    stage.announce(papers(1))
    crash = {"cs.CV/rss.xml"}

    def crash_once(path: str) -> None:
        if path in crash:
            crash.remove(path)
            raise KeyboardInterrupt  # as a process dies: nothing in it can answer that

    stage.watch_puts(crash_once)
    with pytest.raises(KeyboardInterrupt):
        stage.heal(AT)
    before = stage.stamps()

    stage.heal(AT + timedelta(minutes=5))

    assert set(before) == {"cs.CV/feed.json"}
    assert stage.stamps()["cs.CV/feed.json"] == before["cs.CV/feed.json"]
    assert "cs.CV/rss.xml" in stage.stamps()


def test_a_slow_publisher_never_replaces_what_a_later_one_put(stage: Stage) -> None:
    """The later one knows one paper more; the slow one, which read before that, begins anew."""
    stage.announce(papers(1))
    overtaken = {"cs.CV/feed.json"}

    def overtake_once(path: str) -> None:
        if path in overtaken:
            overtaken.remove(path)
            stage.announce(papers(1, 2))
            stage.heal(AT)

    stage.watch_puts(overtake_once)

    stage.heal(AT)

    assert stage.entries() == tags(2, 1)


@pytest.mark.parametrize("path", [f"cs.CV/{DAY}.html", "cs.CV/index.html", "status.json"])
def test_a_slow_publisher_never_sets_a_page_back_that_a_later_one_put(
    stage: Stage, path: str
) -> None:
    """Its feeds are out when the later one comes, which knows one paper more and runs whole."""
    stage.announce(papers(1))
    stage.heal(AT)
    stage.announce(papers(1, 2), updated_at=AT)
    overtaken = {path}

    def overtake_once(put: str) -> None:
        if put in overtaken:
            overtaken.remove(put)
            stage.announce(papers(1, 2, 3), updated_at=AT + timedelta(minutes=1))
            stage.heal(AT + timedelta(minutes=1))

    stage.watch_puts(overtake_once)

    stage.heal(AT)

    assert 'id="2604.99003"' in stage.text(f"cs.CV/{DAY}.html")
    assert "2604.99003" in stage.text("cs.CV/latest.md")
    (row,) = json.loads(stage.text("status.json"))["dates"][0]["categories"]
    assert row["published"] == 3
    assert stage.heal(AT + timedelta(minutes=5))["files_put"] == 0


def test_a_category_that_others_put_again_and_again_is_given_up(stage: Stage) -> None:
    stage.announce(papers(1))

    versions = count()

    def overtake(path: str) -> None:
        if path == "cs.CV/feed.json":
            stage.site.put("other", b"%d" % next(versions))
            source = {"Bucket": stage.bucket, "Key": "other"}
            clients.s3().copy_object(Bucket=stage.bucket, Key=path, CopySource=source)

    stage.watch_puts(overtake)

    with pytest.raises(publish.NotAllPublishedError, match="by another publisher"):
        stage.heal(AT)


def test_a_changed_setting_renews_the_pages(stage: Stage) -> None:
    stage.announce(papers(1))
    stage.heal(AT)
    os.environ["CONTACT_MAIL"] = "new@paperpost.example"

    stage.heal(AT + timedelta(minutes=5))

    assert "new@paperpost.example" in stage.text(f"cs.CV/{DAY}.html")


def test_replacements_are_entries_where_the_operator_wants_them(stage: Stage) -> None:
    """Turning it off again is no regression: the gate lets those entries go."""
    os.environ["REPLACEMENTS_IN_FEEDS"] = "on"
    stage.announce(papers(1))
    stage.announce(papers(2), on=NEXT, announce_type=AnnounceType.REPLACE)
    stage.heal(stored_at(NEXT) + timedelta(minutes=5))
    on = stage.entries()
    os.environ["REPLACEMENTS_IN_FEEDS"] = "off"

    stage.heal(stored_at(NEXT) + timedelta(minutes=10))

    assert on == tags(2, 1)
    assert stage.entries() == tags(1)


def test_later_ids_of_a_published_day_appear_at_once(stage: Stage) -> None:
    stage.announce(papers(1))
    stage.heal(AT)
    stage.announce(papers(1, 2), updated_at=AT)

    stage.stream(AT + timedelta(minutes=1), ("CATEGORY#cs.CV", str(DAY)))

    assert stage.entries() == tags(2, 1)
    announced: Announcement | None = stage.papers.get_announcement("cs.CV", DAY)
    assert announced is not None
    assert f"公告 {announced.announced} = 收录 2" in stage.text(f"cs.CV/{DAY}.html")


@pytest.mark.parametrize("new_days", [1, 2])
def test_days_of_replacements_alone_neither_empty_the_feed_nor_stop_the_category(
    stage: Stage, new_days: int
) -> None:
    """A small category may bring nothing new for weeks: its newest entries stay where they are."""
    days = [DAY + timedelta(days=n) for n in range(new_days + 9)]
    new, quiet = days[:new_days], days[new_days:]
    for n, on in enumerate(new):
        stage.announce(papers(n), on=on)
    for n, on in enumerate(quiet):
        older = make_paper(f"2603.9900{n}", version=2)
        stage.announce([older], on=on, announce_type=AnnounceType.REPLACE)
        stage.heal(stored_at(on) + timedelta(minutes=5))

    assert stage.entries() == tags(*reversed(range(new_days)))
    assert stage.text(f"cs.CV/{days[-1]}.html")


def test_a_held_day_does_not_keep_back_one_that_waited_long_enough(stage: Stage) -> None:
    """Each announcement is held for itself: a dead model cannot block a category by new days."""
    stage.announce(papers(1), enriched=False)
    stage.announce(papers(2), on=NEXT, enriched=False)

    stage.heal(stored_at(NEXT) + timedelta(minutes=5))

    assert stage.entries() == tags(1)
    assert not stage.text(f"cs.CV/{NEXT}.html")
    assert f'href="{NEXT}.html"' not in stage.text(f"cs.CV/{DAY}.html")
    assert "正在翻译" in stage.text("cs.CV/index.html")
    stage.heal(stored_at(NEXT) + AFTER_HOLD)
    assert stage.entries() == tags(2, 1)
    assert f'rel="next" href="{NEXT}.html"' in stage.text(f"cs.CV/{DAY}.html")


def test_a_late_translation_of_an_older_day_does_not_wait_for_the_newest(stage: Stage) -> None:
    """Only the announcement that is held is held."""
    stage.announce(papers(1), enriched=False)
    stage.heal(stored_at(DAY) + AFTER_HOLD)
    stage.announce(papers(2), on=NEXT, enriched=False)
    stage.enrich(papers(1), at=stored_at(NEXT))

    stage.heal(stored_at(NEXT) + timedelta(minutes=5))

    assert "虚构的标题" in stage.text("cs.CV/rss.xml")
    assert stage.entries() == tags(1)


def test_an_entry_keeps_its_translation_until_that_of_its_new_version_is_there(
    stage: Stage,
) -> None:
    """Readers see the old text with its translation, then the new one with its own."""
    stage.announce(papers(1))
    stage.heal(AT)
    second = make_paper("2604.99001", version=2, title="A Better Title")
    stage.announce([second], on=NEXT, announce_type=AnnounceType.REPLACE, enriched=False)

    stage.heal(stored_at(NEXT) + timedelta(minutes=5))
    held = stage.text("cs.CV/rss.xml")
    stage.enrich([second], at=stored_at(NEXT) + timedelta(minutes=8))
    stage.heal(stored_at(NEXT) + timedelta(minutes=10))

    assert "虚构的标题" in held
    assert "A Better Title" in stage.text("cs.CV/rss.en.xml")
    assert "虚构的标题" in stage.text("cs.CV/rss.xml")


def test_a_late_translation_reaches_the_page_of_a_replacement_that_no_feed_holds_any_more(
    stage: Stage,
) -> None:
    """The stream names the paper; where it was replaced is told by the paper itself."""
    days = [DAY + timedelta(days=n) for n in range(10)]
    second = make_paper("2604.99000", version=2, title="A Better Title")
    stage.announce(papers(0), on=days[0])
    stage.announce([second], on=days[1], announce_type=AnnounceType.REPLACE, enriched=False)
    for n, on in enumerate(days[2:], 1):
        stage.announce(papers(n), on=on)
    stage.heal(stored_at(days[-1]) + timedelta(minutes=5))
    before = stage.text(f"cs.CV/{days[1]}.html")
    stage.enrich([second], at=stored_at(days[-1]) + timedelta(minutes=8))

    at = stored_at(days[-1]) + timedelta(minutes=10)
    stage.stream(at, ("PAPER#2604.99000", "ENRICHMENT#zh"))

    assert "A Better Title" in before
    assert "虚构的标题" not in before
    assert "虚构的标题" in stage.text(f"cs.CV/{days[1]}.html")


def test_a_withdrawal_reaches_the_page_of_a_day_that_no_feed_holds_any_more(stage: Stage) -> None:
    """Whatever becomes of the stream: the day that lists it tells which page to renew."""
    days = [DAY + timedelta(days=n) for n in range(9)]
    for n, on in enumerate(days[:8]):
        stage.announce(papers(n), on=on)
    stage.heal(stored_at(days[7]) + timedelta(minutes=5))
    gone = make_paper("2604.99000", version=2, title="Nothing Is Left", withdrawn=True)
    stage.announce([gone], on=days[8], announce_type=AnnounceType.REPLACE)

    for minutes in (5, 10):
        stage.heal(stored_at(days[8]) + timedelta(minutes=minutes))

    assert "已撤稿" in stage.text(f"cs.CV/{DAY}.html")


def test_an_older_day_that_is_touched_during_a_hold_is_built_all_the_same(stage: Stage) -> None:
    """A sweep may bring an old paper's translation just while new ones are waited for."""
    days = [DAY + timedelta(days=n) for n in range(9)]
    stage.announce(papers(0), enriched=False)
    for n, on in enumerate(days[1:8], 1):
        stage.announce(papers(n), on=on)
    stage.heal(stored_at(days[7]) + timedelta(minutes=5))
    second = make_paper("2604.99007", version=2, title="A Better Title")
    stage.announce([second], on=days[8], announce_type=AnnounceType.REPLACE, enriched=False)
    stage.enrich(papers(0), at=stored_at(days[8]))

    at = stored_at(days[8]) + timedelta(minutes=5)
    stage.stream(at, ("PAPER#2604.99000", "ENRICHMENT#zh"))
    stage.heal(stored_at(days[8]) + AFTER_HOLD)

    assert "虚构的标题" in stage.text(f"cs.CV/{DAY}.html")


def test_a_category_may_be_configured_by_its_alias(stage: Stage) -> None:
    """As fetch takes it: arXiv itself writes cs.SY as often as eess.SY."""
    os.environ["CATEGORIES"] = "cs.cv,cs.SY"
    stage.announce(papers(1))

    stage.heal(AT)

    assert stage.entries() == tags(1)
    assert stage.text("eess.SY/index.html")


def test_papers_that_come_on_a_day_published_as_quiet_are_held_and_then_published(
    stage: Stage,
) -> None:
    """The calendar said holiday, and arXiv announced all the same."""
    stage.papers.put_announcement(
        make_announcement(0, state=AnnouncementState.QUIET, reason="Juneteenth")
    )
    stage.heal(AT)
    stage.announce(papers(1), enriched=False)

    stage.heal(AT)
    held = stage.entries()
    stage.heal(stored_at(DAY) + AFTER_HOLD)

    assert held == []
    assert stage.entries() == tags(1)
    assert "Juneteenth" not in stage.text(f"cs.CV/{DAY}.html")


def test_more_older_days_than_one_run_builds_are_renewed_by_the_next(stage: Stage) -> None:
    """A day may replace papers of a hundred others."""
    days = [DAY + timedelta(days=n) for n in range(25)]
    old = [make_paper(f"2604.98{n:03}") for n in range(25)]
    for paper, on in zip(old, days, strict=True):
        stage.announce([paper], on=on)
    for minutes in (5, 10, 15):
        stage.heal(stored_at(days[-1]) + timedelta(minutes=minutes))
    gone = [replace(paper, version=2, withdrawn=True) for paper in old]
    today = days[-1] + timedelta(days=1)
    stage.announce(gone, on=today, announce_type=AnnounceType.REPLACE)

    for minutes in (5, 10, 15, 20):
        stage.heal(stored_at(today) + timedelta(minutes=minutes))

    assert [on for on in days if "已撤稿" not in stage.text(f"cs.CV/{on}.html")] == []
