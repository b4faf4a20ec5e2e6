"""Promise 1: every announced paper, once, on the right day, whatever arXiv does meanwhile."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from paperpost_cli.laptop import ROOT
from paperpost_cli.proofs.proof import Proof, ProofError

_DATA = ROOT.parent / "shared" / "data"
_SERIES = _DATA / "arxiv-rss" / "daily-series"
_TESTS = ROOT / "tests"
_ORACLE = _TESTS / "oracle" / "fetch_check.py"
_QUICK_DAYS, _TIMEOUT_S = 15, 3600
_LINE = re.compile(r"(?P<name>[^:]+): (?P<figure>.*) … (?P<end>ok|FAILED: .*)")
# What is judged at a lower layer, as tests that the suite runs too: what they show, and where.
_SHOWN_BY_TESTS = {
    "recorded files parsed or refused with the right error": ["unit/fetch/test_recorded.py"],
    "hostile strings through storage": ["contract/test_hostile.py"],
    "readers on any bytes": [
        "unit/fetch/test_feeds.py",
        "unit/fetch/test_oai.py",
        "unit/fetch/test_search.py",
    ],
    "faults one by one, two fetchers, days filled by order": ["unit/fetch/test_polls.py"],
    "backfill on a running stack": ["e2e/test_backfill.py"],
}


def proofs(folder: Path, quick: bool) -> Iterator[Proof]:  # noqa: FBT001  one switch for all topics
    """The topic's proofs; the short form plays fifteen of the sixty days and no series."""
    played = folder / "days"
    days = ["--days", str(_QUICK_DAYS)] if quick else []
    yield Proof(
        name=f"{_QUICK_DAYS if quick else 60} days of a made-up arXiv with every fault of theirs",
        carry_out=partial(_play, played, days),
    )
    yield from _judged(played)
    if quick:
        return
    series = folder / "series"
    yield Proof(
        name="recorded days of cs.CV as feeds",
        carry_out=partial(_play, series, ["--series", str(_SERIES)]),
    )
    yield from _judged(series)
    for name, tests in _SHOWN_BY_TESTS.items():
        yield Proof(name=name, carry_out=partial(_tested, tests))


def _play(out: Path, how: Sequence[str]) -> str:
    """Play the days and leave them to be judged."""
    if how[:1] == ["--series"] and not _SERIES.is_dir():
        raise ProofError("the recorded days are not here")
    ended = _run(["-m", "support.arxiv_replay", "--out", str(out), *how])
    if ended.returncode:
        raise ProofError(ended.stderr.strip().splitlines()[-1])
    polls = (out / "polls.jsonl").read_text(encoding="utf-8").splitlines()
    requests = (out / "requests.jsonl").read_text(encoding="utf-8").splitlines()
    return f"{len(polls)} polls, {len(requests)} requests"


def _judged(out: Path) -> Iterator[Proof]:
    """The oracle's own lines, each a proof."""
    if not (out / "script.json").exists():
        return
    ended = _run([str(_ORACLE), "--out", str(out)])
    lines = [found for line in ended.stdout.splitlines() if (found := _LINE.fullmatch(line))]
    if not lines:
        yield Proof(name="the oracle", carry_out=partial(_line, "", f"FAILED: {ended.stderr}"))
    for found in lines:
        yield Proof(name=found["name"], carry_out=partial(_line, found["figure"], found["end"]))


def _line(figure: str, end: str) -> str:
    if end != "ok":
        raise ProofError(end.removeprefix("FAILED: "), figure=figure)
    return figure


def _tested(tests: Sequence[str]) -> str:
    """How many tests passed, none skipped."""
    ended = _run(["-m", "pytest", "-q", *(str(_TESTS / test) for test in tests)])
    last = (ended.stdout.strip().splitlines() or ["said nothing"])[-1]
    if ended.returncode or "passed" not in last or "skipped" in last:
        raise ProofError(last)
    return re.sub(r" in .*", "", last)


def _run(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    paths = (_TESTS, ROOT / "functions", ROOT / "tools")
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
    )
