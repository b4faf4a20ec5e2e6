"""A sign-up: limits, profile, and a confirmation mail that only the mailbox's owner can answer."""

import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from paperpost.domain.addresses import mailable
from paperpost.domain.errors import ConflictError, InvalidInputError
from paperpost.domain.subscribers import (
    UNCONFIRMED_KEPT,
    Preferences,
    Subscriber,
    SubscriberStatus,
)
from paperpost.domain.tokens import TokenKeys, address_hash, keyed_hash, new_subscriber_id
from paperpost.storage.signuplimits import SignUpLimits
from paperpost.storage.subscribers import SubscriberTable
from paperpost.subscribe.forms import Fields, RequestError, single

# Raised whenever the sentence beside the sign-up button changes; docs keep the texts.
CONSENT_TEXT = "2026-11"
# template.yaml names both: the CDN sets them whatever the client sent.
CLIENT_HEADER, PROOF_HEADER = "x-paperpost-client", "x-paperpost-origin"
_WINDOW_S = 3600
_ATTEMPTS = 3


class Sender(Protocol):
    """Where messages for deliver go."""

    def send(self, messages: Iterable[Mapping[str, Any]]) -> int:
        """Send all *messages*."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """
    A checked request to subscribe. `network`: what stands for the sender's network in limits.

    `replaces`: the subscriber who moves to this address, whose subscription ends with its consent.
    """

    address: str
    preferences: Preferences
    network: str
    source: str = "form"
    replaces: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many sign-ups an hour takes."""

    per_network: int
    per_domain: int
    per_hour: int


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


def client_address(headers: Mapping[str, str], source_ip: str, *, secret: str) -> str:
    """
    The sender's IP address: as the CDN tells it if it proves itself, else whoever connected.

    The API has an address of its own, at which anybody may send any header.
    """
    told, proof = headers.get(CLIENT_HEADER, ""), headers.get(PROOF_HEADER, "")
    if secret and told and hmac.compare_digest(proof.encode(), secret.encode()):
        return told
    return source_ip


def network_of(source_ip: str) -> str:
    """The network of an address: IPv4 itself, IPv6's first 64 bits, which are one customer's."""
    try:
        ip = ipaddress.ip_address(source_ip)
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))


def check_limits(
    counts: SignUpLimits,
    wish: SignUp,
    *,
    limits: Limits,
    keys: TokenKeys,
    now: datetime,
    epoch_s: int,
) -> None:
    """
    Count one sign-up of the network, for the address's domain, in this hour.

    How often one mailbox is written to is deliver's to count, out of sight of who signs up.
    Raises: TooManyError: If the network, the domain or the whole service has had its share.
    """
    window = f"{now:%Y-%m-%dT%H}"
    domain = wish.address.rpartition("@")[2]
    counters = (
        ("network", keyed_hash(wish.network, keys), limits.per_network),
        ("domain", keyed_hash(f"domain:{domain}", keys), limits.per_domain),
        ("all", "all", limits.per_hour),
    )
    for kind, value_hash, limit in counters:
        if not counts.count(
            kind, value_hash, window, limit=limit, expires_at=epoch_s + 2 * _WINDOW_S
        ):
            raise TooManyError(kind)


def spent_at(subscriber: Subscriber) -> str | None:
    """Up to when (UTC text) confirmation links are used up: the last time that one was."""
    consent = subscriber.consent
    return consent.get("confirmed_at") or consent.get("spent_at")


def sign_up(
    wish: SignUp,
    *,
    table: SubscriberTable,
    queue: Sender,
    keys: TokenKeys,
    now: datetime,
    epoch_s: int,
) -> None:
    """
    Store the wish, to be forgotten unless it is confirmed, and queue a confirmation.

    Every address takes the same calls: two reads, one transaction of two items, one message.
    deliver drops the message of whoever may not confirm: confirmed, complained, erased.
    Raises: ConflictError: If other writers kept changing the profile.
    """
    hashed = address_hash(wish.address, keys)
    expires_at = epoch_s + int(UNCONFIRMED_KEPT.total_seconds())
    consent = {
        "text": CONSENT_TEXT,
        "requested_at": now.isoformat(),
        "network": keyed_hash(wish.network, keys),
        "source": wish.source,
        **({"replaces": wish.replaces} if wish.replaces else {}),
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
        known = table.find(hashed)
        subscriber = table.get(known or fresh.subscriber_id)
        if subscriber is None:
            subscriber = fresh
            done = table.create(fresh, hashed, expires_at=expires_at, instead_of=known or "")
        else:
            spent = spent_at(subscriber)
            kept = {"spent_at": spent} if spent else {}
            wished = replace(subscriber, preferences=wish.preferences, consent={**consent, **kept})
            done = table.renew(wished, hashed, expires_at=None if spent else expires_at)
        if done:
            break
    else:
        raise ConflictError("a sign-up met other writers of the same profile")
    queue.send([{"subscriber": subscriber.subscriber_id, "kind": "confirm"}])
