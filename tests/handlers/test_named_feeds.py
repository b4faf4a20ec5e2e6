"""Named feeds on tables and a bucket in process: each paper once, by rules, never emptied."""

import json
import os
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from paperpost import clients
from paperpost.data import taxonomy
from paperpost.domain.issuefiles import issue_path, to_bytes
from paperpost.domain.issues import FrozenIssue
from paperpost.domain.namedfeeds import named_feeds
from paperpost.domain.papers import AnnounceType, Paper, listed_as
from paperpost.publish.entries import tag_of
from paperpost.publish.handler import NotAllPublishedError, Order, _press, publish
from paperpost.publish.press import Press
from paperpost.settings import PublishSettings
from paperpost.storage.papers import PaperTable
from support.aws import Cloud
from support.records import DAY, make_announcement, make_enrichment, make_listing, make_paper
from support.records import stored_at as at

NEXT = DAY + timedelta(days=1)
LATER = DAY + timedelta(days=2)
FEEDS = {
    "both": {"title": "Both", "title_zh": "两者", "categories": ["cs.CV", "cs.LG"]},
    "graphs": {
        "categories": ["cs"],
        "include": ["graph neural", "author: Ada Example"],
        "exclude": ["title: survey"],
    },
}


@pytest.fixture
def press(cloud: Cloud) -> Press:
    """What publishes cs.CV and cs.LG with two named feeds."""
    os.environ.update(
        PAPERS_TABLE=cloud.papers,
        SITE_BUCKET=cloud.bucket,
        SITE_URL="https://paperpost.example",
        CATEGORIES="cs.CV,cs.LG",
        CONTACT_MAIL="help@paperpost.example",
    )
    return replace(_press(PublishSettings.from_env()), named=named_feeds(FEEDS, taxonomy()))


def announce(
    papers: PaperTable,
    shown: list[Paper],
    *,
    category: str = "cs.CV",
    on: date = DAY,
    announce_type: AnnounceType = AnnounceType.NEW,
    enriched: bool = True,
) -> None:
    """Store an announcement with translations, as fetch and enrich do."""
    listings = [
        make_listing(p, category=category, on=on, announce_type=announce_type) for p in shown
    ]
    papers.put_papers(map(listed_as, shown, listings))
    papers.put_listings(listings)
    for paper in shown if enriched else ():
        for language in ("zh", "en"):
            moment = at(on) + timedelta(minutes=3)
            papers.put_enrichment(make_enrichment(paper, language, at=moment))
    papers.put_announcement(make_announcement(len(shown), category=category, on=on))


def heal(press: Press, on: date, *, minutes: int = 40) -> dict[str, int]:
    now = at(on) + timedelta(minutes=minutes)
    return publish(press, Order(categories={}, healing=True), now=now)


def text(press: Press, path: str) -> str:
    stored = press.site.get(path)
    return stored.body.decode() if stored else ""


def entries(press: Press, name: str) -> list[tuple[str, date]]:
    """Id and date of each entry that a reader sees."""
    stored = press.site.get(f"f/{name}/feed.json")
    items = json.loads(stored.body)["items"] if stored else []
    return [(i["id"], datetime.fromisoformat(i["date_published"]).date()) for i in items]


def test_a_paper_of_two_categories_is_one_entry_at_its_first_listing(press: Press) -> None:
    paper, other = make_paper("2604.99001"), make_paper("2604.99002")
    announce(press.papers, [paper])
    announce(press.papers, [paper, other], category="cs.LG", on=NEXT)

    heal(press, NEXT)

    assert entries(press, "both") == [(tag_of("2604.99002"), NEXT), (tag_of("2604.99001"), DAY)]


def test_rules_decide_and_files_in_all_forms_and_a_page_are_there(press: Press) -> None:
    graph = make_paper("2604.99001", title="A Graph  Neural Network", authors=("Bo Sample",))
    survey = make_paper("2604.99002", title="Graph neural networks: a survey")
    nothing = make_paper("2604.99003", authors=("Bo Sample",))
    announce(press.papers, [graph, survey, nothing])

    heal(press, DAY)

    assert entries(press, "graphs") == [(tag_of("2604.99001"), DAY)]
    listed = clients.s3().list_objects_v2(Bucket=press.settings.site_bucket, Prefix="f/graphs/")
    assert len(listed["Contents"]) == 3 * 3 + 1
    opml = press.site.get("feeds.opml")
    assert opml is not None
    assert b'xmlUrl="https://paperpost.example/f/graphs/rss.xml"' in opml.body
    assert 'title="两者"'.encode() in opml.body
    front = press.site.get("index.html")
    assert front is not None
    assert b'href="f/graphs/rss.xml"' in front.body


