"""One poll: what is stored, in what order, what is queued, and what an announcement's state is."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from paperpost import clients
from paperpost.domain.announcements import AnnouncementState
from paperpost.domain.enrichments import Enrichment, EnrichmentState, text_hash
from paperpost.domain.errors import FeedError
from paperpost.domain.papers import AnnounceType, Author, Listing, Paper
from paperpost.fetch.completing import Metadata, complete, remember
from paperpost.storage.fetchnotes import FetchNotes
from paperpost.storage.papers import PaperTable
from support.aws import Cloud
from support.feeds import DAY, Item, atom, rss
from unit.fetch.conftest import NIGHT, Poll, RecordingQueue

SUNDAY = datetime(2026, 4, 19, 12, tzinfo=UTC)
NEW = Item(arxiv_id="2604.99001", categories=("cs.AI", "cs.LG"))
CROSS = Item(arxiv_id="2604.99002", announce_type="cross", categories=("cs.LG", "cs.AI"))
REPLACED = Item(arxiv_id="2603.99003", version=2, announce_type="replace")


def items(cloud: Cloud) -> dict[tuple[str, str], dict[str, Any]]:
    """Everything in the Papers table."""
    found = clients.table(cloud.papers).scan(ConsistentRead=True)["Items"]
    return {(str(item["pk"]), str(item["sk"])): item for item in found}


def types(papers: PaperTable, category: str, on: date = DAY) -> dict[str, str]:
    """What a category's announcement lists: id → type."""
    return {li.arxiv_id: li.announce_type.value for li in papers.list_listings(category, on)}


def state(papers: PaperTable, category: str, on: date = DAY) -> tuple[str, int, int, str] | None:
    """An announcement's state, counts and reason."""
    found = papers.get_announcement(category, on)
    return found and (found.state.value, found.announced, found.stored, found.reason)


def test_a_poll_stores_papers_listings_announcement_and_watermark(
    poll: Poll, papers: PaperTable, queue: RecordingQueue
) -> None:
    """The whole chain, for one category of one feed."""
    polled = poll(rss([NEW, CROSS, REPLACED]), categories=["cs.AI"])

    assert (polled.papers, polled.listings, polled.queued, polled.problems) == (3, 3, 3, ())
    assert types(papers, "cs.AI") == {
        "2604.99001": "new",
        "2604.99002": "cross",
        "2603.99003": "replace",
    }
    assert state(papers, "cs.AI") == ("complete", 3, 3, "")
    assert papers.get_fetch_note("cs.AI")["until"] == DAY.isoformat()
    assert {m["arxiv_id"] for m in queue.sent} == {"2604.99001", "2604.99002", "2603.99003"}
    assert all(m["languages"] == ["zh", "en"] for m in queue.sent)


def test_only_announced_categories_get_a_listing(poll: Poll, papers: PaperTable) -> None:
    """A feed of cs.AI says nothing of what cs.LG announces, though its papers are in cs.LG too."""
    poll(rss([NEW, CROSS]), rss([replace(CROSS, announce_type="new")], names="cs.LG"))

    assert types(papers, "cs.LG") == {"2604.99002": "new"}
    assert set(papers.get_papers(["2604.99001"])["2604.99001"].listed) == {"cs.AI"}


def test_a_combined_feed_lists_each_paper_in_each_of_its_categories(
    poll: Poll, papers: PaperTable
) -> None:
    """The union's `new` is a cross-list everywhere but in the primary category."""
    poll(rss([NEW, replace(CROSS, announce_type="new"), REPLACED], names="cs.AI, cs.LG"))

    assert types(papers, "cs.AI") == {
        "2604.99001": "new",
        "2604.99002": "cross",
        "2603.99003": "replace",
    }
    assert types(papers, "cs.LG") == {"2604.99001": "cross", "2604.99002": "new"}


def test_a_cross_list_that_is_added_later_is_listed_in_that_category_alone(
    poll: Poll, papers: PaperTable
) -> None:
    """A combined feed calls it `cross` and names all of its categories, the primary among them."""
    poll(rss([NEW], names="cs.AI, cs.LG"))
    added = replace(NEW, announce_type="cross", categories=("cs.AI", "cs.LG", "stat.ML"))
    later = rss([added], names="cs.AI, cs.LG, stat.ML", on=DAY + timedelta(days=1))

    poll(later, categories=["cs.AI", "cs.LG", "stat.ML"], now=NIGHT + timedelta(days=1))

    tomorrow = DAY + timedelta(days=1)
    assert types(papers, "stat.ML", tomorrow) == {NEW.arxiv_id: "cross"}
    assert types(papers, "cs.AI", tomorrow) == types(papers, "cs.LG", tomorrow) == {}
    assert state(papers, "cs.AI", tomorrow) == ("complete", 0, 0, "no papers")


def test_a_paper_whose_primary_category_was_changed_is_a_cross_list_there(
    poll: Poll, papers: PaperTable
) -> None:
    """Nobody has seen it in that category, so it is listed, but it is not new."""
    moved = replace(NEW, announce_type="cross", categories=("cs.AI",))
    poll(rss([moved]), categories=["cs.AI"])

    assert types(papers, "cs.AI") == {NEW.arxiv_id: "cross"}


