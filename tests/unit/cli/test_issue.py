"""`paperpost issue` on a ledger in process: what it tells, and what it lets go again."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from paperpost.domain.announcements import eastern_date
from paperpost.domain.deliveries import OVERDUE_AFTER, Delivery, DeliveryState, IssueRow
from paperpost.domain.issuefiles import content_hash, issue_path, to_bytes
from paperpost.domain.subscribers import Preferences, SubscriberStatus
from paperpost_cli.main import main
from paperpost_cli.stacks import Stack
from support.aws import Cloud
from support.issues import make_issue, make_listing
from support.readers import make_subscriber, store

NOW = datetime.now(UTC)
DAY = eastern_date(NOW - timedelta(days=5))
SETTINGS = {
    "SITE_URL": "https://papers.example.org",
    "CONTACT_MAIL": "hello@example.org",
    "POSTAL_ADDRESS": "1 Example Street, 00000 Example",
    "MAIL_FROM": "paperpost@papers.example.org",
    "CONFIGURATION_SET": "set",
}


@pytest.fixture
def stack(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack with one frozen issue of three papers."""
    outputs = {
        "DeliveriesTableName": cloud.deliveries,
        "SubscribersTableName": cloud.subscribers,
        "SiteBucketName": cloud.bucket,
    }
    made = Stack(session=boto3.Session(), endpoint=None, outputs=outputs)
    frozen = make_issue([make_listing(n, on=DAY) for n in (1, 2, 3)], on=DAY)
    body = to_bytes(frozen)
    made.site.put(issue_path(frozen.issue), body)
    row = IssueRow(
        issue=frozen.issue,
        content_hash=content_hash(body),
        frozen_at=NOW - timedelta(days=2),
        reason="ready",
        papers=3,
        too_late=4,
        shards=1,
    )
    made.deliveries.put_issue(row, expires_at=2_000_000_000)
    monkeypatch.setattr(Stack, "of", classmethod(lambda _cls, _name: made))
    monkeypatch.setattr(Stack, "settings", lambda _self, _function: SETTINGS)
    return made


ISSUE = f"daily-{DAY.isoformat()}"


def plan(stack: Stack, subscriber: str, *, age: timedelta = timedelta()) -> None:
    """A letter that has been due for so long."""
    stack.deliveries.put_planned(
        Delivery(
            issue=ISSUE,
            shard=0,
            subscriber_id=subscriber,
            state=DeliveryState.PLANNED,
            due_at=NOW - age,
            updated_at=NOW - age,
        ),
        expires_at=2_000_000_000,
    )


def lose(stack: Stack, subscriber: str) -> None:
    """A letter of unknown fate."""
    plan(stack, subscriber)
    claimed = stack.deliveries.claim(ISSUE, 0, subscriber, owner="w", now=NOW)
    assert claimed is not None
    stack.deliveries.mark(claimed, DeliveryState.UNKNOWN, now=NOW, reason="ReadTimeoutError")


