"""
Judge what `support.crash_replay` left: nobody twice, nobody missed without a record.

It imports nothing of the service. Usage: python tests/oracle/crash_check.py --out OUT. Its last
check spoils what it has just judged, one way at a time, and fails unless each is found.
"""

import argparse
import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# As a script this file is not in a package: `oracle` lies one folder up.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oracle.checklist import check_forms
from oracle.findings import Finding, finding
from oracle.letters import read_mails

_GAPS = ("before claim", "claim to SES", "SES to mark", "after mark")
_KILLED = -signal.SIGKILL
# A letter that SES may or may not have had, and of which no feedback ever came.
_MISSED = ("skipped", "ambiguous")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """
    What was left. `rows`: id → state and reason in the ledger; `got`: id → letters.

    `kills`: gap, whose letter, exit status; `totals`: what the issue's row says at its close.
    """

    readers: frozenset[str]
    rows: Mapping[str, tuple[str, str]]
    got: Mapping[str, int]
    kills: Sequence[tuple[str, str, int]]
    state: str
    totals: Mapping[str, int]


def judge(run: Run, *, least: int) -> list[Finding]:
    """One finding a check; *least*: how many kills each gap must have."""
    gaps = Counter(gap for gap, _, _ in run.kills)
    twice = sorted(i for i, n in run.got.items() if n > 1)
    missed = sorted(i for i in run.readers if not run.got.get(i))
    silent = [i for i in missed if run.rows.get(i) != _MISSED]
    states = Counter(state for state, _ in run.rows.values())
    told = ", ".join(f"{n} {state}" for state, n in sorted(states.items()))
    return [
        finding(
            "kills with SIGKILL",
            f"{len(run.kills)} ({', '.join(f'{gap} {gaps[gap]}' for gap in _GAPS)})",
            _wrong_kills(run, least),
        ),
        finding(
            "nobody twice, nobody missed without a record",
            f"{len(run.readers):,} subscribers, {sum(run.got.values()):,} letters, {len(twice)} "
            f"twice, {len(missed)} missed and recorded, {len(silent)} without a record",
            [f"{i} has {run.got[i]} letters" for i in twice]
            + [f"{i} has no letter and stands as {run.rows.get(i)}" for i in silent],
        ),
        finding("missed where a worker died before SES", f"{len(missed)}", _wrong_misses(run)),
        finding("the ledger", f"{run.state}: {told}", _wrong_rows(run)),
    ]


def _wrong_kills(run: Run, least: int) -> Iterator[str]:
    gaps = Counter(gap for gap, _, _ in run.kills)
    yield from (f"{gaps[gap]} kills {gap}" for gap in _GAPS if gaps[gap] < least)
    yield from (f"ended with {s}, not killed" for _, _, s in run.kills if s != _KILLED)


def _wrong_misses(run: Run) -> Iterator[str]:
    """Exactly those are missed whose letter was claimed and never came to SES."""
    expected = {subscriber for gap, subscriber, _ in run.kills if gap == "claim to SES"}
    missed = {i for i in run.readers if not run.got.get(i)}
    yield from (f"{i} is missed, though no worker died over it" for i in sorted(missed - expected))
    yield from (f"{i} has a letter that no worker sent" for i in sorted(expected - missed))


def _wrong_rows(run: Run) -> Iterator[str]:
    if run.state != "closed":
        yield f"the issue is {run.state}"
    if run.readers != run.rows.keys():
        yield f"{len(run.rows)} rows for {len(run.readers)} subscribers"
    states = Counter(state for state, _ in run.rows.values())
    if states != run.totals:
        yield f"the issue was closed with {dict(run.totals)}, its rows are {dict(states)}"
    for subscriber, (state, reason) in sorted(run.rows.items()):
        if (state == "sent") != bool(run.got.get(subscriber)):
            got = run.got.get(subscriber, 0)
            yield f"{subscriber} is {state} ({reason}) and has {got} letters"


def controls(run: Run, *, least: int) -> Finding:
    """What must not be, put into the run: each is to be found by the check that is for it."""
    whole = "nobody twice, nobody missed without a record"
    one = min(i for i, n in run.got.items() if n)
    faults = {
        "a letter sent twice": (whole, replace(run, got={**run.got, one: 2})),
        "a letter lost": (whole, replace(run, got={**run.got, one: 0})),
        "a row lost": (
            "the ledger",
            replace(run, rows={k: v for k, v in run.rows.items() if k != one}),
        ),
        "a letter that stands as skipped": (
            "the ledger",
            replace(run, rows={**run.rows, one: _MISSED}),
        ),
        "a worker that ended by itself": (
            "kills with SIGKILL",
            replace(run, kills=[*run.kills, ("after mark", one, 0)]),
        ),
    }
    missed = [
        f"{name} is not found"
        for name, (check, spoilt) in faults.items()
        if check not in {each.name for each in judge(spoilt, least=least) if not each.ok}
    ]
    return finding("faults put into the run", f"{len(faults)}, {len(missed)} not found", missed)


def read_run(out: Path) -> Run:
    """What lies in *out*."""

    def left(name: str) -> Any:
        return json.loads((out / f"{name}.json").read_text(encoding="utf-8"))

    ledger = left("ledger")
    issue = next(row for row in ledger if row["sk"] == "ISSUE")
    letters = [mail for mail in read_mails(out / "mail") if mail.tags.get("issue")]
    readers = left("readers")
    # Whom a letter went to, not whom its tags name.
    ids = {address: subscriber for subscriber, address in readers.items()}
    return Run(
        readers=frozenset(readers),
        rows={
            row["sk"].removeprefix("SUB#"): (row["state"], row.get("reason", ""))
            for row in ledger
            if row["sk"] != "ISSUE"
        },
        got=Counter(ids.get(mail.to, mail.to) for mail in letters),
        kills=[(kill["gap"], kill["at"], kill["status"]) for kill in left("kills")],
        state=issue["state"],
        totals={state: int(n) for state, n in issue.get("totals", {}).items()},
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line a check and return the exit status."""
    parser = argparse.ArgumentParser(description="Judge an issue whose worker was killed.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--least", type=int, default=5, help="kills in each gap")
    given = parser.parse_args(arguments)
    run = read_run(given.out)
    forms = check_forms(given.out / "mail")
    findings = [*judge(run, least=given.least), forms, controls(run, least=given.least)]
    sys.stdout.write("".join(f"{found.line}\n" for found in findings))
    return 0 if all(found.ok for found in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
