"""The laptop cloud that stays: what is saved is deployed, and what fails is said."""

import signal
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from paperpost.domain.errors import InvalidInputError, PaperpostError
from paperpost_cli import local
from paperpost_cli.cloud.models import ForwardModel, ReplayModel
from paperpost_cli.cloud.schedules import Schedule
from paperpost_cli.laptop import LaptopCloud


@dataclass
class FakeCloud:
    """Notes what is deployed and fired; `fails` stages raise."""

    fails: set[str] = field(default_factory=set)
    done: list[str] = field(default_factory=list)

    def deploy(self, _parameters: Mapping[str, str]) -> None:
        self.done.append("deploy")
        if "deploy" in self.fails:
            raise PaperpostError("Wrong: a reason\n in [/two] lines")

    def schedules(self) -> list[Schedule]:
        return [
            Schedule(name=stage, expression="", zone="", function=stage, payload="{}")
            for stage in ("fetch", "publish", "compose")
        ]

    def stage_of(self, function: str) -> str:
        return function

    def fire(self, schedule: Schedule) -> None:
        self.done.append(schedule.function)
        if schedule.function in self.fails:
            raise PaperpostError(f"{schedule.function} failed: no network")

    def settle(self) -> None:
        self.done.append("settle")


def as_cloud(fake: FakeCloud) -> LaptopCloud:
    return cast("LaptopCloud", fake)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a handler, a page and a template."""
    for name in ("functions/handler.py", "templates/page.html", "template.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("A = 1\n")
    monkeypatch.setattr(local, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def reload(root: Path) -> local._Reload:
    plan = local.Plan(
        replay=None,
        categories=("cs.AI",),
        out=root / ".local",
        readers=0,
        template=root / "template.yaml",
        port=8000,
    )
    return local._Reload(plan, threading.Lock())


def test_nothing_saved_deploys_nothing(reload: local._Reload) -> None:
    cloud = FakeCloud()

    reload(as_cloud(cloud))

    assert cloud.done == []


def test_a_saved_page_is_deployed_and_published_once(root: Path, reload: local._Reload) -> None:
    cloud = FakeCloud()
    (root / "templates" / "new.html").write_text("<p>")

    reload(as_cloud(cloud))
    reload(as_cloud(cloud))

    assert cloud.done == ["deploy", "publish"]


def test_a_broken_handler_is_said_and_not_deployed(
    root: Path, reload: local._Reload, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, with file and line; the old code goes on answering. Mended, it is deployed."""
    cloud = FakeCloud()
    (root / "functions" / "handler.py").write_text("def broken(:\n")
    reload(as_cloud(cloud))
    reload(as_cloud(cloud))
    said = capsys.readouterr().err

    (root / "functions" / "handler.py").write_text("A = 'mended'\n")
    reload(as_cloud(cloud))

    assert said.splitlines() == [
        f"{root}/functions/handler.py:1: invalid syntax",
        "Not deployed: what was there stays.",
    ]
    assert cloud.done == ["deploy", "publish"]


def test_a_failed_deployment_is_one_line(
    root: Path, reload: local._Reload, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its brackets are no markup."""
    (root / "template.yaml").write_text("Resources: [/two]\n")

    reload(as_cloud(FakeCloud(fails={"deploy"})))

    assert capsys.readouterr().err == "Wrong: a reason in [/two] lines\n"


def test_live_makes_the_site_first_then_asks_arxiv_at_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a network that is one line, and it goes on."""
    cloud = FakeCloud(fails={"fetch"})

    local._poll_at_once(as_cloud(cloud), threading.Lock())

    assert cloud.done == ["publish", "fetch", "settle"]
    assert "\nfetch failed: no network\n" in capsys.readouterr().err


@pytest.fixture
def signals() -> Iterator[None]:
    """Put the signals' own handling back."""
    kept = {number: signal.getsignal(number) for number in local._STOP_SIGNALS}
    yield
    for number, handling in kept.items():
        signal.signal(number, handling)


@pytest.mark.usefixtures("signals")
def test_the_first_ctrl_c_stops_and_a_second_does_not_break_the_stopping(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(KeyboardInterrupt):
        local._interrupt(signal.SIGINT, None)
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGTERM)

    assert capfd.readouterr().err == "\nStopping …\n"


def test_a_model_server_takes_the_place_of_the_prepared_answers(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its address in the environment; a live run then has a model, too."""
    live = local.Plan(
        replay=None,
        categories=("cs.AI",),
        out=root / ".local",
        readers=0,
        template=root / "template.yaml",
        port=8000,
    )
    monkeypatch.delenv("PAPERPOST_LLM_URL", raising=False)
    assert isinstance(local._model(), ReplayModel)
    assert local.stack_parameters(live)["EnrichProvider"] == "extractive"

    monkeypatch.setenv("PAPERPOST_LLM_URL", "http://127.0.0.1:8080")

    assert isinstance(local._model(), ForwardModel)
    assert local.stack_parameters(live)["EnrichProvider"] == "bedrock"


def test_a_model_server_that_is_no_address_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERPOST_LLM_URL", "127.0.0.1:8080")

    with pytest.raises(InvalidInputError, match="not an address of a model server"):
        local._model()
