"""The main job on small days: two dates, two feed forms, six readers, the real template."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from oracle.run_check import check_run
from paperpost_cli.cloud.standin import ReplayModel, Standin
from paperpost_cli.laptop import ROOT, SENDER_DOMAIN, Folders, LaptopCloud
from paperpost_cli.local import Plan, stack_parameters
from paperpost_cli.proofs.removals import REMOVALS, SAYS, without_trigger
from paperpost_cli.proofs.run import fingerprint, local
from paperpost_cli.replay import plan_replay, stops
from support.feeds import DAY, Item, atom, rss

pytestmark = pytest.mark.emulator

NEXT_DAY = DAY + timedelta(days=1)
STAT = [
    Item(arxiv_id="2604.99101", categories=("stat.ML", "cs.LG"), title="One | with a pipe"),
    Item(arxiv_id="2604.99102", categories=("math.ST", "stat.TH"), title="Two <b>tags</b>"),
    Item(arxiv_id="2604.99103", categories=("cs.CV", "stat.ML"), announce_type="cross", title="0"),
    Item(
        arxiv_id="2603.99104",
        version=2,
        categories=("stat.ML",),
        announce_type="replace",
        abstract="This paper has been withdrawn by the authors.",
    ),
]
AI = [
    Item(arxiv_id="2604.99201", categories=("cs.AI",), title="Three {{ braces }}"),
    Item(arxiv_id="2604.99101", categories=("stat.ML", "cs.AI"), announce_type="cross"),
]
READERS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallRun:
    """A finished run: its folder, feeds, and how the command ended."""

    out: Path
    feeds: list[Path]
    ended: CompletedProcess[str]


def write_feeds(folder: Path) -> list[Path]:
    """The archive `stat` as RSS on the first day, cs.AI as Atom on the next."""
    made = {
        "stat.xml": rss(STAT, names="stat", on=DAY),
        "ai.xml": atom(AI, names="cs.AI", on=NEXT_DAY),
    }
    for name, body in made.items():
        (folder / name).write_bytes(body)
    return [folder / name for name in made]


def options(feeds: list[Path]) -> list[object]:
    """The feeds as the command takes them."""
    return [option for feed in feeds for option in ("--feed", feed)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    """Both days, replayed once for all tests here."""
    folder = tmp_path_factory.mktemp("small-day")
    feeds, out = write_feeds(folder), folder / "out"
    ended = local("--once", "--out", out, *options(feeds), "--subscribers", READERS)
    return SmallRun(out=out, feeds=feeds, ended=ended)


def test_the_run_ends_well_and_its_counts_add_up(run: SmallRun) -> None:
    receipt = json.loads((run.out / "receipt.json").read_text())

    assert run.ended.returncode == 0, run.ended.stderr
    assert receipt["problems"] == []
    assert sum(a["announced"] for a in receipt["announcements"]) == 6
    assert all(n > 0 for n in receipt["invocations"].values())


def test_the_independent_checker_finds_nothing(run: SmallRun) -> None:
    """Every listing where it must be, every reader's letter exactly as owed."""
    found = [f.line for f in check_run(run.out, run.feeds) if not f.ok]

    assert found == []


def test_a_bouncing_reader_gets_one_letter_and_no_more(run: SmallRun) -> None:
    readers = json.loads((run.out / "subscribers.json").read_text())

    assert len(readers) == READERS
    assert [r["status"] for r in readers if "bounce" in r["address"]] == ["bounced"]


def test_the_same_folder_again_changes_no_byte_and_mails_nobody(run: SmallRun) -> None:
    """A laptop that is closed and opened again is no new announcement."""
    before = fingerprint(run.out)

    ended = local("--once", "--out", run.out, *options(run.feeds), "--subscribers", READERS)

    assert ended.returncode == 0, ended.stderr
    assert fingerprint(run.out) == before


def test_a_new_day_into_the_same_folder_goes_on_from_its_state(
    run: SmallRun, tmp_path: Path
) -> None:
    """What stood in the feeds stays, the new paper is added, and each reader gets the new issue."""
    later = tmp_path / "later.xml"
    paper = Item(arxiv_id="2604.99301", categories=("cs.AI",), title="Four")
    later.write_bytes(rss([paper], names="cs.AI", on=NEXT_DAY + timedelta(days=1)))

    feeds = [*run.feeds, later]
    ended = local("--once", "--out", run.out, *options(feeds), "--subscribers", READERS)

    assert ended.returncode == 0, ended.stderr
    assert [f.line for f in check_run(run.out, feeds) if not f.ok] == []


def test_nothing_is_left_but_the_state(run: SmallRun) -> None:
    """No worker's folder, no half-written file."""
    assert not list((run.out / "state").rglob("ministack-lambda-*"))
    assert not list(run.out.rglob("*.new"))


@pytest.mark.parametrize("trigger", REMOVALS)
def test_without_a_trigger_the_run_fails(trigger: str, tmp_path: Path) -> None:
    """Nothing of the flow works by accident: the laptop cloud fires only what the template has."""
    template = without_trigger(trigger, tmp_path)
    feed = tmp_path / "ai.xml"
    feed.write_bytes(rss(AI[:1], names="cs.AI", on=DAY))

    ended = local(
        "--once", "--out", tmp_path / "out", "--feed", feed, "--subscribers", 2,
        "--template", template,
    )  # fmt: skip

    assert ended.returncode == 1
    assert SAYS[trigger] in ended.stderr.strip().splitlines()[-1]


def test_the_sweep_heals_a_lost_message(tmp_path: Path) -> None:
    """The enrichment queue loses everything; an hour later the papers are queued again."""
    feed = tmp_path / "ai.xml"
    feed.write_bytes(rss(AI[:1], names="cs.AI", on=DAY))
    folders = Folders(state=tmp_path / "state", mail=tmp_path / "mail")
    folders.mail.mkdir()
    answers = {AI[0].arxiv_id: {"zh": ZH, "en": {"tldr": "It proposes nothing."}}}
    standin = Standin(
        mail_dir=folders.mail, model=ReplayModel(answers), verified_domain=SENDER_DOMAIN
    )
    replay = plan_replay([feed])
    plan = Plan(
        replay=replay,
        categories=replay.categories,
        out=tmp_path,
        readers=0,
        template=ROOT / "template.yaml",
        port=8000,
    )
    cloud = LaptopCloud(folders, standin=standin, template=plan.template)
    try:
        cloud.start(stack_parameters(plan))
        cloud.announce([feed])
        cloud.set_clock(stops(DAY)[0])
        due = {cloud.stage_of(s.function): s for s in cloud.schedules()}
        with cloud.paused("EnrichmentQueue"):
            cloud.fire(due["fetch"])
            cloud.lose("EnrichmentQueue")
        cloud.settle()
        lost = cloud.papers().get_enrichments([AI[0].arxiv_id], ["zh", "en"])

        cloud.fire(due["enrich"])
        cloud.settle()
        healed = cloud.papers().get_enrichments([AI[0].arxiv_id], ["zh", "en"])
    finally:
        cloud.stop()

    assert lost == {}
    assert {e.state.value for e in healed[AI[0].arxiv_id].values()} == {"ok"}


ZH = {"title": "编造的标题", "abstract": "我们什么也不提出。它有效。", "tldr": "什么也不提出。"}
