"""`paperpost local`: replay recorded days, or follow arXiv, all on this machine."""

import argparse
import json
import os
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

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from paperpost.domain.announcements import EASTERN
from paperpost.domain.errors import InvalidInputError, PaperpostError
from paperpost_cli.cloud.emulator import free_port
from paperpost_cli.cloud.models import ForwardModel, Model
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
    LaptopCloud,
)
from paperpost_cli.lock import only_one
from paperpost_cli.progress import Progress
from paperpost_cli.readers import confirm, invent_readers, sign_up
from paperpost_cli.replay import Replay, known, plan_replay, stops
from paperpost_cli.watch import Sources

SAMPLE = ROOT / "events" / "sample"
LLM_URL = "PAPERPOST_LLM_URL"
_DEFAULT_READERS = 12
_TICK_S = 5
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_INTERRUPTED = 128 + signal.SIGINT
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
    template = (options.template or ROOT / "template.yaml").resolve()
    if not template.is_file():
        raise InvalidInputError(f"--template: there is no file {template}")
    replay = None
    if not options.live:
        feeds = options.feed or sorted((SAMPLE / "feeds").glob("*.xml"))
        replay = plan_replay(feeds, options.category)
    readers = _DEFAULT_READERS if options.subscribers is None else options.subscribers
    plan = Plan(
        replay=replay,
        categories=replay.categories if replay else known(options.category) or _LIVE_CATEGORIES,
        out=(options.out or Path.cwd() / (LIVE_HOME if options.live else HOME)).resolve(),
        readers=readers if replay else 0,
        template=template,
        port=options.port,
        stays=not options.once,
    )
    for number in _STOP_SIGNALS:
        signal.signal(number, _interrupt)
    try:
        return _once(plan) if options.once else _stay(plan)
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        return _INTERRUPTED if options.once else 0


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
    busy = threading.Lock()
    reload = _Reload(plan, busy)
    with only_one(Folders.of(plan.out).state, told=f"open http://127.0.0.1:{plan.port}/"):
        clouds: list[LaptopCloud] = []

        def here() -> LaptopCloud:
            return clouds[0]

        door = FrontDoor(
            Rooms(
                site=lambda: here().site(),
                api_address=lambda: here().api(),
                mail_folder=plan.out / "mail",
                refresh=lambda: reload(here()),
            ),
            port=plan.port,
        )
        with _running(plan) as cloud:
            if plan.replay is not None:
                replay_days(plan, cloud, plan.replay)
            clouds.append(cloud)
            threading.Thread(target=door.serve, daemon=True).start()
            _say_where(door.url, plan)
            try:
                if plan.replay is None:
                    _poll_at_once(cloud, busy)
                _follow_schedules(cloud, busy)
            finally:
                door.close()


class _Reload:
    """Deploys what was saved before the site or the API answers; the old stays if it is broken."""

    def __init__(self, plan: Plan, busy: threading.Lock) -> None:
        self._plan, self._busy = plan, busy
        self._one_at_a_time = threading.Lock()  # what is asked meanwhile waits for the new too
        self._sources = Sources((ROOT / "functions", ROOT / "templates"), plan.template)

    def __call__(self, cloud: LaptopCloud) -> None:
        with self._one_at_a_time:
            if not self._sources.changed():
                return
            if errors := self._sources.syntax_errors():
                _complain("\n".join([*errors, "Not deployed: what was there stays."]))
                return
            with self._busy:
                _tolerant(partial(cloud.deploy, stack_parameters(self._plan)))
                _fire(cloud, "publish")


@contextmanager
def running(plan: Plan) -> Iterator[LaptopCloud]:
    """
    The started laptop cloud; stopped behind, whatever happens.

    Raises: RunsAlreadyError: If one runs on the same folder.
    """
    with only_one(Folders.of(plan.out).state, told="without a front door"), _running(plan) as cloud:
        yield cloud