def test_an_archive_covers_its_configured_members_by_their_canonical_names(
    poll: Poll, papers: PaperTable
) -> None:
    """`stat` holds math.ST, whose alias is stat.TH; what is not configured gets nothing."""
    item = Item(categories=("stat.ML", "stat.TH", "stat.ME", "cs.LG"), announce_type="replace")

    poll(rss([item], names="stat"), categories=["stat.ML", "math.ST", "cs.LG"], replay=True)

    assert types(papers, "stat.ML") == {item.arxiv_id: "replace"}
    assert types(papers, "math.ST") == {item.arxiv_id: "replace-cross"}
    assert types(papers, "stat.ME") == types(papers, "cs.LG") == {}
    assert state(papers, "cs.LG") == ("quiet", 0, 0, "replay")


@pytest.mark.parametrize(("replay", "expected"), [(True, "quiet"), (False, "complete")])
def test_a_member_without_a_paper_in_its_archives_feed_is_not_waited_for(
    poll: Poll,
    papers: PaperTable,
    replay: bool,  # noqa: FBT001
    expected: str,
) -> None:
    """The archive's feed is there; a due announcement without papers is complete with none."""
    feed = rss([Item(categories=("stat.ML",))], names="stat")

    polled = poll(feed, categories=["stat.ML", "stat.AP"], replay=replay)

    assert polled.problems == ()
    assert state(papers, "stat.AP") == (expected, 0, 0, "no papers")


def test_a_paper_whose_own_category_went_missing_is_listed_all_the_same(
    poll: Poll, papers: PaperTable
) -> None:
    """What a category's own feed announces is never dropped for its category list."""
    poll(rss([Item(categories=("cs.DL",))]), categories=["cs.AI"])

    assert types(papers, "cs.AI") == {"2604.99001": "cross"}


def test_polling_again_in_any_order_writes_and_queues_nothing(
    poll: Poll, cloud: Cloud, queue: RecordingQueue
) -> None:
    """Feeds of two days, in all orders, end in one state; repeating changes nothing."""
    monday, tuesday = DAY - timedelta(days=1), DAY
    feeds = (
        rss([NEW, CROSS, replace(REPLACED, version=1, announce_type="new")], on=monday),
        atom([REPLACED, replace(CROSS, version=2, announce_type="replace-cross")], on=tuesday),
        rss([replace(NEW, announce_type="cross")], names="cs.LG", on=tuesday),
    )
    ends = []
    for order in itertools.permutations(feeds):
        for feed in order:
            poll(feed, now=NIGHT, replay=True)
        before, queued = items(cloud), len(queue.sent)

        for feed in (*order, *reversed(order)):
            polled = poll(feed, now=NIGHT + timedelta(hours=1), replay=True)
            assert (polled.papers, polled.listings, polled.queued) == (0, 0, 0)

        assert items(cloud) == before
        assert len(queue.sent) == queued
        ends.append(before)
        for pk, sk in before:
            clients.table(cloud.papers).delete_item(Key={"pk": pk, "sk": sk})
    assert all(end == ends[0] for end in ends)


def test_a_later_feed_with_more_items_raises_both_counts(poll: Poll, papers: PaperTable) -> None:
    """A batch in two parts ends complete, with all of it; one that shrinks loses nothing."""
    poll(rss([NEW]), categories=["cs.AI"])
    poll(rss([NEW, CROSS]), categories=["cs.AI"])
    assert state(papers, "cs.AI") == ("complete", 2, 2, "")

    shrunk = poll(rss([CROSS]), categories=["cs.AI"])
    assert state(papers, "cs.AI") == ("complete", 2, 2, "")
    assert shrunk.partial == 0


def test_a_paper_is_listed_once_a_day_though_its_type_changes(
    poll: Poll, papers: PaperTable
) -> None:
    """What a category said first on a date stays; the newer version is stored."""
    poll(rss([NEW]), categories=["cs.AI"])
    poll(rss([replace(NEW, version=2, announce_type="replace")]), categories=["cs.AI"])

    assert types(papers, "cs.AI") == {NEW.arxiv_id: "new"}
    assert len(papers.list_listings("cs.AI", DAY)) == 1
    assert papers.get_papers([NEW.arxiv_id])[NEW.arxiv_id].version == 2


def test_the_first_moment_of_being_complete_stays(poll: Poll, papers: PaperTable) -> None:
    """The publish hold counts from there."""
    poll(rss([NEW]), categories=["cs.AI"])
    poll(rss([NEW, CROSS]), categories=["cs.AI"], now=NIGHT + timedelta(hours=2))

    announcement = papers.get_announcement("cs.AI", DAY)
    assert announcement is not None
    assert announcement.completed_at == NIGHT
    assert announcement.updated_at == NIGHT + timedelta(hours=2)


class ForgetfulTable(PaperTable):
    """Loses the listings of one paper without an error."""

    def put_listings(self, listings: Iterable[Listing]) -> int:
        return super().put_listings(li for li in listings if li.arxiv_id != CROSS.arxiv_id)


