"""`paperpost local`: replay recorded days, or follow arXiv, all on this machine."""

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from paperpost.domain.announcements import EASTERN
from paperpost.domain.errors import PaperpostError
from paperpost_cli.cloud.emulator import free_port
from paperpost_cli.cloud.standin import ReplayModel, Standin
from paperpost_cli.counting import count_run
from paperpost_cli.frontdoor import FrontDoor, Rooms
from paperpost_cli.laptop import (
    EMULATOR_PORT,
    HOME,
    LIVE_HOME,
    ROOT,
    SENDER_DOMAIN,
    STANDIN_PORT,
    Folders,
    HandlerFailedError,
    LaptopCloud,
)
from paperpost_cli.progress import Progress
from paperpost_cli.readers import confirm, invent_readers, sign_up
from paperpost_cli.replay import Replay, plan_replay, stops
from paperpost_cli.watch import Sources

SAMPLE = ROOT / "events" / "sample"
_DEFAULT_READERS = 12
_TICK_S = 5
_LIVE_CATEGORIES = ("cs.AI", "cs.CL", "cs.CV", "cs.LG", "stat.ML")


class ReceiptError(PaperpostError):
    """The counts of a replay do not add up."""

    def __init__(self, problems: list[str], path: Path) -> None:
        super().__init__(f"{len(problems)} counts do not add up (all in {path}): {problems[0]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run: a replay, or None for today's arXiv. `stays`: until Ctrl-C, on known ports."""

    replay: Replay | None
    categories: tuple[str, ...]
    out: Path
    readers: int
    template: Path
    port: int
    stays: bool = True


def run_local(options: argparse.Namespace) -> int:
    """Run the command with its parsed options and return the exit status."""
    if options.live and options.feed:
        raise PaperpostError("--live follows today's arXiv and --feed replays files: choose one")
    if options.once and options.out is None:
        raise PaperpostError("--once needs --out DIR, where it leaves site, mail and receipt")
    if options.once and options.live:
        raise PaperpostError("--once ends when replayed days are through; --live has no end")
    replay = None
    if not options.live:
        feeds = options.feed or sorted((SAMPLE / "feeds").glob("*.xml"))
        replay = plan_replay(feeds, options.category)
    readers = _DEFAULT_READERS if options.subscribers is None else options.subscribers
    plan = Plan(
        replay=replay,
        categories=replay.categories if replay else tuple(options.category) or _LIVE_CATEGORIES,
        out=(options.out or Path.cwd() / (LIVE_HOME if options.live else HOME)).resolve(),
        readers=readers if replay else 0,
        template=(options.template or ROOT / "template.yaml").resolve(),
        port=options.port,
        stays=not options.once,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    return _once(plan) if options.once else _stay(plan)


def _once(plan: Plan) -> int:
    """Replay the days, leave site, mail and receipt in the folder, and say whether it adds up."""
    assert plan.replay is not None
    with running(plan) as cloud:
        replay_days(plan, cloud, plan.replay)
        cloud.copy_site(plan.out / "site")
        receipt = count_run(cloud, plan.replay, out=plan.out, readers=plan.readers)
    path = plan.out / "receipt.json"
    path.write_text(receipt.to_json(), encoding="utf-8")
    if receipt.problems:
        for problem in receipt.problems:
            print(f"paperpost: {problem}", file=sys.stderr)
        raise ReceiptError(list(receipt.problems), path)
    print(receipt.summary())
    return 0


def _stay(plan: Plan) -> int:
    """Replay what was not replayed yet, then answer at the front door until Ctrl-C."""
    sources = Sources((ROOT / "functions", ROOT / "templates"), plan.template)
    busy = threading.Lock()
    cloud_box: list[LaptopCloud] = []

    def refresh() -> None:
        if not sources.changed():
            return
        with busy:
            _tolerant(partial(cloud_box[0].deploy, stack_parameters(plan)))
            _fire(cloud_box[0], "publish")

    def api_address() -> str:
        return cloud_box[0].api()

    door = FrontDoor(
        Rooms(
            site=lambda: cloud_box[0].site() if cloud_box else None,
            api_address=api_address,
            mail_folder=plan.out / "mail",
            refresh=refresh,
        ),
        port=plan.port,
    )
    with running(plan) as cloud:
        with busy:
            if plan.replay is not None:
                replay_days(plan, cloud, plan.replay)
        cloud_box.append(cloud)
        threading.Thread(target=door.serve, daemon=True).start()
        _say_where(door.url, plan)
        try:
            _follow_schedules(cloud, busy)
        except KeyboardInterrupt:
            Console(stderr=True).print("\nStopping …")
        finally:
            door.close()
    return 0


@contextmanager
def running(plan: Plan) -> Iterator[LaptopCloud]:
    """The started laptop cloud; stopped behind, whatever happens."""
    folders = Folders.of(plan.out)
    folders.mail.mkdir(parents=True, exist_ok=True)
    port, standin_port = free_port(), 0
    if plan.stays:
        port, standin_port = choose_ports(EMULATOR_PORT, STANDIN_PORT)
    standin = Standin(
        mail_dir=folders.mail,
        model=ReplayModel.from_file(SAMPLE / "answers.jsonl"),
        verified_domain=SENDER_DOMAIN,
        port=standin_port,
    )
    cloud = LaptopCloud(folders, standin=standin, template=plan.template, port=port)
    try:
        with Progress("starting the emulator, deploying the template") as progress:
            cloud.start(stack_parameters(plan))
            progress.done(f"{len(cloud.invocations())} functions deployed")
        yield cloud
    finally:
        cloud.stop()


def choose_ports(emulator: int, standin: int) -> tuple[int, int]:
    """The ports to use: those wanted where they are free; says so in one line where one is not."""
    found = free_port(emulator), free_port(standin)
    if found != (emulator, standin):
        print(
            f"Port {emulator} or {standin} is taken: AWS is at 127.0.0.1:{found[0]}, "
            f"mail and models are at 127.0.0.1:{found[1]}. "
            "`paperpost invoke` knows that, events/env.json does not.",
            file=sys.stderr,
        )
    return found


def stack_parameters(plan: Plan) -> dict[str, str]:
    """The template's parameters on this machine."""
    parameters = {
        "ContactMail": f"you@{SENDER_DOMAIN}",
        "Categories": ",".join(plan.categories),
        # Not the port that happens to be free: links are part of the bytes that readers compare.
        "SiteUrl": f"http://127.0.0.1:{plan.port}",
        "Mail": "on",
        "SenderDomain": SENDER_DOMAIN,
        "PostalAddress": "Paperpost on a laptop, 1 Sample Street",
        "EnrichProvider": "bedrock",
        "DataPolicy": "Delete",
        "LogRetentionDays": "1",
        "SignupsPerNetwork": "100000",
        "SignupsPerHour": "100000",
    }
    if plan.replay is not None:
        parameters |= {
            "FeedSource": (plan.out / "state" / "feeds").as_uri(),
            "ApiMetadata": "off",
        }
    else:
        parameters |= {"EnrichProvider": "extractive"}
    return parameters


def replay_days(plan: Plan, cloud: LaptopCloud, replay: Replay) -> None:
    """Let each date pass, from before its announcement to the end of its Eastern day."""
    clock = _Clock(plan.out / "state" / "clock.json")
    first = min(replay.days)
    clock.move(cloud, stops(first)[0] - timedelta(minutes=15))
    wanted = {r.address: r for r in invent_readers(plan.readers, replay.categories)}
    known = set(clock.readers)
    new = [r for address, r in wanted.items() if address not in known]
    if new:
        with Progress(f"{len(new)} readers sign up and confirm") as progress:
            sign_up(new, api=cloud.api())
            cloud.settle()
            confirm(new, api=cloud.api(), mails=plan.out / "mail")
            cloud.settle()
            clock.keep_readers(list(wanted))
            progress.done(f"{len(new)} readers signed up and confirmed")
    for on, files in replay.days.items():
        cloud.announce([file.path for file in files])
        title = f"{on:%a %d %b %Y}: {len(files)} feed{'s' if len(files) > 1 else ''}"
        with Progress(title) as progress:
            for at in stops(on):
                since = at.replace(hour=0, minute=0) if at == stops(on)[0] else clock.at
                if not clock.move(cloud, at) and at != stops(on)[-1]:
                    continue  # this day has passed in an earlier run: one more look is enough
                progress.step(f"{at.astimezone(EASTERN):%H:%M} Eastern")
                cloud.fire_due(min(since, cloud.now() - timedelta(days=1)))
            mails = len(list((plan.out / "mail").glob("*.eml")))
            progress.done(f"{title}; mailbox {mails}")


class _Clock:
    """How far the functions' clock has come, kept beside the state so that it never goes back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        saved = json.loads(path.read_text()) if path.exists() else {}
        self.at = datetime.fromisoformat(saved.get("at", "0001-01-01T00:00:00+00:00"))
        self.readers: list[str] = saved.get("readers", [])

    def move(self, cloud: LaptopCloud, at: datetime) -> bool:
        """Set the functions' clock to *at*, or leave it where it was if that is later."""
        forward = at > self.at
        if forward:
            self.at = at.astimezone(UTC)
            self._save()
        cloud.set_clock(self.at)
        return forward

    def keep_readers(self, addresses: list[str]) -> None:
        """Remember who has signed up."""
        self.readers = addresses
        self._save()

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"at": self.at.isoformat(), "readers": self.readers})
        fresh = self._path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self._path)


def _follow_schedules(cloud: LaptopCloud, busy: threading.Lock) -> NoReturn:
    """Fire what falls due while the front door is open; a failed function is said and goes on."""
    since = cloud.now()
    while True:
        time.sleep(_TICK_S)
        with busy:
            upto = cloud.now()
            _tolerant(partial(cloud.fire_due, since))
            since = upto


def _fire(cloud: LaptopCloud, stage: str) -> None:
    for schedule in cloud.schedules():
        if cloud.stage_of(schedule.function) == stage:
            _tolerant(partial(cloud.fire, schedule))


def _tolerant(act: Callable[[], object]) -> None:
    try:
        act()
    except (HandlerFailedError, PaperpostError) as exc:
        Console(stderr=True).print(f"[red]{exc}[/red]")


def _say_where(url: str, plan: Plan) -> None:
    lines = [
        "",
        "  Paperpost runs on this machine. Where to look:",
        f"    the site and its feeds   {url}/",
        f"    every mail               {url}/mailbox",
        f"    status and receipts      {url}/status.html",
        f"    state                    {plan.out}",
        "  Save a template or a handler and reload. Ctrl-C stops; the state stays.",
        "",
    ]
    Console(stderr=True, highlight=False).print("\n".join(lines))


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
