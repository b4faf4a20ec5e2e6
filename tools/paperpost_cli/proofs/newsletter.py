"""Promise 2: an issue that everybody gets once, and mail that providers take."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from paperpost_cli.laptop import ROOT
from paperpost_cli.proofs.judging import TESTS, run_python, tested
from paperpost_cli.proofs.newsletter_scale import scale
from paperpost_cli.proofs.proof import Proof, ProofError

_DATA = ROOT.parent / "shared" / "data"
_LETTERS, _QUICK_LETTERS = 10_000, 150
_LINE = re.compile(r"[^:]+: (?P<figure>.*) … (?P<end>ok|FAILED: .*)")


def proofs(_folder: Path, quick: bool) -> Iterator[Proof]:  # noqa: FBT001  one switch for all topics
    """The topic's proofs; the short form writes fewer letters and runs no tests again."""
    letters = _QUICK_LETTERS if quick else _LETTERS
    yield Proof(name="letters to readers of every kind", carry_out=partial(_letters, letters))
    if not quick:
        yield Proof(name="compose at scale", carry_out=scale)
        ledger = ("unit/storage/test_deliveries.py", "unit/domain/test_bounces.py")
        yield Proof(name="the ledger against its model", carry_out=partial(tested, *ledger))
        events = "handlers/test_feedback_orders.py", "handlers/test_feedback.py"
        yield Proof(
            name="real events of SES permuted, repeated and lost",
            carry_out=partial(tested, *events),
        )
        hours = "zones, clock changes, changes in mid-issue, lateness: tables of cases"
        yield Proof(name=hours, carry_out=partial(_cases, "handlers/test_hours.py"))


def _cases(tests: str) -> str:
    """Each table is one test; its readers are the cases."""
    cases = (TESTS / tests).read_text(encoding="utf-8").count('": Case(')
    return f"{cases} readers, {tested(tests)}"


def _letters(number: int) -> str:
    """Real days, hostile strings, any preferences: each letter passes the whole checklist."""
    if not _DATA.is_dir():
        raise ProofError("the recorded data (../shared/data) is not here")
    how = ["-m", "support.many_letters", "--data", str(_DATA), "--letters", str(number)]
    ended = run_python(how)
    found = _LINE.fullmatch(ended.stdout.strip())
    if found is None:
        raise ProofError(ended.stderr[-300:] or "it said nothing")
    if found["end"] != "ok":
        raise ProofError(found["end"].removeprefix("FAILED: "), figure=found["figure"])
    return found["figure"]