def test_an_announcement_is_partial_while_a_listing_is_not_stored(
    poll: Poll, papers: PaperTable, cloud: Cloud
) -> None:
    """The state is told by what is read back; the watermark waits; the next poll completes it."""
    forgetful = ForgetfulTable(clients.table(cloud.papers))

    polled = poll(rss([NEW, CROSS]), categories=["cs.AI"], table=forgetful)
    assert polled.partial == 1
    assert state(papers, "cs.AI") == ("partial", 2, 1, "")
    assert papers.get_fetch_note("cs.AI") == {}
    assert poll(rss(), categories=["cs.AI"]).problems
    assert state(papers, "cs.AI") == ("partial", 2, 1, "")

    poll(rss([NEW, CROSS]), categories=["cs.AI"])
    assert state(papers, "cs.AI") == ("complete", 2, 2, "")
    assert papers.get_fetch_note("cs.AI")["until"] == DAY.isoformat()


class BrokenTable(PaperTable):
    """Fails at the given write."""

    def __init__(self, cloud: Cloud, broken: str) -> None:
        super().__init__(clients.table(cloud.papers))
        self.broken = broken

    def put_listings(self, listings: Iterable[Listing]) -> int:
        stored = list(listings)
        if self.broken == "put_listings":
            super().put_listings(stored[:1])
            raise RuntimeError("lost the table half way")
        return super().put_listings(stored)

    def put_announcement(self, *args: Any) -> bool:
        if self.broken == "put_announcement":
            raise RuntimeError("lost the table")
        return super().put_announcement(*args)


@pytest.mark.parametrize("broken", ["put_listings", "put_announcement"])
def test_a_poll_that_breaks_off_claims_nothing_and_the_next_finishes(
    poll: Poll, papers: PaperTable, cloud: Cloud, broken: str
) -> None:
    """No announcement is told before its listings, no watermark before the announcement."""
    with pytest.raises(RuntimeError):
        poll(rss([NEW, CROSS]), categories=["cs.AI"], table=BrokenTable(cloud, broken))
    assert state(papers, "cs.AI") is None
    assert papers.get_fetch_note("cs.AI") == {}

    poll(rss([NEW, CROSS]), categories=["cs.AI"])
    assert state(papers, "cs.AI") == ("complete", 2, 2, "")
    assert len(types(papers, "cs.AI")) == 2


def test_enrichment_is_queued_for_new_text_alone(
    poll: Poll, papers: PaperTable, queue: RecordingQueue
) -> None:
    """A new version with the same text costs nothing; a changed abstract is queued again."""
    poll(rss([NEW]), categories=["cs.AI"])
    queue.sent.clear()

    tomorrow = DAY + timedelta(days=1)
    same = replace(NEW, version=2, announce_type="replace")
    poll(rss([same], on=tomorrow), categories=["cs.AI"], now=NIGHT + timedelta(days=1))
    assert papers.get_papers([NEW.arxiv_id])[NEW.arxiv_id].version == 2
    assert queue.sent == []

    changed = replace(NEW, version=3, announce_type="replace", abstract="We now prove it.")
    poll(rss([changed], on=tomorrow), categories=["cs.AI"], now=NIGHT + timedelta(days=1))
    assert queue.sent == [{"arxiv_id": NEW.arxiv_id, "languages": ["zh", "en"]}]


def test_a_language_that_is_there_already_is_not_queued(
    poll: Poll, papers: PaperTable, queue: RecordingQueue
) -> None:
    """An abstract that returns to a text which was enriched needs only what it lacks."""
    text = Paper(
        arxiv_id=NEW.arxiv_id,
        version=1,
        title=NEW.title,
        abstract=NEW.abstract,
        authors=(),
        categories=("cs.AI",),
    )
    papers.put_enrichment(
        Enrichment(
            arxiv_id=NEW.arxiv_id,
            language="en",
            state=EnrichmentState.OK,
            text_hash=text_hash(text),
            model="m",
            prompt_version="1",
            updated_at=NIGHT,
            tldr="One sentence.",
        )
    )

    poll(rss([NEW]), categories=["cs.AI"])

    assert queue.sent == [{"arxiv_id": NEW.arxiv_id, "languages": ["zh"]}]


def test_a_withdrawal_is_stored_with_its_version(poll: Poll, papers: PaperTable) -> None:
    """It comes as a replacement whose abstract says so."""
    gone = replace(REPLACED, version=3, abstract="This paper has been withdrawn by the author.")
    poll(rss([REPLACED]), categories=["cs.AI"])
    poll(rss([gone], on=DAY), categories=["cs.AI"])

    stored = papers.get_papers([REPLACED.arxiv_id])[REPLACED.arxiv_id]
    assert (stored.version, stored.withdrawn) == (3, True)


# replays


def test_in_a_replay_one_bad_file_stops_everything(poll: Poll, cloud: Cloud) -> None:
    """The good file before it is not stored either."""
    with pytest.raises(FeedError, match="feed-1: not well-formed XML"):
        poll(rss([NEW]), rss([CROSS], names="cs.LG")[:-20], replay=True)

    assert items(cloud) == {}


