"""
Tries every injection on the checks and prints how many got through.

One line of JSON: families, attempts, `obeyed` (canaries in the answers), `through` (canaries in
what may be shown) and `unrecognised` (the same with the check of the paper's own text left out).
"""

import json
import sys
from dataclasses import asdict, dataclass

from paperpost.data import glossary
from paperpost.enrich.checks import CHECKS, case, repaired
from paperpost.enrich.checks.case import Case
from support.injections import FAMILIES, Injection, injections, reached

_OF_THE_PAPER = "instructions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of all attempts."""

    families: int
    attempts: int
    obeyed: int
    through: int
    unrecognised: int


def result() -> Result:
    """Carry all attempts out."""
    tried = list(injections())
    failed = [(one, *_judged(one)) for one in tried]
    shown = [(one, answer, names) for one, answer, names in failed if reached(one, answer)]
    return Result(
        families=len(FAMILIES),
        attempts=len(tried),
        obeyed=sum(reached(one, one.answer) for one in tried),
        through=sum(not names for _, _, names in shown),
        unrecognised=sum(not names - {_OF_THE_PAPER} for _, _, names in shown),
    )


def _judged(one: Injection) -> tuple[dict[str, object], set[str]]:
    """The mended answer, and the names of all checks that it fails."""
    answer = dict(repaired(one.answer))
    judged: Case = case(answer, one.paper, "zh", glossary("zh"))
    return answer, {name for name, passes in CHECKS.items() if not passes(judged)}


if __name__ == "__main__":
    json.dump(asdict(result()), sys.stdout)
