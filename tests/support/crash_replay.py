"""
An issue whose worker is killed (SIGKILL) again and again, and taken up again each time.

The cloud outlives it: the emulator is a process of its own, SES's stand-in is this one. Usage:
python -m support.crash_replay --out OUT [--subscribers N] [--kills N]. OUT then holds what
tests/oracle/crash_check.py judges: kills.json, ledger.json (every row, and the issue's own), mail/.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from paperpost.domain.issues import issue_id
from paperpost.domain.subscribers import Cadence
from paperpost_cli.cloud.emulator import REGION, ROOT_KEY
from paperpost_cli.issue import Ledger
from paperpost_cli.laptop import ROOT, LaptopCloud
from paperpost_cli.stacks import Stack
from support.feeds import Item, rss
from support.laptop_runs import bring_along, eastern, fire, laptop
from support.trap import PLACES, Kill, Trap, proxied

ON = date(2026, 4, 21)  # a Tuesday
ISSUE = issue_id(Cadence.DAILY, ON)
_CATEGORY, _PAPERS = "cs.AI", 12
# SQS offers the message again after 12 minutes, before the dead worker's claim ends after 15.
_SOON, _LATER, _NEXT_DAY = timedelta(minutes=13), timedelta(minutes=16), timedelta(hours=25)
# compose queues what is open once more each time: seldom, so that most of the work is no repeat.
_COMPOSED = 5
_ENDS_WITHIN_S = 1_800


@dataclass(slots=True, kw_only=True)
class Crashes:
    """The running cloud, and the worker that dies. `at`: the time that all believe it is."""

    cloud: LaptopCloud
    trap: Trap
    endpoints: Mapping[str, str]
    at: datetime

    def run(self, kills: Sequence[Kill]) -> None:
        """
        One worker a kill, each followed by what brings an issue on; then one that lives.

        Feedback comes late, behind all that: it must not be what keeps a letter from going twice.
        """
        with self.cloud.paused("FeedbackQueue"):
            for number, kill in enumerate(kills, 1):
                status = self._work(kill)
                assert len(self.trap.done) == number, f"the worker ended with {status}, not {kill}"
                self.trap.done[-1]["status"] = status
                self._resume(by_compose=number % _COMPOSED == 0)
            assert self._work(None) == 0
            self._resume(by_compose=True)
            assert self._work(None) == 0
        # What nobody can know any more is settled a day later, and the issue is closed.
        self._pass(_NEXT_DAY)
        fire(self.cloud, "compose")

    def _work(self, kill: Kill | None) -> int:
        """Let a worker work until it is killed or the queue is empty; its exit status."""
        url = self.cloud.stack.resources("AWS::SQS::Queue")["DeliveryQueue"]
        arn = f"arn:aws:sqs:{REGION}:000000000000:{url.rpartition('/')[2]}"
        self.trap.kill, self.trap.pid = None, 0
        with subprocess.Popen(
            [sys.executable, "-m", "support.lone_worker", url, arn],
            env=self._environment(),
            stdout=subprocess.DEVNULL,
        ) as worker:
            self.trap.pid, self.trap.kill = worker.pid, kill
            return worker.wait(_ENDS_WITHIN_S)

    def _environment(self) -> dict[str, str]:
        """The function's own environment, and only what a process needs besides."""
        client, name = self.cloud.emulator.client("lambda"), self.cloud.stack.physical
        kept = client.get_function_configuration(FunctionName=name["DeliverFunction"])
        paths = (ROOT / "functions", ROOT / "tests")
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
            "AWS_DEFAULT_REGION": REGION,
            **kept["Environment"]["Variables"],
            **self.endpoints,
        }

    def _resume(self, *, by_compose: bool) -> None:
        """The message comes back; sometimes the claim has ended before, and compose has looked."""
        self._pass(_LATER if by_compose else _SOON)
        if self.trap.message:
            sqs = self.cloud.emulator.client("sqs")
            url = self.cloud.stack.resources("AWS::SQS::Queue")["DeliveryQueue"]
            sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=self.trap.message, VisibilityTimeout=0
            )
            self.trap.message = ""
        if by_compose:
            fire(self.cloud, "compose")
            stack = Stack(
                session=self.cloud.emulator.session(),
                endpoint=self.cloud.emulator.endpoint,
                outputs=self.cloud.stack.outputs,
            )
            Ledger.of(stack, ISSUE, now=self.at).resume()

    def _pass(self, while_: timedelta) -> None:
        self.at += while_
        self.cloud.settle()  # to set a clock ends what runs
        self.cloud.set_clock(self.at)


def plan(kills: int, subscribers: int) -> list[Kill]:
    """Every place in turn, spread over the issue."""
    return [
        Kill(
            gap=gap,
            call=call,
            is_passed_on=is_passed_on,
            claims=(n + 1) * subscribers // (kills + 2),
        )
        for n in range(kills)
        for gap, call, is_passed_on in [PLACES[n % len(PLACES)]]
    ]


def prepare(cloud: LaptopCloud, out: Path, subscribers: int) -> None:
    """An issue of made-up papers, planned and queued for so many readers who want all of it."""
    wishes = {"categories": [_CATEGORY], "cadence": "daily", "language": "en", "length": "brief"}
    readers = [(f"reader{n:04}@example.org", wishes) for n in range(1, subscribers + 1)]
    bring_along(cloud, out, readers)
    items = [Item(arxiv_id=f"2604.9{n:04}", title=f"On {n} Things") for n in range(1, _PAPERS + 1)]
    feed = out / "feed.xml"
    feed.write_bytes(rss(items, names=_CATEGORY, on=ON))
    cloud.announce([feed])
    cloud.set_clock(eastern(ON, "00:21"))
    fire(cloud, "fetch")
    fire(cloud, "compose")


def leave(cloud: LaptopCloud, trap: Trap, out: Path) -> None:
    """Write what is judged."""
    profiles = {
        row["pk"].removeprefix("SUB#"): row["address"]
        for row in cloud.rows("SubscribersTable")
        if row["sk"] == "PROFILE"
    }
    rows = [row for row in cloud.rows("DeliveriesTable") if row["pk"].startswith(f"ISSUE#{ISSUE}")]
    for name, value in (
        ("kills", trap.done),
        ("ledger", rows),
        ("readers", profiles),
        ("dead_letters", cloud.dead_letters()),
    ):
        text = json.dumps(value, ensure_ascii=False, indent=1, default=str)
        (out / f"{name}.json").write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, resume, and leave what is judged."""
    parser = argparse.ArgumentParser(description="Kill an issue's worker and take it up again.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--subscribers", type=int, default=1_000)
    parser.add_argument("--kills", type=int, default=20)
    given = parser.parse_args(arguments)
    trap = Trap()
    with ExitStack() as opened:
        at = eastern(ON, "00:00")
        cloud = opened.enter_context(laptop(given.out, [_CATEGORY], at=at - timedelta(hours=12)))
        opened.enter_context(cloud.paused("DeliveryQueue"))
        prepare(cloud, given.out, given.subscribers)
        emulator, standin = (
            opened.enter_context(proxied(address, trap))
            for address in (cloud.emulator.endpoint, cloud.standin.url)
        )
        endpoints = {"AWS_ENDPOINT_URL": emulator, "AWS_ENDPOINT_URL_SESV2": standin}
        crashes = Crashes(cloud=cloud, trap=trap, endpoints=endpoints, at=eastern(ON, "00:22"))
        crashes.run(plan(given.kills, given.subscribers))
        cloud.settle()
        leave(cloud, trap, given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
