"""feeds.toml: what is read, and what is refused by its name."""

import tomllib
from typing import Any

import pytest

from paperpost.data import feeds, taxonomy
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.namedfeeds import NamedFeed, named_feeds
from paperpost.domain.subscribers import Rule

TOML = """
[vision-2]
title = "Vision"
title_zh = "视觉"
categories = ["cs.cv", "stat.TH", "cs.CV"]
include = ["title: multimodal", "diffusion", "diffusion"]
exclude = ["author: Ada Example"]

[all-of-economics]
categories = ["econ"]
"""


def test_a_table_is_a_feed() -> None:
    """Aliases and letters' case are put right, what is said twice counts once."""
    assert named_feeds(tomllib.loads(TOML), taxonomy()) == (
        NamedFeed(
            name="vision-2",
            title="Vision",
            title_zh="视觉",
            categories=("cs.CV", "math.ST"),
            include=(
                Rule(field="title", phrase="multimodal"),
                Rule(field="text", phrase="diffusion"),
            ),
            exclude=(Rule(field="author", phrase="Ada Example"),),
        ),
        NamedFeed(
            name="all-of-economics",
            title="all-of-economics",
            title_zh="all-of-economics",
            categories=("econ.EM", "econ.GN", "econ.TH"),
        ),
    )


def test_the_feeds_of_the_repository_can_be_read() -> None:
    assert feeds() is not None


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({}, "'categories'"),
        ({"categories": []}, "'categories'"),
        ({"categories": "cs.CV"}, "'categories'"),
        ({"categories": ["cs.XX"]}, "'cs.XX'"),
        ({"categories": ["cs.CV"], "includes": []}, "'includes'"),
        ({"categories": ["cs.CV"], "include": ["ttile: x"]}, "'ttile'"),
        ({"categories": ["cs.CV"], "title": 3}, "'title'"),
        (["cs.CV"], "no table"),
    ],
)
def test_a_fault_is_named_with_its_feed(row: Any, named: str) -> None:
    with pytest.raises(InvalidInputError, match=f"named feed 'vision': .*{named}"):
        named_feeds({"vision": row}, taxonomy())


@pytest.mark.parametrize("name", ["", "Vision", "a/b", "a--b", "..", "视觉", "a" * 41])
def test_a_name_is_part_of_an_address(name: str) -> None:
    with pytest.raises(InvalidInputError, match="a name is small letters"):
        named_feeds({name: {"categories": ["cs.CV"]}}, taxonomy())
