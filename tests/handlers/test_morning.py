"""The morning letter in process: once a day, whatever fails, and past the switch for mail."""

import json
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import boto3
import pytest

from oracle.checklist import faults
from paperpost import clients
from paperpost.deliver import handler as module
from paperpost.deliver import pace
from paperpost.deliver.handler import handler
from paperpost.domain.breaker import Breaker
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.mailed import MAILED_PATH
from paperpost.domain.mailed import to_bytes as mail_counts
from paperpost.domain.spending import Budget, Tokens
from paperpost.domain.subscribers import SubscriberStatus
from paperpost.storage import secrets
from paperpost.storage.enrichnotes import EnrichNotes
from paperpost.storage.site import SiteBucket
from paperpost.storage.subscribers import SubscriberTable
from support.api import FakeContext
from support.aws import Cloud, no_turns
from support.mornings import DAY, NOW, mailing
from support.readers import make_subscriber
from support.ses import FakeSes, reply

CONTACT = "hello@example.org"
STATUS = {
    "faults": [],
    "next_announcement_at": "2024-03-27T12:20:00+08:00",
    "dates": [
        {
            "announced_on": DAY.isoformat(),
            "categories": [
                {
                    "category": "cs.CV",
                    "state": "complete",
                    "state_en": "complete",
                    "announced": 243,
                    "stored": 243,
                    "listed": 243,
                    "enriched": 240,
                    "pending": 3,
                    "published": 243,
                    "adds_up": True,
                }
            ],
        }
    ],
}


