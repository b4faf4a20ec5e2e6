"""Planning: everyone confirmed before the freeze gets one row, however often it is interrupted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from paperpost import clients
from paperpost.compose.planning import Planner
from paperpost.domain.deliveries import DeliveryState, IssueRow, IssueState
from paperpost.domain.subscribers import AudienceMember, Cadence
from paperpost.storage.deliveries import DeliveryTable
from support.aws import Cloud
from support.issues import FROZEN_AT

ISSUE = "daily-2024-03-26"
LATER = 2_000_000_000


class FakeAudience:
    """Members in the order of their ids, as the index gives them."""

    def __init__(self, *members: AudienceMember) -> None:
        self._members = sorted(members, key=lambda m: m.subscriber_id)

    def list_audience(
        self, cadence: Cadence | str, shard: int, *, start: str | None = None
    ) -> Iterator[AudienceMember]:
        assert cadence is Cadence.DAILY
        mine = self._members if shard == 0 else []
        return (m for m in mine if start is None or m.subscriber_id > start)


def member(
    subscriber_id: str,
    *,
    hour: int | None = None,
    zone: str = "Asia/Shanghai",
    confirmed_at: datetime = FROZEN_AT - timedelta(days=1),
) -> AudienceMember:
    """A confirmed reader."""
    return AudienceMember(
        subscriber_id=subscriber_id, zone=zone, hour=hour, confirmed_at=confirmed_at
    )


@pytest.fixture
def ledger(cloud: Cloud) -> DeliveryTable:
    """A ledger with one issue."""
    table = DeliveryTable(clients.table(cloud.deliveries))
    row = IssueRow(
        issue=ISSUE, content_hash="0" * 64, frozen_at=FROZEN_AT, reason="ready", papers=1, shards=1
    )
    assert table.put_issue(row, expires_at=LATER)
    return table


def row_of(ledger: DeliveryTable) -> IssueRow:
    """The issue's row as it is now."""
    row = ledger.get_issue(ISSUE)
    assert row is not None
    return row


def plan(ledger: DeliveryTable, audience: FakeAudience, *, time: bool = True) -> bool:
    """One tick's planning."""
    planner = Planner(deliveries=ledger, audience=audience, cutoff="07:30", may_go_on=lambda: time)
    return planner.plan(row_of(ledger), expires_at=LATER)


def test_everyone_gets_one_planned_row_with_the_time_it_is_due(ledger: DeliveryTable) -> None:
    """At once, or at the reader's hour."""
    audience = FakeAudience(member("a"), member("b", hour=18))

    assert plan(ledger, audience)

    rows = {d.subscriber_id: (d.state, d.due_at) for d in ledger.list_deliveries(ISSUE, 0)}
    assert rows == {
        "a": (DeliveryState.PLANNED, FROZEN_AT),
        "b": (DeliveryState.PLANNED, datetime(2024, 3, 26, 10, 0, tzinfo=UTC)),
    }
    assert row_of(ledger).state is IssueState.SENDING


def test_who_confirmed_at_or_after_the_freeze_waits_for_the_next_issue(
    ledger: DeliveryTable,
) -> None:
    """The freeze is the audience's cut-off too."""
    early = member("a", confirmed_at=FROZEN_AT - timedelta(seconds=1))

    plan(ledger, FakeAudience(early, member("b", confirmed_at=FROZEN_AT)))

    assert [d.subscriber_id for d in ledger.list_deliveries(ISSUE, 0)] == ["a"]


def test_planning_goes_on_from_its_cursor_when_time_was_short(ledger: DeliveryTable) -> None:
    """Nobody is left out and nobody planned twice, over as many ticks as it takes."""
    audience = FakeAudience(*(member(f"{n:04}") for n in range(450)))

    done = [plan(ledger, audience, time=False) for _ in range(3)]

    assert done == [False, False, True]
    assert ledger.count_deliveries(ISSUE, 1) == {"planned": 450}


def test_planning_again_changes_no_row(ledger: DeliveryTable) -> None:
    """A changed hour counts from the next issue."""
    plan(ledger, FakeAudience(member("a")))

    plan(ledger, FakeAudience(member("a", hour=18)))

    assert [d.due_at for d in ledger.list_deliveries(ISSUE, 0)] == [FROZEN_AT]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "America"])
def test_a_zone_that_is_not_known_any_more_costs_nobody_a_letter(
    ledger: DeliveryTable, zone: str
) -> None:
    """It goes at once."""
    plan(ledger, FakeAudience(member("a", hour=7, zone=zone)))

    assert [d.due_at for d in ledger.list_deliveries(ISSUE, 0)] == [FROZEN_AT]
