"""Named feeds on tables and a bucket in process: each paper once, by rules, never emptied."""

import json
import os
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from paperpost import clients
from paperpost.data import taxonomy
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
) -> None:
    """Store an announcement with translations, as fetch and enrich do."""
    listings = [
        make_listing(p, category=category, on=on, announce_type=announce_type) for p in shown
    ]
    papers.put_papers(map(listed_as, shown, listings))
    papers.put_listings(listings)
    for paper in shown:
        papers.put_enrichment(make_enrichment(paper, at=at(on) + timedelta(minutes=3)))
    papers.put_announcement(make_announcement(len(shown), category=category, on=on))


def heal(press: Press, on: date) -> dict[str, int]:
    return publish(press, Order(categories={}, healing=True), now=at(on) + timedelta(minutes=40))


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