def test_publishing_twice_puts_nothing(press: Press) -> None:
    announce(press.papers, [make_paper("2604.99001")])
    heal(press, DAY)

    assert heal(press, DAY)["files_put"] == 0


def test_an_entry_outlives_the_days_that_its_categories_feeds_hold(press: Press) -> None:
    """One paper matched, and twelve days without another one follow."""
    announce(press.papers, [make_paper("2604.99001", title="Graph neural")])
    heal(press, DAY)
    for n in range(1, 13):
        paper = make_paper(f"2604.9901{n:02}", authors=("Bo Sample",))
        announce(press.papers, [paper], on=DAY + timedelta(days=n))

        heal(press, DAY + timedelta(days=n))

    assert entries(press, "graphs") == [(tag_of("2604.99001"), DAY)]


def test_an_entry_stays_when_its_new_version_matches_no_longer(press: Press) -> None:
    """It shows the new text under the same id and date, and says that it moved."""
    first = make_paper("2604.99001", title="Graph neural", authors=("Bo Sample",))
    announce(press.papers, [first])
    heal(press, DAY)
    again = replace(first, version=2, title="Something else")
    announce(press.papers, [again], on=NEXT, announce_type=AnnounceType.REPLACE)

    heal(press, NEXT)

    stored = press.site.get("f/graphs/feed.en.json")
    assert stored is not None
    (item,) = json.loads(stored.body)["items"]
    assert (item["id"], item["title"]) == (tag_of("2604.99001"), "Something else")
    assert item["date_published"].startswith(str(DAY))
    assert item["date_modified"].startswith(str(NEXT))


def test_an_operator_may_choose_otherwise(press: Press) -> None:
    """With other rules the feed holds what those choose, though entries go."""
    announce(
        press.papers, [make_paper("2604.99001", title="Graph neural"), make_paper("2604.99002")]
    )
    heal(press, DAY)
    chosen = {"graphs": {**FEEDS["graphs"], "exclude": ["title: graph"]}}

    heal(replace(press, named=named_feeds(chosen, taxonomy())), DAY)

    assert entries(press, "graphs") == [(tag_of("2604.99002"), DAY)]


def test_a_category_that_is_not_followed_brings_nothing(press: Press) -> None:
    announce(press.papers, [make_paper("2604.99001")], category="cs.AI")
    other = named_feeds({"other": {"categories": ["cs.AI"]}}, taxonomy())

    heal(replace(press, named=other), DAY)

    assert entries(press, "other") == []
    assert press.site.get("f/other/index.html") is not None


def test_a_candidate_that_lost_an_entry_is_refused_and_the_old_one_stays(press: Press) -> None:
    """The paper's item is gone from the table: an alarm, and readers keep what they have."""
    announce(press.papers, [make_paper("2604.99001"), make_paper("2604.99002")])
    heal(press, DAY)
    before = entries(press, "both")
    key = {"pk": "PAPER#2604.99001", "sk": "PAPER"}
    clients.table(press.settings.papers_table).delete_item(Key=key)
    announce(press.papers, [make_paper("2604.99003")], category="cs.LG", on=NEXT)

    with pytest.raises(NotAllPublishedError, match=r"f/both/feed\.json .*2604\.99001 missing"):
        heal(press, NEXT)

    assert entries(press, "both") == before


def test_an_entry_keeps_its_translation_until_that_of_its_new_version_is_there(
    press: Press,
) -> None:
    """cs.CV holds the day that replaces it; what is new in cs.LG does not show it in between."""
    first, other = make_paper("2604.99001"), make_paper("2604.99002")
    announce(press.papers, [first])
    announce(press.papers, [other], category="cs.LG")
    heal(press, DAY)
    second = replace(first, version=2, title="A Better Title")
    announce(press.papers, [second], on=NEXT, announce_type=AnnounceType.REPLACE, enriched=False)
    again = replace(other, version=2)
    announce(press.papers, [again], category="cs.LG", on=NEXT, announce_type=AnnounceType.REPLACE)

    changed = heal(press, NEXT, minutes=5)["categories_changed"]
    held = text(press, "f/both/feed.json"), text(press, "f/both/feed.en.json")
    heal(press, NEXT, minutes=40)

    assert changed == 1
    assert held[0].count("虚构的标题") == text(press, "cs.LG/feed.json").count("虚构的标题") * 2
    assert "A Better Title" not in held[1]
    assert "A Better Title" in text(press, "f/both/feed.en.json")


