"""compose in process: ticks over days with late categories, crashes, quotas and new readers."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pytest

from paperpost import clients
from paperpost.compose.handler import handler
from paperpost.domain.announcements import AnnouncementState
from paperpost.domain.deliveries import DeliveryState, IssueRow, IssueState
from paperpost.domain.issuefiles import content_hash, from_bytes, issue_path, to_bytes
from paperpost.domain.ledgermark import LEDGER_PATH
from paperpost.domain.mailed import MAILED_PATH, Mailed
from paperpost.domain.mailed import from_bytes as mail_counts
from paperpost.domain.mailed import to_bytes as mail_bytes
from paperpost.domain.papers import Listing
from paperpost.domain.subscribers import Cadence, Preferences, SubscriberStatus, shard_of
from paperpost.settings import ComposeSettings, SettingsError
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.papers import PaperTable
from paperpost.storage.site import SiteBucket
from paperpost.storage.subscribers import SubscriberTable
from support.api import FakeContext
from support.aws import Cloud
from support.issues import (
    DAY,
    arxiv_id,
    make_announcement,
    make_issue,
    make_listing,
    make_paper,
    store_day,
)
from support.readers import make_subscriber
from support.restores import put_back, restore, snapshot

ISSUE = "daily-2024-03-26"
MORNING = datetime(2024, 3, 26, 4, 30, tzinfo=UTC)


class Compose:
    """The function with its tables, bucket and queue, and a clock to move."""

    def __init__(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
        self.papers = PaperTable(clients.table(cloud.papers))
        self.subscribers = SubscriberTable(clients.table(cloud.subscribers))
        self.deliveries = DeliveryTable(clients.table(cloud.deliveries))
        self.site = SiteBucket(clients.s3(), cloud.bucket)
        self.now = MORNING
        self._queue = cloud.queues["delivery"]
        for name, value in {
            "PAPERS_TABLE": cloud.papers,
            "SUBSCRIBERS_TABLE": cloud.subscribers,
            "DELIVERIES_TABLE": cloud.deliveries,
            "SITE_BUCKET": cloud.bucket,
            "DELIVERY_QUEUE_URL": self._queue,
            "CATEGORIES": "cs.CV,cs.LG",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("paperpost.settings.now", lambda: self.now)

    def tick(self, at: datetime | None = None) -> dict[str, int]:
        """One invocation."""
        self.now = at or self.now
        done: dict[str, int] = handler({"task": "tick"}, FakeContext())  # type: ignore[arg-type]
        return done

    def join(self, *ids: str, **wishes: Any) -> None:
        """Confirmed readers, since yesterday."""
        for one in ids:
            subscriber = make_subscriber(
                one,
                address=f"{one}@example.com",
                status=SubscriberStatus.CONFIRMED,
                confirmed_at=MORNING - timedelta(days=1),
                preferences=Preferences(**{"categories": ("cs.CV",), **wishes}),
            )
            assert self.subscribers.create(subscriber, f"hash-{one}")

    def announce_tomorrow(self, *numbers: int) -> None:
        """New papers of cs.CV on the day after DAY, on which cs.LG is quiet."""
        on = DAY + timedelta(days=1)
        store_day(self.papers, new(*numbers, on=on))
        quiet = make_announcement("cs.LG", on, state=AnnouncementState.QUIET, stored=0)
        self.papers.put_announcement(quiet)

    def messages(self) -> list[dict[str, Any]]:
        """What lies in the delivery queue, taken out."""
        found: list[dict[str, Any]] = []
        sqs = boto3.client("sqs")
        while batch := sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=0
        ).get("Messages"):
            found += [json.loads(m["Body"]) for m in batch]
        return found

    def row(self, issue: str = ISSUE) -> IssueRow:
        """The issue's row."""
        row = self.deliveries.get_issue(issue)
        assert row is not None
        return row

    def frozen(self, issue: str = ISSUE) -> list[str]:
        """The papers of the frozen file."""
        file = self.site.get(issue_path(issue))
        assert file is not None
        return [p.record.arxiv_id for p in from_bytes(file.body).papers]

    def told(self) -> tuple[Mailed, ...]:
        """What publish is told of the newest issues."""
        file = self.site.get(MAILED_PATH)
        assert file is not None
        return mail_counts(file.body)

    def states(self, issue: str = ISSUE) -> dict[str, int]:
        """The issue's rows by state."""
        return dict(self.deliveries.count_deliveries(issue, 1))

    def settle(self, subscriber_id: str, state: DeliveryState, issue: str = ISSUE) -> None:
        """What deliver would do."""
        claimed = self.deliveries.claim(issue, 0, subscriber_id, owner="w", now=self.now)
        assert claimed is not None
        assert self.deliveries.mark(claimed, state, now=self.now)


