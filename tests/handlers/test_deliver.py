"""deliver in process: one letter each, whatever is repeated, refused, lost or killed."""

import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import botocore.exceptions as errors
import pytest
from botocore.awsrequest import AWSResponse

from paperpost import clients
from paperpost.deliver import handler as module
from paperpost.deliver import pace
from paperpost.deliver.handler import handler
from paperpost.domain.deliveries import Delivery, DeliveryState, IssueRow
from paperpost.domain.issuefiles import content_hash, issue_path, to_bytes
from paperpost.domain.issues import FrozenIssue
from paperpost.domain.ledgermark import LEDGER_PATH
from paperpost.domain.papers import AnnounceType
from paperpost.domain.subscribers import Cadence, Preferences, Subscriber, SubscriberStatus
from paperpost.domain.tokens import Purpose, verify_token
from paperpost.observe import logger
from paperpost.storage import secrets
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.guard import Guard
from paperpost.storage.site import SiteBucket
from paperpost.storage.subscribers import SubscriberTable
from support.api import FakeContext
from support.aws import Cloud, no_turns
from support.issues import FROZEN_AT, arxiv_id, make_issue, make_listing
from support.readers import ADDRESS, keys_json, make_keys, make_subscriber
from support.restores import restore, snapshot
from support.ses import SES, FakeSes, reply

ISSUE = "daily-2024-03-26"
NOW = FROZEN_AT + timedelta(minutes=1)
SITE = "https://papers.example.org"
LETTERS = "arn:aws:sqs:us-east-1:123456789012:letters"
CONFIRMATIONS = "arn:aws:sqs:us-east-1:123456789012:confirmations"


class KilledError(BaseException):
    """The process is gone."""


class Context(FakeContext):
    """A Lambda context whose time runs out after so many looks at the clock."""

    def __init__(self, *left_ms: int) -> None:
        super().__init__()
        self._left = list(left_ms)

    def get_remaining_time_in_millis(self) -> int:
        """What was given, the last one for ever."""
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]


