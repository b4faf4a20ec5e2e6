"""Every recorded event through AWS's runtime interface client, on a laptop cloud with a day."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from paperpost.domain.deliveries import Delivery, DeliveryState
from paperpost.domain.subscribers import Preferences, Subscriber, SubscriberStatus
from paperpost.storage import keys
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.items import time_text
from paperpost.storage.subscribers import SubscriberTable
from paperpost_cli.laptop import EMULATOR_PORT, HOME, ROOT, STANDIN_PORT, LaptopCloud
from paperpost_cli.local import SAMPLE, Plan, running
from paperpost_cli.main import main
from paperpost_cli.render import render
from paperpost_cli.replay import Replay, plan_replay, stops
from support.events import EVENTS, MADE_NAME, event_files, function_of, read_event, read_variables
from support.readers import EPOCH_S
from support.runtime import FunctionError, LambdaRuntime
from support.samplerecords import PATH, kept_lines, papers_told_differently, record_lines
from support.template import of_type

pytestmark = pytest.mark.emulator

ISSUE = "daily-2026-04-21"
READER = "b7c0e3d2f1a94c5e8d6f7a8b9c0d1e2f"  # the subscriber whom the events name
BEFORE = datetime(2026, 4, 20, tzinfo=UTC)
NOTHING_FAILED: dict[str, Any] = {"batchItemFailures": []}

HTML, JSON = "text/html; charset=utf-8", "application/json; charset=utf-8"
# The token that the recorded requests carry is not a real one: a page says so.
HTTP_ANSWERS = {
    "confirm-get.json": (400, HTML),
    "confirm-post.json": (400, HTML),
    "erase-post.json": (400, HTML),
    "export-get.json": (400, "application/problem+json; charset=utf-8"),
    "health-get.json": (200, "application/json"),
    "other-get.json": (400, HTML),
    "preferences-get.json": (400, HTML),
    "preferences-post.json": (400, HTML),
    "subscribe-json.json": (202, JSON),
    "subscribe.json": (202, HTML),
    "unsubscribe-get.json": (400, HTML),
    "unsubscribe-post.json": (400, HTML),
}
TASK_ANSWERS = {
    "compose.json": {"frozen": 0, "queued": 0, "closed": 0},
    "deliver-morning.json": {"letter": "skipped"},
    "enrich-sweep.json": {"queued": 0},
    "fetch.json": {"feeds": 7, "papers": 0, "listings": 0, "queued": 0, "partial": 0},
    "publish-heal.json": {
        "categories_changed": 0,
        "files_put": 0,
        "entries_minimal": 0,
        "candidates_refused": 0,
        "receipt_mismatches": 0,
    },
    "publish.json": {
        "categories_changed": 0,
        "files_put": 0,
        "entries_minimal": 0,
        "candidates_refused": 0,
        "receipt_mismatches": 0,
    },
}
QUEUE_EVENTS = {
    "deliver-confirm.json",
    "deliver.json",
    "enrich.json",
    "feedback-bounce.json",
    "feedback-complaint.json",
}


@dataclass(kw_only=True)
class Laptop:
    """The cloud with the whole sample day published, and a warm container a function."""

    folder: Path
    cloud: LaptopCloud
    replay: Replay
    containers: dict[str, LambdaRuntime] = field(default_factory=dict)

    def invoke(self, event: dict[str, Any]) -> Any:
        """What the function that *event* belongs to answers."""
        function = function_of(event)
        if function not in self.containers:
            properties = of_type("AWS::Lambda::Function")[function]
            self.containers[function] = LambdaRuntime(
                name=self.cloud.stack.physical[function],
                handler=properties["Handler"],
                memory_mb=properties["MemorySize"],
                timeout_s=properties["Timeout"],
                variables=self.variables(function),
            )
        return self.containers[function].invoke(event)

    def variables(self, function: str) -> dict[str, str]:
        """
        The function's variables in events/env.json, but for what a test may not take from there.

        This cloud has ports of its own, since `make run` may be using those in the file. The file
        has fetch read arXiv, since SAM's container does not see the laptop's files; a test asks
        nobody outside, so here it reads the sample's folder, and leaves arXiv's API alone.
        """
        text = json.dumps(read_variables()[function])
        text = text.replace(f"http://127.0.0.1:{EMULATOR_PORT}", self.cloud.emulator.endpoint)
        text = text.replace(f"http://127.0.0.1:{STANDIN_PORT}", self.cloud.standin.url)
        found: dict[str, str] = json.loads(text)
        inside = {"FEED_SOURCE": (SAMPLE / "feeds").as_uri(), "API_METADATA": "off"}
        return {name: inside.get(name, value) for name, value in found.items()}

    def days(self) -> list[bytes]:
        """The published `<date>.json` of every category."""
        files = [
            self.cloud.site().get(f"{category}/{on.isoformat()}.json")
            for on in self.replay.days
            for category in self.replay.categories
        ]
        return [file.body for file in files if file is not None]

    def seat(self, status: SubscriberStatus, address: str = "reader@example.org") -> None:
        """Make the subscriber whom the events name be as told, whatever it was before."""
        rows = self.cloud.table("SubscribersTable")
        rows.delete_item(Key={"pk": keys.subscriber_pk(READER), "sk": keys.PROFILE_SK})
        rows.delete_item(Key={"pk": keys.email_pk("made-up"), "sk": keys.EMAIL_SK})
        confirmed = status is SubscriberStatus.CONFIRMED
        subscriber = Subscriber(
            subscriber_id=READER,
            address=address,
            status=status,
            preferences=Preferences(categories=("cs.CV",)),
            created_at=BEFORE,
            confirmed_at=BEFORE if confirmed else None,
        )
        until = EPOCH_S if status is SubscriberStatus.UNCONFIRMED else None
        assert SubscriberTable(rows).create(subscriber, "made-up", expires_at=until)

    def status(self) -> SubscriberStatus:
        """What the subscriber whom the events name has become."""
        subscriber = SubscriberTable(self.cloud.table("SubscribersTable")).get(READER)
        assert subscriber is not None
        return subscriber.status

    def mailed(self, event: dict[str, Any]) -> None:
        """Let the ledger know the letter that the feedback *event* is about."""
        mail = json.loads(json.loads(event["Records"][0]["body"])["Message"])["mail"]
        self.cloud.table("DeliveriesTable").put_item(
            Item={
                "pk": keys.deliveries_pk(ISSUE, 0),
                "sk": keys.delivery_sk(READER),
                "issue": ISSUE,
                "shard": 0,
                "subscriber": READER,
                "state": DeliveryState.SENT.value,
                "due_at": time_text(BEFORE),
                "updated_at": time_text(BEFORE),
                "mails": 1,
                "message_ids": {mail["messageId"]},
            }
        )

    def letters_to(self, address: str) -> list[str]:
        """The subjects of all mail to *address*."""
        mails = [
            message_from_bytes(path.read_bytes(), policy=policy.default)
            for path in sorted(self.cloud.folders.mail.glob("*.eml"))
        ]
        return [str(mail["Subject"]) for mail in mails if mail["To"] == address]


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """The sample day up to its issue, by the command's own parts; nobody has signed up."""
    folder = tmp_path_factory.mktemp("laptop")
    replay = plan_replay(sorted((SAMPLE / "feeds").glob("*.xml")))
    plan = Plan(
        replay=replay,
        categories=replay.categories,
        out=folder / HOME,
        readers=0,
        template=ROOT / "template.yaml",
        port=8000,
        stays=False,
    )
    ((on, files),) = replay.days.items()
    with running(plan) as cloud:
        cloud.announce([file.path for file in files])
        for at in stops(on)[:2]:  # the first poll, and past publish's hold
            cloud.set_clock(at)
            cloud.fire_due(cloud.now() - timedelta(days=1))
        made = Laptop(folder=folder, cloud=cloud, replay=replay)
        yield made
        for container in made.containers.values():
            container.stop()
        cloud.settle()


