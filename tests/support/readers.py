"""Made-up token keys and subscribers for tests."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from paperpost.domain.subscribers import Preferences, Subscriber, SubscriberStatus
from paperpost.domain.tokens import TokenKeys, address_hash
from paperpost.storage.subscribers import SubscriberTable

NOW = datetime(2026, 4, 21, 5, 0, tzinfo=UTC)
# The real clock's time, far from NOW as in a replay, and far enough ahead to be no past.
EPOCH_S = 4_000_000_000
# The canary: this address must show up in the table and in the mail, nowhere else.
ADDRESS = "canary.reader@mail.example.com"


def keys_json(
    *, signing: tuple[str, ...] = ("k2", "k1"), retired: tuple[str, ...] = ("k0",)
) -> str:
    """Token keys k0, k1, k2 as the SSM parameter holds them."""
    made = {f"k{n}": base64.b64encode(bytes([n + 1]) * 32).decode() for n in range(3)}
    pepper = base64.b64encode(b"pepper.." * 4).decode()
    return json.dumps(
        {"signing": list(signing), "keys": made, "retired": list(retired), "pepper": pepper}
    )


def make_keys(
    *, signing: tuple[str, ...] = ("k2", "k1"), retired: tuple[str, ...] = ("k0",)
) -> TokenKeys:
    """The same keys as a value."""
    return TokenKeys.from_json(keys_json(signing=signing, retired=retired))


def make_subscriber(subscriber_id: str = "a1", **changes: Any) -> Subscriber:
    """An unconfirmed subscriber of cs.CV, with *changes*."""
    values: dict[str, Any] = {
        "subscriber_id": subscriber_id,
        "address": ADDRESS,
        "status": SubscriberStatus.UNCONFIRMED,
        "preferences": Preferences(categories=("cs.CV",)),
        "created_at": NOW,
        "consent": {"text": "1"},
    }
    return Subscriber(**{**values, **changes})


# How a subscriber comes to each status, from a fresh sign-up.
PATHS = {
    SubscriberStatus.UNCONFIRMED: (),
    SubscriberStatus.CONFIRMED: (SubscriberStatus.CONFIRMED,),
    SubscriberStatus.UNSUBSCRIBED: (SubscriberStatus.CONFIRMED, SubscriberStatus.UNSUBSCRIBED),
    SubscriberStatus.BOUNCED: (SubscriberStatus.CONFIRMED, SubscriberStatus.BOUNCED),
    SubscriberStatus.COMPLAINED: (SubscriberStatus.CONFIRMED, SubscriberStatus.COMPLAINED),
    SubscriberStatus.ERASED: (SubscriberStatus.CONFIRMED, SubscriberStatus.ERASED),
}


def store(
    table: SubscriberTable,
    subscriber: Subscriber | None = None,
    *,
    status: SubscriberStatus = SubscriberStatus.UNCONFIRMED,
) -> Subscriber:
    """Store *subscriber* and bring it to *status* on the usual way; the profile as it then is."""
    subscriber = subscriber or make_subscriber()
    hashed = address_hash(subscriber.address, make_keys())
    assert table.create(subscriber, hashed, expires_at=EPOCH_S)
    for step in PATHS[status]:
        assert table.set_status(subscriber.subscriber_id, step, now=NOW)
    stored = table.get(subscriber.subscriber_id)
    assert stored is not None
    return stored
