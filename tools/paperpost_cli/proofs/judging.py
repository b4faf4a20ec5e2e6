"""Proofs by what lies in tests/: a replay that an oracle judges, or tests of the suite."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from paperpost_cli.laptop import ROOT
from paperpost_cli.proofs.proof import Proof, ProofError

TESTS = ROOT / "tests"
_TIMEOUT_S = 3600
_LINE = re.compile(r"(?P<name>.+?): (?P<figure>.*) … (?P<end>ok|FAILED: .*)")


def run_python(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run this Python with *arguments*; modules below tests/ can be imported."""
    paths = (TESTS, ROOT / "functions", ROOT / "tools")
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
    )


def played(arguments: Sequence[str]) -> None:
    """Run a replay. Raises: ProofError: With its last words if it fails."""
    ended = run_python(arguments)
    if ended.returncode:
        said = ended.stderr.strip().splitlines() or [f"status {ended.returncode}"]
        raise ProofError(said[-1])


def judged(oracle: str, *arguments: str) -> Iterator[Proof]:
    """The lines of an oracle in tests/oracle, each a proof; it may prefix them by `run: `."""
    ended = run_python([str(TESTS / "oracle" / oracle), *arguments])
    lines = [found for line in ended.stdout.splitlines() if (found := _LINE.fullmatch(line))]
    if not lines:
        yield Proof(name=oracle, carry_out=partial(_line, "", f"FAILED: {ended.stderr[-300:]}"))
    for found in lines:
        yield Proof(name=found["name"], carry_out=partial(_line, found["figure"], found["end"]))


def _line(figure: str, end: str) -> str:
    if end != "ok":
        raise ProofError(end.removeprefix("FAILED: "), figure=figure)
    return figure


def tested(*tests: str) -> str:
    """How many of *tests* passed. Raises: ProofError: If one failed or was skipped."""
    ended = run_python(["-m", "pytest", "-q", *(str(TESTS / test) for test in tests)])
    last = (ended.stdout.strip().splitlines() or ["said nothing"])[-1]
    if ended.returncode or "passed" not in last or "skipped" in last:
        raise ProofError(last)
    return re.sub(r" in .*", "", last)


def lines_of(path: Path) -> int:
    """How many lines a file has."""
    return len(path.read_text(encoding="utf-8").splitlines())
