"""What an issue owes a subscriber follows from their preferences and the source alone."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from oracle.readers import Wanted, read_readers, wanted, weekly_issue
from oracle.source import Truth, read_sources
from oracle.tiny_run import MONDAY, TUESDAY, write_tiny_run


@pytest.fixture
def truth(tmp_path: Path) -> Truth:
    """The two feeds of the tiny run."""
    return read_sources(write_tiny_run(tmp_path).feeds, None)


def owed(truth: Truth, folder: Path, issue: str, **preferences: Any) -> Wanted:
    """What *issue* owes a reader with these preferences."""
    path = folder / "one.json"
    said = {"categories": ["stat.ML", "cs.LG"], **preferences}
    path.write_text(json.dumps([{"address": "a@b", "status": "confirmed", "preferences": said}]))
    return wanted(read_readers(path)[0], issue, truth)


@pytest.mark.parametrize(
    ("preferences", "required", "optional"),
    [
        ({}, {"1", "3"}, set()),
        ({"announce_types": ["new"]}, {"1"}, set()),
        ({"announce_types": ["replace"]}, {"4"}, set()),
        ({"exclude": [{"field": "title", "phrase": "TEA leaves"}]}, {"1"}, set()),
        ({"exclude": [{"field": "author", "phrase": "nobody real"}]}, set(), set()),
        ({"exclude": ["rule"]}, {"3"}, {"1"}),
        ({"exclude": ["茶"]}, set(), {"1", "3"}),
        ({"include": [{"field": "text", "phrase": "tea"}]}, {"3"}, set()),
        ({"include": ["rule"]}, set(), {"1"}),
        ({"paused_until": "2031-01-01"}, set(), {"1", "3"}),
        ({"categories": ["stat"]}, {"1", "2", "3"}, set()),
        ({"categories": ["stat.TH"]}, {"2"}, set()),
        ({"categories": ["cs.LG"]}, set(), set()),
    ],
)
def test_mondays_issue_owes_what_the_preferences_say(
    preferences: dict[str, Any],
    required: set[str],
    optional: set[str],
    tmp_path: Path,
    truth: Truth,
) -> None:
    """What the words of a rule leave open is neither required nor forbidden."""
    found = owed(truth, tmp_path, f"daily-{MONDAY}", **preferences)

    assert {i[-1] for i in found.required} == required
    assert {i[-1] for i in found.optional} == optional


def test_a_paper_is_owed_in_its_first_issue_alone(tmp_path: Path, truth: Truth) -> None:
    """A cross-list of Monday is not news on Tuesday, though it is new in another category."""
    found = owed(truth, tmp_path, f"daily-{TUESDAY}")

    assert found == Wanted(frozenset({"3001.00006", "3001.00007"}), frozenset())


def test_what_only_the_types_hid_before_is_left_open(tmp_path: Path, truth: Truth) -> None:
    """A cross-list that was not asked for, and is new elsewhere later, may come then or never."""
    found = owed(truth, tmp_path, f"daily-{TUESDAY}", announce_types=["new"])

    assert found == Wanted(frozenset({"3001.00006"}), frozenset({"3001.00003"}))


def test_a_weekly_issue_owes_the_whole_week(tmp_path: Path, truth: Truth) -> None:
    """Monday's and Tuesday's papers together, each once."""
    issue = weekly_issue(date.fromisoformat(MONDAY))

    found = owed(truth, tmp_path, issue, cadence="weekly")

    assert issue == "weekly-2030-W02"
    assert {i[-1] for i in found.required} == {"1", "3", "6", "7"}