@contextmanager
def _running(plan: Plan) -> Iterator[LaptopCloud]:
    folders = Folders.of(plan.out)
    folders.mail.mkdir(parents=True, exist_ok=True)
    port, standin_port = free_port(), 0
    if plan.stays:
        port, standin_port = choose_ports(EMULATOR_PORT, STANDIN_PORT)
    standin = Standin(
        mail_dir=folders.mail,
        model=_model(),
        verified_domain=SENDER_DOMAIN,
        port=standin_port,
    )
    cloud = LaptopCloud(folders, standin=standin, template=plan.template, port=port)
    try:
        with Progress("starting the emulator, deploying the template") as progress:
            cloud.start(stack_parameters(plan), at=_begins_at(plan))
            progress.done(f"{len(cloud.invocations())} functions deployed")
        yield cloud
    finally:
        cloud.stop()


def _model() -> Model:
    """The sample day's answers, or the OpenAI-compatible server that PAPERPOST_LLM_URL names."""
    url = os.environ.get(LLM_URL, "").strip()
    return ForwardModel(url) if url else ReplayModel.from_file(SAMPLE / "answers.jsonl")


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
        "Languages": "zh,en",  # the sample day has answers in both
        "EnrichProvider": "bedrock",
        # So that the counts of cost show something; they are those of the model in the template.
        "EnrichInputPrice": "0.06",
        "EnrichOutputPrice": "0.24",
        # A replay of weeks may take a model on this machine a while, and costs nothing.
        "EnrichTokensADay": "0",
        "DataPolicy": "Delete",
        "LogRetentionDays": "1",
        "SignupsPerNetwork": "100000",
        "SignupsPerDomain": "100000",
        "SignupsPerHour": "100000",
    }
    if plan.replay is not None:
        parameters |= {
            "FeedSource": (plan.out / "state" / "feeds").as_uri(),
            "ApiMetadata": "off",
        }
    elif not os.environ.get(LLM_URL):
        parameters |= {"EnrichProvider": "extractive"}
    return parameters


def replay_days(plan: Plan, cloud: LaptopCloud, replay: Replay) -> None:
    """Let each date pass, from before its announcement to the end of its Eastern day."""
    # What an interrupted run left in the queues belongs to the time before.
    cloud.settle()
    clock = _Clock(plan.out / "state" / "clock.json")
    clock.move(cloud, _before(replay))
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


def _begins_at(plan: Plan) -> datetime | None:
    """Where a replay's clock begins or goes on; None for the real time."""
    if plan.replay is None:
        return None
    return max(_Clock(plan.out / "state" / "clock.json").at, _before(plan.replay))


def _before(replay: Replay) -> datetime:
    """Shortly before the first announcement."""
    return stops(min(replay.days))[0] - timedelta(minutes=15)


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


def _poll_at_once(cloud: LaptopCloud, busy: threading.Lock) -> None:
    """Give the site its pages, then ask arXiv, without waiting for the schedule."""
    with busy:
        for stage in ("publish", "fetch"):
            with Progress(
                {"publish": "making the site", "fetch": "asking arXiv"}[stage]
            ) as progress:
                done = _fire(cloud, stage)
                progress.done(
                    f"{stage}: {'done' if done else 'see above; its schedule tries again'}"
                )
        _tolerant(cloud.settle)


def _follow_schedules(cloud: LaptopCloud, busy: threading.Lock) -> NoReturn:
    """Fire what falls due while the front door is open; a failed function is said and goes on."""
    since = cloud.now()
    while True:
        time.sleep(_TICK_S)
        with busy:
            upto = cloud.now()
            for schedule in cloud.due(since):
                _tolerant(partial(cloud.fire, schedule))
                _tolerant(cloud.settle)
            since = upto


def _fire(cloud: LaptopCloud, stage: str) -> bool:
    """Fire the schedules of one stage now; whether all went well."""
    schedules = [s for s in cloud.schedules() if cloud.stage_of(s.function) == stage]
    done = [_tolerant(partial(cloud.fire, schedule)) for schedule in schedules]
    return all(done)


def _tolerant(act: Callable[[], object]) -> bool:
    """Whether it went well; what went wrong is said in one line."""
    try:
        act()
    except (PaperpostError, BotoCoreError, ClientError) as exc:
        _complain(" ".join(str(exc).split()))
        return False
    return True


def _complain(text: str) -> None:
    """Text of an error on the terminal: its brackets are no markup, its lines are its own."""
    console = Console(stderr=True, highlight=False)
    console.print(text, style="red", markup=False, soft_wrap=True)


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
    """Stop in order; an impatient second Ctrl-C does not break that."""
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    os.write(2, "\nStopping …\n".encode())
    raise KeyboardInterrupt
