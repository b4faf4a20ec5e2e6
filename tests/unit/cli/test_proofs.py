"""How proofs are told: a line each, and the status."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperpost_cli.proofs import __main__ as command
from paperpost_cli.proofs.proof import Proof, ProofError


def holds() -> str:
    return "78 listings"


def fails() -> str:
    raise ProofError("3 files changed,\n such as a.xml", figure="42 files")


def fails_without_figure() -> str:
    raise ProofError("the mailbox is empty")


def breaks() -> str:
    raise OSError("no such program")


def run(
    monkeypatch: pytest.MonkeyPatch, *proofs: Proof, options: tuple[str, ...] = ()
) -> tuple[int, list[bool]]:
    """The status of a run of these proofs, and for each topic whether the short form was asked."""
    asked = []

    def topic(folder: Path, quick: bool) -> Iterator[Proof]:  # noqa: FBT001  as proofs() is called
        assert folder.is_dir()
        asked.append(quick)
        yield from proofs

    monkeypatch.setattr(command, "TOPICS", {"run": topic, "fetch": topic})
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)
    monkeypatch.setattr("sys.argv", ["prove", *options])
    return command.main(), asked


def test_a_proof_that_holds_is_a_line_with_its_figure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _ = run(
        monkeypatch, Proof(name="no paper lost", carry_out=holds), options=("--topic", "run")
    )

    assert status == 0
    assert capsys.readouterr().out == "no paper lost: 78 listings (0 s) … ok\n"


def test_a_proof_that_fails_says_why_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was measured nevertheless stands there too; a line stays one line."""
    status, _ = run(
        monkeypatch,
        Proof(name="the same again", carry_out=fails),
        Proof(name="mailbox", carry_out=fails_without_figure),
        Proof(name="no paper lost", carry_out=holds),
        options=("--topic", "run"),
    )

    assert status == 1
    assert capsys.readouterr().out.splitlines() == [
        "the same again: 42 files … FAILED: 3 files changed, such as a.xml",
        "mailbox: … FAILED: the mailbox is empty",
        "no paper lost: 78 listings (0 s) … ok",
    ]


def test_a_proof_that_breaks_has_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error that nobody thought of is a line as well, and the others go on."""
    status, _ = run(
        monkeypatch,
        Proof(name="front door", carry_out=breaks),
        Proof(name="no paper lost", carry_out=holds),
        options=("--topic", "run"),
    )

    assert status == 1
    assert capsys.readouterr().out.splitlines() == [
        "front door: … FAILED: OSError: no such program",
        "no paper lost: 78 listings (0 s) … ok",
    ]


def test_without_a_topic_all_are_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    proof = Proof(name="x", carry_out=holds)

    assert run(monkeypatch, proof) == (0, [False, False])
    assert run(monkeypatch, proof, options=("--topic", "fetch", "--quick")) == (0, [True])


def test_an_unknown_topic_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, options=("--topic", "cooking"))

    assert ended.value.code == 2
    assert "'cooking'" in capsys.readouterr().err