class Deliver:
    """The function with its tables, bucket, SES and a clock to move."""

    def __init__(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
        self.subscribers = SubscriberTable(clients.table(cloud.subscribers))
        self.deliveries = DeliveryTable(clients.table(cloud.deliveries))
        self.site = SiteBucket(clients.s3(), cloud.bucket)
        self.ses = FakeSes()
        self.now = NOW
        clients.ses().meta.events.register_first("before-send.sesv2.*", self.ses)
        boto3.client("ssm").put_parameter(Name="/keys", Type="SecureString", Value=keys_json())
        self.switch("on")
        for name, value in {
            "SUBSCRIBERS_TABLE": cloud.subscribers,
            "DELIVERIES_TABLE": cloud.deliveries,
            "SITE_BUCKET": cloud.bucket,
            "SITE_URL": SITE,
            "MAIL_FROM": "paperpost@papers.example.org",
            "CONFIRM_FROM": "confirm@papers.example.org",
            "CONTACT_MAIL": "hello@example.org",
            "POSTAL_ADDRESS": "1 Example Street, 00000 Example",
            "CONFIGURATION_SET": "paperpost-set",
            "TOKEN_KEYS_PARAMETER": "/keys",
            "SENDING_PARAMETER": "/sending",
            "CONFIRMATION_QUEUE_ARN": CONFIRMATIONS,
            "PAPERS_TABLE": cloud.papers,
            "STACK_NAME": "paperpost",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("paperpost.settings.now", lambda: self.now)
        module._press.cache_clear()
        module._locked.cache_clear()
        pace.account.cache_clear()

    def switch(self, position: str) -> None:
        """What the operator does; seen within half a minute, which is not waited for here."""
        boto3.client("ssm").put_parameter(
            Name="/sending", Type="String", Value=position, Overwrite=True
        )
        secrets._read.cache_clear()

    def freeze(self, issue: FrozenIssue | None = None) -> FrozenIssue:
        """Put an issue (of three papers of cs.CV) and its row."""
        frozen = issue or make_issue([make_listing(n) for n in (1, 2, 3)])
        body = to_bytes(frozen)
        self.site.put(issue_path(frozen.issue), body)
        self.deliveries.put_issue(
            IssueRow(
                issue=frozen.issue,
                content_hash=content_hash(body),
                frozen_at=frozen.frozen_at,
                reason="ready",
                papers=len(frozen.papers),
                shards=1,
            ),
            expires_at=2_000_000_000,
        )
        return frozen

    def join(
        self,
        *ids: str,
        status: SubscriberStatus = SubscriberStatus.CONFIRMED,
        confirmed_at: datetime | None = FROZEN_AT - timedelta(days=1),
        issue: str = ISSUE,
        address: str = "",
        **wishes: Any,
    ) -> None:
        """Readers of cs.CV with a planned row."""
        for one in ids:
            reader: Subscriber = make_subscriber(
                one,
                address=address or f"{one}@example.com",
                status=status,
                confirmed_at=confirmed_at,
                preferences=Preferences(**{"categories": ("cs.CV",), **wishes}),
            )
            assert self.subscribers.create(reader, f"hash-{one}")
            self.plan(one, issue=issue)

    def plan(self, subscriber_id: str, *, issue: str = ISSUE) -> None:
        """A row that is due."""
        self.deliveries.put_planned(
            Delivery(
                issue=issue,
                shard=0,
                subscriber_id=subscriber_id,
                state=DeliveryState.PLANNED,
                due_at=FROZEN_AT,
                updated_at=FROZEN_AT,
            ),
            expires_at=2_000_000_000,
        )

    def invoke(
        self, *messages: dict[str, Any], arn: str = LETTERS, context: FakeContext | None = None
    ) -> list[str]:
        """One invocation with *messages*; the ids of those that go back to the queue."""
        records = [
            {
                "messageId": f"m{n}",
                "receiptHandle": "r",
                "body": json.dumps(message),
                "attributes": {},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": arn,
                "awsRegion": "us-east-1",
            }
            for n, message in enumerate(messages)
        ]
        answer = handler({"Records": records}, context or FakeContext())  # type: ignore[arg-type]
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def deliver(self, *ids: str, context: FakeContext | None = None) -> list[str]:
        """One delivery message for *ids*."""
        message = {"issue": ISSUE, "shard": 0, "subscribers": list(ids)}
        return self.invoke(message, context=context)

    def row(self, subscriber_id: str) -> Delivery:
        """The subscriber's row."""
        row = self.deliveries.get_delivery(ISSUE, 0, subscriber_id)
        assert row is not None
        return row

    def state(self, subscriber_id: str) -> str:
        """State and reason of a row."""
        row = self.row(subscriber_id)
        return f"{row.state} {row.reason}".strip()


@pytest.fixture
def deliver(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Deliver:
    """A stack without an issue."""
    return Deliver(cloud, monkeypatch)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the function logs."""
    stream = io.StringIO()
    handlers = logger._logger.handlers
    before = [h.stream for h in handlers]  # type: ignore[attr-defined]
    for one in handlers:
        one.stream = stream  # type: ignore[attr-defined]
    yield stream
    for one, old in zip(handlers, before, strict=True):
        one.stream = old  # type: ignore[attr-defined]


def test_a_planned_reader_gets_one_letter_with_exactly_their_papers(deliver: Deliver) -> None:
    """And the row keeps SES's message id."""
    deliver.freeze(make_issue([make_listing(1), make_listing(2, "cs.LG")]))
    deliver.join("a1")

    returned = deliver.deliver("a1")

    letter = deliver.ses.letter()
    text = letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert (returned, deliver.state("a1"), deliver.row("a1").message_ids) == (
        [],
        "sent",
        {"0100-1"},
    )
    assert letter["To"] == "a1@example.com"
    tags = f"issue={ISSUE}, subscriber=a1, ses:feedback-id-a=daily"
    assert letter["X-SES-MESSAGE-TAGS"] == tags
    assert re.findall(r"arxiv\.org/abs/(\S+)", text) == [arxiv_id(1)]


def test_the_links_to_leave_belong_to_the_reader_alone(deliver: Deliver) -> None:
    """One-click address and foot carry tokens of this subscriber."""
    deliver.freeze()
    deliver.join("a1")

    deliver.deliver("a1")

    letter = deliver.ses.letter()
    leave = letter["List-Unsubscribe"].removeprefix(f"<{SITE}/api/unsubscribe/").removesuffix(">")
    html = letter.get_body(("html",)).get_content()  # type: ignore[union-attr]
    change = re.search(rf"{SITE}/api/preferences/([^\"#]+)\"", html)[1]  # type: ignore[index]
    keys = make_keys()
    assert verify_token(leave, Purpose.UNSUBSCRIBE, keys, now=NOW) == "a1"
    assert verify_token(change, Purpose.PREFERENCES, keys, now=NOW) == "a1"


def test_a_message_that_comes_ten_times_sends_once(deliver: Deliver) -> None:
    """In one batch, and again later."""
    deliver.freeze()
    deliver.join("a1", "b2")
    message = {"issue": ISSUE, "shard": 0, "subscribers": ["a1", "b2", "a1"]}

    returned = [deliver.invoke(*[message] * 5) for _ in range(2)]

    assert (sorted(deliver.ses.mailed), returned) == (
        ["a1@example.com", "b2@example.com"],
        [[], []],
    )


def test_a_live_claim_of_another_is_left_alone(deliver: Deliver) -> None:
    """The message is acknowledged; compose settles the claim if its owner is gone."""
    deliver.freeze()
    deliver.join("a1")
    deliver.deliveries.claim(ISSUE, 0, "a1", owner="another", now=NOW)

    assert (deliver.deliver("a1"), deliver.ses.mailed, deliver.state("a1")) == ([], [], "claimed")


def test_a_changed_issue_is_refused_and_nothing_is_claimed(deliver: Deliver) -> None:
    """The ledger knows the hash of the bytes that were frozen."""
    deliver.freeze()
    deliver.join("a1")
    deliver.site.put(issue_path(ISSUE), to_bytes(make_issue([make_listing(666)])))

    assert (deliver.deliver("a1"), deliver.ses.mailed, deliver.state("a1")) == (
        ["m0"],
        [],
        "planned",
    )


def test_an_issue_that_nobody_froze_goes_back_to_the_queue(deliver: Deliver) -> None:
    """And at last to its dead letters, where somebody looks."""
    assert deliver.deliver("a1") == ["m0"]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"status": SubscriberStatus.UNSUBSCRIBED}, "skipped unsubscribed"),
        ({"status": SubscriberStatus.BOUNCED}, "skipped bounced"),
        ({"status": SubscriberStatus.COMPLAINED}, "skipped complained"),
        ({"confirmed_at": FROZEN_AT}, "skipped confirmed after the freeze"),
        ({"paused_until": NOW.date() + timedelta(days=1)}, "skipped paused"),
        ({"paused_until": NOW.date()}, "sent"),
        ({"cadence": Cadence.WEEKLY}, "skipped now weekly"),
        ({"zone": "Mars/Olympus"}, "sent"),
        ({"zone": "America"}, "sent"),
        ({"categories": ("math.AG",)}, "skipped nothing to say"),
        ({"announce_types": (AnnounceType.CROSS,)}, "skipped nothing to say"),
    ],
)
def test_who_should_get_nothing_is_skipped_with_the_reason(
    deliver: Deliver, how: dict[str, Any], reason: str
) -> None:
    """Judged by the profile as it is at the claim, not at the plan."""
    deliver.freeze()
    deliver.join("a1", **how)

    deliver.deliver("a1")

    assert deliver.state("a1") == reason
    assert bool(deliver.ses.mailed) is (reason == "sent")


