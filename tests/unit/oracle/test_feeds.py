"""A feed's window: the two newest days whole, older days whole or not at all, newest first."""

from pathlib import Path

import pytest

from oracle.feeds import check_feeds
from oracle.source import Truth, read_sources
from oracle.tiny_run import Item, source_rss, write_entries

# Nine announcement days of 60 papers each: neither the days nor the entries fit.
DAYS = [f"2030-01-{n:02d}" for n in (7, 8, 9, 10, 11, 14, 15, 16, 17)]
PAPERS = 60
NEWEST_FIRST = [
    (day, f"30{n:02d}.{k:05d}")
    for n, day in reversed(list(enumerate(DAYS, 1)))
    for k in range(1, PAPERS + 1)
]


@pytest.fixture
def truth(tmp_path: Path) -> Truth:
    """Nine days of cs.LG."""
    feeds = []
    for n, day in enumerate(DAYS, 1):
        items = [
            Item(f"30{n:02d}.{k:05d}", "new", "A title", ("cs.LG",)) for k in range(1, PAPERS + 1)
        ]
        feeds.append(tmp_path / f"{day}.xml")
        feeds[-1].write_text(source_rss("cs.LG", day, items))
    return read_sources(feeds, None)


def failed(site: Path, truth: Truth, entries: list[tuple[str, str]]) -> set[str]:
    """The checks that fail if the feeds hold *entries*."""
    write_entries(site / "cs.LG", entries)
    return {finding.name for finding in check_feeds(site, truth) if not finding.ok}


@pytest.mark.parametrize("days", [7, 8])
def test_older_days_may_be_out_of_the_window(days: int, tmp_path: Path, truth: Truth) -> None:
    """The limits bound a feed from above; one that holds a day more is not wrong."""
    assert failed(tmp_path, truth, NEWEST_FIRST[: days * PAPERS]) == set()


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param(NEWEST_FIRST[: 6 * PAPERS], id="a day that had room is out"),
        pytest.param(NEWEST_FIRST[: 7 * PAPERS - 1], id="the oldest day is not whole"),
        pytest.param(NEWEST_FIRST[:PAPERS], id="only today"),
        pytest.param(
            NEWEST_FIRST[:PAPERS] + NEWEST_FIRST[2 * PAPERS : 8 * PAPERS], id="a day is skipped"
        ),
        pytest.param(
            NEWEST_FIRST[: 7 * PAPERS] + NEWEST_FIRST[8 * PAPERS :], id="an old day is skipped"
        ),
    ],
)
def test_a_window_with_holes_is_caught(
    entries: list[tuple[str, str]], tmp_path: Path, truth: Truth
) -> None:
    """Nobody who reads once a day may miss a paper."""
    assert failed(tmp_path, truth, entries) == {"feed entries"}


def test_an_older_day_above_a_newer_one_is_caught(tmp_path: Path, truth: Truth) -> None:
    """The newest day stands first."""
    entries = NEWEST_FIRST[PAPERS : 2 * PAPERS] + NEWEST_FIRST[:PAPERS]

    assert failed(tmp_path, truth, entries + NEWEST_FIRST[2 * PAPERS : 7 * PAPERS]) == {
        "feed dates"
    }