@pytest.fixture
def compose(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Compose:
    """A stack in which cs.LG is quiet today."""
    made = Compose(cloud, monkeypatch)
    quiet = make_announcement("cs.LG", state=AnnouncementState.QUIET, stored=0)
    made.papers.put_announcement(quiet)
    return made


def new(*numbers: int, category: str = "cs.CV", on: date = DAY) -> list[Listing]:
    """Papers that are new today."""
    return [make_listing(n, category, on) for n in numbers]


def test_a_complete_day_is_frozen_planned_and_queued_in_one_tick(compose: Compose) -> None:
    """The ledger vouches for the file's bytes; messages hold ids and no addresses."""
    compose.join("a1", "b2")
    store_day(compose.papers, new(1, 2))

    done = compose.tick()

    assert done == {"frozen": 1, "queued": 2, "closed": 0}
    file = compose.site.get(issue_path(ISSUE))
    assert file is not None
    assert compose.row().content_hash == content_hash(file.body)
    assert (compose.row().reason, compose.row().papers) == ("ready", 2)
    assert compose.states() == {"planned": 2}
    assert compose.messages() == [{"issue": ISSUE, "shard": 0, "subscribers": ["a1", "b2"]}]


def test_ticking_again_changes_nothing(compose: Compose) -> None:
    """A schedule that fires twice makes no second issue, row or message."""
    compose.join("a1")
    store_day(compose.papers, new(1))
    compose.tick()
    before = compose.site.get(issue_path(ISSUE)), compose.states(), len(compose.messages())

    done = compose.tick(MORNING + timedelta(minutes=15))

    assert done == {"frozen": 0, "queued": 0, "closed": 0}
    assert (compose.site.get(issue_path(ISSUE)), compose.states(), 1) == before
    assert compose.messages() == []


def test_nothing_is_mailed_on_a_quiet_day(compose: Compose) -> None:
    """No listings, no issue, even behind the cut-off."""
    compose.join("a1")
    compose.papers.put_announcement(
        make_announcement("cs.CV", state=AnnouncementState.QUIET, stored=0)
    )

    compose.tick(MORNING + timedelta(hours=9))

    assert compose.deliveries.get_issue(ISSUE) is None
    assert compose.site.get(issue_path(ISSUE)) is None


def test_missing_enrichment_holds_an_issue_for_thirty_minutes(compose: Compose) -> None:
    """From the announcement's completion; then the originals go."""
    store_day(compose.papers, new(1), enriched=False)

    held = compose.tick(MORNING)["frozen"], compose.tick(MORNING + timedelta(minutes=24))["frozen"]
    past = compose.tick(MORNING + timedelta(minutes=25))["frozen"]

    assert (held, past) == ((0, 0), 1)


def test_a_late_category_holds_an_issue_until_half_past_seven(compose: Compose) -> None:
    """What comes later is a late arrival of the next issue, under its true date."""
    compose.papers.put_announcement(
        make_announcement("cs.LG", state=AnnouncementState.PARTIAL, stored=0, announced=1)
    )
    store_day(compose.papers, new(1))
    store_day(
        compose.papers,
        new(9, category="cs.LG", on=DAY - timedelta(days=1)),
        at=MORNING - timedelta(days=1),
    )
    before = compose.tick(datetime(2024, 3, 26, 11, 29, tzinfo=UTC))["frozen"]
    at_cutoff = compose.tick(datetime(2024, 3, 26, 11, 30, tzinfo=UTC))["frozen"]
    store_day(compose.papers, new(2, category="cs.LG"), at=MORNING + timedelta(hours=9))
    tomorrow = DAY + timedelta(days=1)
    store_day(compose.papers, new(3, on=tomorrow))
    compose.papers.put_announcement(
        make_announcement("cs.LG", tomorrow, state=AnnouncementState.QUIET, stored=0)
    )

    compose.tick(MORNING + timedelta(days=1))

    # Mail begins with Tuesday: what cs.LG had on Monday counts as mailed.
    assert (before, at_cutoff) == (0, 1)
    assert (compose.row().reason, compose.frozen()) == ("cutoff", [arxiv_id(1)])
    assert sorted(compose.frozen("daily-2024-03-27")) == [arxiv_id(2), arxiv_id(3)]


def test_a_first_deployment_mails_nothing_old(compose: Compose) -> None:
    """Imported days without a complete announcement count as mailed."""
    old = DAY - timedelta(days=3)
    compose.papers.put_papers([make_paper(7)])
    compose.papers.put_listings(new(7, on=old))
    compose.papers.put_announcement(
        make_announcement(on=old, state=AnnouncementState.PARTIAL, stored=1)
    )
    store_day(compose.papers, new(1))

    compose.tick()

    assert compose.frozen() == [arxiv_id(1)]
    assert compose.deliveries.get_issue(f"daily-{old}") is None


def store_days(compose: Compose, first: date, last: date) -> None:
    """A paper of cs.CV on each weekday; cs.LG is quiet."""
    on = first
    while on <= last:
        if on.isoweekday() <= 5:
            store_day(compose.papers, new(on.toordinal() % 10_000, on=on))
            quiet = make_announcement("cs.LG", on, state=AnnouncementState.QUIET, stored=0)
            compose.papers.put_announcement(quiet)
        on += timedelta(days=1)


def test_where_mail_begins_only_the_newest_date_is_mailed(compose: Compose) -> None:
    """The site may have run for weeks; also the next days bring nothing of these."""
    store_days(compose, DAY - timedelta(days=30), DAY)
    compose.join("a1")

    first = compose.tick()
    compose.announce_tomorrow(1)
    second = compose.tick(MORNING + timedelta(days=1))

    assert (first["queued"], second["queued"]) == (1, 2)
    assert {m["issue"] for m in compose.messages()} == {ISSUE, "daily-2024-03-27"}
    assert len(compose.frozen()) == 1
    assert compose.frozen("daily-2024-03-27") == [arxiv_id(1)]
    assert compose.deliveries.get_issue("daily-2024-03-25") is None


def test_the_last_week_is_mailed_where_weekly_mail_begins(compose: Compose) -> None:
    """Its Saturday is over by more than 36 hours, so the operator is asked; others are gone."""
    store_days(compose, DAY - timedelta(days=30), DAY)
    compose.join("w1", cadence=Cadence.WEEKLY)

    done = compose.tick()

    assert done["queued"] == 0
    assert len(compose.frozen("weekly-2024-W12")) == 5
    assert compose.deliveries.get_issue("weekly-2024-W11") is None
    assert {one.issue: one.overdue for one in compose.told()} == {ISSUE: 0, "weekly-2024-W12": 1}


def test_what_stood_still_for_days_asks_before_it_mails_them(compose: Compose) -> None:
    """Of a week, the issues whose cut-off is more than 36 hours ago are overdue from the start."""
    store_day(compose.papers, new(1))
    compose.tick()
    compose.join("a1")
    store_days(compose, DAY + timedelta(days=1), DAY + timedelta(days=7))

    done = compose.tick(MORNING + timedelta(days=7))

    overdue = {one.issue: one.overdue for one in compose.told() if one.issue.startswith("daily")}
    assert done["queued"] == 2
    assert {m["issue"] for m in compose.messages()} == {"daily-2024-04-01", "daily-2024-04-02"}
    assert overdue == {
        ISSUE: 0,
        "daily-2024-03-27": 1,
        "daily-2024-03-28": 1,
        "daily-2024-03-29": 1,
        "daily-2024-04-01": 0,
        "daily-2024-04-02": 0,
    }


def test_a_crash_before_the_first_row_loses_no_issue(compose: Compose) -> None:
    """The file stands for the issue, also when the next tick comes a day later."""
    compose.site.put_once(issue_path(ISSUE), to_bytes(make_issue(new(1), is_first=True)))
    store_day(compose.papers, new(1))
    compose.announce_tomorrow(2)

    compose.tick(MORNING + timedelta(days=1))

    assert compose.row().papers == 1
    assert compose.frozen("daily-2024-03-27") == [arxiv_id(2)]


def test_what_comes_too_late_for_any_issue_is_counted_with_the_next_one(compose: Compose) -> None:
    """
    A day that is backfilled 15 days late: new papers and cross-lists, once, in every place.

    A day still in the span is a late arrival; one before the category's first complete
    announcement counts as mailed.
    """
    store_days(compose, DAY - timedelta(days=20), DAY - timedelta(days=18))
    store_day(compose.papers, new(1))
    compose.tick()
    at = MORNING + timedelta(hours=9)
    for days, *kinds in ((14, "new", "cross", "replace"), (13, "new"), (25, "new")):
        on = DAY - timedelta(days=days)
        listings = [
            replace(make_listing(100 * days + n, on=on, kind=kind), stored_at=at)
            for n, kind in enumerate(kinds)
        ]
        store_day(compose.papers, listings, at=at)
    compose.announce_tomorrow(2)
    compose.tick(MORNING + timedelta(days=1))
    store_day(compose.papers, new(3, on=DAY + timedelta(days=2)))
    compose.papers.put_announcement(
        make_announcement("cs.LG", DAY + timedelta(days=2), state=AnnouncementState.QUIET, stored=0)
    )

    compose.tick(MORNING + timedelta(days=2))

    issues = (ISSUE, "daily-2024-03-27", "daily-2024-03-28")
    files = [compose.site.get(issue_path(issue)) for issue in issues]
    assert compose.frozen("daily-2024-03-27") == [arxiv_id(1300), arxiv_id(2)]
    assert [from_bytes(file.body).too_late for file in files if file] == [0, 2, 0]
    assert [compose.row(issue).too_late for issue in issues] == [0, 2, 0]
    assert [one.too_late for one in compose.told() if one.issue in issues] == [0, 2, 0]


def test_a_crash_between_file_and_row_keeps_the_files_bytes(compose: Compose) -> None:
    """The row is entered with the hash of what was put first."""
    first = make_issue(new(1))
    compose.site.put_once(issue_path(ISSUE), to_bytes(first))
    store_day(compose.papers, new(1, 2))

    compose.tick()

    assert compose.frozen() == [arxiv_id(1)]
    assert compose.row().content_hash == content_hash(to_bytes(first))
    assert compose.row().frozen_at == first.frozen_at


def test_messages_hold_at_most_25_ids(compose: Compose) -> None:
    """60 readers are three messages."""
    compose.join(*(f"{n:02}" for n in range(60)))
    store_day(compose.papers, new(1))

    compose.tick()

    assert sorted(len(m["subscribers"]) for m in compose.messages()) == [10, 25, 25]


def test_letters_are_queued_when_they_are_due_and_again_after_thirty_minutes(
    compose: Compose,
) -> None:
    """A lost message costs half an hour, not a letter; what was sent is not queued again."""
    compose.join("a1", "b2")
    compose.join("c3", hour=18)  # 18:00 in Beijing is 10:00 UTC
    store_day(compose.papers, new(1))
    compose.tick()
    compose.settle("a1", DeliveryState.SENT)
    compose.messages()

    soon = compose.tick(MORNING + timedelta(minutes=29))["queued"]
    later = compose.tick(MORNING + timedelta(minutes=30))["queued"]
    again = compose.messages()
    at_six = compose.tick(datetime(2024, 3, 26, 10, 0, tzinfo=UTC))["queued"]

    assert (soon, later, again[0]["subscribers"]) == (0, 1, ["b2"])
    assert at_six == 2
    assert compose.messages()[0]["subscribers"] == ["b2", "c3"]


def test_a_stopped_issue_is_queued_whole_by_the_next_tick(compose: Compose) -> None:
    """Its messages were acknowledged, so the half hour does not count."""
    compose.join("a1", "b2")
    store_day(compose.papers, new(1))
    compose.tick()
    compose.settle("a1", DeliveryState.RELEASED)
    compose.deliveries.stop_issue(ISSUE, "daily quota")
    compose.messages()

    done = compose.tick(MORNING + timedelta(minutes=15))

    assert done["queued"] == 2
    assert compose.row().stopped == ""


def test_an_expired_claim_is_unknown_and_skipped_after_a_day(compose: Compose) -> None:
    """It is never sent again by itself, and the issue closes with it."""
    compose.join("a1", "b2")
    store_day(compose.papers, new(1))
    compose.tick()
    compose.settle("a1", DeliveryState.SENT)
    compose.deliveries.claim(ISSUE, 0, "b2", owner="killed", now=compose.now)

    live = compose.tick(MORNING + timedelta(minutes=14)), compose.states()
    expired = compose.tick(MORNING + timedelta(minutes=16)), compose.states()
    after = compose.tick(MORNING + timedelta(hours=25)), compose.states()

    assert live == ({"frozen": 0, "queued": 0, "closed": 0}, {"sent": 1, "claimed": 1})
    assert expired == ({"frozen": 0, "queued": 0, "closed": 0}, {"sent": 1, "unknown": 1})
    assert after == ({"frozen": 0, "queued": 0, "closed": 1}, {"sent": 1, "skipped": 1})
    row = compose.deliveries.get_delivery(ISSUE, 0, "b2")
    assert row is not None
    assert row.reason == "ambiguous"


def test_an_operator_may_have_ambiguous_letters_sent_again(
    compose: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the setting; then the row is queued like any other."""
    monkeypatch.setenv("AMBIGUOUS_SENDS", "resend")
    compose.join("a1")
    store_day(compose.papers, new(1))
    compose.tick()
    compose.settle("a1", DeliveryState.UNKNOWN)
    compose.messages()

    done = compose.tick(MORNING + timedelta(hours=25))

    assert (done["queued"], compose.states()) == (1, {"released": 1})


def test_an_ambiguous_letter_that_goes_again_starts_though_it_was_due_long_ago(
    compose: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SES was asked 14 hours late; a day later the letter is more than 36 hours past its due."""
    monkeypatch.setenv("AMBIGUOUS_SENDS", "resend")
    compose.join("a1")
    store_day(compose.papers, new(1))
    compose.tick()
    compose.now = MORNING + timedelta(hours=14)
    compose.settle("a1", DeliveryState.UNKNOWN)

    done = compose.tick(MORNING + timedelta(hours=38, minutes=30))

    assert (done["queued"], [one.overdue for one in compose.told()]) == (1, [0])
    compose.settle("a1", DeliveryState.SENT)


def test_an_issue_closes_when_every_row_is_accounted_for(compose: Compose) -> None:
    """The totals add up to the audience."""
    compose.join("a1", "b2", "c3")
    store_day(compose.papers, new(1))
    compose.tick()
    for subscriber, state in zip(
        ("a1", "b2", "c3"),
        (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.SKIPPED),
        strict=True,
    ):
        compose.settle(subscriber, state)

    done = compose.tick(MORNING + timedelta(minutes=15))

    assert done["closed"] == 1
    assert compose.row().state is IssueState.CLOSED
    assert compose.row().totals == {"sent": 1, "failed": 1, "skipped": 1}
    assert compose.tick(MORNING + timedelta(minutes=30))["closed"] == 0


def test_counts_without_identities_are_told_while_letters_go_out_and_at_the_end(
    compose: Compose,
) -> None:
    """For publish to read; a tick that changes no count puts nothing."""
    compose.join("a1", "b2", "c3")
    store_day(compose.papers, new(1))
    compose.tick()
    (going,) = compose.told()
    compose.settle("a1", DeliveryState.SENT)
    compose.settle("b2", DeliveryState.FAILED)
    compose.settle("c3", DeliveryState.SKIPPED)
    compose.tick(MORNING + timedelta(minutes=15))
    (closed,) = compose.told()
    before = compose.site.get(MAILED_PATH)

    compose.tick(MORNING + timedelta(minutes=30))

    assert (going.state, going.open, going.audience) == (IssueState.SENDING, 3, 3)
    assert (closed.sent, closed.failed, closed.skipped) == (1, 1, 1)
    assert (closed.state, closed.open) == (IssueState.CLOSED, 0)
    assert compose.site.get(MAILED_PATH) == before
    assert before is not None
    assert not [one for one in ("a1", "b2", "c3", "@") if one.encode() in before.body]


def test_nothing_is_told_before_the_first_issue(compose: Compose) -> None:
    compose.tick()

    assert compose.site.get(MAILED_PATH) is None


def test_nothing_older_than_36_hours_starts_and_the_issue_stays_open(compose: Compose) -> None:
    """An operator must say so."""
    compose.join("a1")
    store_day(compose.papers, new(1))
    compose.tick()
    compose.messages()

    done = compose.tick(MORNING + timedelta(hours=36, minutes=1))

    assert done == {"frozen": 0, "queued": 0, "closed": 0}
    assert compose.messages() == []
    assert compose.row().state is IssueState.SENDING


@pytest.mark.parametrize("policy", ["skip", "resend"])
def test_an_issue_that_nobody_decided_on_ends_with_the_14_days(
    compose: Compose, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    """What has not started is too old, the rest is settled as ever, and the receipt adds up."""
    monkeypatch.setenv("AMBIGUOUS_SENDS", policy)
    compose.join("a1", "b2", "c3", "d4")
    store_day(compose.papers, new(1))
    compose.tick()
    compose.settle("a1", DeliveryState.SENT)
    compose.settle("b2", DeliveryState.RELEASED)
    compose.settle("c3", DeliveryState.FAILED)
    compose.tick(MORNING + timedelta(days=14))
    waiting = compose.told()[0]

    done = compose.tick(MORNING + timedelta(days=15))

    over = compose.told()[0]
    assert (waiting.issue, waiting.open, waiting.overdue) == (ISSUE, 2, 2)
    assert (done["closed"], compose.row().state) == (1, IssueState.CLOSED)
    assert compose.row().totals == {"sent": 1, "failed": 1, "skipped": 2}
    reasons = {d.subscriber_id: d.reason for d in compose.deliveries.list_deliveries(ISSUE, 0)}
    assert (reasons["b2"], reasons["d4"]) == ("too old", "too old")
    assert (over.state, over.audience, over.skipped) == (IssueState.CLOSED, 4, 2)
    assert compose.tick(MORNING + timedelta(days=16))["closed"] == 0


@pytest.mark.parametrize("policy", ["skip", "resend"])
def test_an_old_issue_waits_for_its_ambiguous_letters(
    compose: Compose, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    """Feedback has its day; then the policy decides, and nothing goes again after so long."""
    monkeypatch.setenv("AMBIGUOUS_SENDS", policy)
    compose.join("a1")
    store_day(compose.papers, new(1))
    compose.tick()
    compose.now = MORNING + timedelta(days=14, hours=20)
    row = compose.deliveries.get_delivery(ISSUE, 0, "a1")
    assert row is not None
    assert compose.deliveries.postpone(row, compose.now)
    compose.deliveries.claim(ISSUE, 0, "a1", owner="killed", now=compose.now)

    compose.tick(MORNING + timedelta(days=15))
    soon = compose.row().state, compose.states()
    compose.tick(MORNING + timedelta(days=16, hours=1))
    later = compose.row().state, compose.states()

    assert soon == (IssueState.SENDING, {"unknown": 1})
    assert later == (IssueState.CLOSED, {"skipped": 1})


def test_an_issue_whose_table_is_gone_is_told_as_over(compose: Compose) -> None:
    """Mail was turned off and on: nobody has those letters, and nobody is asked about them."""
    gone = Mailed(
        issue="daily-2024-01-05", state=IssueState.SENDING, frozen_at=MORNING,
        sent=5, unknown=1, open=2, overdue=2, stopped="x",
    )  # fmt: skip
    compose.site.put(MAILED_PATH, mail_bytes([gone]))

    compose.tick()

    assert compose.told() == (
        Mailed(issue=gone.issue, state=IssueState.CLOSED, frozen_at=MORNING, sent=5, skipped=3),
    )


def test_an_issue_without_readers_closes_at_once(compose: Compose) -> None:
    """The audience is the number of rows: none."""
    store_day(compose.papers, new(1))

    assert compose.tick() == {"frozen": 1, "queued": 0, "closed": 1}


def test_readers_of_the_week_get_one_issue_frozen_with_fridays(compose: Compose) -> None:
    """Due on Saturday at eight; readers of the day are not planned for it."""
    friday = date(2024, 3, 29)
    compose.join("w1", cadence=Cadence.WEEKLY)
    compose.join("d1")
    store_day(compose.papers, new(1))
    compose.tick()
    store_day(compose.papers, new(2, on=friday))
    compose.papers.put_announcement(
        make_announcement("cs.LG", friday, state=AnnouncementState.QUIET, stored=0)
    )

    compose.tick(datetime(2024, 3, 29, 4, 30, tzinfo=UTC))

    week = "weekly-2024-W13"
    assert sorted(compose.frozen(week)) == [arxiv_id(1), arxiv_id(2)]
    (row,) = compose.deliveries.list_deliveries(week, 0)
    assert (row.subscriber_id, row.due_at) == ("w1", datetime(2024, 3, 30, 0, 0, tzinfo=UTC))


# shards


@pytest.mark.parametrize(("before", "after"), [(1, 4), (4, 1), (3, 4)])
def test_another_number_of_shards_misses_nobody(
    compose: Compose, monkeypatch: pytest.MonkeyPatch, before: int, after: int
) -> None:
    """Readers stand where the old number put them; their rows lie where feedback looks for them."""
    ids = [f"r{n}" for n in range(12)]
    compose.subscribers = SubscriberTable(compose.subscribers._table, shards=before)
    compose.join(*ids)
    monkeypatch.setenv("SHARDS", str(after))
    store_day(compose.papers, new(1))

    done = compose.tick()

    assert (done["queued"], compose.row().shards) == (12, after)
    queued = {one: m["shard"] for m in compose.messages() for one in m["subscribers"]}
    assert queued == {one: shard_of(one, after) for one in ids}
    assert all(compose.deliveries.get_delivery(ISSUE, queued[one], one) for one in ids)


@pytest.mark.usefixtures("compose")
@pytest.mark.parametrize("shards", ["0", "17", "many"])
def test_a_number_of_shards_in_which_nobody_looks_is_refused(
    monkeypatch: pytest.MonkeyPatch, shards: str
) -> None:
    monkeypatch.setenv("SHARDS", shards)

    with pytest.raises(SettingsError, match="SHARDS"):
        ComposeSettings.from_env()


# a bucket that has lost files


def lose(cloud: Cloud, *paths: str) -> None:
    """Somebody deletes files from the bucket."""
    for path in paths:
        boto3.client("s3").delete_object(Bucket=cloud.bucket, Key=path)


def spoil(cloud: Cloud, *paths: str) -> None:
    """Somebody puts other bytes in their place."""
    for path in paths:
        boto3.client("s3").put_object(Bucket=cloud.bucket, Key=path, Body=b"other")


@pytest.mark.parametrize("damage", [lose, spoil])
def test_what_a_lost_issue_may_have_held_is_not_mailed_again(
    compose: Compose,
    cloud: Cloud,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[Cloud, str], None],
) -> None:
    """Only what came after its freeze is a late arrival; an error and a metric tell of the loss."""
    store_day(compose.papers, new(1, 2))
    compose.tick()
    damage(cloud, issue_path(ISSUE))
    late = replace(make_listing(3), stored_at=MORNING + timedelta(hours=1))
    store_day(compose.papers, [late], at=late.stored_at)
    compose.announce_tomorrow(4)
    before = capsys.readouterr().out

    compose.tick(MORNING + timedelta(days=1))

    told = capsys.readouterr().out
    assert compose.frozen("daily-2024-03-27") == [arxiv_id(4), arxiv_id(3)]
    assert '"FrozenIssuesLost":[0.0' in before
    assert '"FrozenIssuesLost":[1.0' in told
    assert [r.message for r in caplog.records if r.levelname == "ERROR"] == ["frozen issue is lost"]


def test_a_ledger_whose_mark_is_lost_is_locked(compose: Compose, cloud: Cloud) -> None:
    """Who empties the bucket may have exchanged the tables as well."""
    compose.join("a1")
    store_day(compose.papers, new(1))
    compose.tick()
    compose.messages()
    lose(cloud, LEDGER_PATH, MAILED_PATH)

    done = [compose.tick(compose.now + timedelta(minutes=31)) for _ in range(2)]

    assert done == [{"frozen": 0, "queued": 0, "closed": 0}] * 2
    assert compose.messages() == []
    assert compose.row().stopped == f"lost: {LEDGER_PATH}, which tells where mail was sent from"


# after a restore from backup


def send_all(compose: Compose, *ids: str) -> None:
    """What deliver does with an issue, told by the next tick."""
    for one in ids:
        compose.settle(one, DeliveryState.SENT)
    compose.tick(compose.now + timedelta(minutes=15))


@pytest.mark.parametrize("table", ["deliveries", "subscribers"])
def test_of_a_table_that_was_restored_no_letter_goes_out(
    compose: Compose, cloud: Cloud, table: str
) -> None:
    """
    It has another birth, whatever it holds: a ledger forgets who was mailed, profiles who left.

    Freezing and planning stand still, and the issue is stopped for messages in the queue.
    """
    compose.join("a1", "b2")
    store_day(compose.papers, new(1))
    compose.tick()
    compose.messages()
    restore(getattr(cloud, table), snapshot(getattr(cloud, table)))

    done = compose.tick(MORNING + timedelta(minutes=31))

    assert (done, compose.messages()) == ({"frozen": 0, "queued": 0, "closed": 0}, [])
    assert compose.row().stopped.startswith(f"restored: the {table.title()} table")


def test_a_ledger_put_back_into_the_same_table_is_noticed_by_what_was_told(
    compose: Compose, cloud: Cloud
) -> None:
    """Fewer letters sent than there were; the higher count stays told, for whoever looks."""
    compose.join("a1", "b2", "c3")
    store_day(compose.papers, new(1))
    compose.tick()
    before = snapshot(cloud.deliveries)
    send_all(compose, "a1", "b2")
    compose.messages()
    put_back(cloud.deliveries, before)

    done = [compose.tick(compose.now + timedelta(minutes=31)) for _ in range(2)]

    assert done == [{"frozen": 0, "queued": 0, "closed": 0}] * 2
    assert compose.messages() == []
    assert (
        compose.row().stopped == f"restored: of {ISSUE} 2 letters were done with, the ledger has 0"
    )
    assert [(one.sent, one.audience) for one in compose.told()] == [(2, 3)]


def test_an_issue_that_the_ledger_has_lost_is_not_frozen_and_mailed_again(
    compose: Compose, cloud: Cloud
) -> None:
    """Its file is still there, and everybody would get it a second time."""
    compose.join("a1")
    before = snapshot(cloud.deliveries)
    store_day(compose.papers, new(1))
    compose.tick()
    send_all(compose, "a1")
    compose.messages()
    put_back(cloud.deliveries, before)

    done = compose.tick(compose.now + timedelta(minutes=31))

    assert done == {"frozen": 0, "queued": 0, "closed": 0}
    assert (compose.deliveries.get_issue(ISSUE), compose.messages()) == (None, [])


def test_a_restore_into_the_middle_of_planning_is_noticed(compose: Compose, cloud: Cloud) -> None:
    """Who lost the row would be planned, and mailed, anew."""
    compose.join("a1", "b2")
    store_day(compose.papers, new(1))
    compose.tick()
    send_all(compose, "a1", "b2")
    compose.messages()
    rows = [item for item in snapshot(cloud.deliveries) if item["sk"] != {"S": "SUB#b2"}]
    put_back(cloud.deliveries, rows)
    boto3.resource("dynamodb").Table(cloud.deliveries).update_item(
        Key={"pk": f"ISSUE#{ISSUE}", "sk": "ISSUE"},
        UpdateExpression="SET #state = :planning REMOVE totals",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":planning": "planning"},
    )

    compose.tick(compose.now + timedelta(minutes=31))

    assert compose.messages() == []
    assert compose.row().stopped.startswith("restored: ")


def test_the_metric_of_the_lock_is_put_with_every_tick(
    compose: Compose, cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """An alarm watches it."""
    compose.tick()
    well = capsys.readouterr().out
    restore(cloud.deliveries, [])

    compose.tick()

    assert '"SendingLocked":[0.0]' in well
    assert '"SendingLocked":[1.0]' in capsys.readouterr().out