# the files


def test_every_event_is_tried_here() -> None:
    assert {path.name for path in event_files()} == {*HTTP_ANSWERS, *TASK_ANSWERS, *QUEUE_EVENTS}


def test_the_environment_file_holds_what_a_laptop_cloud_gives_its_functions(
    laptop: Laptop,
) -> None:
    """All values, but for the clock's offset in a replay and where fetch reads."""
    client = laptop.cloud.emulator.client("lambda")
    moved = {"CLOCK_OFFSET_S", "FEED_SOURCE", "API_METADATA"}

    for function in read_variables():
        deployed = client.get_function_configuration(
            FunctionName=laptop.cloud.stack.physical[function]
        )["Environment"]["Variables"]
        wanted = {n: v for n, v in laptop.variables(function).items() if n not in moved}
        assert {n: v for n, v in deployed.items() if n not in moved} == wanted


def test_the_events_name_resources_that_a_laptop_cloud_really_has(laptop: Laptop) -> None:
    """A fresh deployment gives the same names to tables, queues and topics at any port."""
    named = {
        found[0]
        for path in [*event_files(), EVENTS / "env.json"]
        for found in MADE_NAME.finditer(path.read_text(encoding="utf-8"))
    }
    made = {
        found[0]
        for physical in laptop.cloud.stack.physical.values()
        if (found := MADE_NAME.search(physical))
    }

    assert named
    assert named <= made


