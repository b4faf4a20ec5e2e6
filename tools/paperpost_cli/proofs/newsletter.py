"""Promise 2: an issue that everybody gets once, and mail that providers take."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from paperpost_cli.laptop import ROOT
from paperpost_cli.proofs.judging import TESTS, judged, played, run_python, tested
from paperpost_cli.proofs.newsletter_scale import scale
from paperpost_cli.proofs.proof import Proof, ProofError

_DATA = ROOT.parent / "shared" / "data"
_LETTERS, _QUICK_LETTERS = 10_000, 150
_SERIES = _DATA / "arxiv-rss" / "daily-series"
_ORACLE = "newsletter_check.py"
_SUBSCRIBERS, _QUICK_SUBSCRIBERS = 1_000, 40
_QUICK = ("--short", "--category", "cs.RO", "--category", "eess.IV")
# Subscribers of the issue and kills; a delivery has so many gaps between two steps.
_CRASHES, _QUICK_CRASHES, _GAPS = (1_000, 20), (60, 4), 4
_LINE = re.compile(r"[^:]+: (?P<figure>.*) … (?P<end>ok|FAILED: .*)")


def proofs(folder: Path, quick: bool) -> Iterator[Proof]:  # noqa: FBT001  one switch for all topics
    """The topic's proofs; the short form has fewer letters and readers, and runs no tests again."""
    days, readers = folder / "days", _QUICK_SUBSCRIBERS if quick else _SUBSCRIBERS
    how = ["--subscribers", str(readers), *(_QUICK if quick else ())]
    yield Proof(name=f"real days to {readers} subscribers", carry_out=partial(_days, days, how))
    yield from judged(_ORACLE, "--out", str(days))
    crashes, (subscribers, kills) = folder / "crashes", _QUICK_CRASHES if quick else _CRASHES
    yield Proof(
        name=f"kill -9 of the worker, {kills} times",
        carry_out=partial(_crashes, crashes, subscribers, kills),
    )
    least = str(kills // _GAPS)
    yield from judged("crash_check.py", "--out", str(crashes), "--least", least)
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


def _days(out: Path, how: Sequence[str]) -> str:
    """Announcements late, lost and found again, on the laptop cloud; an oracle judges what came."""
    if not _SERIES.is_dir():
        raise ProofError("the recorded data (../shared/data) is not here")
    played(["-m", "support.newsletter_replay", "--series", str(_SERIES), "--out", str(out), *how])
    return f"{len(list((out / 'mail').glob('*.eml'))):,} mails"


def _crashes(out: Path, subscribers: int, kills: int) -> str:
    """Each time in another gap of a delivery; then the issue is taken up again."""
    numbers = ["--subscribers", str(subscribers), "--kills", str(kills)]
    played(["-m", "support.crash_replay", "--out", str(out), *numbers])
    return f"an issue to {subscribers:,} subscribers"


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
