"""A sign-up that scanners, bombers and strangers cannot abuse, and readers leave in one click."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from paperpost_cli.laptop import ROOT
from paperpost_cli.proofs import subscribe_journey, subscribe_waits
from paperpost_cli.proofs.judging import run_python, tested
from paperpost_cli.proofs.proof import Proof, ProofError

# Of each of four ways: 10,000 in all.
_FLOOD, _QUICK_FLOOD = 2_500, 40
_TIMED = 200
_LETTERS, _QUICK_LETTERS = 10_000, 200
_EXAMPLES = 50
# The document as it is, and one whose tokens and categories are good (tests/support/schema_fuzz).
_SCHEMAS = 2
# What a flood may reach at the most: sign-ups taken, and mails sent (tests/support sets the caps).
_MOST: Mapping[str, tuple[int, int]] = {
    "one victim": (20, 1),
    "one victim, spelt anew": (20, 1),
    "one network": (10, 10),
    "many networks": (30, 30),
}
_TESTS: Mapping[str, Sequence[str]] = {
    "tokens flipped, swapped, expired, replayed, of others": [
        "unit/domain/test_tokens.py",
        "handlers/test_preferences.py",
    ],
    "equal bodies and equal AWS calls for every status": [
        "handlers/test_subscribe.py::test_the_answer_is_the_same_for_every_status",
    ],
    "no safe method changes anything": [
        "handlers/test_subscribe.py::test_only_post_ever_changes_anything",
    ],
    "the address canary is seen where it is": ["unit/test_canary.py"],
    "the OpenAPI document is the code's": ["unit/cli/test_openapi.py"],
}


def proofs(folder: Path, quick: bool) -> Iterator[Proof]:  # noqa: FBT001  one switch for all topics
    """The topic's proofs; the short form leaves out what is in the suite, or long."""
    yield Proof(
        name="caps of sign-ups", carry_out=partial(_flood, _QUICK_FLOOD if quick else _FLOOD)
    )
    letters = _QUICK_LETTERS if quick else _LETTERS
    yield Proof(
        name="confirmations while letters wait",
        carry_out=partial(subscribe_waits.waits, folder, letters),
    )
    if quick:
        return
    for name, tests in _TESTS.items():
        yield Proof(name=name, carry_out=partial(tested, *tests))
    yield Proof(name="times of unknown and known addresses", carry_out=_timing)
    yield Proof(name="schemathesis over the OpenAPI document", carry_out=_schemathesis)
    yield from subscribe_journey.proofs(folder)


def _flood(count: int) -> str:
    """Each way of flooding, and what came of it."""
    rows = _rows("flood", count)
    figure = "; ".join(
        f"{row['way']}: {count} asked, {row['accepted']} taken, {row['mails']} mailed"
        for row in rows
    )
    if [row["way"] for row in rows] != [*_MOST]:
        raise ProofError("a flood did not end", figure=figure)
    for row in rows:
        most, most_mails = _MOST[row["way"]]
        if row["others"] or not 0 < row["accepted"] <= most or not 0 < row["mails"] <= most_mails:
            raise ProofError(f"{row['way']}: a cap did not hold", figure=figure)
    return figure


def _timing() -> str:
    """Printed, not judged: a laptop under load tells little. Equal calls are what is asserted."""
    return ", ".join(f"{row['status']} p = {row['p']}" for row in _rows("timing", _TIMED))


def _rows(task: str, count: int) -> list[dict[str, Any]]:
    ended = run_python(["-m", "support.signup_flood", task, str(count)])
    if ended.returncode:
        raise ProofError((ended.stderr.strip().splitlines() or ["said nothing"])[-1])
    return [json.loads(line) for line in ended.stderr.splitlines() if line.startswith("{")]


def _schemathesis() -> str:
    program = ROOT / ".schemathesis" / "bin" / "st"
    if not program.exists():
        raise ProofError("schemathesis is not set up: use make prove TOPIC=subscribe")
    ended = run_python(["-m", "support.schema_fuzz", str(program), str(_EXAMPLES)])
    lines = [line.strip() for line in ended.stdout.splitlines()]
    told = [line for line in lines if re.match(r"\d+ generated", line)]
    figure = "; ".join(told)
    if ended.returncode:
        failures = [line for line in lines if line.startswith(("❌ ST", "- "))]
        raise ProofError("; ".join(failures) or (ended.stderr or lines[-1])[-200:], figure=figure)
    if len(told) != _SCHEMAS:
        raise ProofError("schemathesis says nothing of what it tried", figure=figure)
    return f"{figure}, 0 failures"