def test_the_recorded_records_are_those_that_a_run_publishes(laptop: Laptop) -> None:
    """PAPERPOST_RENEW=1 writes the file anew (events/sample/README.md)."""
    days = laptop.days()

    fresh = record_lines(days)

    assert len(days) == len(laptop.replay.categories)
    assert papers_told_differently(days) == set()
    assert kept_lines(fresh) == fresh


def test_the_recorded_records_render_to_the_entries_that_a_run_publishes(laptop: Laptop) -> None:
    """Each paper stands there once, and yet every category's feed comes out whole, in order."""
    lines = PATH.read_text(encoding="utf-8").splitlines()

    for category in laptop.replay.categories:
        published = laptop.cloud.site().get(f"{category}/feed.json")
        assert published is not None
        rendered = render("json", records_lines=lines, category=category)
        assert entries(rendered) == entries(published.body)


# the events


@pytest.mark.parametrize("name", sorted(HTTP_ANSWERS))
def test_a_request_is_answered(laptop: Laptop, name: str) -> None:
    """With a status below 500 and the type that was asked for; payload format 2.0."""
    answer = laptop.invoke(read_event(name))

    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == HTTP_ANSWERS[name]
    assert answer["body"]


@pytest.mark.parametrize("name", sorted(TASK_ANSWERS))
def test_a_task_finds_the_day_done(laptop: Laptop, name: str) -> None:
    """
    Schedules and the stream may always fire again: there is nothing left to do.

    The first time may tell a new day's next announcement: env.json's clock is not the replay's.
    """
    laptop.invoke(read_event(name))

    assert laptop.invoke(read_event(name)) == TASK_ANSWERS[name]


def test_a_paper_to_enrich_is_taken(laptop: Laptop) -> None:
    """It is stored and has both languages, so that the message is done."""
    assert laptop.invoke(read_event("enrich.json")) == NOTHING_FAILED


def test_a_paper_that_is_not_stored_goes_back_to_the_queue(laptop: Laptop) -> None:
    """Never swallowed: the queue retries it, then the dead letters keep it."""
    event = read_event("enrich.json")
    event["Records"][0]["body"] = json.dumps({"arxiv_id": "2604.99999", "languages": ["zh"]})

    assert laptop.invoke(event) == failed(event)


def test_a_delivery_message_sends_the_letter_once(laptop: Laptop) -> None:
    """The second time the ledger knows that it is done."""
    laptop.seat(SubscriberStatus.CONFIRMED)
    now = datetime.now(UTC)
    planned = Delivery(
        issue=ISSUE,
        shard=0,
        subscriber_id=READER,
        state=DeliveryState.PLANNED,
        due_at=now - timedelta(minutes=1),
        updated_at=now,
    )
    ledger = DeliveryTable(laptop.cloud.table("DeliveriesTable"))
    assert ledger.put_planned(planned, expires_at=int(now.timestamp()) + 3600)
    before = laptop.letters_to("reader@example.org")

    answers = [laptop.invoke(read_event("deliver.json")) for _ in range(2)]

    sent = ledger.get_delivery(ISSUE, 0, READER)
    assert answers == [NOTHING_FAILED, NOTHING_FAILED]
    assert sent is not None
    assert sent.state is DeliveryState.SENT
    assert len(laptop.letters_to("reader@example.org")) == len(before) + 1