def test_a_reader_who_is_gone_is_skipped(deliver: Deliver) -> None:
    """The row outlives the profile."""
    deliver.freeze()
    deliver.plan("a1")

    deliver.deliver("a1")

    assert deliver.state("a1") == "skipped no such subscriber"


def fails_once(answer: Callable[[], AWSResponse]) -> Callable[[str], AWSResponse | None]:
    """SES fails for b2's first letter."""
    left = [True]

    def script(recipient: str) -> AWSResponse | None:
        if recipient == "b2@example.com" and left:
            left.pop()
            return answer()
        return None

    return script


def raising(error: Exception) -> Callable[[], AWSResponse]:
    """An answer that never comes."""

    def fail() -> AWSResponse:
        raise error

    return fail


@pytest.mark.parametrize(
    ("answer", "state", "returned", "after"),
    [
        (
            lambda: reply(
                429, {"message": "Maximum sending rate exceeded."}, "TooManyRequestsException"
            ),
            "released throttled",
            ["m0"],
            "sent",
        ),
        (
            raising(errors.ConnectTimeoutError(endpoint_url=SES)),
            "released ConnectTimeoutError",
            ["m0"],
            "sent",
        ),
        (
            lambda: reply(400, {"message": "bad"}, "MessageRejected"),
            "failed MessageRejected",
            [],
            "failed MessageRejected",
        ),
        (
            lambda: reply(500, {"message": "?"}, "InternalServiceErrorException"),
            "unknown InternalServiceErrorException",
            [],
            "unknown InternalServiceErrorException",
        ),
        (
            raising(errors.ReadTimeoutError(endpoint_url=SES)),
            "unknown ReadTimeoutError",
            [],
            "unknown ReadTimeoutError",
        ),
        (
            raising(errors.ConnectionClosedError(endpoint_url=SES)),
            "unknown ConnectionClosedError",
            [],
            "unknown ConnectionClosedError",
        ),
    ],
)
def test_what_ses_answers_decides_whether_a_letter_goes_again(
    deliver: Deliver,
    answer: Callable[[], AWSResponse],
    state: str,
    returned: list[str],
    after: str,
) -> None:
    """Only what certainly was not sent goes again, with the redelivered message."""
    deliver.freeze()
    deliver.join("a1", "b2", "c3")
    deliver.ses.script = fails_once(answer)

    first = deliver.deliver("a1", "b2", "c3"), deliver.state("b2")
    second = deliver.deliver("a1", "b2", "c3"), deliver.state("b2")

    assert first == (returned, state)
    assert second == ([], after)
    assert (deliver.state("a1"), deliver.state("c3")) == ("sent", "sent")
    assert len(deliver.ses.mailed) == len(set(deliver.ses.mailed))


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (429, "TooManyRequestsException", "Daily message quota exceeded."),
        (400, "SendingPausedException", "Sending is paused"),
        (403, "AccessDeniedException", "not authorized"),
    ],
)
def test_trouble_with_the_account_stops_the_issue_and_burns_no_receives(
    deliver: Deliver, status: int, code: str, text: str
) -> None:
    """The messages are acknowledged; compose's next tick queues the open rows again."""
    deliver.freeze()
    deliver.join("a1", "b2", "c3")
    deliver.ses.script = lambda _: reply(status, {"message": text}, code)

    returned = deliver.deliver("a1", "b2"), deliver.deliver("c3")

    row = deliver.deliveries.get_issue(ISSUE)
    assert row is not None
    assert (returned, deliver.ses.requests) == (([], []), 1)
    assert row.stopped != ""
    assert [deliver.row(i).state.value for i in ("a1", "b2", "c3")] == [
        "released",
        "planned",
        "planned",
    ]


