"""A sign-up asks the mailbox's owner, and tells a stranger nothing about it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from paperpost import clients
from paperpost.domain.subscribers import Preferences, SubscriberStatus, may_become
from paperpost.domain.tokens import address_hash
from paperpost.storage.signuplimits import SignUpLimits
from paperpost.storage.subscribers import SubscriberTable
from paperpost.subscribe.signup import (
    Limits,
    SignUp,
    TooManyError,
    check_limits,
    network_of,
    sign_up,
)
from support.aws import Cloud
from support.readers import ADDRESS, EPOCH_S, NOW, make_keys, store
from support.signup import dump, times_to_live

KEYS = make_keys()
WISH = SignUp(
    address=ADDRESS, preferences=Preferences(categories=("cs.AI",)), network="203.0.113.7"
)


@dataclass
class FakeQueue:
    """Keeps what is sent."""

    sent: list[Mapping[str, Any]] = field(default_factory=list)

    def send(self, messages: Iterable[Mapping[str, Any]]) -> int:
        """Keep all *messages*."""
        self.sent += messages
        return len(self.sent)


@pytest.fixture
def table(cloud: Cloud) -> SubscriberTable:
    """The table, empty."""
    return SubscriberTable(clients.table(cloud.subscribers))


def test_an_unknown_address_is_stored_unconfirmed_and_asked(table: SubscriberTable) -> None:
    """With the wish, and a consent record that names neither address nor network."""
    queue = FakeQueue()

    sign_up(WISH, table=table, queue=queue, keys=KEYS, now=NOW, epoch_s=EPOCH_S)

    subscriber_id = table.find(address_hash(ADDRESS, KEYS))
    assert subscriber_id is not None
    stored = table.get(subscriber_id)
    assert stored is not None
    assert (stored.address, stored.status) == (ADDRESS, SubscriberStatus.UNCONFIRMED)
    assert stored.preferences == WISH.preferences
    assert stored.consent.keys() == {"text", "requested_at", "network", "source"}
    assert "203.0.113.7" not in str(stored.consent)
    assert queue.sent == [{"subscriber": subscriber_id, "kind": "confirm"}]


def test_a_sign_up_that_nobody_confirms_is_forgotten_after_30_days(table: SubscriberTable) -> None:
    """Profile and address, by the real clock, counted from the last time that it was asked for."""
    sign_up(WISH, table=table, queue=FakeQueue(), keys=KEYS, now=NOW, epoch_s=EPOCH_S)
    first = times_to_live()
    sign_up(WISH, table=table, queue=FakeQueue(), keys=KEYS, now=NOW, epoch_s=EPOCH_S + 7)

    assert first == {"EMAIL": EPOCH_S + 30 * 86_400, "PROFILE": EPOCH_S + 30 * 86_400}
    assert times_to_live() == {name: at + 7 for name, at in first.items()}


@pytest.mark.parametrize("forgotten", [{"EMAIL"}, {"PROFILE"}, {"EMAIL", "PROFILE"}])
def test_who_was_forgotten_signs_up_as_if_for_the_first_time(
    table: SubscriberTable, forgotten: set[str]
) -> None:
    """DynamoDB removes the two items one by one, in any order, days apart."""
    sign_up(WISH, table=table, queue=FakeQueue(), keys=KEYS, now=NOW, epoch_s=EPOCH_S)
    before = table.find(address_hash(ADDRESS, KEYS))
    for item in [item for item in dump() if item["sk"] in forgotten]:
        clients.table("subscribers").delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
    queue = FakeQueue()

    sign_up(WISH, table=table, queue=queue, keys=KEYS, now=NOW, epoch_s=EPOCH_S)

    after = table.find(address_hash(ADDRESS, KEYS))
    assert after not in {None, before}
    stored = table.get(after or "")
    assert stored is not None
    assert stored.address == ADDRESS
    assert queue.sent == [{"subscriber": after, "kind": "confirm"}]


def test_who_confirmed_once_is_not_forgotten_for_a_new_sign_up(table: SubscriberTable) -> None:
    """Who left may come back, or leave it."""
    store(table, status=SubscriberStatus.UNSUBSCRIBED)

    sign_up(WISH, table=table, queue=FakeQueue(), keys=KEYS, now=NOW, epoch_s=EPOCH_S)

    assert times_to_live() == {}


@pytest.mark.parametrize("status", SubscriberStatus)
def test_a_known_address_keeps_its_profile_and_its_status(
    table: SubscriberTable, status: SubscriberStatus
) -> None:
    """A message is queued for each, so nobody outside sees a difference; deliver looks again."""
    stored = store(table, status=status)
    queue = FakeQueue()

    sign_up(WISH, table=table, queue=queue, keys=KEYS, now=NOW, epoch_s=EPOCH_S)

    after = table.get("a1")
    assert after is not None
    assert after.status is status
    final = not may_become(status, SubscriberStatus.CONFIRMED)
    assert (after == stored) is final
    assert (after.preferences == WISH.preferences) is not final
    assert queue.sent == [{"subscriber": "a1", "kind": "confirm"}]


@pytest.mark.parametrize(
    ("typed", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", "unknown"),
    ],
)
def test_one_customer_is_one_network(typed: str, network: str) -> None:
    """An IPv6 customer has 2^64 addresses."""
    assert network_of(typed) == network


def test_limits_hold_by_network_and_domain_and_in_all(cloud: Cloud) -> None:
    """The third of a network, the fourth of a domain and the fifth in all are refused."""
    counts = SignUpLimits(clients.table(cloud.subscribers))
    limits = Limits(per_network=2, per_domain=3, per_hour=4)

    def attempt(network: str, domain: str = "one.example") -> str:
        wish = replace(WISH, address=f"reader@{domain}", network=network)
        try:
            check_limits(counts, wish, limits=limits, keys=KEYS, now=NOW, epoch_s=1_000)
        except TooManyError as error:
            return error.limit
        return "taken"

    assert [attempt("a"), attempt("a"), attempt("a")] == ["taken", "taken", "network"]
    assert [attempt("b"), attempt("c")] == ["taken", "domain"]
    assert [attempt("d", "two.example"), attempt("e", "three.example")] == ["taken", "all"]
    rows = clients.table("subscribers").scan()["Items"]
    assert {int(row["expires_at"]) for row in rows} == {8_200}
