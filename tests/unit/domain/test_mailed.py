"""The counts of letters that compose writes and publish reads."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from paperpost.domain.deliveries import IssueRow, IssueState
from paperpost.domain.errors import RecordError
from paperpost.domain.mailed import from_bytes, mailed, to_bytes

ROW = IssueRow(
    issue="daily-2026-04-21",
    content_hash="0" * 64,
    frozen_at=datetime(2026, 4, 21, 5, 0, tzinfo=UTC),
    reason="ready",
    papers=3,
    shards=1,
)


def test_every_delivery_counts_once() -> None:
    """What is neither sent, skipped, failed nor unknown is open."""
    states = {"sent": 5, "skipped": 1, "unknown": 2, "planned": 3, "claimed": 1, "released": 1}

    one = mailed(ROW, IssueState.SENDING, states)

    assert (one.sent, one.skipped, one.failed, one.unknown, one.open) == (5, 1, 0, 2, 5)
    assert one.audience == sum(states.values())


def test_the_file_comes_back_and_its_bytes_depend_on_the_counts_alone() -> None:
    day = mailed(ROW, IssueState.CLOSED, {"sent": 2})
    week = replace(mailed(ROW, IssueState.PLANNING, {}), too_late=3)

    assert from_bytes(to_bytes([day])) == (day,)
    assert from_bytes(to_bytes([week])) == (week,)
    assert to_bytes([day, week]) == to_bytes([day, week])


def test_a_file_that_tells_less_can_be_read() -> None:
    (value,) = json.loads(to_bytes([mailed(ROW, IssueState.CLOSED, {})]))["issues"]
    for name in ("overdue", "stopped", "too_late"):
        del value[name]

    assert from_bytes(json.dumps({"issues": [value]}).encode())[0].too_late == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"issues": [{}]}', b"\xff", b'{"issues": [{"issue": "never"}]}'],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(RecordError, match=r"issues/mailed\.json"):
        from_bytes(body)
