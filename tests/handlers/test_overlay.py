"""Enrichment as an overlay: fetch, enrich and publish while the model is well, dead or capped."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from paperpost import clients
from paperpost.domain.breaker import FAILURES
from paperpost.enrich.handler import handler as enrich
from paperpost.fetch.handler import handler as fetch
from paperpost.publish.handler import handler as publish
from paperpost.storage.papers import PaperTable
from paperpost.storage.site import SiteBucket
from support.api import FakeContext
from support.aws import Cloud
from support.feeds import Item, rss
from support.modelserver import ModelServer, model_server, reply

NIGHT = datetime(2026, 4, 21, 4, 20, tzinfo=UTC)  # 00:20 Eastern
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NUMBER = 12
IDS = [f"2604.990{n:02}" for n in range(NUMBER)]
CHINESE = {
    "title": "虚构的标题",
    "abstract": "我们什么也没有提出，但它很有效。",
    "tldr": "本文什么也没有提出。",
}


@dataclass
class Service:
    """The upper half of the service, its queue delivered as SQS and Lambda would."""

    papers: PaperTable
    site: SiteBucket
    queue: str
    dead_letters: str
    model: ModelServer
    monkeypatch: pytest.MonkeyPatch

    def at(self, moment: datetime) -> None:
        """Set the functions' clock."""
        offset_s = (moment - datetime.now(UTC)).total_seconds()
        self.monkeypatch.setenv("CLOCK_OFFSET_S", str(offset_s))

    def deliver(self) -> None:
        """Bring each message until it is deleted or among the dead letters; back-off is over."""
        while (
            got := clients.sqs()
            .receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, AttributeNames=["All"])
            .get("Messages")
        ):
            for message in got:
                self._bring(message)

    def _bring(self, message: Any) -> None:
        handle = {"QueueUrl": self.queue, "ReceiptHandle": message["ReceiptHandle"]}
        record = {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:enrichment",
            "awsRegion": "us-east-1",
        }
        failed = call(enrich, {"Records": [record]})["batchItemFailures"]
        sqs = clients.sqs()
        settle = {True: sqs.change_message_visibility, False: sqs.delete_message}[bool(failed)]
        settle(**handle, **({"VisibilityTimeout": 0} if failed else {}))

    def sweep(self) -> int:
        """The hourly schedule; how many papers it queued."""
        return int(call(enrich, {"task": "sweep"})["queued"])

    def publish(self) -> None:
        """The schedule of every five minutes, and what the stream tells of the enrichments."""
        call(publish, {"task": "heal"})
        keys = [{"pk": {"S": f"PAPER#{i}"}, "sk": {"S": "ENRICHMENT#zh"}} for i in IDS]
        call(publish, {"Records": [{"dynamodb": {"Keys": key}} for key in keys]})

    def states(self) -> Counter[tuple[str, str]]:
        """How many papers have which state and reason; a paper without a row is left out."""
        found = self.papers.get_enrichments(IDS, ["zh"]).values()
        return Counter((by["zh"].state.value, by["zh"].reason) for by in found)

    def text(self, path: str) -> str:
        """A published file."""
        stored = self.site.get(path)
        return stored.body.decode() if stored else ""

    def entries(self) -> list[str]:
        """The ids in the feed."""
        return [item["id"] for item in json.loads(self.text("cs.AI/feed.json"))["items"]]

    def unread(self) -> int:
        """How many dead letters there are."""
        found = clients.sqs().get_queue_attributes(
            QueueUrl=self.dead_letters, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(found["Attributes"]["ApproximateNumberOfMessages"])


def call(handler: Any, event: dict[str, Any]) -> Any:
    """Invoke a handler."""
    return handler(event, FakeContext())


@pytest.fixture
def service(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Twelve papers, fetched from a folder at 00:20 Eastern; their messages wait in the queue."""
    dead_letters = clients.sqs().create_queue(QueueName="dead")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:dead"
    clients.sqs().set_queue_attributes(
        QueueUrl=cloud.queues["enrichment"],
        Attributes={
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
        },
    )
    with model_server() as model:
        for name, value in {
            "PAPERS_TABLE": cloud.papers,
            "ENRICHMENT_QUEUE_URL": cloud.queues["enrichment"],
            "SITE_BUCKET": cloud.bucket,
            "SITE_URL": "https://paperpost.example",
            "CATEGORIES": "cs.AI",
            "CONTACT_MAIL": "ops@example.org",
            "FEED_SOURCE": tmp_path.as_uri(),
            "API_METADATA": "off",
            "LANGUAGES": "zh",
            "ENRICH_PROVIDER": "openai",
            "OPEN_AI_URL": f"{model.url}/v1",
            "OPEN_AI_MODEL": "fake-1",
            "OPEN_AI_KEY_PARAMETER": "",
            "ENRICH_TOKENS_A_DAY": "",
        }.items():
            monkeypatch.setenv(name, value)
        made = Service(
            papers=PaperTable(clients.table(cloud.papers)),
            site=SiteBucket(clients.s3(), cloud.bucket),
            queue=cloud.queues["enrichment"],
            dead_letters=dead_letters,
            model=model,
            monkeypatch=monkeypatch,
        )
        made.at(NIGHT)
        items = [Item(arxiv_id=i, title="Nothing at All") for i in IDS]
        (tmp_path / "a.xml").write_bytes(rss(items))
        call(fetch, {"task": "poll"})
        yield made


def test_with_a_healthy_model_nothing_is_published_without_its_translation(
    service: Service,
) -> None:
    """The announcement waits for its last translation, and then not a minute longer."""
    service.model.body = reply(CHINESE)
    service.publish()
    assert service.text("cs.AI/feed.json") == ""

    service.deliver()
    service.publish()

    assert service.states() == {("ok", ""): NUMBER}
    assert service.text("cs.AI/rss.xml").count(CHINESE["title"]) >= NUMBER
    assert len(service.model.asked) == NUMBER


def test_a_dead_model_costs_no_paper_and_no_dead_letter_and_late_answers_upgrade_all(
    service: Service,
) -> None:
    """
    Every paper is published at once, labelled; an hour after the model lives it is translated.

    Under the same ids, in the same order, in feed, page and Markdown.
    """
    service.model.status = 503
    service.deliver()
    service.at(NIGHT + 5 * MINUTE)
    service.publish()
    before, page = service.entries(), service.text("cs.AI/2026-04-21.html")
    assert service.states() == {("failed", "provider down"): NUMBER}
    assert len(service.model.asked) == FAILURES
    assert service.unread() == 0
    assert len(before) == NUMBER
    assert page.count("翻译待补") >= NUMBER

    service.model.status, service.model.body = 200, reply(CHINESE)
    service.at(NIGHT + HOUR)
    assert service.sweep() == 1
    service.deliver()
    assert service.states() == {("ok", ""): 1, ("failed", "provider down"): NUMBER - 1}
    service.at(NIGHT + 2 * HOUR)
    assert service.sweep() == NUMBER - 1
    service.deliver()
    service.publish()

    assert service.states() == {("ok", ""): NUMBER}
    assert service.entries() == before
    for path in ("cs.AI/rss.xml", "cs.AI/2026-04-21.html", "cs.AI/2026-04-21.md"):
        assert service.text(path).count(CHINESE["tldr"].rstrip("。")) >= NUMBER, path
        assert "翻译待补" not in service.text(path), path
    assert service.unread() == 0


def test_with_chinese_alone_the_english_feeds_are_there_with_the_authors_sentence(
    service: Service,
) -> None:
    """The languages say what is enriched, not which feeds there are."""
    service.model.body = reply(CHINESE)
    service.deliver()
    service.publish()

    english = service.text("cs.AI/rss.en.xml")
    assert english.count("<item>") == NUMBER
    assert english.count("We propose nothing.") >= NUMBER
    assert len(json.loads(service.text("cs.AI/feed.zh.json"))["items"]) == NUMBER


def test_a_model_that_stays_dead_is_asked_once_a_sweep(service: Service) -> None:
    """For a day: the probes get no more, nothing is lost, nothing is published again."""
    service.model.status = 401
    service.deliver()
    service.publish()
    for hour in range(1, 25):
        service.at(NIGHT + hour * HOUR)
        service.sweep()
        service.deliver()

    assert len(service.model.asked) == FAILURES + 24
    assert service.states() == {("failed", "provider down"): NUMBER}
    assert service.unread() == 0
    assert len(service.entries()) == NUMBER


def test_a_frozen_issue_stays_as_it_was_mailed(service: Service) -> None:
    """Whatever translations come later."""
    service.model.status = 503
    service.deliver()
    service.publish()
    service.site.put_once("issues/daily-2026-04-21.json.gz", b"frozen")

    service.model.status, service.model.body = 200, reply(CHINESE)
    for hour in (1, 2):
        service.at(NIGHT + hour * HOUR)
        service.sweep()
        service.deliver()
        service.publish()

    assert service.states() == {("ok", ""): NUMBER}
    assert service.text("issues/daily-2026-04-21.json.gz") == "frozen"


def test_at_the_cap_no_call_leaves_and_the_next_day_takes_up_what_was_skipped(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers see the author's words and, on the status page, why and until when."""
    service.model.body = reply(CHINESE)
    monkeypatch.setenv("ENRICH_TOKENS_A_DAY", "10000")
    service.deliver()
    service.publish()
    asked = len(service.model.asked)
    assert 1 <= asked <= 5
    assert service.states() == {("ok", ""): asked, ("skipped", "cap"): NUMBER - asked}
    status = json.loads(service.text("status.json"))
    assert status["enrichment_cap"]["resets_at"] == "2026-04-22T08:00:00+08:00"
    assert status["dates"][0]["enrichment"]["calls"] == asked
    assert "翻译额度已用完" in service.text("status.html")
    assert len(service.entries()) == NUMBER
    service.at(NIGHT + HOUR)
    assert service.sweep() == 0

    monkeypatch.setenv("ENRICH_TOKENS_A_DAY", "1000000")
    service.at(NIGHT + 24 * HOUR)
    service.publish()
    assert json.loads(service.text("status.json"))["enrichment_cap"] is None
    assert service.sweep() == NUMBER - asked
    service.deliver()
    service.publish()

    assert service.states() == {("ok", ""): NUMBER}
    assert json.loads(service.text("status.json"))["enrichment_cap"] is None


def test_a_message_that_comes_again_and_a_new_version_of_the_same_text_cost_nothing(
    service: Service,
) -> None:
    service.model.body = reply(CHINESE)
    service.deliver()
    papers = service.papers.get_papers(IDS).values()
    service.papers.put_papers(replace(paper, version=2) for paper in papers)
    for arxiv_id in IDS:
        body = json.dumps({"arxiv_id": arxiv_id, "languages": ["zh"]})
        clients.sqs().send_message(QueueUrl=service.queue, MessageBody=body)

    service.deliver()

    assert len(service.model.asked) == NUMBER
    assert service.sweep() == 0


def test_what_the_checks_refuse_twice_is_shown_as_the_authors_words(service: Service) -> None:
    """With the check's name for the operator; the second question says why, not what."""
    service.model.body = reply(CHINESE | {"tldr": "见 https://evil.example 。"})
    service.deliver()
    service.publish()

    assert service.states() == {("rejected", "links"): NUMBER}
    assert len(service.model.asked) == 2 * NUMBER
    prompts = [body["messages"][1]["content"] for _, _, body in service.model.asked]
    assert sum("An answer was not accepted" in prompt for prompt in prompts) == NUMBER
    assert not [prompt for prompt in prompts if "evil.example" in prompt]
    assert "evil.example" not in service.text("cs.AI/rss.xml")
    assert len(service.entries()) == NUMBER


def test_metrics_name_what_alarms_watch(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also when they are 0, so that an alarm ends."""
    service.model.status = 503
    service.deliver()

    lines = capsys.readouterr().out.splitlines()
    blobs = [json.loads(line) for line in lines if '"_aws"' in line]
    down = [blob["EnrichProviderDown"] for blob in blobs if "EnrichProviderDown" in blob]
    assert {tuple(value) for value in down} == {(0.0,), (1.0,)}
    assert {tuple(blob["EnrichCapReached"]) for blob in blobs if "EnrichMessages" in blob} == {
        (0.0,)
    }
