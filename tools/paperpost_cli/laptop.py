"""The laptop cloud: emulator, stand-in and the deployed stack as one thing."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from paperpost.domain.errors import PaperpostError
from paperpost.domain.tokens import new_keys
from paperpost.storage.papers import PaperTable
from paperpost.storage.site import SiteBucket
from paperpost_cli.cloud.emulator import Emulator
from paperpost_cli.cloud.invocations import Invocations
from paperpost_cli.cloud.schedules import (
    Schedule,
    ScheduleFailedError,
    due_between,
    fire,
    list_schedules,
)
from paperpost_cli.cloud.stack import Stack, deploy
from paperpost_cli.cloud.standin import EmulatorAccount, Standin

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ROOT = Path(__file__).resolve().parents[2]
STACK_NAME = "paperpost"
SENDER_DOMAIN = "paperpost.example"
# Where a laptop cloud that stays keeps its things, below the folder that it was started in.
HOME, LIVE_HOME = Path(".local"), Path(".local", "live")
# Its ports where they are free: those that events/env.json names.
EMULATOR_PORT, STANDIN_PORT = 4566, 4567
_KEYS_PARAMETER = "/paperpost/token-keys"
_RUNS_AT_MOST_S = 360  # longer than any function in template.yaml; a slow model takes its time
_STUCK_AFTER_S = 6
_COMES_BACK_S = 100  # what a provider failed at is hidden for 30, then for 60 seconds
_WAITING: Final = "ApproximateNumberOfMessages"
_HIDDEN: Final = "ApproximateNumberOfMessagesNotVisible"
# Publish behind compose: in AWS it looks every five minutes, so what compose counted shows on the
# site. Deliver last: its letter tells of all that.
_FLOW = ("fetch", "enrich", "compose", "publish", "deliver")


class UnsettledError(PaperpostError):
    """Messages wait in a queue and nobody takes them."""


class HandlerFailedError(PaperpostError):
    """A function that a schedule fired raised an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where one laptop cloud keeps its things."""

    state: Path
    mail: Path

    @classmethod
    def of(cls, out: Path) -> "Folders":
        """The folders below *out*, in every form of `paperpost local`."""
        return cls(state=out / "state", mail=out / "mail")

    @property
    def feeds(self) -> Path:
        """Where fetch finds what is announced on the replayed date."""
        return self.state / "feeds"

    @property
    def endpoint(self) -> Path:
        """The file that tells `paperpost invoke` the emulator's address; there while it runs."""
        return self.state / "endpoint"