def test_nothing_is_claimed_without_time_to_finish(deliver: Deliver) -> None:
    """The message goes back with the open rows; what is done stays done."""
    deliver.freeze()
    deliver.join("a1", "b2")

    returned = deliver.deliver("a1", "b2", context=Context(60_000, 60_000, 19_999))

    assert (returned, deliver.state("a1"), deliver.state("b2")) == (["m0"], "sent", "planned")


@pytest.mark.parametrize("after_send", [False, True])
def test_nobody_is_mailed_twice_when_the_worker_dies_around_the_send(
    deliver: Deliver, *, after_send: bool
) -> None:
    """The row stays claimed; redelivered messages leave it alone until compose settles it."""
    deliver.freeze()
    deliver.join("a1")

    def kill(recipient: str) -> AWSResponse | None:
        if after_send:
            deliver.ses.accepted.append((recipient, b""))
        raise KilledError

    deliver.ses.script = kill
    with pytest.raises(KilledError):
        deliver.deliver("a1")
    deliver.ses.script = lambda _: None
    again = deliver.deliver("a1")
    deliver.now = NOW + timedelta(hours=1)
    later = deliver.deliver("a1")

    assert (again, later, deliver.state("a1")) == ([], [], "claimed")
    assert len(deliver.ses.mailed) == int(after_send)


