"""A replay's plan: what the given files announce, and what is refused before anything starts."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from paperpost.domain.errors import FeedError
from paperpost_cli.replay import ReplayError, plan_replay, stops
from support.feeds import DAY, Item, atom, rss

NEXT_DAY = DAY + timedelta(days=1)
STAT = [
    Item(arxiv_id="2604.99101", categories=("stat.ML", "cs.LG")),
    Item(arxiv_id="2604.99102", categories=("math.ST", "stat.TH")),
]
Write = Callable[[str, bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a feed file and return its path."""

    def written(name: str, body: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(body)
        return path

    return written


def test_a_file_announces_the_category_that_its_channel_names(write: Write) -> None:
    """Not those of its items' cross-lists."""
    file = write("ai.xml", rss([Item(categories=("cs.AI", "cs.LG"))], names="cs.AI"))

    assert plan_replay([file]).categories == ("cs.AI",)


def test_an_archive_announces_its_members_that_occur_in_the_file(write: Write) -> None:
    """stat.TH is math.ST, which so counts as a member of stat; cs.LG is none."""
    file = write("stat.xml", rss(STAT, names="stat"))

    assert plan_replay([file]).categories == ("math.ST", "stat.ML")


def test_a_channel_with_several_names_announces_them_all(write: Write) -> None:
    file = write("two.xml", rss([Item()], names="cs.AI, cs.CV"))

    assert plan_replay([file]).categories == ("cs.AI", "cs.CV")


def test_with_categories_only_those_are_followed(write: Write) -> None:
    """In any case of letters and under an alias too."""
    file = write("stat.xml", rss(STAT, names="stat"))

    replay = plan_replay([file], ["STAT.th"])

    assert replay.categories == ("math.ST",)
    assert replay.announced(DAY) == ("math.ST",)


def test_a_member_that_does_not_occur_may_be_followed(write: Write) -> None:
    """The archive's file could have announced it, so it had a quiet day."""
    file = write("stat.xml", rss(STAT, names="stat"))

    replay = plan_replay([file], ["stat.ML", "stat.CO"])

    assert replay.categories == ("stat.CO", "stat.ML")
    assert replay.announced(DAY) == ("stat.ML",)


def test_a_file_that_is_named_by_an_alias_announces_the_real_category(write: Write) -> None:
    file = write("na.xml", rss([Item(categories=("cs.NA", "math.NA"))], names="cs.NA"))

    assert plan_replay([file]).categories == ("math.NA",)
    assert plan_replay([file], ["math.NA"]).announced(DAY) == ("math.NA",)


def test_days_come_in_their_order_whatever_the_order_of_the_files(write: Write) -> None:
    later = write("1.xml", atom([Item()], names="cs.AI", on=NEXT_DAY))
    earlier = write("2.xml", rss([Item()], names="cs.CV", on=DAY))

    assert list(plan_replay([later, earlier]).days) == [DAY, NEXT_DAY]


def test_two_files_of_one_day_are_announced_together(write: Write) -> None:
    """A third of the next day is not."""
    cv = write("cv.xml", rss([Item(categories=("cs.CV",))], names="cs.CV"))
    ai = write("ai.xml", rss([Item()], names="cs.AI"))
    lg = write("lg.xml", rss([Item(categories=("cs.LG",))], names="cs.LG", on=NEXT_DAY))

    replay = plan_replay([cv, ai, lg])

    assert [file.path for file in replay.days[DAY]] == [cv, ai]
    assert replay.announced(DAY) == ("cs.AI", "cs.CV")
    assert replay.announced(NEXT_DAY) == ("cs.LG",)


def test_a_category_that_no_file_announces_is_refused(write: Write) -> None:
    file = write("ai.xml", rss([Item(categories=("cs.AI", "cs.LG"))], names="cs.AI"))

    with pytest.raises(ReplayError, match=r"^no feed file announces cs\.CV, cs\.LG$"):
        plan_replay([file], ["cs.LG", "cs.AI", "cs.CV"])


@pytest.mark.parametrize("named", ["cs.ZZ", "stat", ""])
def test_what_is_no_category_is_refused(write: Write, named: str) -> None:
    """An archive is none either: its files say which of its categories there are."""
    with pytest.raises(ReplayError, match="--category: arXiv has no category"):
        plan_replay([write("ai.xml", rss([Item()]))], [named])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"<!doctype html><html><body>Rate exceeded.</body></html>", "HTML"),
        (rss([Item()])[:-200], "cut off"),
        (rss(), "announces no paper"),
        (rss([Item()], names="cs.ZZ"), "arXiv has no category 'cs.ZZ'"),
    ],
    ids=["empty", "html", "cut off", "no paper", "unknown category"],
)
def test_a_bad_file_is_refused_by_name_in_one_line(write: Write, body: bytes, said: str) -> None:
    """Also beside a good one."""
    good, bad = write("good.xml", rss([Item()])), write("bad.xml", body)

    with pytest.raises(FeedError) as refused:
        plan_replay([good, bad])

    assert str(bad) in str(refused.value)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    missing = tmp_path / "missing.xml"

    with pytest.raises(FeedError, match=r"missing\.xml.*No such file"):
        plan_replay([missing])
    with pytest.raises(FeedError, match="Is a directory"):
        plan_replay([tmp_path])


@pytest.mark.parametrize("on", [date(2026, 4, 21), date(2026, 3, 8), date(2026, 11, 1)])
def test_a_replayed_day_stops_in_order_within_its_eastern_day(on: date) -> None:
    """Also on the days when the clocks change."""
    at = stops(on)

    assert [moment.date() for moment in at] == [on] * len(at)
    instants = [moment.astimezone(UTC) for moment in at]
    assert instants == sorted(set(instants))


def test_a_replayed_day_passes_hold_cut_off_and_noon() -> None:
    """In April New York is four hours behind UTC."""
    instants = [moment.astimezone(UTC) for moment in stops(DAY)]

    assert instants[0] == datetime(2026, 4, 21, 4, 21, tzinfo=UTC)
    assert any(moment >= datetime(2026, 4, 21, 11, 30, tzinfo=UTC) for moment in instants[:-1])
    assert instants[-1] == datetime(2026, 4, 22, 3, 59, tzinfo=UTC)
