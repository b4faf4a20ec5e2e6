"""What the morning letter, the guard and each tick read and write, on moto and on the emulator."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from contract.conftest import Storage
from paperpost.domain.breaker import Breaker
from paperpost.domain.deliveries import Delivery, DeliveryState
from paperpost.domain.morning import Readers
from paperpost.domain.subscribers import SubscriberStatus
from paperpost.storage.guard import Guard
from support.readers import make_subscriber
from support.together import at_once

NOW = datetime(2026, 4, 21, 23, 0, tzinfo=UTC)
ON = date(2026, 4, 22)
LATER = 2_000_000_000


def test_a_morning_letter_is_claimed_once_until_it_is_given_back(storage: Storage) -> None:
    """Another day has its own."""
    ledger = storage.deliveries

    claimed = [ledger.claim_morning(ON, now=NOW, expires_at=LATER) for _ in range(2)]
    ledger.release_morning(ON)
    again = ledger.claim_morning(ON, now=NOW, expires_at=LATER)
    ledger.mark_morning(ON, DeliveryState.SENT, message_id="m1")
    tomorrow = ledger.claim_morning(ON + timedelta(days=1), now=NOW, expires_at=LATER)

    assert (claimed, again, tomorrow) == ([True, False], True, True)
    assert not ledger.claim_morning(ON, now=NOW, expires_at=LATER)


@pytest.mark.emulator
def test_of_calls_at_once_one_has_the_morning_letter(real: Storage) -> None:
    got: list[bool] = []

    at_once(6, lambda _: got.append(real.deliveries.claim_morning(ON, now=NOW, expires_at=LATER)))

    assert sorted(got) == [False] * 5 + [True]


def test_readers_are_counted_without_their_addresses(storage: Storage) -> None:
    """More than one page would hold is not tried here: the SDK turns pages."""
    for n, status in enumerate(
        (SubscriberStatus.CONFIRMED, SubscriberStatus.CONFIRMED, SubscriberStatus.BOUNCED)
    ):
        reader = make_subscriber(f"s{n}", address=f"s{n}@example.com")
        assert storage.subscribers.create(reader, f"hash{n}")
        at = NOW - timedelta(days=n)
        assert storage.subscribers.set_status(f"s{n}", SubscriberStatus.CONFIRMED, now=at)
        storage.subscribers.set_status(f"s{n}", status, now=NOW)
    storage.limits.count("all", "all", "2026-04-21T23", limit=5, expires_at=LATER)

    counted = storage.subscribers.count_readers(since=NOW - timedelta(hours=12))

    assert counted == Readers(confirmed=2, joined=1, left={"bounced": 1})


def test_every_model_that_failed_is_listed(storage: Storage) -> None:
    """Costs of days lie in the same partition and are not among them."""
    storage.enrich.note_capped(ON, NOW)
    storage.enrich.put_breaker("a:1", Breaker(failures=5, opened=1, until=NOW))
    storage.enrich.put_breaker("b", Breaker(failures=1))

    found = storage.enrich.list_breakers()

    assert {model: (b.failures, b.until) for model, b in found.items()} == {
        "a:1": (5, NOW),
        "b": (1, None),
    }


def test_a_standing_is_a_delivery_without_what_a_tick_does_not_need(storage: Storage) -> None:
    delivery = Delivery(
        issue="daily-2026-04-21",
        shard=0,
        subscriber_id="a1",
        state=DeliveryState.PLANNED,
        due_at=NOW,
        updated_at=NOW,
    )
    storage.deliveries.put_planned(delivery, expires_at=LATER)
    claimed = storage.deliveries.claim(delivery.issue, 0, "a1", owner="o", now=NOW)
    assert claimed is not None

    assert list(storage.deliveries.list_standings(delivery.issue, 0)) == [
        replace(claimed, owner="", mails=0)
    ]


def test_a_letter_remembers_as_many_mails_as_went_to_ses(storage: Storage) -> None:
    """None before it is claimed; one whose reply was lost is named by its first event."""
    letter = ("daily-2026-04-21", 0, "a1")
    delivery = Delivery(
        issue=letter[0],
        shard=0,
        subscriber_id="a1",
        state=DeliveryState.PLANNED,
        due_at=NOW,
        updated_at=NOW,
    )
    ledger = storage.deliveries
    ledger.put_planned(delivery, expires_at=LATER)
    known = [ledger.knows_mail(*letter, "m1"), ledger.knows_mail(*letter[:2], "nobody", "m1")]
    claimed = ledger.claim(*letter, owner="o", now=NOW)
    assert claimed is not None
    ledger.mark(claimed, DeliveryState.UNKNOWN, now=NOW)
    known += [ledger.knows_mail(*letter, m) for m in ("m1", "m2", "m1")]
    settled = [
        ledger.settle(*letter, state, reason=reason, now=NOW)
        for state, reason in (
            (DeliveryState.SENT, "feedback"),
            (DeliveryState.FAILED, "b"),
            (DeliveryState.SENT, "feedback"),
            (DeliveryState.FAILED, "c"),
            (DeliveryState.FAILED, "a"),
        )
    ]

    stored = ledger.get_delivery(*letter)
    assert known == [False, False, True, False, True]
    assert settled == [True, True, False, False, True]
    assert stored is not None
    assert (stored.mails, stored.message_ids) == (1, {"m1"})
    assert (stored.state, stored.reason) == (DeliveryState.FAILED, "a")


def test_a_table_is_the_same_until_another_takes_its_place(storage: Storage) -> None:
    """By its name and birth, which a restored table does not have."""
    deliveries, subscribers = storage.deliveries._table, storage.subscribers._table
    guard = Guard(site=storage.site, tables={"Deliveries": deliveries})
    exchanged = Guard(site=storage.site, tables={"Deliveries": subscribers})

    before = guard.why_locked()
    guard.accept()

    assert (before, guard.why_locked()) == ("", "")
    assert exchanged.why_locked().startswith("restored: the Deliveries table")
    guard.accept(locked="restored: a loss")
    assert guard.why_locked() == "restored: a loss"