def test_a_failure_before_ses_is_asked_gives_the_claim_back(deliver: Deliver, cloud: Cloud) -> None:
    """The profile could not be read: the next delivery of the message sends the letter."""
    deliver.freeze()
    deliver.join("a1")
    events = clients.table(cloud.subscribers).meta.client.meta.events

    def refuse_profile(params: dict[str, Any], **_: Any) -> None:
        if json.loads(params["body"])["TableName"] == cloud.subscribers:
            raise errors.ReadTimeoutError(endpoint_url="https://dynamodb")

    events.register_first("before-call.dynamodb.GetItem", refuse_profile)
    first = deliver.deliver("a1"), deliver.state("a1")
    events.unregister("before-call.dynamodb.GetItem", refuse_profile)
    second = deliver.deliver("a1"), deliver.state("a1")

    assert (first, second) == ((["m0"], "released error: ReadTimeoutError"), ([], "sent"))


def test_a_turn_that_cannot_be_taken_gives_the_claim_back(deliver: Deliver, cloud: Cloud) -> None:
    """The row that all workers write to does not answer: SES was not asked, nothing is lost."""
    deliver.freeze()
    deliver.join("a1", "b2")

    with no_turns(cloud):
        first = deliver.deliver("a1", "b2"), deliver.state("a1"), deliver.state("b2")
    second = deliver.deliver("a1", "b2"), deliver.state("a1"), deliver.state("b2")

    released = "released error: ReadTimeoutError"
    assert (first, second) == ((["m0"], released, released), ([], "sent", "sent"))


def test_a_letter_that_cannot_be_made_keeps_nobody_else_from_theirs(
    deliver: Deliver, cloud: Cloud, log: io.StringIO
) -> None:
    """The message comes back for it, not for those behind it; the log says which and why."""
    deliver.freeze()
    deliver.join("a1", "b2", "c3")
    clients.table(cloud.subscribers).update_item(
        Key={"pk": "SUB#b2", "sk": "PROFILE"}, UpdateExpression="REMOVE preferences.categories"
    )

    returned = deliver.deliver("a1", "b2", "c3"), deliver.deliver("a1", "b2", "c3")

    assert returned == (["m0"], ["m0"])
    assert deliver.ses.mailed == ["a1@example.com", "c3@example.com"]
    assert deliver.state("b2") == "released error: KeyError"
    assert '"error":"KeyError"' in log.getvalue()
    assert '"error":"UnmadeLetterError"' in log.getvalue()


def test_a_message_that_fails_is_named_in_the_log(deliver: Deliver, log: io.StringIO) -> None:
    """With the kind of error, where it was raised, and our own words; never with the message."""
    deliver.invoke(
        {"issue": "daily-1999-01-01", "shard": 0, "subscribers": []}, {"canary": ADDRESS}
    )

    ours, foreign = (json.loads(line) for line in log.getvalue().splitlines())

    assert (ours["message_id"], ours["error"]) == ("m0", "FrozenIssueError")
    assert ours["problem"] == "daily-1999-01-01: the ledger knows no such issue"
    assert (foreign["message_id"], foreign["error"], foreign["problem"]) == ("m1", "KeyError", "")
    assert foreign["at"].startswith("delivering.py:")
    assert ADDRESS not in log.getvalue()


