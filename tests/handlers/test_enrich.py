"""enrich's handler: batches that fail record by record, and the sweep after a lost message."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from paperpost import clients
from paperpost.domain.errors import InvalidInputError
from paperpost.enrich.handler import handler
from paperpost.fetch.handler import handler as fetch
from paperpost.settings import SettingsError
from paperpost.storage.papers import PaperTable
from support.api import FakeContext
from support.aws import Cloud
from support.feeds import Item, rss
from support.modelserver import model_server


@pytest.fixture
def papers(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PaperTable:
    """Two papers, fetched from a folder at 00:20 Eastern; their messages wait in the queue."""
    night = datetime(2026, 4, 21, 4, 20, tzinfo=UTC)
    offset_s = (night - datetime.now(UTC)).total_seconds()
    for name, value in {
        "CLOCK_OFFSET_S": str(offset_s),
        "PAPERS_TABLE": cloud.papers,
        "ENRICHMENT_QUEUE_URL": cloud.queues["enrichment"],
        "CATEGORIES": "cs.AI",
        "CONTACT_MAIL": "ops@example.org",
        "FEED_SOURCE": tmp_path.as_uri(),
        "API_METADATA": "off",
        "LANGUAGES": "zh,en",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ENRICH_PROVIDER", raising=False)
    other = Item(arxiv_id="2604.99002", abstract="We propose less.")
    (tmp_path / "a.xml").write_bytes(rss([Item(), other]))
    fetch({"task": "poll"}, FakeContext())  # type: ignore[arg-type]
    return PaperTable(clients.table(cloud.papers))


def received(cloud: Cloud) -> list[dict[str, Any]]:
    """Take all messages out of the queue, as the event that Lambda would make of them."""
    url, records = cloud.queues["enrichment"], list[dict[str, Any]]()
    while True:
        got = clients.sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        if "Messages" not in got:
            return records
        for message in got["Messages"]:
            clients.sqs().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            records.append(record(message["MessageId"], message["Body"]))


def record(message_id: str, body: str) -> dict[str, Any]:
    """One SQS record."""
    return {
        "messageId": message_id,
        "receiptHandle": "handle",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:enrichment",
        "awsRegion": "us-east-1",
    }


def call(event: dict[str, Any]) -> Any:
    """Invoke the handler."""
    return handler(event, FakeContext())  # type: ignore[arg-type]


def states(papers: PaperTable) -> dict[str, dict[str, str]]:
    """Paper → language → state."""
    found = papers.get_enrichments(["2604.99001", "2604.99002"], ["zh", "en"])
    return {i: {lang: e.state.value for lang, e in by.items()} for i, by in found.items()}


def test_what_fetch_queued_is_enriched(papers: PaperTable, cloud: Cloud) -> None:
    """With the provider that everyone has, every paper gets its final state."""
    assert call({"Records": received(cloud)}) == {"batchItemFailures": []}

    skipped = {"zh": "skipped", "en": "skipped"}
    assert states(papers) == {"2604.99001": skipped, "2604.99002": skipped}


@pytest.mark.parametrize(
    "bad",
    [
        '{"arxiv_id": "2604.99999", "languages": ["zh"]}',
        "not JSON",
        '{"languages": ["zh"]}',
        "[]",
    ],
)
def test_a_bad_record_fails_alone(papers: PaperTable, cloud: Cloud, bad: str) -> None:
    """The others are done; the queue retries it, then keeps it."""
    records = [record("bad", bad), *received(cloud)]

    assert call({"Records": records}) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert len(states(papers)) == 2


def test_a_batch_that_fails_whole_is_given_back_record_by_record(
    papers: PaperTable, capsys: pytest.CaptureFixture[str]
) -> None:
    """No exception: the function itself is healthy. Failures are counted."""
    told = call({"Records": [record("a", "x"), record("b", "y")]})

    metrics = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert metrics["MessagesFailed"] == [1.0, 1.0]

    assert told == {"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}
    assert states(papers) == {}


def test_a_throttled_model_gives_the_record_back(
    papers: PaperTable, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is stored for it, so it stays pending and is retried."""
    monkeypatch.setenv("ENRICH_PROVIDER", "bedrock")
    monkeypatch.setenv("BEDROCK_MODEL_ID", "fake.model-1")
    records = received(cloud)
    [first] = [r for r in records if "99001" in r["body"]]
    with Stubber(clients.bedrock()) as stub:
        stub.add_client_error(
            "converse", service_error_code="ThrottlingException", http_status_code=429
        )
        told = call({"Records": [first]})

    assert told == {"batchItemFailures": [{"itemIdentifier": first["messageId"]}]}
    assert states(papers) == {}


