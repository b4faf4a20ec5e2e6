"""compose and deliver when ticks stay away, papers come late and files get lost, in any order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperpost import clients
from paperpost.domain.issuefiles import from_bytes, issue_path
from paperpost.domain.issues import FrozenIssue
from paperpost.domain.selections import selection
from paperpost.domain.subscribers import Preferences
from paperpost.storage.site import SiteBucket
from support.aws import Cloud, moto_cloud
from support.issues import make_listing, store_day
from support.newsroom import Newsroom

_MONDAY, _FRIDAY = date(2024, 3, 4), 5
_FEED = time(4, 25)  # soon after midnight in New York, in UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """
    What happens between two ticks.

    `days`: weekdays, each with a paper. `late`: so many days old are further papers that come now.
    `is_lost`: the newest mailed issue's file is deleted. `hours`: that the tick comes later.
    """

    days: int
    late: tuple[int, ...]
    is_lost: bool
    hours: int


GAPS = st.builds(
    Gap,
    days=st.sampled_from([0, 1, 1, 2, 5]),
    late=st.lists(st.integers(1, 4), max_size=2).map(tuple),
    is_lost=st.booleans(),
    hours=st.sampled_from([0, 6, 20]),
)


class RoughDays:
    """One reader of cs.CV, at once; the site has run for two weeks before the first tick."""

    def __init__(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = Newsroom(cloud, monkeypatch)
        self.site, self._bucket = SiteBucket(clients.s3(), cloud.bucket), cloud.bucket
        self.on, self.at = _MONDAY, datetime.combine(_MONDAY, _FEED, UTC)
        self.listed: dict[str, date] = {}
        self.room.join("a", at=self.at - timedelta(days=1))
        self._store(self.on)
        self.announce(9)

    def announce(self, days: int) -> None:
        """So many weekdays pass, each with a paper."""
        for _ in range(days):
            self.on += timedelta(days=3 if self.on.isoweekday() == _FRIDAY else 1)
            self.at = max(self.at, datetime.combine(self.on, _FEED, UTC))
            self._store(self.on)

    def live(self, gap: Gap) -> list[FrozenIssue]:
        """Let it happen, then tick; the issues of which the reader gets a letter."""
        mailed = self.room.mailed
        for _, issue, _ in mailed[-1:] if gap.is_lost else []:
            boto3.client("s3").delete_object(Bucket=self._bucket, Key=issue_path(issue))
        for days in gap.late:
            self._store(sorted({*self.listed.values()})[-1 - days])
        self.announce(gap.days)
        self.at += timedelta(hours=gap.hours, minutes=15)
        before = len(mailed)
        self.room.tick(self.at)
        files = [self.site.get(issue_path(issue)) for _, issue, _ in mailed[before:]]
        return [from_bytes(file.body) for file in files if file]

    def _store(self, on: date) -> None:
        listing = replace(make_listing(len(self.listed) + 1, on=on), stored_at=self.at)
        self.listed[listing.arxiv_id] = on
        store_day(self.room.papers, [listing], at=self.at)


@settings(max_examples=6)
@given(gaps=st.lists(GAPS, min_size=2, max_size=4))
def test_no_pile_of_letters_at_once_no_paper_twice_and_none_from_before_mail_began(
    gaps: Sequence[Gap],
) -> None:
    """Of one tick, only issues of two dates are younger than 36 hours."""
    with moto_cloud() as cloud, pytest.MonkeyPatch.context() as monkeypatch:
        days = RoughDays(cloud, monkeypatch)
        began = days.on
        old = {arxiv_id for arxiv_id, on in days.listed.items() if on < began}

        letters = [days.live(gap) for gap in (Gap(days=0, late=(), is_lost=False, hours=0), *gaps)]

    got = [
        pick.record.arxiv_id
        for issues in letters
        for issue in issues
        for pick in selection(issue, Preferences(categories=("cs.CV",))).picks
    ]
    assert max(map(len, letters)) <= 2
    assert len(got) == len(set(got))
    assert old.isdisjoint(got)
