"""Promise 1: every announced paper, once, on the right day, whatever arXiv does meanwhile."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from paperpost_cli.laptop import ROOT
from paperpost_cli.proofs.judging import judged, lines_of, played, tested
from paperpost_cli.proofs.proof import Proof, ProofError

_SERIES = ROOT.parent / "shared" / "data" / "arxiv-rss" / "daily-series"
_ORACLE = "fetch_check.py"
_QUICK_DAYS = 15
# What is judged at a lower layer, by tests that the suite runs too: what they show, and where.
_TESTS: Mapping[str, Sequence[str]] = {
    "recorded files parsed, or refused with the right error": ["unit/fetch/test_recorded.py"],
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
    days = folder / "days"
    asked = ["--days", str(_QUICK_DAYS)] if quick else []
    yield Proof(
        name=f"{_QUICK_DAYS if quick else 60} days of a made-up arXiv",
        carry_out=partial(_play, days, asked),
    )
    yield from judged(_ORACLE, "--out", str(days))
    if quick:
        return
    series = folder / "series"
    yield Proof(name="recorded days of cs.CV", carry_out=partial(_series, series))
    yield from judged(_ORACLE, "--out", str(series))
    for name, tests in _TESTS.items():
        yield Proof(name=name, carry_out=partial(tested, *tests))


def _series(out: Path) -> str:
    if not _SERIES.is_dir():
        raise ProofError("they are not here (../shared/data)")
    return _play(out, ["--series", str(_SERIES)])


def _play(out: Path, how: Sequence[str]) -> str:
    """Play the days and leave them to be judged."""
    played(["-m", "support.arxiv_replay", "--out", str(out), *how])
    polls, requests = lines_of(out / "polls.jsonl"), lines_of(out / "requests.jsonl")
    return f"{polls} polls, {requests} requests"