def test_in_a_replay_a_feed_without_items_on_a_due_day_is_bad(poll: Poll, cloud: Cloud) -> None:
    """Nothing of the other file is stored."""
    with pytest.raises(FeedError, match="feed-1: no item, although 2026-04-21"):
        poll(rss([NEW]), rss(names="cs.LG"), replay=True)

    assert items(cloud) == {}


def test_in_a_replay_a_category_that_arxiv_does_not_have_is_bad(poll: Poll, cloud: Cloud) -> None:
    """A feed of something unknown is not taken for a feed of nothing."""
    with pytest.raises(FeedError, match=r"feed-0: the feed announces 'cs\.QQ'"):
        poll(rss([NEW], names="cs.QQ"), replay=True)

    assert items(cloud) == {}


def test_in_a_replay_what_no_file_announces_is_quiet(poll: Poll, papers: PaperTable) -> None:
    """Nothing is waited for: other categories of that date are settled, other dates untouched."""
    poll(rss([NEW]), replay=True, now=NIGHT + timedelta(days=3))

    assert state(papers, "cs.AI") == ("complete", 1, 1, "")
    assert state(papers, "cs.LG") == ("quiet", 0, 0, "replay")
    assert len(papers.list_announcements("cs.LG", last=date(2030, 1, 1))) == 1


def test_in_a_replay_a_file_that_comes_later_ends_the_quiet(poll: Poll, papers: PaperTable) -> None:
    """And the first category stays as it was."""
    poll(rss([NEW]), replay=True)
    poll(rss([CROSS], names="cs.LG"), replay=True)

    assert state(papers, "cs.LG") == ("complete", 1, 1, "")
    assert state(papers, "cs.AI") == ("complete", 1, 1, "")


def test_in_a_replay_a_file_is_announced_when_the_clock_reaches_its_date(
    poll: Poll, papers: PaperTable, cloud: Cloud
) -> None:
    """Files of later days may lie in the folder already."""
    tomorrow = rss([NEW], on=DAY + timedelta(days=1))
    poll(tomorrow, replay=True)
    assert items(cloud) == {}

    poll(tomorrow, replay=True, now=NIGHT + timedelta(days=1))
    assert state(papers, "cs.AI", DAY + timedelta(days=1)) == ("complete", 1, 1, "")


def test_in_a_replay_an_empty_sunday_is_quiet(poll: Poll, papers: PaperTable) -> None:
    """With the calendar's reason, for the archive's configured members."""
    poll(rss(names="cs", on=SUNDAY.date()), replay=True)

    assert state(papers, "cs.AI", SUNDAY.date()) == ("quiet", 0, 0, "weekend")


def test_an_empty_folder_changes_nothing(poll: Poll, cloud: Cloud) -> None:
    """No file, no announcement of any kind."""
    assert poll(replay=True).feeds == 0
    assert items(cloud) == {}


# arXiv itself


def test_at_the_weekend_an_empty_feed_is_quiet(poll: Poll, papers: PaperTable) -> None:
    """No problem, no alarm."""
    on = SUNDAY.date()

    polled = poll(rss(on=on), rss(names="cs.LG", on=on), now=SUNDAY)

    assert polled.problems == ()
    assert state(papers, "cs.AI", on) == ("quiet", 0, 0, "weekend")


def test_on_a_holiday_the_reason_is_its_name(poll: Poll, papers: PaperTable) -> None:
    """The calendar knows it."""
    juneteenth = date(2026, 6, 19)

    polled = poll(
        rss(on=juneteenth), categories=["cs.AI"], now=datetime(2026, 6, 19, 12, tzinfo=UTC)
    )

    assert polled.problems == ()
    assert state(papers, "cs.AI", juneteenth) == ("quiet", 0, 0, "Juneteenth")


@pytest.mark.parametrize(
    ("hour_utc", "expected"), [(4, "waiting"), (7, "waiting"), (9, "stalled"), (16, "stalled")]
)
@pytest.mark.parametrize("on", [DAY, DAY - timedelta(days=1)])
def test_a_batch_that_is_due_and_not_there_is_a_problem(
    poll: Poll, papers: PaperTable, hour_utc: int, expected: str, on: date
) -> None:
    """An empty feed, or yesterday's: waited for at night, stalled from 04:00 Eastern."""
    yesterdays = [NEW] if on != DAY else []

    polled = poll(rss(yesterdays, on=on), categories=["cs.AI"], now=NIGHT.replace(hour=hour_utc))

    [problem] = polled.problems
    assert "although a batch is due on 2026-04-21" in str(problem)
    found = state(papers, "cs.AI")
    assert found is not None
    assert found[0] == expected
    assert papers.get_fetch_note("cs.AI").get("until") != DAY.isoformat()


