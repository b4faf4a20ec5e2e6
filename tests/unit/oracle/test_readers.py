"""What an issue owes a subscriber follows from their preferences and the source alone."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.readers import Match, Rule, Wanted, matches, read_readers, wanted, weekly_issue
from oracle.source import Announced, Truth, read_sources
from oracle.tiny_run import MONDAY, TUESDAY, write_tiny_run
from paperpost.domain import subscribers as domain
from paperpost.domain.rules import author_matches


@pytest.fixture
def truth(tmp_path: Path) -> Truth:
    """The two feeds of the tiny run."""
    return read_sources(write_tiny_run(tmp_path).feeds, None)


def announced(authors: str) -> Announced:
    """A paper of these authors."""
    return Announced(
        arxiv_id="3001.00001",
        title="",
        abstract="",
        authors=authors,
        categories=("cs.LG",),
        is_replacement=False,
    )


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


@pytest.mark.parametrize(
    ("phrase", "authors", "expected"),
    [
        ("R. Real", "Nobody Real", Match.NO),
        ("N. Real", "Ann Else, Nobody Real", Match.YES),
        ("real nobody", "Nobody Real", Match.YES),
        ("Nobody Else", "Ann Else, Nobody Real", Match.NO),
        ("E. Cartan", "Élie Cartan (ENS, Paris)", Match.YES),
        ("Elie Cartan", "\\'Elie Cartan", Match.YES),
        ("Elie Cartan", "\\'{E}lie Cartan", Match.MAYBE),
        ("Cartan Paris", "Elie Cartan (Paris)", Match.MAYBE),
        ("J. J. Hopfield", "John Hopfield", Match.NO),
        ("J. J. Hopfield", "John Joseph Hopfield", Match.YES),
        ("Y.", "Yann LeCun", Match.NO),
        ("王", "王小明", Match.NO),
    ],
)
def test_an_author_is_named_by_words_and_initials(
    phrase: str, authors: str, expected: Match
) -> None:
    """Of one author alone; where TeX or an affiliation blurs it, it is left open."""
    assert matches(Rule("author", phrase), announced(authors)) is expected


WORDS = st.sampled_from(["a", "B.", "ann", "Bea", "Ábel", "a", "王", "Li", "van-der"])


@given(st.lists(WORDS, min_size=1, max_size=4), st.lists(WORDS, min_size=1, max_size=4))
def test_letters_and_their_judge_agree_on_authors(wanted: list[str], name: list[str]) -> None:
    """They were written apart from each other."""
    phrase, authors = " ".join(wanted), " ".join(name)
    judged = matches(Rule("author", phrase), announced(authors))

    assert judged is Match(2 * author_matches(domain.Rule(field="author", phrase=phrase), authors))


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
