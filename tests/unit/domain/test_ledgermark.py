"""Which tables letters may be sent from."""

from dataclasses import replace

import pytest

from paperpost.domain.errors import RecordError
from paperpost.domain.ledgermark import (
    LedgerMark,
    from_bytes,
    to_bytes,
    what_is_lost,
    why_locked,
)
from support.mornings import mailing

TABLES = {"Deliveries": "d of Monday", "Subscribers": "s of Monday"}
MARK = LedgerMark(tables=TABLES)


@pytest.mark.parametrize(
    ("mark", "tables", "why"),
    [
        (None, TABLES, ""),
        (MARK, TABLES, ""),
        (MARK, {**TABLES, "Papers": "p of Tuesday"}, ""),
        (
            MARK,
            {**TABLES, "Deliveries": "d of Tuesday"},
            "restored: the Deliveries table is not the one that mail was sent from",
        ),
        (
            MARK,
            {},
            "restored: the Deliveries and Subscribers table is not the one that mail was sent from",
        ),
        (replace(MARK, locked="restored: a loss"), TABLES, "restored: a loss"),
    ],
)
def test_letters_go_out_of_the_tables_of_the_mark_alone(
    mark: LedgerMark | None, tables: dict[str, str], why: str
) -> None:
    assert why_locked(mark, tables) == why


def test_counts_that_only_grow_are_no_loss() -> None:
    """Letters are sent, and then perhaps failed; skipped ones become none of the others."""
    told = mailing(sent=5, open=5)

    assert what_is_lost(told, told) == ""
    assert what_is_lost(told, mailing(sent=8, skipped=2)) == ""
    assert what_is_lost(told, mailing(sent=4, failed=1, open=5)) == ""


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (None, "has lost daily-2024-03-26"),
        (mailing(sent=4, open=6), "5 letters were done with, the ledger has 4"),
        (mailing(sent=5, open=4), "went to 10 readers, the ledger has 9"),
    ],
)
def test_what_was_told_and_is_not_there_is_a_loss(now: object, why: str) -> None:
    assert what_is_lost(mailing(sent=5, open=5), now).endswith(why)  # type: ignore[arg-type]


def test_the_file_comes_back() -> None:
    mark = replace(MARK, locked="restored: 收")

    assert from_bytes(to_bytes(mark)) == mark


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"tables": [], "locked": ""}', b"\xff"])
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(RecordError, match=r"issues/ledger\.json"):
        from_bytes(body)
