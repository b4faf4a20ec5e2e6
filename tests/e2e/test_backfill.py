"""`paperpost backfill` on a running stack: the real handler, real https, a made-up arXiv."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from paperpost_cli.laptop import HOME, ROOT, LaptopCloud
from paperpost_cli.local import Plan, running
from support.arxiv_script import ScriptedDay, ScriptedPaper, truth
from support.arxiv_server import ArxivServer
from support.arxiv_tls import Secured, secured

pytestmark = pytest.mark.emulator

MONDAY, THURSDAY, FRIDAY = date(2026, 4, 20), date(2026, 4, 23), date(2026, 4, 24)
POLL_AT = datetime(2026, 4, 24, 4, 30, tzinfo=UTC)  # 00:30 Eastern, Friday
GAP_S = 3.0


def script() -> list[ScriptedDay]:
    """Monday to Friday: two new papers a day, one of them a cross-list, and a replacement."""
    days = list[ScriptedDay]()
    for number in range(5):
        on = MONDAY + timedelta(days=number)
        first = f"2604.9{number}001"
        papers = [
            ScriptedPaper(arxiv_id=first, title=f"First of {on:%A}"),
            ScriptedPaper(arxiv_id=f"2604.9{number}002", categories=("cs.LG", "cs.AI")),
            ScriptedPaper(arxiv_id=f"2603.9{number}003", version=2),
        ]
        days.append(ScriptedDay(on=on, papers=tuple(papers)))
    return days


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A laptop cloud that follows the made-up arXiv."""

    folder: Path
    cloud: LaptopCloud
    arxiv: ArxivServer
    secured: Secured

    def stored(self) -> dict[tuple[date, str], dict[str, tuple[int, str]]]:
        """What the table lists, in the form of the script's truth."""
        return {
            (on, "cs.AI"): {
                li.arxiv_id: (li.version, li.announce_type.value)
                for li in self.cloud.papers().list_listings("cs.AI", on)
            }
            for on in (MONDAY + timedelta(days=n) for n in range(5))
        }

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`paperpost` as an operator calls it."""
        return subprocess.run(
            [sys.executable, "-m", "paperpost_cli", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def ended_at(self, words: bytes, how: int, *arguments: str) -> tuple[bytes, int]:
        """What the command shows on a terminal until *words* stand there and the signal comes."""
        terminal, inside = pty.openpty()
        command = [sys.executable, "-m", "paperpost_cli", *arguments]
        # Tests that run in a shell's background were told to ignore Ctrl-C, and so would it be.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        with subprocess.Popen(command, cwd=self.folder, stderr=inside) as process:
            signal.signal(signal.SIGINT, before)
            os.close(inside)
            seen = b""
            while words not in seen:
                seen += os.read(terminal, 4096)
            process.send_signal(how)
            status = process.wait()
        with suppress(OSError):  # nobody holds the other end any more
            while True:
                seen += os.read(terminal, 4096)
        os.close(terminal)
        return seen, status


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The stack on Friday, shortly after the announcement; nothing is stored yet."""
    folder = tmp_path_factory.mktemp("backfill")
    plan = Plan(
        replay=None,
        categories=("cs.AI",),
        out=folder / HOME,
        readers=0,
        template=ROOT / "template.yaml",
        port=8000,
        stays=False,
    )
    with running(plan) as cloud:
        cloud.set_clock(POLL_AT)
        arxiv = ArxivServer(script(), clock=cloud.now, api_lag=timedelta())
        with secured(arxiv, folder) as proxy:
            client, name = cloud.emulator.client("lambda"), cloud.stack.physical["FetchFunction"]
            kept = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            client.update_function_configuration(
                FunctionName=name, Environment={"Variables": {**kept, **proxy.environment}}
            )
            yield Running(folder=folder, cloud=cloud, arxiv=arxiv, secured=proxy)
            cloud.settle()


def test_days_before_the_first_poll_are_filled_though_the_command_is_stopped_twice(
    stack: Running,
) -> None:
    """Killed in the second day, Ctrl-C in the third, then through, then once more without work."""
    told = truth(script(), ["cs.AI"])
    backfill = ("backfill", "--category", "cs.AI", "--from", str(MONDAY), "--to", str(THURSDAY))

    stack.cloud.fire_due(stack.cloud.now() - timedelta(minutes=15))
    polled = stack.stored()
    killed, _ = stack.ended_at(b"2026-04-21", signal.SIGKILL, *backfill)
    stopped, stopped_status = stack.ended_at(b"2026-04-22", signal.SIGINT, *backfill)
    again = stack.command(*backfill)
    asked = len(stack.arxiv.log)
    last = stack.command(*backfill, "--json")

    assert polled == {key: told[key] if key[0] == FRIDAY else {} for key in told}
    assert b"backfilling cs.AI 2026-04-20" in killed
    assert (b"The same command goes on from here." in stopped, stopped_status) == (True, 130)
    assert again.returncode == 0, again.stderr
    assert "4/4" in again.stderr
    assert stack.stored() == told
    assert json.loads(last.stdout) == {
        "category": "cs.AI",
        "days": 4,
        "backfilled": 0,
        "papers": 0,
        "complete_before": 4,
        "missing": 0,
        "problem": None,
    }
    assert len(stack.arxiv.log) == asked
    assert stack.arxiv.smallest_gap_s >= GAP_S
    assert set(stack.secured.connects) == {
        "rss.arxiv.org:443",
        "export.arxiv.org:443",
        "oaipmh.arxiv.org:443",
    }


def test_the_receipts_of_filled_days_are_shown(stack: Running) -> None:
    """Once what a day holds back for its translations is over, everything adds up."""
    stack.cloud.set_clock(POLL_AT + timedelta(hours=1))
    stack.cloud.fire_due(stack.cloud.now() - timedelta(minutes=5))

    status = stack.command("status", "--json")

    receipts = json.loads(status.stdout)
    assert (status.returncode, receipts["adds_up"]) == (0, True)
    assert {
        day["announced_on"]: [
            (row["category"], row["state"], row["announced"], row["published"])
            for row in day["categories"]
        ]
        for day in receipts["dates"]
    } == {str(MONDAY + timedelta(days=n)): [("cs.AI", "complete", 3, 3)] for n in range(5)}


@pytest.mark.parametrize(
    ("category", "last", "said"),
    [
        ("cs.CV", THURSDAY, "2026-04-20: cs.CV is not among the configured categories"),
        ("cs.AI", FRIDAY, "2026-04-24: backfill is for days before today, 2026-04-24"),
    ],
)
def test_what_cannot_be_filled_is_said_and_not_asked_for(
    stack: Running, category: str, last: date, said: str
) -> None:
    """As one line and as JSON, with status 1."""
    asked = len(stack.arxiv.log)
    options = ("--category", category, "--from", str(MONDAY), "--to", str(last))

    in_words = stack.command("backfill", *options)
    as_json = stack.command("backfill", *options, "--json")

    assert (in_words.returncode, as_json.returncode) == (1, 1)
    assert said in in_words.stderr.splitlines()[-1]
    assert json.loads(as_json.stdout)["problem"].startswith(said)
    assert as_json.stderr == ""
    assert len(stack.arxiv.log) == asked