def test_an_item_that_cannot_be_read_does_not_take_the_others_with_it(
    poll: Poll, papers: PaperTable
) -> None:
    """They are stored; the announcement owes one, its watermark stays, the result says why."""
    bad = Item(arxiv_id="2604.99009", announce_type="absonly")

    polled = poll(rss([NEW, bad, CROSS]), categories=["cs.AI"])

    assert [str(problem) for problem in polled.problems] == [
        "feed-0: 2604.99009v1 has the unknown announce type 'absonly'"
    ]
    assert polled.partial == 1
    assert state(papers, "cs.AI") == ("partial", 3, 2, "1 of 3 items cannot be read")
    assert set(types(papers, "cs.AI")) == {NEW.arxiv_id, CROSS.arxiv_id}
    assert papers.get_fetch_note("cs.AI") == {}


def test_a_feed_that_is_whole_again_completes_the_announcement(
    poll: Poll, papers: PaperTable
) -> None:
    poll(rss([NEW, replace(CROSS, announce_type="")]), categories=["cs.AI"])
    polled = poll(rss([NEW, CROSS]), categories=["cs.AI"])

    assert polled.problems == ()
    assert state(papers, "cs.AI") == ("complete", 2, 2, "")


def test_a_feed_of_nothing_but_damage_is_refused_whole(poll: Poll, papers: PaperTable) -> None:
    polled = poll(rss([replace(NEW, announce_type="")]), categories=["cs.AI"])

    assert len(polled.problems) == 1
    assert state(papers, "cs.AI") == ("failed", 0, 0, "the feed could not be read")


@pytest.mark.parametrize("stale", [[NEW, CROSS], [NEW]], ids=["all", "half"])
def test_a_past_batch_under_a_new_date_is_not_stored(
    poll: Poll, papers: PaperTable, cloud: Cloud, stale: list[Item]
) -> None:
    """The date is today's, the versions are those of the announcement before."""
    poll(rss([NEW, CROSS]), categories=["cs.AI"])
    tomorrow = DAY + timedelta(days=1)

    polled = poll(rss(stale, on=tomorrow), categories=["cs.AI"], now=NIGHT + timedelta(days=1))

    [problem] = polled.problems
    assert "the batch before under the date of today, although a batch is due" in str(problem)
    found = state(papers, "cs.AI", tomorrow)
    assert found is not None
    assert found[0] == "stalled"
    assert not any("2026-04-22" in pk for pk, _ in items(cloud))
    assert papers.get_papers([NEW.arxiv_id])[NEW.arxiv_id].listed["cs.AI"].announced_on == DAY


def test_new_versions_of_yesterdays_papers_are_a_new_batch(poll: Poll, papers: PaperTable) -> None:
    """Many papers are replaced a day after they were new."""
    poll(rss([NEW, CROSS]), categories=["cs.AI"])
    tomorrow = DAY + timedelta(days=1)
    again = [
        replace(NEW, version=2, announce_type="replace"),
        replace(CROSS, version=2, announce_type="replace-cross"),
    ]

    polled = poll(rss(again, on=tomorrow), categories=["cs.AI"], now=NIGHT + timedelta(days=1))

    assert polled.problems == ()
    assert state(papers, "cs.AI", tomorrow) == ("complete", 2, 2, "")


def test_a_past_batch_on_a_quiet_day_is_no_announcement(poll: Poll, papers: PaperTable) -> None:
    """Friday's papers dated Saturday: quiet, and no problem."""
    friday, saturday = date(2026, 4, 17), date(2026, 4, 18)
    poll(rss([NEW], on=friday), categories=["cs.AI"], now=NIGHT - timedelta(days=4))

    polled = poll(rss([NEW], on=saturday), categories=["cs.AI"], now=NIGHT - timedelta(days=3))

    assert polled.problems == ()
    assert state(papers, "cs.AI", saturday) == ("quiet", 0, 0, "weekend")


def test_a_category_without_papers_in_a_stale_feed_is_waited_for_too(
    poll: Poll, papers: PaperTable
) -> None:
    """An old batch says nothing of today, not even that there is nothing."""
    poll(rss([NEW], names="cs.AI, cs.CL"), categories=["cs.AI", "cs.CL"])
    tomorrow = DAY + timedelta(days=1)

    poll(
        rss([NEW], names="cs.AI, cs.CL", on=tomorrow),
        categories=["cs.AI", "cs.CL"],
        now=NIGHT + timedelta(days=1),
    )

    found = state(papers, "cs.CL", tomorrow)
    assert found is not None
    assert found[0] == "stalled"


def test_yesterdays_batch_is_filed_under_yesterday(poll: Poll, papers: PaperTable) -> None:
    """It is what the feed says it is; a missed day heals."""
    poll(rss([NEW], on=DAY - timedelta(days=1)), categories=["cs.AI"])

    assert state(papers, "cs.AI", DAY - timedelta(days=1)) == ("complete", 1, 1, "")
    assert types(papers, "cs.AI", DAY) == {}


def test_before_the_feed_is_due_nothing_is_missed(poll: Poll, papers: PaperTable) -> None:
    """Ten past midnight is too early to complain."""
    polled = poll(rss(), categories=["cs.AI"], now=NIGHT - timedelta(minutes=10))

    assert polled.problems == ()
    assert state(papers, "cs.AI") is None