def test_one_bad_message_takes_no_other_with_it(deliver: Deliver) -> None:
    """Only it goes back to the queue."""
    deliver.freeze()
    deliver.join("a1", "b2")
    good = [{"issue": ISSUE, "shard": 0, "subscribers": [i]} for i in ("a1", "b2")]

    returned = deliver.invoke(
        good[0], {"issue": "daily-1999-01-01", "shard": 0, "subscribers": ["x"]}, good[1]
    )

    assert returned == ["m1"]
    assert sorted(deliver.ses.mailed) == ["a1@example.com", "b2@example.com"]


def test_nothing_older_than_36_hours_is_sent(deliver: Deliver) -> None:
    """Even if a message says so."""
    deliver.freeze()
    deliver.join("a1")
    deliver.now = FROZEN_AT + timedelta(hours=36, seconds=1)

    assert (deliver.deliver("a1"), deliver.state("a1")) == ([], "planned")


def test_an_address_that_cannot_be_mailed_fails_alone(deliver: Deliver) -> None:
    """It never reaches SES; the next reader gets their letter."""
    deliver.freeze()
    deliver.join("a1", address="a1@example.com\r\nBcc: evil@example.com")
    deliver.join("b2")

    deliver.deliver("a1", "b2")

    assert deliver.state("a1") == "failed letter refused: the recipient's address cannot be used"
    assert deliver.ses.mailed == ["b2@example.com"]


def test_no_log_line_holds_an_address_or_a_token(deliver: Deliver, log: io.StringIO) -> None:
    """Ids alone, whatever happens."""
    deliver.freeze()
    deliver.join("a1", address=ADDRESS)
    deliver.ses.script = lambda _: reply(400, {"message": f"rejected {ADDRESS}"}, "MessageRejected")
    deliver.deliver("a1")
    deliver.invoke({"subscriber": "a1", "kind": "confirm"}, arn=CONFIRMATIONS)

    logged = log.getvalue()

    assert '"subscriber":"a1"' in logged
    assert ADDRESS not in logged
    assert "/api/" not in logged


# what SES lets the account send


def account(*, used: float, limit: float = 200.0, sending: bool = True) -> dict[str, Any]:
    """An answer of GetAccount."""
    return {
        "SendingEnabled": sending,
        "SendQuota": {
            "MaxSendRate": 1_000_000.0,
            "Max24HourSend": limit,
            "SentLast24Hours": used,
        },
    }


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (account(used=190), "daily quota: 190 of 200 mails sent, the rest is kept"),
        (account(used=200), "daily quota: 200 of 200 mails sent"),
        (account(used=0, sending=False), "account: SES has disabled sending"),
    ],
)
def test_letters_are_held_back_before_ses_would_refuse_them(
    deliver: Deliver, told: dict[str, Any], why: str
) -> None:
    """Their rows stay as they were, the issue says why, and the next tick queues them again."""
    deliver.ses.account = told
    deliver.freeze()
    deliver.join("a1", "b2")

    returned = deliver.deliver("a1", "b2")

    row = deliver.deliveries.get_issue(ISSUE)
    assert row is not None
    assert (returned, deliver.ses.requests, deliver.state("a1")) == ([], 0, "planned")
    assert row.stopped.startswith(why)


def test_when_the_quota_has_room_again_the_same_letters_go(deliver: Deliver) -> None:
    """Compose's tick lifts the stop."""
    deliver.ses.account = account(used=190)
    deliver.freeze()
    deliver.join("a1")
    deliver.deliver("a1")

    deliver.ses.account = account(used=20)
    pace.account.cache_clear()
    deliver.deliveries.note_queued(ISSUE, {})
    deliver.deliver("a1")

    assert (deliver.ses.mailed, deliver.state("a1")) == (["a1@example.com"], "sent")


