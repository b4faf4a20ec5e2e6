"""Filling missed days from a past that is behind, silent, or tells more than was announced."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from paperpost import data
from paperpost.domain.announcements import EASTERN
from paperpost.domain.errors import DamagedError, FeedError
from paperpost.domain.papers import Listing, Paper
from paperpost.fetch.healing import Healer
from paperpost.fetch.history import History
from paperpost.storage.papers import PaperTable
from support.feeds import DAY, Item, rss
from unit.fetch.conftest import NIGHT, Poll
from unit.fetch.test_collect import NEW, REPLACED, state, types

ONE = timedelta(days=1)
LATER = NIGHT + ONE + timedelta(hours=5)  # the next day's batch is late
DOWN = FeedError("feed", "503")
UNREADABLE = Item(arxiv_id="2604.99009", announce_type="absonly")


@dataclass
class FakePast:
    """OAI-PMH tells *records*, the API *entries*, whatever is asked."""

    records: Sequence[History] = ()
    entries: Sequence[History] = ()

    def harvested(self, category: str, since: datetime) -> list[History]:  # noqa: ARG002
        return list(self.records)

    def changed(self, category: str, since: datetime) -> list[History]:  # noqa: ARG002
        return list(self.entries)

    def submitted(
        self,
        category: str,  # noqa: ARG002
        since: datetime,
        until: datetime,
    ) -> list[History]:
        return [h for h in self.entries if since <= h.versions[1] < until]


def healer(papers: PaperTable, past: FakePast, now: datetime) -> Healer:
    return Healer(
        past=past,
        papers=papers,
        queue=None,  # type: ignore[arg-type]  # as backfill does: nothing is queued
        calendar=data.calendar(),
        languages=("zh",),
        now=now,
        has_time=lambda: True,
    )


def morning(on: date) -> datetime:
    """A time of submission that is announced in the next day's feed."""
    return datetime.combine(on, time(9), EASTERN).astimezone(UTC)


def history(arxiv_id: str, *versions: date, changed_on: date = DAY) -> History:
    """A paper of cs.AI whose versions came in on these days."""
    paper = Paper(
        arxiv_id=arxiv_id,
        version=len(versions),
        title="T",
        abstract="A",
        authors=(),
        categories=("cs.AI",),
        submitted_at=morning(versions[0]),
        updated_at=morning(versions[-1]),
    )
    at = {n: morning(on) for n, on in enumerate(versions, 1)}
    return History(paper=paper, versions=at, changed_on=changed_on)


OF_YESTERDAY = history("2604.90001", DAY - 4 * ONE, changed_on=DAY - ONE)
OF_TODAY = history("2604.99008", DAY - ONE)


def test_a_list_that_does_not_reach_the_batch_pays_nothing_that_its_feed_owes(
    poll: Poll, papers: PaperTable
) -> None:
    poll(rss([NEW, UNREADABLE]), categories=["cs.AI"])

    healed = healer(papers, FakePast(records=[OF_YESTERDAY]), NIGHT).heal(["cs.AI"])

    assert "does not reach" in str(healed.problems[0])
    assert state(papers, "cs.AI") == ("partial", 2, 1, "1 of 2 items cannot be read")


def test_what_a_list_has_of_the_batch_is_filled_and_settles_it_once_hours_have_passed(
    poll: Poll, papers: PaperTable
) -> None:
    """Until then the list may be half renewed; after it, nobody waits for what is in no list."""
    unreadable = [UNREADABLE, replace(UNREADABLE, arxiv_id="2604.99010")]
    poll(rss([NEW, *unreadable]), categories=["cs.AI"])
    past = FakePast(records=[OF_TODAY])

    healer(papers, past, NIGHT).heal(["cs.AI"])
    early = state(papers, "cs.AI")
    healer(papers, past, NIGHT + timedelta(hours=4)).heal(["cs.AI"])

    assert types(papers, "cs.AI") == {NEW.arxiv_id: "new", "2604.99008": "new"}
    assert early == ("partial", 3, 2, "1 of 3 items cannot be read")
    assert state(papers, "cs.AI") == ("complete", 2, 2, "backfilled")


def test_a_list_that_has_what_could_not_be_read_completes_the_batch_at_once(
    poll: Poll, papers: PaperTable
) -> None:
    poll(rss([NEW, UNREADABLE]), categories=["cs.AI"])

    healer(papers, FakePast(records=[OF_TODAY]), NIGHT).heal(["cs.AI"])

    assert state(papers, "cs.AI") == ("complete", 2, 2, "backfilled")


def test_a_paper_of_days_that_were_never_stored_is_not_new_on_a_missed_day(
    poll: Poll, papers: PaperTable
) -> None:
    """Its metadata changed; where it was announced, nobody of ours was listening."""
    poll(rss([NEW], on=DAY - 42 * ONE), categories=["cs.AI"], now=NIGHT - 42 * ONE)
    poll(DOWN, categories=["cs.AI"])
    old = history("2603.00001", DAY - 28 * ONE)

    healer(papers, FakePast(records=[old, OF_TODAY]), LATER).backfill("cs.AI", DAY, DAY)

    assert types(papers, "cs.AI") == {"2604.99008": "new"}


