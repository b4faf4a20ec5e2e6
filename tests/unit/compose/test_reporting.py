"""The counts file: what an issue ended with stays told."""

from datetime import UTC, date, datetime, timedelta

import pytest

from paperpost import clients
from paperpost.compose.reporting import Reporter
from paperpost.domain.deliveries import IssueState
from paperpost.domain.mailed import MAILED_PATH, Mailed, from_bytes
from paperpost.storage.site import SiteBucket
from support.aws import Cloud

FIRST = date(2024, 3, 26)


def issue(on: date, *, sent: int = 1) -> Mailed:
    """A closed daily issue."""
    return Mailed(
        issue=f"daily-{on.isoformat()}",
        state=IssueState.CLOSED,
        frozen_at=datetime(2024, 3, 26, 5, tzinfo=UTC),
        sent=sent,
    )


@pytest.fixture
def site(cloud: Cloud) -> SiteBucket:
    """An empty bucket."""
    return SiteBucket(clients.s3(), cloud.bucket)


def told(site: SiteBucket) -> list[str]:
    """The issues that the file tells of."""
    stored = site.get(MAILED_PATH)
    assert stored is not None
    return [one.issue for one in from_bytes(stored.body)]


def test_an_issue_that_compose_no_longer_looks_at_stays_told(site: SiteBucket) -> None:
    """Its date may be the last one but one, however long ago that was."""
    old, new = issue(FIRST), issue(date(2025, 8, 20))

    Reporter(site=site).tell([old])
    Reporter(site=site).tell([new])

    assert told(site) == [old.issue, new.issue]


def test_the_same_counts_are_not_put_again(site: SiteBucket) -> None:
    """A tick that changed nothing writes nothing."""
    reporter = Reporter(site=site)

    assert [reporter.tell([issue(FIRST)]), reporter.tell([issue(FIRST)])] == [True, False]
    assert reporter.tell([issue(FIRST, sent=2)])
    assert not reporter.tell([])


def test_the_file_stays_small(site: SiteBucket) -> None:
    """The oldest issues leave it."""
    days = [FIRST + timedelta(days=n) for n in range(70)]

    Reporter(site=site).tell([issue(on) for on in days])

    assert told(site) == [f"daily-{on.isoformat()}" for on in days[10:]]
