"""Promise 3: a dead or lying model costs a translation, never a paper."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from paperpost_cli.proofs import enrich_checks, enrich_markdown
from paperpost_cli.proofs.judging import judged, played, tested
from paperpost_cli.proofs.proof import Proof

_QUICK_DAYS = 3
_TESTS: Mapping[str, Sequence[str]] = {
    "real faulty answers rejected or mended": ["unit/enrich/test_hostile_outputs.py"],
    "two workers, caps, the breaker": ["contract/test_enrichnotes.py"],
    "a model well, dead, capped: feeds, pages, a frozen issue": ["handlers/test_overlay.py"],
}


def proofs(folder: Path, quick: bool) -> Iterator[Proof]:  # noqa: FBT001  one switch for all topics
    """The topic's proofs; the short form plays three of thirty days and runs no tests again."""
    well, dead = folder / "well", folder / "dead"
    days = ["--days", str(_QUICK_DAYS)] if quick else []
    yield Proof(name="days with a model that is well", carry_out=partial(_play, well, days))
    how = [*days, "--dead"]
    yield Proof(name="days with a dead model", carry_out=partial(_play, dead, how))
    yield from judged("overlay_check.py", "--well", str(well), "--dead", str(dead))
    yield from enrich_checks.proofs(folder, quick)
    yield from enrich_markdown.proofs(folder, quick)
    for name, tests in () if quick else _TESTS.items():
        yield Proof(name=name, carry_out=partial(tested, *tests))


def _play(out: Path, how: Sequence[str]) -> str:
    """Play the days and leave them to be judged."""
    played(["-m", "support.overlay_replay", "--out", str(out), *how])
    script = json.loads((out / "script.json").read_text(encoding="utf-8"))
    dates = {row["on"] for row in script["listings"]}
    return f"{len(dates)} announcements, {script['texts']} texts"