@pytest.mark.parametrize(
    ("receives", "asked_wait", "hidden_s"),
    [("1", "", 30), ("2", "", 60), ("4", "", 240), ("1", "100", 100)],
)
def test_a_message_that_failed_waits_longer_each_time_or_as_long_as_the_model_asks(
    papers: PaperTable,
    cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    *,
    receives: str,
    asked_wait: str,
    hidden_s: int,
) -> None:
    """The partial answer leaves the message as it was put off."""
    assert papers
    [first, _] = received(cloud)
    first["attributes"]["ApproximateReceiveCount"] = receives
    wanted = {
        "QueueUrl": cloud.queues["enrichment"],
        "ReceiptHandle": "handle",
        "VisibilityTimeout": hidden_s,
    }
    with model_server() as model, Stubber(clients.sqs()) as stub:
        model.status, model.headers = 429, {"Retry-After": asked_wait}
        for name, value in {
            "ENRICH_PROVIDER": "openai", "OPEN_AI_URL": model.url, "OPEN_AI_MODEL": "fake-1",
            "LANGUAGES": "zh",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        stub.add_response("change_message_visibility", {}, wanted)
        told = call({"Records": [first]})
        stub.assert_no_pending_responses()

    assert told == {"batchItemFailures": [{"itemIdentifier": first["messageId"]}]}


def test_the_last_time_a_message_comes_its_paper_gets_a_row_and_it_is_no_dead_letter(
    papers: PaperTable, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dead letters are what somebody has to look at; the sweep looks at rows by itself."""
    monkeypatch.setenv("ENRICH_PROVIDER", "bedrock")
    monkeypatch.setenv("BEDROCK_MODEL_ID", "fake.model-1")
    [first] = [r for r in received(cloud) if "99001" in r["body"]]
    first["attributes"]["ApproximateReceiveCount"] = "5"

    with Stubber(clients.bedrock()) as stub:
        for _ in ("zh", "en"):
            stub.add_client_error(
                "converse", service_error_code="ThrottlingException", http_status_code=429
            )
        told = call({"Records": [first]})

    assert told == {"batchItemFailures": []}
    assert states(papers) == {"2604.99001": {"zh": "failed", "en": "failed"}}


def test_a_cap_in_money_without_prices_stops_the_function(
    papers: PaperTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would hold back nothing."""
    assert papers
    monkeypatch.setenv("ENRICH_USD_A_DAY", "1.5")

    with pytest.raises(SettingsError, match="ENRICH_INPUT_PRICE"):
        call({"task": "sweep"})


def test_a_lost_message_is_healed_by_the_sweep(papers: PaperTable, cloud: Cloud) -> None:
    """Queue purged, nothing enriched: the sweep queues it all, the next batch enriches it."""
    boto3.client("sqs").purge_queue(QueueUrl=cloud.queues["enrichment"])
    assert states(papers) == {}

    assert call({"task": "sweep"}) == {"queued": 2}
    records = received(cloud)
    assert {json.loads(r["body"])["arxiv_id"] for r in records} == {"2604.99001", "2604.99002"}
    call({"Records": records})

    assert set(states(papers)) == {"2604.99001", "2604.99002"}
    assert call({"task": "sweep"}) == {"queued": 0}


def test_an_unknown_task_is_an_error(papers: PaperTable) -> None:
    """A schedule with a wrong input must not look like an idle sweep."""
    assert papers
    with pytest.raises(InvalidInputError, match="'poll'"):
        call({"task": "poll"})