@pytest.mark.parametrize(
    ("told", "returned", "mailed"),
    [
        (account(used=190), [], 1),
        (account(used=200), ["m0"], 0),
        (account(used=0, sending=False), ["m0"], 0),
    ],
)
def test_confirmations_have_a_reserve_that_no_letter_uses_up(
    deliver: Deliver, told: dict[str, Any], returned: list[str], mailed: int
) -> None:
    """Somebody waits for them; only where nothing goes at all they wait in their queue."""
    deliver.ses.account = told
    deliver.join("a1", status=SubscriberStatus.UNCONFIRMED, confirmed_at=None)

    back = deliver.invoke({"subscriber": "a1", "kind": "confirm"}, arn=CONFIRMATIONS)

    assert (back, len(deliver.ses.mailed)) == (returned, mailed)


def test_where_ses_does_not_tell_its_quota_letters_go(deliver: Deliver) -> None:
    """Its own refusal would still release them."""
    deliver.ses.account = {}
    deliver.freeze()
    deliver.join("a1")

    assert (deliver.deliver("a1"), deliver.state("a1")) == ([], "sent")


# after a restore from backup


def guard(cloud: Cloud) -> Guard:
    """As compose and the operator have it."""
    return Guard(
        site=SiteBucket(clients.s3(), cloud.bucket),
        tables={
            "Deliveries": clients.table(cloud.deliveries),
            "Subscribers": clients.table(cloud.subscribers),
        },
    )


def test_from_a_restored_table_nobody_is_mailed_whatever_lies_in_the_queue(
    deliver: Deliver, cloud: Cloud
) -> None:
    """The rows are as they were before they were sent; compose has not looked yet."""
    guard(cloud).accept()
    deliver.freeze()
    deliver.join("a1", "b2")
    before = snapshot(cloud.deliveries)
    deliver.deliver("a1")
    restore(cloud.deliveries, before)
    module._locked.cache_clear()

    returned = deliver.deliver("a1", "b2")

    row = deliver.deliveries.get_issue(ISSUE)
    assert row is not None
    assert (returned, deliver.ses.mailed) == ([], ["a1@example.com"])
    assert (deliver.state("a1"), deliver.state("b2")) == ("planned", "planned")
    assert row.stopped.startswith("restored: the Deliveries table")


def test_a_lock_that_compose_found_stops_deliver_within_a_minute(
    deliver: Deliver, cloud: Cloud
) -> None:
    """And a sign-up is confirmed all the same: whoever asked for it has just asked."""
    deliver.freeze()
    deliver.join("a1")
    guard(cloud).accept(locked="restored: the ledger has lost daily-2024-03-25")
    deliver.join("b2", status=SubscriberStatus.UNCONFIRMED, confirmed_at=None)

    deliver.deliver("a1")
    deliver.invoke({"subscriber": "b2", "kind": "confirm"}, arn=CONFIRMATIONS)

    assert deliver.ses.mailed == ["b2@example.com"]


def test_a_mark_that_cannot_be_read_lets_nothing_out(deliver: Deliver) -> None:
    """The message goes back: nobody knows what may be sent."""
    deliver.site.put(LEDGER_PATH, b"{}")
    deliver.freeze()
    deliver.join("a1")

    assert (deliver.deliver("a1"), deliver.ses.mailed) == (["m0"], [])
    assert deliver.state("a1") == "planned"


# confirmations


def confirm(deliver: Deliver, subscriber_id: str = "a1") -> list[str]:
    """One confirmation message."""
    return deliver.invoke({"subscriber": subscriber_id, "kind": "confirm"}, arn=CONFIRMATIONS)


@pytest.mark.parametrize("position", ["confirmations", "off", "a word that nobody knows"])
def test_what_is_switched_off_does_not_go_out_and_goes_later(
    deliver: Deliver, position: str
) -> None:
    """The issue is stopped, as with trouble of the account: compose's next tick tries again."""
    deliver.freeze()
    deliver.join("a1")
    deliver.switch(position)
    refused = deliver.deliver("a1")
    stopped = deliver.deliveries.get_issue(ISSUE)
    before = deliver.ses.mailed

    deliver.switch("on")
    deliver.deliveries.note_queued(ISSUE, {})  # what compose does
    deliver.deliver("a1")

    assert (refused, before, deliver.ses.mailed) == ([], [], ["a1@example.com"])
    assert stopped is not None
    assert stopped.stopped == "switched off by the operator"