def test_a_bad_feed_does_not_hold_back_the_others(poll: Poll, papers: PaperTable) -> None:
    """The good one is stored, the bad one told; a later poll heals it."""
    refused = FeedError("feed-1", "no feed in the answer", status=503)

    polled = poll(rss([NEW]), refused)
    assert polled.problems == (refused,)
    assert state(papers, "cs.AI") == ("complete", 1, 1, "")
    assert state(papers, "cs.LG") == ("failed", 0, 0, "the feed could not be read")

    assert poll(rss([NEW]), rss([CROSS], names="cs.LG")).problems == ()
    assert state(papers, "cs.LG") == ("complete", 1, 1, "")


@pytest.mark.parametrize(
    ("later", "problems"), [(rss(), 0), (FeedError("feed-0", "gone", status=503), 1)]
)
def test_what_is_complete_never_goes_back(
    poll: Poll, papers: PaperTable, later: bytes | FeedError, problems: int
) -> None:
    """An emptied or broken feed in the evening takes nothing away."""
    poll(rss([NEW]), categories=["cs.AI"])
    polled = poll(later, categories=["cs.AI"], now=NIGHT + timedelta(hours=12))

    assert len(polled.problems) == problems
    assert state(papers, "cs.AI") == ("complete", 1, 1, "")


@pytest.mark.parametrize(
    ("feed", "said"),
    [
        (rss([NEW], names="cs.CL"), "announces cs.CL instead"),
        (rss([NEW], on=DAY + timedelta(days=1)), "dated ahead of time"),
    ],
)
def test_an_answer_to_another_question_is_refused(
    poll: Poll, papers: PaperTable, feed: bytes, said: str
) -> None:
    """A feed of another category, or of a day that has not come, is not stored."""
    polled = poll(feed, categories=["cs.AI"])

    assert said in str(polled.problems[0])
    assert papers.get_papers([NEW.arxiv_id]) == {}
    assert state(papers, "cs.AI") == ("failed", 0, 0, "the feed could not be read")


ONE = timedelta(days=1)


def test_a_batch_two_days_old_under_todays_date_is_stale(poll: Poll, papers: PaperTable) -> None:
    poll(rss([NEW, REPLACED], on=DAY), categories=["cs.AI"])
    poll(rss([Item(arxiv_id="2604.99021")], on=DAY + ONE), categories=["cs.AI"], now=NIGHT + ONE)

    poll(rss([NEW, REPLACED], on=DAY + 2 * ONE), categories=["cs.AI"], now=NIGHT + 2 * ONE)

    assert types(papers, "cs.AI", DAY + 2 * ONE) == {}
    told = state(papers, "cs.AI", DAY + 2 * ONE)
    assert told is not None
    assert told[0] == "stalled"


def test_a_category_without_a_past_in_an_old_feed_is_stale_too(
    poll: Poll, papers: PaperTable
) -> None:
    """It was configured since yesterday; its neighbours tell that the feed is yesterday's."""
    poll(rss([NEW], names="cs.AI"), categories=["cs.AI"])
    old = rss([NEW, CROSS], names="cs.AI, cs.LG", on=DAY + ONE)

    poll(old, now=NIGHT + ONE)

    assert types(papers, "cs.AI", DAY + ONE) == types(papers, "cs.LG", DAY + ONE) == {}


def test_of_a_small_batch_one_known_paper_is_no_sign(poll: Poll, papers: PaperTable) -> None:
    """A missed day may have been filled with it a day too early."""
    poll(rss([NEW]), categories=["cs.AI"])
    held = replace(REPLACED, version=3)
    poll(rss([held], on=DAY), categories=["cs.AI"])

    poll(
        rss([held, Item(arxiv_id="2604.99077")], on=DAY + ONE),
        categories=["cs.AI"],
        now=NIGHT + ONE,
    )

    assert "2604.99077" in types(papers, "cs.AI", DAY + ONE)


def test_a_new_version_that_adds_a_category_is_a_replacement_where_the_paper_was(
    poll: Poll, papers: PaperTable
) -> None:
    """A combined feed tells both by one item, as a cross-list; so does a re-run of the poll."""
    both = "cs.AI, cs.LG"
    poll(rss([replace(NEW, categories=("cs.AI",))], names=both))
    second = replace(NEW, version=2, announce_type="cross")
    feed = rss([second, Item(arxiv_id="2604.99077")], names=both, on=DAY + ONE)

    for _ in range(2):
        poll(feed, now=NIGHT + ONE)

    assert types(papers, "cs.LG", DAY + ONE) == {NEW.arxiv_id: "cross"}
    assert types(papers, "cs.AI", DAY + ONE) == {NEW.arxiv_id: "replace", "2604.99077": "new"}