def test_a_delivery_message_of_an_unknown_issue_goes_back_to_the_queue(laptop: Laptop) -> None:
    event = read_event("deliver.json")
    body = json.loads(event["Records"][0]["body"])
    event["Records"][0]["body"] = json.dumps({**body, "issue": "daily-2026-04-22"})

    assert laptop.invoke(event) == failed(event)


def test_a_confirmation_message_sends_the_mail(laptop: Laptop) -> None:
    laptop.seat(SubscriberStatus.UNCONFIRMED, "anew@example.org")

    assert laptop.invoke(read_event("deliver-confirm.json")) == NOTHING_FAILED
    assert len(laptop.letters_to("anew@example.org")) == 1


def test_a_confirmation_for_nobody_is_done(laptop: Laptop) -> None:
    """Who was erased meanwhile gets nothing; trying again could not change that."""
    event = read_event("deliver-confirm.json")
    event["Records"][0]["body"] = json.dumps({"kind": "confirm", "subscriber": "0" * 32})

    assert laptop.invoke(event) == NOTHING_FAILED


@pytest.mark.parametrize("before", [SubscriberStatus.CONFIRMED, SubscriberStatus.UNCONFIRMED])
@pytest.mark.parametrize(
    ("name", "address", "status"),
    [
        ("feedback-bounce.json", "bounce@simulator.amazonses.com", SubscriberStatus.BOUNCED),
        (
            "feedback-complaint.json",
            "complaint@simulator.amazonses.com",
            SubscriberStatus.COMPLAINED,
        ),
    ],
)
def test_feedback_ends_the_subscription(
    laptop: Laptop, name: str, address: str, status: SubscriberStatus, before: SubscriberStatus
) -> None:
    """Who was asked and complained is remembered for it: both items, by the function's own role."""
    laptop.seat(before, address)
    laptop.mailed(read_event(name))

    assert laptop.invoke(read_event(name)) == NOTHING_FAILED
    assert laptop.status() is status


def test_feedback_that_cannot_be_read_goes_back_to_the_queue(laptop: Laptop) -> None:
    event = read_event("feedback-bounce.json")
    event["Records"][0]["body"] = "{}"

    assert laptop.invoke(event) == failed(event)


def test_an_error_is_told_as_one(laptop: Laptop) -> None:
    """So that the tests above could fail: what a handler raises arrives as an error."""
    properties = of_type("AWS::Lambda::Function")["FetchFunction"]
    container = LambdaRuntime(
        name="fetch",
        handler=properties["Handler"],
        memory_mb=properties["MemorySize"],
        timeout_s=properties["Timeout"],
        variables={**laptop.variables("FetchFunction"), "PAPERS_TABLE": ""},
    )
    try:
        with pytest.raises(FunctionError, match="PAPERS_TABLE"):
            container.invoke(read_event("fetch.json"))
    finally:
        container.stop()


# the command


def test_invoke_finds_the_running_cloud(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever it listens; here it is not at the usual port."""
    monkeypatch.chdir(laptop.folder)
    invoke = partial(_invoke, capsys)

    assert invoke("publish", "publish-heal.json") == TASK_ANSWERS["publish-heal.json"]
    assert invoke("subscribe", "health-get.json")["statusCode"] == 200


def test_invoke_says_what_a_function_raised(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The event of compose is no task of fetch; the exit status tells as well."""
    monkeypatch.chdir(laptop.folder)

    status = main(["invoke", "fetch", str(EVENTS / "compose.json")])

    said = capsys.readouterr()
    assert status == 1
    assert "fetch knows no task 'tick'" in said.out
    assert said.err == "paperpost: fetch raised an error\n"


def _invoke(capsys: pytest.CaptureFixture[str], function: str, event: str) -> Any:
    assert main(["invoke", function, str(EVENTS / event)]) == 0
    return json.loads(capsys.readouterr().out)


def entries(feed: bytes) -> list[tuple[str, ...]]:
    """What readers see of each entry, in order; the address to report errors to is the site's."""
    shown = ("id", "title", "summary", "date_published")
    return [tuple(item[name] for name in shown) for item in json.loads(feed)["items"]]


def failed(event: dict[str, Any]) -> dict[str, Any]:
    """The answer that leaves the event's one message to its queue."""
    (record,) = event["Records"]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
