"""
Thirty days with a model that is well, or that is dead and recovers, through the real handlers.

Usage: python -m support.overlay_replay --out OUT [--days N] [--dead]. OUT then holds what
tests/oracle/overlay_check.py judges: script.json (what arXiv announced), seen.jsonl (what a reader
of the feeds saw at each publishing), metrics.jsonl (what the functions told CloudWatch), end.json
(states, dead letters) and site/.
"""

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from paperpost import clients
from paperpost.domain.errors import PaperpostError
from paperpost.enrich.handler import handler as enrich
from paperpost.observe import logger
from paperpost.publish.handler import handler as publish
from support.api import FakeContext
from support.arxiv_replay import leave_site
from support.arxiv_script import EASTERN, truth, write_script
from support.aws import Cloud, moto_cloud
from support.madeup_chinese import answer
from support.modelserver import ModelServer, model_server
from support.nights import Night

CATEGORIES = ("cs.AI", "stat.ML")
FIRST, DAYS = date(2026, 9, 8), 30  # a Tuesday behind Labor Day
_MINUTE = timedelta(minutes=1)
# Minutes after the poll at 00:20: when the queue brings its messages, and when publish runs. The
# real ones run more often; a failed message is brought again each time, as its back-off has it.
_BROUGHT = (0, 1, 3, 7, 15)
_PUBLISHED = (5, 10, 20, 25, 30, 35, 40)
_SWEPT_AT = (time(2, 30), time(9, 30), time(16, 30), time(22, 30))
_RECOVERY = 3  # days after the model is well again
_RECEIVES = 5  # of the queue in template.yaml
_LONGER_THAN_THE_REPLAY_S = 12 * 3600
# The ways in which a provider is dead, one a day in turn.
_DEATHS: Sequence[Mapping[str, Any]] = (
    {"status": 503},
    {"status": 429, "headers": {"Retry-After": "30"}},
    {"status": 401},
    {"status": 500},
)