def test_it_is_one_too_where_a_filled_day_knows_the_new_version_already(
    poll: Poll, papers: PaperTable
) -> None:
    """Days that were missed are filled with what papers are now; no feed has listed that yet."""
    both = "cs.AI, cs.LG"
    poll(rss([replace(NEW, categories=("cs.AI",))], names=both))
    known = papers.get_papers([NEW.arxiv_id])[NEW.arxiv_id]
    papers.put_papers([replace(known, version=2)])
    second = replace(NEW, version=2, announce_type="cross")

    poll(rss([second], names=both, on=DAY + ONE), now=NIGHT + ONE)
    poll(rss([second], names=both, on=DAY + 2 * ONE), now=NIGHT + 2 * ONE)

    assert types(papers, "cs.AI", DAY + ONE) == {NEW.arxiv_id: "replace"}
    assert types(papers, "cs.AI", DAY + 2 * ONE) == {}


def test_a_feed_that_has_lost_an_item_takes_it_from_no_count(
    poll: Poll, papers: PaperTable
) -> None:
    """Nothing but its number is known of an item that could not be read."""
    poll(rss([NEW, Item(arxiv_id="2604.99009", announce_type="absonly")]), categories=["cs.AI"])

    poll(rss([NEW]), categories=["cs.AI"])

    assert state(papers, "cs.AI") == ("partial", 2, 1, "1 of 2 items cannot be read")


THANKSGIVING = datetime(2026, 11, 26, 17, 20, tzinfo=UTC)  # 12:20 Eastern
FRIDAY = date(2026, 11, 27)


def test_quiet_behind_a_holiday_with_a_batch_stays_quiet(poll: Poll, papers: PaperTable) -> None:
    """In each category, also where the holiday's batch had nothing, and whatever fails later."""
    both, friday = "cs.AI, cs.CL", THANKSGIVING + ONE
    categories = ["cs.AI", "cs.CL"]
    poll(rss([NEW], names=both, on=FRIDAY - ONE), categories=categories, now=THANKSGIVING)

    polled = poll(rss(names=both, on=FRIDAY), categories=categories, now=friday)
    poll(FeedError("x", "503"), categories=categories, now=friday + timedelta(minutes=1))

    assert polled.problems == ()
    assert state(papers, "cs.AI", FRIDAY) == ("quiet", 0, 0, "Thanksgiving")
    assert state(papers, "cs.CL", FRIDAY) == ("quiet", 0, 0, "Thanksgiving")


# the API


class FakeMetadata:
    """Knows a submission date and clean names of every paper."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def completed(self, papers: Sequence[Paper]) -> list[Paper]:
        self.asked.append([paper.arxiv_id for paper in papers])
        return [
            replace(
                paper,
                submitted_at=NIGHT,
                updated_at=NIGHT,
                authors=tuple(Author(name=f"Clean {a.name}") for a in paper.authors),
                doi="10.5555/api",
            )
            for paper in papers
        ]


def completed(ids: Iterable[str], cloud: Cloud, metadata: Metadata, on: date = DAY) -> int:
    """What fetch does last; how many papers still lack something."""
    table = clients.table(cloud.papers)
    papers, notes = PaperTable(table), FetchNotes(table)
    left = remember(ids, on=on, papers=papers, notes=notes)
    return complete(left, papers=papers, notes=notes, metadata=metadata)


def test_metadata_is_added_after_storing_asked_for_once_and_kept(
    poll: Poll, papers: PaperTable, cloud: Cloud
) -> None:
    """The feed's own names and DOI do not come back with the next poll."""
    metadata = FakeMetadata()
    feed = rss([replace(NEW, doi="10.5555/feed")])
    first = completed(poll(feed, categories=["cs.AI"]).ids, cloud, metadata)
    stored, before = papers.get_papers([NEW.arxiv_id])[NEW.arxiv_id], items(cloud)

    polled = poll(feed, categories=["cs.AI"])
    second = completed(polled.ids, cloud, metadata)
    poll(feed, categories=["cs.AI"])

    assert (first, second, polled.papers) == (0, 0, 0)
    assert metadata.asked == [[NEW.arxiv_id]]
    assert (stored.submitted_at, stored.doi) == (NIGHT, "10.5555/api")
    assert [a.name for a in stored.authors] == ["Clean Ada Example", "Clean Bo Sample"]
    assert items(cloud) == before


class SilentMetadata(FakeMetadata):
    """The API tells nothing."""

    def completed(self, papers: Sequence[Paper]) -> list[Paper]:
        super().completed(papers)
        return []


class CutOff(BaseException):
    """Lambda ends the function."""


class SlowMetadata(FakeMetadata):
    """Answers once, then the function's time is over."""

    def completed(self, papers: Sequence[Paper]) -> list[Paper]:
        if self.asked:
            raise CutOff
        return super().completed(papers)


def test_what_the_api_told_before_the_time_was_over_is_kept(poll: Poll, cloud: Cloud) -> None:
    """Else a day that takes the API too long would never be complete, however often it is tried."""
    many = [Item(arxiv_id=f"2604.{n:05}") for n in range(1, 103)]
    ids = poll(rss(many), categories=["cs.AI"]).ids
    with pytest.raises(CutOff):
        completed(ids, cloud, SlowMetadata())

    rest = FakeMetadata()
    completed([], cloud, rest)

    assert [len(asked) for asked in rest.asked] == [2]


