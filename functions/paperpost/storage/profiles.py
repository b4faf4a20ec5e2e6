"""Profiles and their address rows as items of the Subscribers table, and back."""

from collections.abc import Mapping
from typing import Any

from paperpost.domain.papers import AnnounceType
from paperpost.domain.subscribers import (
    Cadence,
    Preferences,
    Rule,
    Subscriber,
    SubscriberStatus,
)
from paperpost.storage import keys
from paperpost.storage.items import (
    Item,
    number,
    optional_date,
    optional_time,
    parsed_time,
    time_text,
)


def profile_key(subscriber_id: str) -> Item:
    """The key of a profile."""
    return {"pk": keys.subscriber_pk(subscriber_id), "sk": keys.PROFILE_SK}


def address_key(address_hash: str) -> Item:
    """The key of an address row."""
    return {"pk": keys.email_pk(address_hash), "sk": keys.EMAIL_SK}


def kept_address(subscriber: Subscriber, address_hash: str) -> Item:
    """The update by which the subscriber's address row stays for good, were it just removed too."""
    return {
        "Key": address_key(address_hash),
        "UpdateExpression": "SET subscriber = :id, created_at = if_not_exists(created_at, :since) "
        "REMOVE expires_at",
        "ConditionExpression": "attribute_not_exists(pk) OR subscriber = :id",
        "ExpressionAttributeValues": {
            ":id": subscriber.subscriber_id,
            ":since": time_text(subscriber.created_at),
        },
    }


def subscriber_of(item: Mapping[str, Any]) -> Subscriber:
    """The stored profile; an erased one has no address and wants nothing."""
    preferences = item.get("preferences")
    return Subscriber(
        subscriber_id=item["pk"].removeprefix(keys.subscriber_pk("")),
        address=item.get("address", ""),
        status=SubscriberStatus(item["status"]),
        preferences=preferences_of(preferences) if preferences else Preferences(categories=()),
        created_at=parsed_time(item["created_at"]),
        confirmed_at=optional_time(item.get("confirmed_at")),
        ended_at=optional_time(item.get("ended_at")),
        consent=dict(item.get("consent", {})),
        bounces={i: parsed_time(when) for i, when in item.get("bounces", {}).items()},
    )


def preferences_item(preferences: Preferences) -> Item:
    """*preferences* as they are stored."""
    return {
        "categories": list(preferences.categories),
        "announce_types": [t.value for t in preferences.announce_types],
        "include": [{"field": r.field, "phrase": r.phrase} for r in preferences.include],
        "exclude": [{"field": r.field, "phrase": r.phrase} for r in preferences.exclude],
        "language": preferences.language,
        "cadence": preferences.cadence.value,
        "length": preferences.length,
        "hour": preferences.hour,
        "zone": preferences.zone,
        "most": preferences.most,
        "paused_until": preferences.paused_until and preferences.paused_until.isoformat(),
    }


def preferences_of(item: Mapping[str, Any]) -> Preferences:
    """The stored preferences."""
    return Preferences(
        categories=tuple(item["categories"]),
        announce_types=tuple(AnnounceType(t) for t in item["announce_types"]),
        include=tuple(Rule(field=r["field"], phrase=r["phrase"]) for r in item["include"]),
        exclude=tuple(Rule(field=r["field"], phrase=r["phrase"]) for r in item["exclude"]),
        language=item["language"],
        cadence=Cadence(item["cadence"]),
        length=item["length"],
        hour=None if item["hour"] is None else number(item["hour"]),
        zone=item["zone"],
        most=None if item["most"] is None else number(item["most"]),
        paused_until=optional_date(item["paused_until"]),
    )
