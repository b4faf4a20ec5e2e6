"""The source is read from arXiv's own bytes."""

from datetime import date
from pathlib import Path

import pytest

from oracle.source import SourceError, Truth, belongs, linked_ids, read_sources


def counts(truth: Truth, category: str) -> dict[str, int]:
    """How many listings of each type a category has."""
    found: dict[str, int] = {}
    for key, papers in truth.days.items():
        for paper in papers.values() if key.category == category else ():
            kind = paper.type_in(category)
            found[kind] = found.get(kind, 0) + 1
    return found


def test_a_real_rss_feed_of_an_archive_is_counted(shared_data: Path) -> None:
    """`stat` of 26 March 2024 announces its own categories and math.ST."""
    feed = shared_data / "arxiv-rss" / "stat_2024-03-26.rss.xml"

    truth = read_sources([feed], None)

    assert truth.dates == (date(2024, 3, 26),)
    assert truth.categories == ("math.ST", "stat.AP", "stat.CO", "stat.ME", "stat.ML")
    sums = {category: sum(counts(truth, category).values()) for category in truth.categories}
    assert sums == {"math.ST": 28, "stat.AP": 20, "stat.CO": 4, "stat.ME": 49, "stat.ML": 58}


def test_a_real_atom_feed_of_a_category_is_counted(shared_data: Path) -> None:
    """cs.AI of 20 August 2025: papers of other primaries are cross-lists."""
    feed = shared_data / "arxiv-rss" / "cs.AI_2025-08-20.excerpt.atom.xml"

    truth = read_sources([feed], None)

    assert truth.dates == (date(2025, 8, 20),)
    assert counts(truth, "cs.AI") == {"new": 41, "cross": 16}
    assert truth.categories == ("cs.AI",)


@pytest.mark.parametrize(
    "name",
    ["cs.AI_2025-08-20.truncated.atom.xml", "hep-ex_2018-05-23.rdf10.xml", "README.md", "none.xml"],
)
def test_what_is_no_announcement_feed_is_refused(name: str, shared_data: Path) -> None:
    """A checker that guesses its truth proves nothing."""
    with pytest.raises(SourceError, match=name):
        read_sources([shared_data / "arxiv-rss" / name], None)


@pytest.mark.parametrize(
    ("category", "name", "expected"),
    [
        ("math.ST", "stat", True),
        ("math.ST", "math", True),
        ("math-ph", "math", True),
        ("math-ph", "math-ph", True),
        ("cs.IT", "math", True),
        ("eess.SY", "cs", True),
        ("cs.CV", "cs.AI", False),
        ("quant-ph", "physics", False),
        ("math.ST", "stat.TH", True),
    ],
)
def test_aliases_are_members_of_both_archives(category: str, name: str, expected: bool) -> None:  # noqa: FBT001
    """An alias counts as a member of its archive."""
    assert belongs(category, name) is expected


def test_links_in_prose_end_before_the_punctuation() -> None:
    """A link's version stays, for it makes another address."""
    text = "see https://arxiv.org/abs/2403.00001. (http://arxiv.org/abs/math/0601001v2)。"

    assert linked_ids(text) == ["2403.00001", "math/0601001v2"]
