"""`paperpost issue unlock`: it tells, and on the operator's word nobody is mailed twice."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from paperpost.domain.announcements import eastern_date
from paperpost.domain.deliveries import Delivery, DeliveryState, IssueRow, IssueState
from paperpost.domain.issuefiles import content_hash, issue_path, to_bytes
from paperpost.domain.ledgermark import LEDGER_PATH, MARK_LOST, what_is_lost
from paperpost.domain.mailed import MAILED_PATH, Mailed
from paperpost.domain.mailed import from_bytes as mail_counts
from paperpost.domain.mailed import to_bytes as mail_bytes
from paperpost_cli.main import main
from paperpost_cli.stacks import Stack
from support.aws import Cloud
from support.issues import make_issue, make_listing
from support.restores import put_back, restore, snapshot

NOW = datetime.now(UTC)
DAY = eastern_date(NOW - timedelta(days=2))
ISSUE = f"daily-{DAY.isoformat()}"
OPEN = (DeliveryState.PLANNED, DeliveryState.RELEASED, DeliveryState.CLAIMED, DeliveryState.UNKNOWN)


@pytest.fixture
def stack(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack whose ledger has one issue, sent to a1 and open for four others."""
    outputs = {
        "DeliveriesTableName": cloud.deliveries,
        "SubscribersTableName": cloud.subscribers,
        "SiteBucketName": cloud.bucket,
    }
    made = Stack(session=boto3.Session(), endpoint=None, outputs=outputs)
    body = to_bytes(make_issue([make_listing(1, on=DAY)], on=DAY))
    made.site.put(issue_path(ISSUE), body)
    row = IssueRow(
        issue=ISSUE,
        content_hash=content_hash(body),
        frozen_at=NOW - timedelta(days=2),
        reason="ready",
        papers=1,
        shards=1,
    )
    made.deliveries.put_issue(row, expires_at=2_000_000_000)
    made.deliveries.finish_planning(ISSUE)
    for one in ("a1", "b2", "c3", "d4", "e5"):
        made.deliveries.put_planned(
            Delivery(
                issue=ISSUE,
                shard=0,
                subscriber_id=one,
                state=DeliveryState.PLANNED,
                due_at=NOW - timedelta(hours=1),
                updated_at=NOW,
            ),
            expires_at=2_000_000_000,
        )
    settle(made, "a1", DeliveryState.SENT)
    settle(made, "c3", DeliveryState.RELEASED)
    settle(made, "e5", DeliveryState.UNKNOWN)
    assert made.deliveries.claim(ISSUE, 0, "d4", owner="gone", now=NOW)
    made.guard.accept()
    monkeypatch.setattr(Stack, "of", classmethod(lambda _cls, _name: made))
    monkeypatch.setattr(Stack, "settings", lambda _self, _function: {"CLOCK_OFFSET_S": "0"})
    return made


def settle(stack: Stack, subscriber: str, state: DeliveryState) -> None:
    """What deliver does."""
    claimed = stack.deliveries.claim(ISSUE, 0, subscriber, owner="w", now=NOW)
    assert claimed is not None
    assert stack.deliveries.mark(claimed, state, now=NOW)


def tell(stack: Stack, **counts: int) -> None:
    """What compose told before the restore."""
    told = Mailed(issue=ISSUE, state=IssueState.SENDING, frozen_at=NOW, **counts)
    stack.site.put(MAILED_PATH, mail_bytes([told]))


def restored(stack: Stack, cloud: Cloud) -> None:
    """The ledger is another table with the same rows."""
    restore(cloud.deliveries, snapshot(cloud.deliveries))
    assert stack.guard.why_locked()


def unlock(*options: str) -> int:
    return main(["issue", "unlock", *options])