def test_an_outage_of_a_month_is_filled_poll_by_poll(poll: Poll, papers: PaperTable) -> None:
    poll(rss([NEW], on=DAY - 30 * ONE), categories=["cs.AI"], now=NIGHT - 30 * ONE)
    first = history("2603.00001", DAY - 28 * ONE)
    past = FakePast(records=[first, OF_TODAY])

    polls = [healer(papers, past, LATER).heal(["cs.AI"]) for _ in range(4)]

    listed = papers.list_announcements("cs.AI", last=DAY)
    assert [healed.left for healed in polls] == [12, 2, 0, 0]
    assert {one.state.value for one in listed} == {"complete"}
    assert sum(one.stored for one in listed) == len([NEW, first, OF_TODAY])


def test_a_list_of_the_day_before_completes_no_missed_day(poll: Poll, papers: PaperTable) -> None:
    poll(rss([NEW], on=DAY - ONE), categories=["cs.AI"], now=NIGHT - ONE)
    poll(DOWN, categories=["cs.AI"])

    healed = healer(papers, FakePast(records=[OF_YESTERDAY]), LATER).heal(["cs.AI"])

    assert healed.left == 1
    assert state(papers, "cs.AI") == ("failed", 0, 0, "the feed could not be read")


def test_a_list_that_reaches_one_of_two_days_fills_that_one(poll: Poll, papers: PaperTable) -> None:
    poll(rss([NEW], on=DAY - ONE), categories=["cs.AI"], now=NIGHT - ONE)
    poll(DOWN, categories=["cs.AI"])
    poll(DOWN, categories=["cs.AI"], now=LATER)

    healed = healer(papers, FakePast(records=[OF_TODAY]), LATER + ONE).heal(["cs.AI"])

    assert (healed.days, healed.left, healed.problems) == (1, 1, ())
    assert state(papers, "cs.AI") == ("complete", 1, 1, "backfilled")


def test_what_changed_without_a_new_version_is_not_listed_again(
    poll: Poll, papers: PaperTable
) -> None:
    """A journal reference was added to what was announced two weeks before."""
    old = DAY - 13 * ONE
    known = replace(REPLACED, arxiv_id="2603.99003")
    poll(rss([known], on=old), categories=["cs.AI"], now=NIGHT - 13 * ONE)
    poll(rss([NEW], on=DAY - ONE), categories=["cs.AI"], now=NIGHT - ONE)
    poll(DOWN, categories=["cs.AI"])
    touched = history("2603.99003", date(2026, 3, 30), old - ONE)

    healer(papers, FakePast(records=[touched, OF_TODAY]), LATER).heal(["cs.AI"])

    assert types(papers, "cs.AI", old) == {"2603.99003": "replace"}
    assert types(papers, "cs.AI") == {"2604.99008": "new"}


def test_a_batch_on_a_holiday_that_came_in_part_is_filled(poll: Poll, papers: PaperTable) -> None:
    """The calendar says that nothing is due on it; what came says otherwise."""
    holiday = date(2026, 11, 26)
    noon = datetime(2026, 11, 26, 17, 20, tzinfo=UTC)
    poll(rss([NEW, UNREADABLE], on=holiday), categories=["cs.AI"], now=noon)
    missed = history("2604.99009", holiday - ONE, changed_on=holiday)

    healer(papers, FakePast(records=[missed]), noon).heal(["cs.AI"])

    assert types(papers, "cs.AI", holiday) == {NEW.arxiv_id: "new", "2604.99009": "new"}
    assert state(papers, "cs.AI", holiday) == ("complete", 2, 2, "backfilled")


def test_an_api_that_knows_of_nothing_around_a_day_long_past_completes_nothing(
    papers: PaperTable,
) -> None:
    """A category may be without papers for a day, and then has some in the month before."""
    on = date(2025, 4, 22)
    entry = history("2504.90001", on - 14 * ONE)

    with pytest.raises(DamagedError, match="knows of nothing around"):
        healer(papers, FakePast(), NIGHT).backfill("cs.AI", on, on)
    before = state(papers, "cs.AI", on)
    healer(papers, FakePast(entries=[entry]), NIGHT).backfill("cs.AI", on, on)

    assert before is None
    assert state(papers, "cs.AI", on) == ("complete", 0, 0, "backfilled without replacements")


class DyingTable(PaperTable):
    """The function's time is over just before listings, or papers, are put."""

    dies_at = ""

    def put_listings(self, listings: Sequence[Listing]) -> int:  # type: ignore[override]
        if self.dies_at == "listings":
            raise TimeoutError
        return super().put_listings(listings)

    def put_papers(self, *told: object, **how: object) -> int:  # type: ignore[override]
        if self.dies_at == "papers":
            raise TimeoutError
        return super().put_papers(*told, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("dies_at", ["listings", "papers"])
def test_a_poll_that_broke_off_loses_nothing_that_its_feed_alone_dated(
    poll: Poll, papers: PaperTable, dies_at: str
) -> None:
    """A paper was held back, and the feed is gone when the poll is repeated."""
    poll(rss([NEW], on=DAY - ONE), categories=["cs.AI"], now=NIGHT - ONE)
    table = DyingTable(papers._table)
    table.dies_at = dies_at
    held = Item(arxiv_id="2604.99031")
    with pytest.raises(TimeoutError):
        poll(rss([held, Item(arxiv_id="2604.99008")]), categories=["cs.AI"], table=table)
    poll(DOWN, categories=["cs.AI"], now=NIGHT + timedelta(hours=1))

    past = FakePast(records=[history("2604.99031", DAY - 4 * ONE), OF_TODAY])
    healer(papers, past, LATER).heal(["cs.AI"])

    assert set(types(papers, "cs.AI")) == {"2604.99031", "2604.99008"}
    assert set(papers.get_papers(["2604.99031", "2604.99008"])) == {"2604.99031", "2604.99008"}