class Mornings:
    """deliver with its tables, bucket and SES, and a clock to move."""

    def __init__(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
        self.subscribers = SubscriberTable(clients.table(cloud.subscribers))
        self.notes = EnrichNotes(clients.table(cloud.papers))
        self.site = SiteBucket(clients.s3(), cloud.bucket)
        self.ses, self.now, self.queue = FakeSes(), NOW, cloud.queues["feedback"]
        clients.ses().meta.events.register_first("before-send.sesv2.*", self.ses)
        clients.cloudwatch.cache_clear()
        self.switch("on")
        for name, value in {
            "SUBSCRIBERS_TABLE": cloud.subscribers,
            "DELIVERIES_TABLE": cloud.deliveries,
            "PAPERS_TABLE": cloud.papers,
            "SITE_BUCKET": cloud.bucket,
            "SITE_URL": "https://papers.example.org",
            "MAIL_FROM": "paperpost@papers.example.org",
            "CONFIRM_FROM": "confirm@papers.example.org",
            "CONTACT_MAIL": CONTACT,
            "POSTAL_ADDRESS": "1 Example Street, 00000 Example",
            "CONFIGURATION_SET": "paperpost-set",
            "TOKEN_KEYS_PARAMETER": "/keys",
            "SENDING_PARAMETER": "/sending",
            "CONFIRMATION_QUEUE_ARN": "arn:aws:sqs:us-east-1:123456789012:confirmations",
            "STACK_NAME": "paperpost",
            "DEAD_LETTER_QUEUES": self.queue,
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("paperpost.settings.now", lambda: self.now)
        pace.account.cache_clear()
        module._locked.cache_clear()
        self.site.put("status.json", json.dumps(STATUS).encode())
        self.site.put(MAILED_PATH, mail_counts([mailing(sent=2)]))

    def switch(self, position: str) -> None:
        """What the operator does."""
        boto3.client("ssm").put_parameter(
            Name="/sending", Type="String", Value=position, Overwrite=True
        )
        secrets._read.cache_clear()

    def call(self) -> str:
        """The schedule's call; what became of the letter."""
        answer: Any = handler({"task": "morning"}, FakeContext())  # type: ignore[arg-type]
        return str(answer["letter"])

    def letters(self) -> list[Any]:
        """What ContactMail got, read back."""
        assert {to for to, _ in self.ses.accepted} <= {CONTACT}
        assert [faults(raw) for _, raw in self.ses.accepted] == [[] for _ in self.ses.accepted]
        return [message_from_bytes(raw, policy=policy.default) for _, raw in self.ses.accepted]

    def text(self) -> str:
        """The text of the only letter, on one line."""
        (letter,) = self.letters()
        return " ".join(letter.get_body(("plain",)).get_content().split())


@pytest.fixture
def mornings(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Mornings:
    """A stack on the morning after one announcement and its issue."""
    return Mornings(cloud, monkeypatch)


def metrics_of(captured: str) -> dict[str, Any]:
    """The last line of metrics that was printed."""
    lines = [line for line in captured.splitlines() if '"CloudWatchMetrics"' in line]
    value: dict[str, Any] = json.loads(lines[-1])
    return value


def test_the_operator_is_told_of_yesterday_once(
    mornings: Mornings, capsys: pytest.CaptureFixture[str]
) -> None:
    """The schedule calls three times, and may call twice each time."""
    found = [mornings.call(), metrics_of(capsys.readouterr().out)["MorningLetterSent"]]
    again = [mornings.call() for _ in range(3)]

    assert found == ["sent", [1.0]]
    assert again == ["skipped"] * 3
    assert mornings.letters()[0]["Subject"] == "All well · Wed 27 Mar · 243 announced, 2 mailed"


def test_the_next_morning_has_its_own_letter(mornings: Mornings) -> None:
    told = [mornings.call()]
    mornings.now += timedelta(days=1)
    told.append(mornings.call())

    assert (told, len(mornings.letters())) == (["sent", "sent"], 2)


def test_a_call_that_comes_after_noon_is_too_late(mornings: Mornings) -> None:
    """It would tell of another day; that no letter came is an alarm."""
    mornings.now = NOW + timedelta(hours=5)

    assert (mornings.call(), mornings.letters()) == ("skipped", [])


def test_the_switch_for_mail_does_not_keep_it_back(mornings: Mornings) -> None:
    """That nothing goes out is what an operator has to hear of."""
    mornings.switch("off")

    assert mornings.call() == "sent"
    assert "The switch for mail stands at off" in mornings.text()


def test_everything_that_is_wrong_reaches_the_letter(mornings: Mornings) -> None:
    """The queue's depth, the model's breaker, the quota of SES and an alarm of this stack."""
    boto3.client("sqs").send_message(QueueUrl=mornings.queue, MessageBody="lost")
    mornings.notes.put_breaker("a-model", Breaker(failures=5, opened=1, until=NOW))
    mornings.ses.account = {
        "SendingEnabled": True,
        "EnforcementStatus": "PROBATION",
        "SendQuota": {"MaxSendRate": 14.0, "Max24HourSend": 200.0, "SentLast24Hours": 190.0},
    }
    for name in ("paperpost-FetchProblems", "another-stack-FetchProblems"):
        boto3.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="Paperpost",
            MetricName="FetchProblems",
            EvaluationPeriods=1,
            ComparisonOperator="GreaterThanThreshold",
            Period=60,
            Statistic="Sum",
            Threshold=0,
        )
        boto3.client("cloudwatch").set_alarm_state(
            AlarmName=name, StateValue="ALARM", StateReason="test"
        )

    mornings.call()

    told = mornings.text()
    assert mornings.letters()[0]["Subject"].startswith("5 things need you")
    assert "under review (PROBATION)" in told
    assert "190 of the 200 mails" in told
    assert "1 message that nobody could handle: feedback" in told
    assert "a-model failed 5 times in a row" in told
    assert "The alarm paperpost-FetchProblems rings" in told


def test_joined_and_left_are_counted_from_the_profiles(mornings: Mornings) -> None:
    """Of the last 24 hours; who left before that and who never confirmed are not in it."""
    early = NOW - timedelta(days=2)
    paths: dict[str, list[tuple[SubscriberStatus, datetime]]] = {
        "old": [(SubscriberStatus.CONFIRMED, early)],
        "new": [(SubscriberStatus.CONFIRMED, NOW)],
        "asks": [],
        "left": [(SubscriberStatus.CONFIRMED, early), (SubscriberStatus.UNSUBSCRIBED, NOW)],
        "gone": [(SubscriberStatus.CONFIRMED, early), (SubscriberStatus.BOUNCED, early)],
        "back": [
            (SubscriberStatus.CONFIRMED, early),
            (SubscriberStatus.UNSUBSCRIBED, early),
            (SubscriberStatus.CONFIRMED, NOW),
        ],
    }
    for one, steps in paths.items():
        reader = make_subscriber(one, address=f"{one}@example.com")
        assert mornings.subscribers.create(reader, f"hash-{one}")
        assert all(mornings.subscribers.set_status(one, status, now=at) for status, at in steps)

    mornings.call()

    assert "Readers: 3 confirmed · 2 joined · 1 left (1 unsubscribed)" in mornings.text()


def test_the_cost_of_the_last_two_utc_days_is_told(mornings: Mornings) -> None:
    tokens = Tokens(input=1_000_000, output=0)
    mornings.notes.settle(NOW.date(), Tokens(), tokens, Budget(input_price=2))  # type: ignore[arg-type]

    mornings.call()

    assert "Translation on 26 Mar (UTC): 1 calls · 1,000,000 tokens · $2.0000" in mornings.text()


def test_what_cannot_be_read_is_told_and_keeps_nothing_back(
    mornings: Mornings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing right or a broken file must not cost the operator the letter."""
    monkeypatch.setenv("PAPERS_TABLE", "no-such-table")
    monkeypatch.setenv("DEAD_LETTER_QUEUES", f"{mornings.queue}-that-is-gone")
    monkeypatch.setenv("SENDING_PARAMETER", "/no-such-switch")
    mornings.site.put("status.json", b"{")
    mornings.site.put(MAILED_PATH, b"{")
    mornings.ses.account = {}

    mornings.call()

    told = mornings.text()
    for what in (
        "status.json (status.json cannot be read",
        "the counts of letters",
        "the cost of translation (ResourceNotFoundException)",
        "the model's state",
        "the quota of SES (KeyError)",
        "the switch for mail (ParameterNotFound)",
        "the dead letters",
    ):
        assert f"Not to be read: {what}" in told, what


@pytest.mark.parametrize(
    ("status", "code", "becomes"),
    [(429, "TooManyRequestsException", "released"), (500, "InternalFailure", "unknown")],
)
def test_a_letter_that_was_certainly_not_sent_goes_with_the_next_call(
    mornings: Mornings, status: int, code: str, becomes: str
) -> None:
    """One that may have gone does not: the operator has one letter a morning, or an alarm."""
    mornings.ses.script = lambda _: reply(status, {"message": "slow down"}, code)
    first = calling(mornings)
    mornings.ses.script = lambda _: None

    second = mornings.call()

    assert (first, second) == {
        "released": ("SlowDownError", "sent"),
        "unknown": ("unknown", "skipped"),
    }[becomes]


def test_a_turn_that_cannot_be_taken_leaves_the_letter_to_the_next_call(
    mornings: Mornings, cloud: Cloud
) -> None:
    """SES was not asked, so the letter still goes this morning."""
    with no_turns(cloud):
        first = calling(mornings)

    assert (first, mornings.call()) == ("ReadTimeoutError", "sent")


def calling(mornings: Mornings) -> str:
    """What a call returns or raises."""
    try:
        return mornings.call()
    except Exception as exc:  # noqa: BLE001  its name is what is asserted
        return type(exc).__name__


@pytest.mark.usefixtures("mornings")
def test_another_task_is_an_error() -> None:
    with pytest.raises(InvalidInputError, match="evening"):
        handler({"task": "evening"}, FakeContext())  # type: ignore[arg-type]


def test_the_letter_of_an_early_morning_in_new_york_is_of_its_own_day(
    mornings: Mornings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's zone decides what today is."""
    monkeypatch.setenv("MORNING_ZONE", "America/New_York")
    mornings.now = datetime(2024, 3, 26, 11, 0, tzinfo=UTC)

    mornings.call()

    assert "Tue 26 Mar" in mornings.letters()[0]["Subject"]