def state(stack: Stack, subscriber: str) -> str:
    found = stack.deliveries.get_delivery(ISSUE, 0, subscriber)
    assert found is not None
    return found.state.value


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["issue", "show", ISSUE, "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_show_tells_letters_by_state_and_why(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(stack, "a1")
    plan(stack, "a2", age=OVERDUE_AFTER + timedelta(hours=1))
    lose(stack, "a3")

    told = shown(capsys)

    assert (told["audience"], told["overdue"], told["too_late"]) == (3, 1, 4)
    assert told["letters"] == {"planned": 2, "unknown": 1}
    assert told["reasons"] == [{"state": "unknown", "reason": "ReadTimeoutError", "letters": 1}]


def test_show_is_a_table_for_people(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    lose(stack, "a3")

    assert main(["issue", "show", ISSUE]) == 0

    printed = capsys.readouterr().out
    assert "ReadTimeoutError" in printed
    assert "too late to mail  4 listings" in printed
    assert "overdue" not in printed


def test_on_a_stack_whose_clock_was_moved_its_own_time_counts(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A replay's letters are neither overdue days later, nor to be put off to our own time."""
    days_ago = {**SETTINGS, "CLOCK_OFFSET_S": str(-timedelta(days=3).total_seconds())}
    monkeypatch.setattr(Stack, "settings", lambda _self, _function: days_ago)
    plan(stack, "a1", age=timedelta(days=3))

    assert shown(capsys)["overdue"] == 0
    assert main(["issue", "resume", ISSUE]) == 0
    assert capsys.readouterr().out.startswith("0 letters")


def test_resume_lets_overdue_letters_start_and_no_others(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(stack, "late", age=OVERDUE_AFTER + timedelta(hours=1))
    plan(stack, "later", age=timedelta(hours=-5))
    refused = stack.deliveries.claim(ISSUE, 0, "late", owner="w", now=NOW)

    assert main(["issue", "resume", ISSUE]) == 0

    assert refused is None
    assert capsys.readouterr().out.startswith(f"1 letters of {ISSUE} may start now")
    soon = datetime.now(UTC) + timedelta(minutes=1)
    assert stack.deliveries.claim(ISSUE, 0, "late", owner="w", now=soon) is not None
    assert stack.deliveries.claim(ISSUE, 0, "later", owner="w", now=soon) is None


def test_skip_drops_overdue_letters_and_no_others(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(stack, "late", age=OVERDUE_AFTER + timedelta(hours=1))
    plan(stack, "later", age=timedelta(hours=-5))
    lose(stack, "lost")

    assert main(["issue", "skip", ISSUE]) == 0

    assert capsys.readouterr().out == f"1 letters of {ISSUE} will not go.\n"
    assert [state(stack, s) for s in ("late", "later", "lost")] == ["skipped", "planned", "unknown"]
    told = shown(capsys)
    assert {"state": "skipped", "reason": "the operator's word", "letters": 1} in told["reasons"]


@pytest.mark.parametrize("action", ["resume", "resend"])
def test_letters_of_an_issue_that_compose_no_longer_looks_at_do_not_go(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    action: str,
) -> None:
    """Fifteen days later; it says so in one line, and changes nothing."""
    plan(stack, "late", age=OVERDUE_AFTER + timedelta(hours=1))
    lose(stack, "lost")
    later = {**SETTINGS, "CLOCK_OFFSET_S": str(timedelta(days=13).total_seconds())}
    monkeypatch.setattr(Stack, "settings", lambda _self, _function: later)

    assert main(["issue", action, ISSUE]) == 1

    assert capsys.readouterr().err == (
        f"paperpost: {ISSUE} is more than 14 days old: its letters are not sent any more\n"
    )
    assert [state(stack, s) for s in ("late", "lost")] == ["planned", "unknown"]


def test_resend_lets_go_again_what_may_have_arrived_and_nothing_that_has(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    for subscriber in ("a1", "a2"):
        lose(stack, subscriber)
    plan(stack, "a3")
    claimed = stack.deliveries.claim(ISSUE, 0, "a3", owner="w", now=NOW)
    assert claimed is not None
    stack.deliveries.mark(claimed, DeliveryState.SENT, now=NOW)

    assert main(["issue", "resend", ISSUE, "--subscriber", "a1"]) == 0
    one = [state(stack, s) for s in ("a1", "a2", "a3")]
    assert main(["issue", "resend", ISSUE]) == 0
    all_of_them = [state(stack, s) for s in ("a1", "a2", "a3")]
    assert main(["issue", "resend", ISSUE]) == 0

    assert one == ["released", "unknown", "sent"]
    assert all_of_them == ["released", "released", "sent"]
    assert "no letter of unknown fate" in capsys.readouterr().out


def test_preview_writes_a_readers_letter_and_changes_nothing(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = make_subscriber(preferences=Preferences(categories=("cs.CV",), language="en"))
    store(stack.subscribers, reader, status=SubscriberStatus.CONFIRMED)

    command = ["issue", "preview", ISSUE, "--subscriber", "a1", "--out", str(tmp_path)]
    assert main(command) == 0

    printed = capsys.readouterr().out
    assert [Path(line).name for line in printed.split()] == [
        f"{ISSUE}.eml",
        f"{ISSUE}.html",
        f"{ISSUE}.txt",
    ]
    assert "/api/unsubscribe/preview" in (tmp_path / f"{ISSUE}.txt").read_text()
    assert reader.address not in (tmp_path / f"{ISSUE}.eml").read_text()
    assert list(stack.deliveries.list_deliveries(ISSUE, 0)) == []


def test_a_preview_can_be_mailed_to_one_address(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []

    class Ses:
        def send_email(self, **request: Any) -> dict[str, str]:
            sent.append(request)
            return {"MessageId": "1"}

    monkeypatch.setattr(
        Stack,
        "client",
        lambda self, name, _endpoint=None: Ses() if name == "sesv2" else self.session.client(name),
    )

    command = ["issue", "preview", ISSUE, "--out", str(tmp_path), "--send", "me@example.net"]
    assert main(command) == 0

    [request] = sent
    assert request["Destination"] == {"ToAddresses": ["me@example.net"]}
    assert b"me@example.net" in request["Content"]["Raw"]["Data"]
    assert list(stack.deliveries.list_deliveries(ISSUE, 0)) == []


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["show", "daily-1999-01-01"], "the ledger knows no issue 'daily-1999-01-01'"),
        (["preview", ISSUE, "--subscriber", "zz"], "there is no subscriber 'zz'"),
        (["preview", ISSUE, "--send", "nobody"], "an address has exactly one @"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(
    command: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path)] if command[0] == "preview" else []

    assert main(["issue", *command, *out]) == 1

    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1
