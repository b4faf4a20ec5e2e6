"""What is stored of a reader, as that reader gets it."""

from typing import Any

from paperpost.domain.subscribers import Subscriber


def profile_of(subscriber: Subscriber) -> dict[str, Any]:
    """Plain JSON values of the whole profile; times in UTC."""
    wanted = subscriber.preferences
    return {
        "id": subscriber.subscriber_id,
        "address": subscriber.address,
        "status": subscriber.status.value,
        "created_at": subscriber.created_at.isoformat(),
        "confirmed_at": subscriber.confirmed_at and subscriber.confirmed_at.isoformat(),
        "ended_at": subscriber.ended_at and subscriber.ended_at.isoformat(),
        "consent": subscriber.consent,
        "bounces": {letter: at.isoformat() for letter, at in subscriber.bounces.items()},
        "preferences": {
            "categories": list(wanted.categories),
            "announce_types": [t.value for t in wanted.announce_types],
            "include": [{"field": r.field, "phrase": r.phrase} for r in wanted.include],
            "exclude": [{"field": r.field, "phrase": r.phrase} for r in wanted.exclude],
            "language": wanted.language,
            "cadence": wanted.cadence.value,
            "length": wanted.length,
            "hour": wanted.hour,
            "zone": wanted.zone,
            "most": wanted.most,
            "paused_until": wanted.paused_until and wanted.paused_until.isoformat(),
        },
    }