def test_a_new_entry_does_not_wait_for_what_is_replaced(press: Press) -> None:
    """As in a category's feed: readers see it at once, whatever else is being translated."""
    first = make_paper("2604.99001")
    announce(press.papers, [first])
    heal(press, DAY)
    second = replace(first, version=2, title="A Better Title")
    announce(press.papers, [second], on=NEXT, announce_type=AnnounceType.REPLACE, enriched=False)
    announce(press.papers, [make_paper("2604.99002")], category="cs.LG", on=NEXT)

    heal(press, NEXT, minutes=5)

    assert [i for i, _ in entries(press, "both")] == [tag_of("2604.99002"), tag_of("2604.99001")]


def test_replacements_are_entries_where_the_operator_wants_them(press: Press) -> None:
    """They move with the next one; turned off again, they may go, and the others stay."""
    announce(press.papers, [make_paper("2604.99002")])
    known = make_paper("2603.99001", version=2)
    announce(press.papers, [known], on=NEXT, announce_type=AnnounceType.REPLACE)
    on = replace(press, settings=replace(press.settings, replacements_in_feeds=True))
    heal(on, NEXT)
    seen = entries(press, "both")
    third = replace(known, version=3)
    announce(press.papers, [third], on=LATER, announce_type=AnnounceType.REPLACE)

    heal(on, LATER)
    moved = entries(press, "both")
    heal(press, LATER)

    other = (tag_of("2604.99002"), DAY)
    assert seen == [(tag_of("2603.99001"), NEXT), other]
    assert moved == [(tag_of("2603.99001"), LATER), other]
    assert entries(press, "both") == [other]


def nine_days(press: Press) -> list[date]:
    """A paper a day, so that the two oldest days have left the feeds by the last one."""
    days = [DAY + timedelta(days=n) for n in range(9)]
    for n, on in enumerate(days):
        announce(press.papers, [make_paper(f"2604.9901{n}")], on=on)
        issue = FrozenIssue(
            issue=f"daily-{on}",
            announced_on=on,
            frozen_at=at(on) + timedelta(hours=1),
            reason="ready",
            papers=(),
            counts={},
        )
        press.site.put_once(issue_path(issue.issue), to_bytes(issue))
        heal(press, on)
    return days


def arrive_late(press: Press, paper: Paper, *, on: date) -> None:
    """One more paper of the first day is stored on another one."""
    listing = replace(make_listing(paper), stored_at=at(on) + timedelta(minutes=30))
    press.papers.put_papers([listed_as(paper, listing)])
    press.papers.put_listings([listing])
    announcement = replace(make_announcement(2), updated_at=listing.stored_at)
    press.papers.put_announcement(announcement)


def test_a_late_arrival_of_a_day_that_left_the_feed_enters_once_on_the_day_it_was_stored(
    press: Press,
) -> None:
    """And leaves with that day."""
    days = nine_days(press)
    arrive_late(press, make_paper("2604.99001"), on=days[8])
    heal(press, days[8], minutes=90)
    seen = [dict(entries(press, "both")).get(tag_of("2604.99001"))]

    for n in range(1, 9):
        on = days[8] + timedelta(days=n)
        announce(press.papers, [make_paper(f"2605.9900{n}")], on=on)
        heal(press, on)
        seen.append(dict(entries(press, "both")).get(tag_of("2604.99001")))

    assert seen == [days[8]] * 7 + [None] * 2


def test_a_late_arrival_enters_only_where_the_rules_choose_it(press: Press) -> None:
    days = nine_days(press)
    arrive_late(press, make_paper("2604.99001", authors=("Bo Sample",)), on=days[8])
    arrive_late(press, make_paper("2604.99002", title="Graph neural"), on=days[8])
    press.papers.put_announcement(replace(make_announcement(3), updated_at=at(days[8])))

    heal(press, days[8], minutes=90)

    assert (tag_of("2604.99002"), days[8]) in entries(press, "graphs")
    assert tag_of("2604.99001") not in dict(entries(press, "graphs"))