@pytest.mark.parametrize(("position", "mailed"), [("on", 1), ("confirmations", 1), ("off", 0)])
def test_confirmations_go_out_unless_everything_is_switched_off(
    deliver: Deliver, position: str, mailed: int
) -> None:
    """What does not go returns to the queue."""
    deliver.join("a1", status=SubscriberStatus.UNCONFIRMED, confirmed_at=None)
    deliver.switch(position)

    returned = confirm(deliver)

    assert (len(deliver.ses.mailed), len(returned)) == (mailed, 1 - mailed)


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "Please confirm your subscription to Paperpost"),
        ("zh", "请确认订阅 Paperpost 论文早报"),
        ("both", "请确认订阅 Paperpost 论文早报"),
    ],
)
def test_a_new_reader_is_asked_to_confirm_in_their_language(
    deliver: Deliver, language: str, subject: str
) -> None:
    """From the other address, without list headers, with a link that proves the mailbox."""
    deliver.join("a1", status=SubscriberStatus.UNCONFIRMED, confirmed_at=None, language=language)

    assert confirm(deliver) == []

    mail = deliver.ses.letter()
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    token = re.search(rf"{SITE}/api/confirm/(\S+)", text)[1]  # type: ignore[index]
    assert verify_token(token, Purpose.CONFIRM, make_keys(), now=NOW) == "a1"
    assert f'href="{SITE}/api/confirm/{token}"' in html
    assert mail["Subject"] == subject
    assert mail["From"] == "Paperpost 论文早报 <confirm@papers.example.org>"
    assert mail["X-SES-MESSAGE-TAGS"] == "kind=confirm, subscriber=a1, ses:feedback-id-a=confirm"
    assert not {"List-Unsubscribe", "List-Unsubscribe-Post"} & {*mail.keys()}


@pytest.mark.parametrize(
    ("status", "mails"),
    [
        (SubscriberStatus.UNCONFIRMED, 1),
        (SubscriberStatus.UNSUBSCRIBED, 1),
        (SubscriberStatus.BOUNCED, 1),
        (SubscriberStatus.CONFIRMED, 0),
        (SubscriberStatus.COMPLAINED, 0),
        (SubscriberStatus.ERASED, 0),
    ],
)
def test_only_who_may_still_confirm_is_asked(
    deliver: Deliver, status: SubscriberStatus, mails: int
) -> None:
    """The status is read when the mail is made, not when it was queued."""
    deliver.join("a1", status=status)

    assert (confirm(deliver), len(deliver.ses.mailed)) == ([], mails)


def test_nobody_is_asked_whose_profile_is_gone(deliver: Deliver) -> None:
    """The message is acknowledged: there is nobody to write to."""
    assert (confirm(deliver, "feedbeef"), deliver.ses.requests) == ([], 0)


def test_a_confirmation_goes_again_only_if_it_certainly_was_not_sent(deliver: Deliver) -> None:
    """Throttled: back to the queue. No answer: it may have arrived, so not twice."""
    deliver.join("a1", status=SubscriberStatus.UNCONFIRMED)
    deliver.ses.script = lambda _: reply(429, {"message": "rate"}, "TooManyRequestsException")
    throttled = confirm(deliver)

    def lost(_: str) -> AWSResponse | None:
        raise errors.ReadTimeoutError(endpoint_url=SES)

    deliver.ses.script = lost
    unanswered = confirm(deliver)

    assert (throttled, unanswered) == (["m0"], [])


def test_the_service_makes_one_attempt_at_ses(deliver: Deliver) -> None:  # noqa: ARG001  a region
    """The SDK's default would send a letter three times when replies are lost."""
    config = clients.ses().meta.config

    assert config.retries["total_max_attempts"] == 1