@pytest.mark.parametrize(
    "giant",
    [
        {"abstract": "数" * 500_000},
        {"title": "T" * 500_000},
        {"creator": ", ".join(f"Ada Example{n}" for n in range(40_000))},
    ],
    ids=["abstract", "title", "creator"],
)
def test_one_giant_paper_is_cut_and_keeps_nothing_back(
    poll: Poll, papers: PaperTable, giant: dict[str, str]
) -> None:
    """An item of a table ends at 400 kB; what arXiv takes is far below (abstracts: 1,920)."""
    poll(rss([replace(NEW, **giant), CROSS]), categories=["cs.AI"])

    assert state(papers, "cs.AI") == ("complete", 2, 2, "")
    assert "…" in str(papers.get_papers([NEW.arxiv_id]))


def test_an_abstract_of_200_kilobytes_is_stored_as_it_came(poll: Poll, papers: PaperTable) -> None:
    abstract = "word " * 39_999 + "end."
    poll(rss([replace(NEW, abstract=abstract)]), categories=["cs.AI"])

    assert papers.get_papers([NEW.arxiv_id])[NEW.arxiv_id].abstract == abstract


def test_an_answer_that_tells_of_a_paper_twice_is_taken_once(poll: Poll, cloud: Cloud) -> None:
    class Twice(FakeMetadata):
        def completed(self, papers: Sequence[Paper]) -> list[Paper]:
            return super().completed(papers) * 2

    ids = poll(rss([NEW]), categories=["cs.AI"]).ids

    assert completed(ids, cloud, Twice()) == 0


def test_a_new_version_is_asked_for_a_week_of_its_own(poll: Poll, cloud: Cloud) -> None:
    silent, metadata = SilentMetadata(), FakeMetadata()
    ids = poll(rss([NEW]), categories=["cs.AI"]).ids
    completed(ids, cloud, silent)
    completed(ids, cloud, silent, DAY + timedelta(days=6))

    completed([], cloud, metadata, DAY + timedelta(days=8))

    assert metadata.asked == [[NEW.arxiv_id]]


def test_what_the_api_does_not_tell_is_asked_for_for_a_week(poll: Poll, cloud: Cloud) -> None:
    """An API that was dead one night is asked by the next nights' polls."""
    silent, metadata = SilentMetadata(), FakeMetadata()
    ids = poll(rss([NEW]), categories=["cs.AI"]).ids

    left = [completed(ids, cloud, silent), completed([], cloud, silent, DAY + timedelta(days=6))]
    completed([], cloud, metadata, DAY + timedelta(days=7))

    assert left == [1, 1]
    assert silent.asked == [[NEW.arxiv_id]] * 2
    assert metadata.asked == []


def test_a_new_version_is_asked_for_again(poll: Poll, papers: PaperTable, cloud: Cloud) -> None:
    """What the API told of v1 is not taken for v2's."""
    metadata = FakeMetadata()
    completed(poll(rss([NEW]), categories=["cs.AI"]).ids, cloud, metadata)
    newer = replace(NEW, version=2, announce_type="replace", creator="Cy Third")

    poll(rss([newer]), categories=["cs.AI"])
    assert [a.name for a in papers.get_papers([NEW.arxiv_id])[NEW.arxiv_id].authors] == ["Cy Third"]
    completed(poll(rss([newer]), categories=["cs.AI"]).ids, cloud, metadata)

    assert metadata.asked == [[NEW.arxiv_id], [NEW.arxiv_id]]


# real feeds


def test_the_real_stat_day_is_stored_whole(
    poll: Poll, papers: PaperTable, queue: RecordingQueue, shared_data: Path
) -> None:
    """123 papers, every one stored once, every stat category of them listed with its own type."""
    body = (shared_data / "arxiv-rss" / "stat_2024-03-26.rss.xml").read_bytes()
    members = ["math.ST", "stat.AP", "stat.CO", "stat.ME", "stat.ML", "stat.OT"]
    on = date(2024, 3, 26)

    polled = poll(body, categories=members, replay=True)

    assert (polled.papers, polled.queued, polled.problems) == (123, 123, ())
    listed = {category: types(papers, category, on) for category in members}
    assert len(set().union(*listed.values())) == 123
    assert sum(map(len, listed.values())) == polled.listings
    for category in members:
        found = state(papers, category, on)
        assert found is not None
        assert found[1] == found[2] == len(listed[category])
    assert len({m["arxiv_id"] for m in queue.sent}) == 123
    ids = set(listed["stat.ML"])
    for paper in papers.get_papers(ids).values():
        is_own = paper.primary == "stat.ML"
        told = AnnounceType(listed["stat.ML"][paper.arxiv_id])
        assert (told in {AnnounceType.NEW, AnnounceType.REPLACE}) == is_own


def test_states_are_words_of_the_vocabulary() -> None:
    """The words asserted above are the ones that are stored."""
    assert {s.value for s in AnnouncementState} == {
        "waiting",
        "partial",
        "complete",
        "quiet",
        "stalled",
        "failed",
    }
