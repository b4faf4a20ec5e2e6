"""Subscribers, what they want, and which changes of status are allowed."""

import zlib
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from paperpost.domain.papers import AnnounceType

# The most audience entries and ledgers may be divided into. Entries stay where they are when SHARDS
# changes, so that whoever looks for everybody looks into all of these.
MOST_SHARDS = 16
# A sign-up that nobody confirms is forgotten so long after it was last asked for; its link lasts
# 48 hours, the rest is time to answer whoever asks what that mail was.
UNCONFIRMED_KEPT = timedelta(days=30)


class SubscriberStatus(StrEnum):
    """Where a subscriber stands; only `confirmed` ever gets an issue."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ERASED = "erased"


class Cadence(StrEnum):
    """How often a subscriber wants an issue."""

    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A word, phrase or author to look for. `field`: title, abstract, text (both) or author."""

    field: str
    phrase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """
    What one subscriber wants.

    `language`: zh, en or both. `length`: brief or full. `hour`: local hour 0 to 23 in `zone`, or
    None for "as soon as it is ready". `most`: the most papers a letter holds, or None.
    """

    categories: tuple[str, ...]
    announce_types: tuple[AnnounceType, ...] = (AnnounceType.NEW, AnnounceType.CROSS)
    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()
    language: str = "both"
    cadence: Cadence = Cadence.DAILY
    length: str = "brief"
    hour: int | None = None
    zone: str = "Asia/Shanghai"
    most: int | None = None
    paused_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """
    A profile: random id, address, status and preferences, with the consent that was given.

    `bounces`: by message id, when a letter bounced for now (domain/bounces.py).
    """

    subscriber_id: str
    address: str
    status: SubscriberStatus
    preferences: Preferences
    created_at: datetime
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None
    consent: dict[str, str] = field(default_factory=dict)
    bounces: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceMember:
    """What the audience index tells of a confirmed subscriber: no address, no rules."""

    subscriber_id: str
    zone: str
    hour: int | None
    confirmed_at: datetime
    paused_until: date | None = None


# A complaint or an erasure is final; a bounce may be overcome only by confirming anew.
_ALLOWED: dict[SubscriberStatus, frozenset[SubscriberStatus]] = {
    SubscriberStatus.UNCONFIRMED: frozenset(
        {
            SubscriberStatus.CONFIRMED,
            SubscriberStatus.UNSUBSCRIBED,
            SubscriberStatus.BOUNCED,
            SubscriberStatus.COMPLAINED,
            SubscriberStatus.ERASED,
        }
    ),
    SubscriberStatus.CONFIRMED: frozenset(
        {
            SubscriberStatus.UNSUBSCRIBED,
            SubscriberStatus.BOUNCED,
            SubscriberStatus.COMPLAINED,
            SubscriberStatus.ERASED,
        }
    ),
    SubscriberStatus.UNSUBSCRIBED: frozenset(
        {
            SubscriberStatus.CONFIRMED,
            SubscriberStatus.BOUNCED,
            SubscriberStatus.COMPLAINED,
            SubscriberStatus.ERASED,
        }
    ),
    SubscriberStatus.BOUNCED: frozenset(
        {SubscriberStatus.CONFIRMED, SubscriberStatus.COMPLAINED, SubscriberStatus.ERASED}
    ),
    SubscriberStatus.COMPLAINED: frozenset({SubscriberStatus.ERASED}),
    SubscriberStatus.ERASED: frozenset(),
}


def may_become(status: SubscriberStatus, wanted: SubscriberStatus) -> bool:
    """Whether a subscriber of *status* may become *wanted*."""
    return wanted in _ALLOWED[status]


def shard_of(subscriber_id: str, shards: int) -> int:
    """The shard, 0 to *shards* - 1, where a subscriber's audience entry and deliveries lie."""
    return zlib.crc32(subscriber_id.encode()) % shards