class Overlay:
    """One stack: fetch, enrich and publish on a virtual clock, with a model on loopback."""

    def __init__(self, cloud: Cloud, model: ModelServer, *, days: int, dead: bool) -> None:
        start = datetime.combine(FIRST, time(0, 20), EASTERN).astimezone(UTC)
        self.night = Night(cloud, CATEGORIES, at=start)
        self.days = write_script(first=FIRST, days=days, categories=CATEGORIES, seed=30, most=10)
        self.dates = [FIRST + timedelta(days=n) for n in range(days)]
        self.seen, self.metrics, self.alarms = [list[dict[str, Any]]() for _ in range(3)]
        self.dead_letters = 0
        self._cloud, self._model, self._dead = cloud, model, dead
        self._receives: dict[str, int] = {}
        self._streamed: dict[tuple[str, str], str] = {}

    def run(self) -> None:
        """All the days; a dead model recovers behind them."""
        server = self.night.serving(self.days)
        with server.in_process():
            for number, on in enumerate(self.dates):
                self._model_of(number)
                self._day(on)
            if self._dead:
                self._well()
                for number in range(1, _RECOVERY + 1):
                    self._sweeps(self.dates[-1] + timedelta(days=number))

    def _model_of(self, number: int) -> None:
        if self._dead:
            self._model.answering = None
            self._model.headers = {}
            for name, value in _DEATHS[number % len(_DEATHS)].items():
                setattr(self._model, name, value)
        else:
            self._well()

    def _well(self) -> None:
        self._model.status, self._model.headers = 200, {}
        self._model.answering = answer

    def _day(self, on: date) -> None:
        self.night.poll_at(on, time(0, 20))
        begun = self.night.at
        for minute in sorted({*_BROUGHT, *_PUBLISHED}):
            self.night.at = max(self.night.at, begun + minute * _MINUTE)
            if minute in _BROUGHT:
                self._bring()
            if minute in _PUBLISHED:
                self._publish()
        self._sweeps(on)

    def _sweeps(self, on: date) -> None:
        for at in _SWEPT_AT:
            self.night.wait_until(on, at)
            self._call(enrich, {"task": "sweep"})
            self._bring()
            self.night.at += 5 * _MINUTE
            self._publish()

    def _bring(self) -> None:
        """Bring every message once; what fails waits for the next time, or is a dead letter."""
        queue = self._cloud.queues["enrichment"]
        for message in self._waiting():
            result = self._call(enrich, {"Records": [self._record(message)]})
            handle = {"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]}
            has_failed = bool(result["batchItemFailures"])
            if has_failed and self._receives[message["MessageId"]] < _RECEIVES:
                clients.sqs().change_message_visibility(**handle, VisibilityTimeout=0)
                continue
            self.dead_letters += has_failed
            clients.sqs().delete_message(**handle)

    def _waiting(self) -> list[Any]:
        """Every message, each once: the queue's own clock is real, and counts for nothing."""
        found = list[Any]()
        while got := (
            clients.sqs()
            .receive_message(
                QueueUrl=self._cloud.queues["enrichment"],
                MaxNumberOfMessages=10,
                AttributeNames=["All"],
                VisibilityTimeout=_LONGER_THAN_THE_REPLAY_S,
            )
            .get("Messages")
        ):
            found += got
        return found

    def _record(self, message: Any) -> dict[str, Any]:
        received = self._receives.get(message["MessageId"], 0) + 1
        self._receives[message["MessageId"]] = received
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": {**message["Attributes"], "ApproximateReceiveCount": str(received)},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:enrichment",
            "awsRegion": "us-east-1",
        }

    def _publish(self) -> None:
        """What the stream tells since the last time, and the schedule."""
        events: list[dict[str, Any]] = [{"task": "heal"}]
        if records := list(self._stream()):
            events.insert(0, {"Records": records})
        for event in events:
            try:
                self._call(publish, event)
            except PaperpostError as exc:
                self.alarms.append({"at": self.night.at, "problem": str(exc)})
        for category in CATEGORIES:
            self._look(category)

    def _stream(self) -> Iterator[dict[str, Any]]:
        """The keys that publish's filter lets through, of what has changed since."""
        for (pk, sk), item in self.night.items().items():
            is_told = pk.startswith("CATEGORY#") or sk.startswith("ENRICHMENT#")
            if is_told and self._streamed.get((pk, sk)) != item["updated_at"]:
                self._streamed[pk, sk] = item["updated_at"]
                yield {"dynamodb": {"Keys": {"pk": {"S": pk}, "sk": {"S": sk}}}}

    def _look(self, category: str) -> None:
        """What somebody who reads the feed sees now."""
        found = clients.s3().list_objects_v2(
            Bucket=self._cloud.bucket, Prefix=f"{category}/feed.json"
        )
        if not found.get("Contents"):
            return
        body = clients.s3().get_object(Bucket=self._cloud.bucket, Key=f"{category}/feed.json")
        items = json.loads(body["Body"].read())["items"]
        self.seen.append(
            {
                "at": self.night.at,
                "category": category,
                "ids": [item["id"] for item in items],
                "pending": [i["id"] for i in items if "翻译待补" in i["content_html"]],
            }
        )

    def _call(self, handler: Callable[..., Any], event: dict[str, Any]) -> Any:
        """Invoke a handler now, and keep the metrics that it prints."""
        offset_s = (self.night.at - datetime.now(UTC)).total_seconds()
        os.environ["CLOCK_OFFSET_S"] = str(offset_s)
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                return handler(event, FakeContext())
        finally:
            self.metrics += self._told(printed.getvalue())

    def _told(self, printed: str) -> Iterator[dict[str, Any]]:
        for line in printed.splitlines():
            if '"_aws"' in line:
                found = json.loads(line)
                names = [m["Name"] for m in found["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
                yield {"at": self.night.at, **{name: sum(found[name]) for name in names}}


@contextmanager
def stack(model: ModelServer, cloud: Cloud) -> Iterator[None]:
    """The functions' environment."""
    values = {
        "PAPERS_TABLE": cloud.papers,
        "ENRICHMENT_QUEUE_URL": cloud.queues["enrichment"],
        "SITE_BUCKET": cloud.bucket,
        "SITE_URL": "https://paperpost.example",
        "CATEGORIES": ",".join(CATEGORIES),
        "CONTACT_MAIL": "ops@example.org",
        "LANGUAGES": "zh",
        "ENRICH_PROVIDER": "openai",
        "OPEN_AI_URL": f"{model.url}/v1",
        "OPEN_AI_MODEL": "fake-1",
    }
    with patch.dict(os.environ, values):
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the days and leave what is judged."""
    parser = argparse.ArgumentParser(description="Play days with a model that is well, or dead.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--dead", action="store_true")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    logger.setLevel("CRITICAL")
    with ExitStack() as opened:
        cloud = opened.enter_context(moto_cloud())
        model = opened.enter_context(model_server())
        opened.enter_context(stack(model, cloud))
        overlay = Overlay(cloud, model, days=given.days, dead=given.dead)
        overlay.run()
        leave(overlay, given.out, cloud)
    return 0


def leave(overlay: Overlay, out: Path, cloud: Cloud) -> None:
    """Write what is judged into *out*."""
    items = overlay.night.items().values()
    listed = truth(overlay.days, CATEGORIES)
    script = {
        "listings": [
            {"on": on, "category": category, "id": arxiv_id, "type": told}
            for (on, category), papers in listed.items()
            for arxiv_id, (_, told) in papers.items()
        ],
        "texts": len(
            {
                (paper.arxiv_id, paper.abstract)
                for day in overlay.days
                for paper, _ in day.listed(CATEGORIES)
            }
        ),
        "completed_at": [
            {"on": i["sk"], "category": i["category"], "at": i["completed_at"]}
            for i in items
            if i["pk"].startswith("CATEGORY#") and "completed_at" in i
        ],
    }
    states = [
        {"id": i["pk"].removeprefix("PAPER#"), "state": i["state"], "reason": i.get("reason", "")}
        for i in items
        if i["sk"] == "ENRICHMENT#zh"
    ]
    end = {
        "states": states,
        "dead_letters": overlay.dead_letters,
        "asked": len(overlay._model.asked),
        "alarms": overlay.alarms,
    }
    for name, value in (("script", script), ("end", end)):
        (out / f"{name}.json").write_text(json.dumps(value, default=str), encoding="utf-8")
    for name, lines in (("seen", overlay.seen), ("metrics", overlay.metrics)):
        text = "".join(f"{json.dumps(line, default=str)}\n" for line in lines)
        (out / f"{name}.jsonl").write_text(text, encoding="utf-8")
    leave_site(out, cloud)


if __name__ == "__main__":
    sys.exit(main())
