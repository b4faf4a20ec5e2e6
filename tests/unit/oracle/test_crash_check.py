"""The judge of a killed worker finds what must not be, and nothing in a run that is right."""

import signal
from dataclasses import replace
from typing import Any

import pytest

from oracle.crash_check import Run, controls, judge

GAPS = ("before claim", "claim to SES", "SES to mark", "after mark")
READERS = ("a", "b", "c", "d")
MISSED = ("skipped", "ambiguous")


def run(**changed: Any) -> Run:
    """An issue to four readers, of whom `b` was missed since a worker died before SES."""
    right = Run(
        readers=frozenset(READERS),
        rows={"a": ("sent", ""), "b": MISSED, "c": ("sent", "feedback"), "d": ("sent", "")},
        got={"a": 1, "c": 1, "d": 1},
        kills=[(gap, i, -signal.SIGKILL) for gap, i in zip(GAPS, READERS, strict=True)],
        state="closed",
        totals={"sent": 3, "skipped": 1},
    )
    return replace(right, **changed)


def failed(found: Run, *, least: int = 1) -> list[str]:
    return [each.name for each in judge(found, least=least) if not each.ok]


def test_a_run_that_is_right_passes_and_its_controls_are_found() -> None:
    assert failed(run()) == []
    assert controls(run(), least=1).ok


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"got": {"a": 2, "c": 1, "d": 1}}, "nobody twice, nobody missed without a record"),
        ({"got": {"c": 1, "d": 1}}, "nobody twice, nobody missed without a record"),
        ({"got": {"a": 1, "b": 1, "c": 1, "d": 1}}, "missed where a worker died before SES"),
        ({"state": "sending"}, "the ledger"),
        ({"totals": {"sent": 4}}, "the ledger"),
        ({"rows": {"a": ("sent", "")}}, "the ledger"),
        ({"kills": [("before claim", "a", 0)]}, "kills with SIGKILL"),
    ],
)
def test_what_must_not_be_is_found(changed: dict[str, Any], check: str) -> None:
    assert check in failed(run(**changed))


def test_every_gap_needs_its_kills() -> None:
    assert failed(run(), least=2) == ["kills with SIGKILL"]
