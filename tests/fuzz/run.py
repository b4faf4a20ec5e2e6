"""
`python -m fuzz.run [--quick] [TARGET…]`: each target for a while, one line each; 1 if one fails.

An input that crashes, hangs or raises what no caller expects is kept below out/fuzz/findings. It
is tried again by `python -m fuzz.one TARGET FILE`. What was found to reach new code is kept below
out/fuzz/corpus, and the next run begins with it.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from fuzz.targets import TARGETS, Target

OUT = Path("out", "fuzz")
SECONDS, QUICK_SECONDS = 22, 2
HANGS_AFTER_S = 5
_START_S = 60  # to load everything, and the corpus of earlier runs
_PROGRESS = re.compile(r"^#(\d+)\s.*\bcov: (\d+) ft: (\d+)", re.MULTILINE)
_ENDED = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)
_LAST_WORDS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzed:
    """What became of one target; `problem` is empty where all went well."""

    executions: int
    coverage: int
    features: int
    findings: tuple[Path, ...]
    seconds: float
    problem: str
    said: str


def main() -> int:
    """Fuzz the targets one after the other and tell what was found."""
    parser = argparse.ArgumentParser(description="Coverage-guided fuzzing of what reads arXiv.")
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], metavar="TARGET")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes")
    options = parser.parse_args()
    status = 0
    for name in options.targets or TARGETS:
        done = fuzz(name, TARGETS[name], quick=options.quick)
        print(f"{name}: {told(done)}", flush=True)
        if done.problem:
            print(done.said, file=sys.stderr)
            status = 1
    return status


def fuzz(name: str, target: Target, *, quick: bool) -> Fuzzed:
    """Fuzz one target in a process of its own."""
    findings, began = OUT / "findings" / name, time.time()
    findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        folders = [_written(target, Path(made))]
        if not quick:
            kept = OUT / "corpus" / name
            kept.mkdir(parents=True, exist_ok=True)
            folders.insert(0, kept)  # the first is where new inputs go
        seconds = QUICK_SECONDS if quick else SECONDS
        command = [
            *(sys.executable, "-m", "fuzz.one", name),
            *(f"-max_total_time={seconds}", f"-max_len={target.most_bytes}"),
            *(f"-timeout={HANGS_AFTER_S}", "-rss_limit_mb=2048", "-print_final_stats=1"),
            *(f"-artifact_prefix={findings}/", f"-dict={Path(made, 'words')}"),
            *map(str, folders),
        ]
        try:
            ended = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=seconds + _START_S,
            )
        except subprocess.TimeoutExpired as exc:
            status, said = "no end", (exc.stdout or b"").decode(errors="replace")
        else:
            status, said = str(ended.returncode), ended.stdout.decode(errors="replace")
    found = tuple(p for p in sorted(findings.iterdir()) if p.stat().st_mtime >= began - 1)
    return _judged(status, said, found, time.time() - began)


def _written(target: Target, folder: Path) -> Path:
    """The target's seeds and words as files; returns the seeds' folder."""
    seeds = folder / "seeds"
    seeds.mkdir()
    for number, seed in enumerate(target.seeds()):
        (seeds / f"{number:04}").write_bytes(seed)
    words = ("".join(f"\\x{byte:02x}" for byte in word) for word in target.words)
    (folder / "words").write_text("".join(f'"{word}"\n' for word in words))
    return seeds


def _judged(status: str, said: str, found: tuple[Path, ...], seconds: float) -> Fuzzed:
    progress, ended = _PROGRESS.findall(said), _ENDED.findall(said)
    executions, coverage, features = map(int, progress[-1] if progress else (0, 0, 0))
    problem = ""
    if found:
        problem = f"{len(found)} found: {', '.join(map(str, found))}"
    elif status != "0":
        problem = f"it ended with {status}"
    elif not executions:
        problem = "nothing was executed"
    return Fuzzed(
        executions=int(ended[-1]) if ended else executions,
        coverage=coverage,
        features=features,
        findings=found,
        seconds=seconds,
        problem=problem,
        said="\n".join(said.splitlines()[-_LAST_WORDS:]),
    )


def told(done: Fuzzed) -> str:
    """The line of one target."""
    figures = (
        f"{done.executions:,} executions in {done.seconds:.0f} s, "
        f"{done.coverage:,} edges, {done.features:,} features"
    )
    return f"{figures} … FAILED: {done.problem}" if done.problem else f"{figures}, 0 found … ok"


if __name__ == "__main__":
    sys.exit(main())