def test_without_a_restore_there_is_nothing_to_unlock(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (unlock("--open-letters", "skip"), stack.guard.why_locked()) == (0, "")
    assert capsys.readouterr().out == "Nothing is locked.\n"


def test_it_first_only_tells(
    stack: Stack, cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was sent before the restore, and what the ledger has of it."""
    tell(stack, sent=4, open=1)
    restored(stack, cloud)
    before = snapshot(cloud.deliveries)

    status = unlock()

    told = capsys.readouterr().out.split()
    assert status == 1
    assert told[told.index(ISSUE) + 1 :][:4] == ["4", "5", "1", "5"]
    assert snapshot(cloud.deliveries) == before
    assert stack.guard.why_locked()


def test_skipped_are_all_that_the_restored_ledger_has_as_open(stack: Stack, cloud: Cloud) -> None:
    """Nobody gets a second letter, and what was told as sent stays sent."""
    tell(stack, sent=4, open=1)
    restored(stack, cloud)

    assert unlock("--open-letters", "skip") == 0

    row = stack.deliveries.get_issue(ISSUE)
    assert row is not None
    assert (row.state, dict(row.totals)) == (IssueState.CLOSED, {"sent": 4, "skipped": 1})
    rows = {d.subscriber_id: d for d in stack.deliveries.list_deliveries(ISSUE, 0)}
    assert [rows[one].state.value for one in ("a1", "b2", "c3", "d4", "e5")] == [
        "sent", "skipped", "skipped", "skipped", "skipped",
    ]  # fmt: skip
    assert rows["b2"].reason == "the ledger was restored"
    assert stack.guard.why_locked() == ""


def test_an_issue_that_was_lost_is_entered_as_closed(stack: Stack, cloud: Cloud) -> None:
    """Else the next tick would freeze it again, from its own file, and mail everybody."""
    tell(stack, sent=5)
    restore(cloud.deliveries, [])

    assert unlock("--open-letters", "skip") == 0

    row = stack.deliveries.get_issue(ISSUE)
    assert row is not None
    assert (row.state, dict(row.totals), row.papers) == (IssueState.CLOSED, {"sent": 5}, 1)


def test_an_issue_that_ledger_and_bucket_have_lost_is_closed_by_what_was_told(
    stack: Stack, cloud: Cloud
) -> None:
    """Its row then tells compose that what it may have held counts as mailed."""
    tell(stack, sent=5)
    restore(cloud.deliveries, [])
    boto3.client("s3").delete_object(Bucket=cloud.bucket, Key=issue_path(ISSUE))

    assert unlock("--open-letters", "skip") == 0

    row = stack.deliveries.get_issue(ISSUE)
    assert row is not None
    assert (row.state, dict(row.totals), row.frozen_at) == (IssueState.CLOSED, {"sent": 5}, NOW)


def test_a_mark_that_was_lost_is_made_anew(stack: Stack, cloud: Cloud) -> None:
    """What compose could not tell is locked; the operator's word accepts the tables."""
    boto3.client("s3").delete_object(Bucket=cloud.bucket, Key=LEDGER_PATH)
    stack.guard.accept(locked=MARK_LOST)

    assert unlock("--open-letters", "send") == 0

    assert (stack.guard.why_locked(), stack.guard.mark() is None) == ("", False)


def test_sent_goes_what_the_ledger_has_as_open_if_the_operator_says_so(
    stack: Stack, cloud: Cloud
) -> None:
    """And the lower counts are told from then on, so that they lock nothing again."""
    tell(stack, sent=4, open=1)
    restored(stack, cloud)
    before = snapshot(cloud.deliveries)

    assert unlock("--open-letters", "send") == 0

    stored = stack.site.get(MAILED_PATH)
    assert stored is not None
    assert (mail_counts(stored.body), snapshot(cloud.deliveries)) == ((), before)
    assert stack.guard.why_locked() == ""


@pytest.mark.parametrize(
    "lose",
    [
        lambda cloud, items: restore(cloud.deliveries, items),
        lambda cloud, items: put_back(cloud.deliveries, items[:3]),
        lambda cloud, _: put_back(cloud.deliveries, []),
    ],
)
def test_after_skipping_nothing_counts_as_lost(
    stack: Stack, cloud: Cloud, lose: Callable[[Cloud, object], None]
) -> None:
    """Whatever the restore left."""
    tell(stack, sent=2, skipped=1, unknown=1, open=1)
    lose(cloud, snapshot(cloud.deliveries))
    stack.guard.accept(locked="restored: a loss")

    unlock("--open-letters", "skip")

    row = stack.deliveries.get_issue(ISSUE)
    stored = stack.site.get(MAILED_PATH)
    assert row is not None
    assert stored is not None
    (told,) = mail_counts(stored.body)
    now = Mailed(issue=ISSUE, state=row.state, frozen_at=NOW, **row.totals)
    assert what_is_lost(told, now) == ""
    assert {d.state for d in stack.deliveries.list_deliveries(ISSUE, 0)}.isdisjoint(OPEN)
