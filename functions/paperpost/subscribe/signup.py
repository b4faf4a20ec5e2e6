"""A sign-up: limits, profile, and a confirmation mail that only the mailbox's owner can answer."""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from paperpost.domain.addresses import mailable
from paperpost.domain.errors import ConflictError, InvalidInputError
from paperpost.domain.subscribers import (
    Preferences,
    Subscriber,
    SubscriberStatus,
)
from paperpost.domain.tokens import TokenKeys, address_hash, keyed_hash, new_subscriber_id
from paperpost.storage.subscribers import SubscriberTable
from paperpost.subscribe.forms import Fields, RequestError, single

# Raised whenever the sentence beside the sign-up button changes; docs keep the texts.
CONSENT_TEXT = "2026-11"
_WINDOW_S = 3600
_ATTEMPTS = 3


class Sender(Protocol):
    """Where messages for deliver go."""

    def send(self, messages: Iterable[Mapping[str, Any]]) -> int:
        """Send all *messages*."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """A checked request to subscribe. `network`: what stands for the sender's network in limits."""

    address: str
    preferences: Preferences
    network: str


class TooManyError(RequestError):
    """A limit of sign-ups is reached; `limit` says which, for the metric alone."""

    def __init__(self, limit: str) -> None:
        self.limit = limit
        super().__init__("too-many")


def read_address(fields: Fields) -> str:
    """
    Return the form's address as it is mailed.

    Raises: RequestError: If it cannot be mailed.
    """
    try:
        return mailable(single(fields, "email"))
    except InvalidInputError as exc:
        raise RequestError("address", field="email") from exc


def network_of(source_ip: str) -> str:
    """The network of an address: IPv4 itself, IPv6's first 64 bits, which are one customer's."""
    try:
        ip = ipaddress.ip_address(source_ip)
    except ValueError:
        return "unknown"
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, 64), strict=False))  # noqa: PLR2004


def check_limits(
    table: SubscriberTable,
    network: str,
    *,
    per_network: int,
    per_hour: int,
    keys: TokenKeys,
    now: datetime,
    epoch_s: int,
) -> None:
    """
    Count one sign-up of *network* in this hour.

    Raises: TooManyError: If the network, or the whole service, has had its share.
    """
    window = f"{now:%Y-%m-%dT%H}"
    counters = (("network", keyed_hash(network, keys), per_network), ("all", "all", per_hour))
    for kind, value_hash, limit in counters:
        if not table.count_limit(
            kind, value_hash, window, limit=limit, expires_at=epoch_s + 2 * _WINDOW_S
        ):
            raise TooManyError(kind)


def sign_up(
    wish: SignUp, *, table: SubscriberTable, queue: Sender, keys: TokenKeys, now: datetime
) -> None:
    """
    Store the wish and queue a confirmation.

    Every address takes the same calls: two reads, one transaction of two items, one message.
    deliver drops the message of whoever may not confirm: confirmed, complained, erased.
    Raises: ConflictError: If other writers kept changing the profile.
    """
    hashed = address_hash(wish.address, keys)
    consent = {
        "text": CONSENT_TEXT,
        "requested_at": now.isoformat(),
        "network": keyed_hash(wish.network, keys),
    }
    for _ in range(_ATTEMPTS):
        fresh = Subscriber(
            subscriber_id=new_subscriber_id(),
            address=wish.address,
            status=SubscriberStatus.UNCONFIRMED,
            preferences=wish.preferences,
            created_at=now,
            consent=consent,
        )
        subscriber = table.get(table.find(hashed) or fresh.subscriber_id)
        if subscriber is None:
            subscriber, done = fresh, table.create(fresh, hashed)
        else:
            wished = replace(subscriber, preferences=wish.preferences, consent=consent)
            done = table.renew(wished, hashed)
        if done:
            break
    else:
        raise ConflictError("a sign-up met other writers of the same profile")
    queue.send([{"subscriber": subscriber.subscriber_id, "kind": "confirm"}])
