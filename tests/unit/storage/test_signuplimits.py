"""Counters of sign-ups stop at their bound."""

import pytest

from paperpost import clients
from paperpost.storage.signuplimits import SignUpLimits
from support.aws import Cloud


@pytest.fixture
def limits(cloud: Cloud) -> SignUpLimits:
    """The counters, none of them begun."""
    return SignUpLimits(clients.table(cloud.subscribers))


def test_a_limit_counts_up_to_its_bound_and_no_further(limits: SignUpLimits) -> None:
    """The call over the limit counts nothing; other windows, values and kinds are apart."""

    def count(kind: str = "network", value: str = "ab", window: str = "05") -> bool:
        return limits.count(kind, value, window, limit=2, expires_at=1)

    assert [count(), count(), count(), count()] == [True, True, False, False]
    assert [count(window="06"), count(value="cd"), count(kind="all")] == [True, True, True]
    row = clients.table("subscribers").get_item(Key={"pk": "LIMIT#network#ab", "sk": "05"})
    assert (row["Item"]["count"], row["Item"]["expires_at"]) == (2, 1)


def test_a_limit_of_nothing_lets_nothing_through(limits: SignUpLimits) -> None:
    """0 closes sign-up."""
    assert not limits.count("all", "all", "05", limit=0, expires_at=1)


def test_a_confirmation_alone_leaves_no_count(limits: SignUpLimits) -> None:
    """Of an imported reader, say: nothing would ever remove it."""
    limits.forget_confirmations("ab")

    assert clients.table("subscribers").scan()["Items"] == []