class LaptopCloud:
    """Start it, move its clock, fire what is due, wait until all is quiet, stop it."""

    def __init__(
        self, folders: Folders, *, standin: Standin, template: Path, port: int | None = None
    ) -> None:
        """Prepare; *port* is the emulator's, None for a free one."""
        self.folders = folders
        self.standin = standin
        self.template = template
        self.emulator = Emulator(state_dir=folders.state / "emulator", port=port)
        self.stack: Stack
        self._offset_s = 0.0
        self._paused: set[str] = set()

    # start and stop

    def start(self, parameters: Mapping[str, str], *, at: datetime | None = None) -> None:
        """Start emulator and stand-in, deploy with *parameters*; for the functions it is *at*."""
        if at is not None:
            self._offset_s = (at - datetime.now(UTC)).total_seconds()
        self.folders.feeds.mkdir(parents=True, exist_ok=True)
        self.standin.start()
        # What waits from an earlier run waits on: the functions still know its addresses and clock.
        self.emulator.start(standin=self.standin.url, polls=False)
        self.standin.connect(EmulatorAccount(self.emulator))
        self._put_token_keys()
        self.deploy(parameters)
        self.emulator.poll()
        self.folders.endpoint.write_text(f"{self.emulator.endpoint}\n", encoding="utf-8")

    def deploy(self, parameters: Mapping[str, str]) -> None:
        """Deploy template and code as they are on disk now; point the functions at this machine."""
        self.stack = deploy(
            self.emulator, self.template, stack_name=STACK_NAME, parameters=parameters
        )
        self._configure_functions()

    def stop(self) -> None:
        """Stop everything; the state stays in its folder."""
        self.folders.endpoint.unlink(missing_ok=True)
        self.emulator.stop()
        self.standin.stop()

    # the clock

    def set_clock(self, at: datetime) -> None:
        """Let every function believe that it is *at* now; its clock goes on from there."""
        self._offset_s = (at - datetime.now(UTC)).total_seconds()
        self.emulator.set_clock(self._offset_s)

    def now(self) -> datetime:
        """The time that the functions believe it is (UTC)."""
        return datetime.fromtimestamp(time.time() + self._offset_s, UTC)

    # what runs

    def schedules(self) -> list[Schedule]:
        """The deployed schedules in the order of the flow."""
        found = list_schedules(self.emulator, self.stack)
        return sorted(found, key=lambda s: _FLOW.index(self.stage_of(s.function)))

    def due(self, since: datetime) -> list[Schedule]:
        """The schedules that fell due after *since* and up to now, in the order of the flow."""
        now = self.now()
        return [s for s in self.schedules() if due_between(s, since, now)]

    def fire_due(self, since: datetime) -> None:
        """
        Fire each schedule once that fell due since *since*, settling behind each.

        Raises: HandlerFailedError: If a function raised; the text names it and its error.
        """
        for schedule in self.due(since):
            self.fire(schedule)
            self.settle()

    def fire(self, schedule: Schedule) -> object:
        """Fire one schedule and return what its function returned."""
        try:
            return fire(self.emulator, schedule)
        except ScheduleFailedError as exc:
            stage = self.stage_of(schedule.function)
            raise HandlerFailedError(f"{stage} failed: {exc.error}") from exc

    def settle(self) -> None:
        """
        Wait until every queue is empty and no function runs, as long as something gets on.

        Raises: UnsettledError: If messages wait and nothing takes them.
        """
        last, changed = "", time.monotonic()
        while True:
            # Asked before and behind the queues: a function may send a message and end in between.
            idle = self.emulator.idle() and self.standin.idle()
            messages = {k: v for k, v in self._messages().items() if k not in self._paused}
            if idle and not messages and self.emulator.idle():
                return
            seen = json.dumps([idle, messages], sort_keys=True)
            if seen != last:
                last, changed = seen, time.monotonic()
            elif time.monotonic() - changed > _patience_s(messages, idle=idle):
                break
            # Looking is work for the emulator too: while functions run, it should be theirs.
            time.sleep(0.05 if idle else 0.3 if time.monotonic() - changed < 1 else 1)
        raise UnsettledError(f"messages wait and nothing takes them: {self.waiting()}")

    def waiting(self) -> dict[str, int]:
        """Messages that wait or are in flight, by the working queue's logical name."""
        return {name: sum(counts) for name, counts in self._messages().items()}

    def _messages(self) -> dict[str, tuple[int, int]]:
        """How many wait and how many are hidden, by queue; a queue without any is left out."""
        sqs = self.emulator.client("sqs")
        found = {}
        for name, url in self.stack.resources("AWS::SQS::Queue").items():
            if name.endswith("DeadLetters"):
                continue
            told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[_WAITING, _HIDDEN])
            counts = int(told["Attributes"][_WAITING]), int(told["Attributes"][_HIDDEN])
            if any(counts):
                found[name] = counts
        return found

    @contextmanager
    def paused(self, queue: str) -> Iterator[None]:
        """Meanwhile nobody takes messages from the queue of this logical name, nor waits for it."""
        client, url = self.emulator.client("lambda"), self.stack.resources("AWS::SQS::Queue")[queue]
        mappings = [
            m["UUID"]
            for m in client.list_event_source_mappings()["EventSourceMappings"]
            if m["EventSourceArn"].rsplit(":", 1)[1] == url.rsplit("/", 1)[1]
        ]
        for uuid in mappings:
            client.update_event_source_mapping(UUID=uuid, Enabled=False)
        self._paused.add(queue)
        try:
            yield
        finally:
            self._paused.remove(queue)
            for uuid in mappings:
                client.update_event_source_mapping(UUID=uuid, Enabled=True)

    def lose(self, queue: str) -> None:
        """Let all messages in the queue of this logical name vanish, as a fault would."""
        url = self.stack.resources("AWS::SQS::Queue")[queue]
        self.emulator.client("sqs").purge_queue(QueueUrl=url)

    def dead_letters(self) -> dict[str, int]:
        """Messages in the dead-letter queues, by logical name; empty ones left out."""
        sqs = self.emulator.client("sqs")
        counts = {}
        for name, url in self.stack.resources("AWS::SQS::Queue").items():
            if name.endswith("DeadLetters"):
                attributes = sqs.get_queue_attributes(
                    QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
                )["Attributes"]
                if number := int(attributes["ApproximateNumberOfMessages"]):
                    counts[name] = number
        return counts

    def invocations(self) -> dict[str, int]:
        """Invocations by stage, from the emulator's own records."""
        records = Invocations(self.emulator)
        return {stage: records.count(name) for stage, name in self._functions().items()}

    # what is there

    def papers(self) -> PaperTable:
        """The Papers table, with the launcher's rights."""
        return PaperTable(self.table("PapersTable"))

    def site(self) -> SiteBucket:
        """The site's bucket, with the launcher's rights."""
        name = self.stack.resources("AWS::S3::Bucket")["SiteBucket"]
        return SiteBucket(self.emulator.client("s3"), name)

    def table(self, logical: str) -> "Table":
        """A table by its logical name, with the launcher's rights."""
        name = self.stack.resources("AWS::DynamoDB::Table")[logical]
        return (
            self.emulator.session()
            .resource("dynamodb", endpoint_url=self.emulator.endpoint)
            .Table(name)
        )

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All items of a table by its logical name."""
        items: list[dict[str, Any]] = []
        request: dict[str, Any] = {}
        while True:
            answer = self.table(table).scan(**request)
            items += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return items
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def copy_site(self, folder: Path) -> None:
        """Write the bucket's files below *folder*, and remove what is no longer in the bucket."""
        s3, bucket = (
            self.emulator.client("s3"),
            self.stack.resources("AWS::S3::Bucket")["SiteBucket"],
        )
        kept = set()
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for entry in page.get("Contents", []):
                path = folder / entry["Key"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
                kept.add(path)
        for path in folder.rglob("*"):
            if path.is_file() and path not in kept:
                path.unlink()

    def api(self) -> str:
        """The HTTP API's address on this machine, to which a path such as /api/health is added."""
        api_id = self.stack.resources("AWS::ApiGatewayV2::Api").get("HttpApi", "none")
        return f"{self.emulator.endpoint}/_aws/execute-api/{api_id}/$default"

    def announce(self, files: Sequence[Path]) -> None:
        """Put *files* where fetch looks, and nothing else."""
        shutil.rmtree(self.folders.feeds, ignore_errors=True)
        self.folders.feeds.mkdir(parents=True)
        for n, path in enumerate(files):
            shutil.copyfile(path, self.folders.feeds / f"{n:03}-{path.stem}.xml")

    def stage_of(self, function: str) -> str:
        """The stage of a function's name."""
        return next((s for s, name in self._functions().items() if name == function), function)

    def _functions(self) -> dict[str, str]:
        """Function names by stage."""
        return {
            logical.removesuffix("Function").lower(): physical
            for logical, physical in self.stack.resources("AWS::Lambda::Function").items()
        }

    def _configure_functions(self) -> None:
        """What only a laptop needs: where AWS is, and what time it is."""
        self.emulator.set_clock(self._offset_s)
        client = self.emulator.client("lambda")
        wanted = {
            "AWS_ENDPOINT_URL": self.emulator.endpoint,
            "AWS_ENDPOINT_URL_SESV2": self.standin.url,
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self.standin.url,
        }
        for name in self._functions().values():
            variables = client.get_function_configuration(FunctionName=name)["Environment"][
                "Variables"
            ]
            if variables != variables | wanted:
                client.update_function_configuration(
                    FunctionName=name, Environment={"Variables": variables | wanted}
                )

    def _put_token_keys(self) -> None:
        """Make the keys of mail links once; as an operator does in AWS (docs/deploy.md)."""
        ssm = self.emulator.client("ssm")
        try:
            ssm.get_parameter(Name=_KEYS_PARAMETER)
        except ssm.exceptions.ParameterNotFound:
            ssm.put_parameter(Name=_KEYS_PARAMETER, Value=new_keys(), Type="SecureString")


def _patience_s(messages: Mapping[str, tuple[int, int]], *, idle: bool) -> int:
    """How long nothing may change: while functions run, messages are put off, or just wait."""
    if not idle:
        return _RUNS_AT_MOST_S
    is_put_off = any(hidden for _, hidden in messages.values())
    return _COMES_BACK_S if is_put_off else _STUCK_AFTER_S
