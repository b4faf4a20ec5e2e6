"""The Subscribers table: profiles, addresses by their keyed hash, the audience."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from paperpost.domain.bounces import noted, paused_until
from paperpost.domain.errors import ConflictError
from paperpost.domain.morning import Readers
from paperpost.domain.subscribers import (
    AudienceMember,
    Cadence,
    Preferences,
    Subscriber,
    SubscriberStatus,
    may_become,
    shard_of,
)
from paperpost.storage import keys
from paperpost.storage.items import (
    Item,
    number,
    optional_date,
    optional_time,
    parsed_time,
    present,
    query_pages,
    time_text,
)
from paperpost.storage.profiles import (
    address_key,
    kept_address,
    preferences_item,
    profile_key,
    subscriber_of,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_ATTEMPTS = 5
# Present while confirmed and at no other time: they put a profile into the audience index.
_AUDIENCE = ("audience", "id", "zone", "hour", "paused_until", "confirmed_at")
_PERSONAL = ("address", "bounces", "preferences", "consent")
# Present until the first confirmation, complaint or erasure: when the profile is forgotten, and the
# address row that is forgotten with it.
_UNTIL_KEPT = ("expires_at", "address_hash")
_KEPT = frozenset(
    {SubscriberStatus.CONFIRMED, SubscriberStatus.COMPLAINED, SubscriberStatus.ERASED}
)
_NO_BOUNCES = "attribute_not_exists(bounces)"


class SubscriberTable:
    """Reads and writes the Subscribers table; no error text holds an address."""

    def __init__(self, table: "Table", *, shards: int = 1) -> None:
        self._table, self._shards = table, shards
        self._client = table.meta.client
        self._conflict = self._client.exceptions.ConditionalCheckFailedException

    # profiles

    def get(self, subscriber_id: str) -> Subscriber | None:
        """The subscriber, strongly consistent, or None."""
        item = self._get(keys.subscriber_pk(subscriber_id), keys.PROFILE_SK)
        return subscriber_of(item) if item else None

    def find(self, address_hash: str) -> str | None:
        """The id of the subscriber that has the address, or had it until its erasure, or None."""
        item = self._get(keys.email_pk(address_hash), keys.EMAIL_SK)
        return item["subscriber"] if item else None

    def create(
        self,
        subscriber: Subscriber,
        address_hash: str,
        *,
        expires_at: int | None = None,
        instead_of: str = "",
    ) -> bool:
        """
        Store a new subscriber; False, changing nothing, if the address is already known.

        *expires_at*: epoch seconds of the real clock when DynamoDB may remove both rows, unless the
        subscriber confirms. *instead_of*: a subscriber of this address whose profile was removed.
        """
        fades: Item = {} if expires_at is None else {"expires_at": expires_at}
        address = {
            **address_key(address_hash),
            "subscriber": subscriber.subscriber_id,
            "created_at": time_text(subscriber.created_at),
            **fades,
        }
        profile = self._item(subscriber) | (fades and {**fades, "address_hash": address_hash})
        absent = "attribute_not_exists(pk)"
        free: Item = {"ConditionExpression": absent}
        if instead_of:
            free = {
                "ConditionExpression": f"{absent} OR subscriber = :gone",
                "ExpressionAttributeValues": {":gone": instead_of},
            }
        return self._transact(
            {"Put": {"Item": address, **free}},
            {"Put": {"Item": profile, "ConditionExpression": absent}},
        )

    def renew(
        self, subscriber: Subscriber, address_hash: str, *, expires_at: int | None = None
    ) -> bool:
        """
        Take preferences and consent of a repeated sign-up, if *subscriber* may (again) confirm.

        A confirmed, complained or erased profile stays as it is; its conditions are checked all the
        same, so that every sign-up is one transaction of two items. *expires_at* as for `create`;
        None for who confirmed once.
        False, changing nothing, if another writer was faster.
        """
        known: Item = {
            "Key": address_key(address_hash),
            "ConditionExpression": "subscriber = :id",
            "ExpressionAttributeValues": {":id": subscriber.subscriber_id},
        }
        profile: Item = {
            "Key": profile_key(subscriber.subscriber_id),
            "ConditionExpression": "#status = :status",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {":status": subscriber.status.value},
        }
        if not may_become(subscriber.status, SubscriberStatus.CONFIRMED):
            return self._transact({"ConditionCheck": known}, {"ConditionCheck": profile})
        profile["UpdateExpression"] = "SET preferences = :preferences, consent = :consent"
        profile["ExpressionAttributeValues"] |= {
            ":preferences": preferences_item(subscriber.preferences),
            ":consent": subscriber.consent,
        }
        if expires_at is None:
            return self._transact({"ConditionCheck": known}, {"Update": profile})
        known["UpdateExpression"] = "SET expires_at = :expires_at"
        known["ExpressionAttributeValues"] |= {":expires_at": expires_at}
        profile["UpdateExpression"] += ", expires_at = :expires_at, address_hash = :hash"
        profile["ExpressionAttributeValues"] |= {":expires_at": expires_at, ":hash": address_hash}
        return self._transact({"Update": known}, {"Update": profile})

    def set_status(self, subscriber_id: str, status: SubscriberStatus, *, now: datetime) -> bool:
        """
        Bring the subscriber to *status*; False if that is not allowed from where it stands.

        Confirming puts it into the audience, any other status takes it out; erasing also removes
        address, preferences and consent for good, and leaves the address' hash as a tombstone. Who
        confirmed, complained or was erased is not forgotten by itself any more.
        Raises: ConflictError: If another writer kept changing the profile.
        """
        for _ in range(_ATTEMPTS):
            item = self._get(keys.subscriber_pk(subscriber_id), keys.PROFILE_SK)
            stored = subscriber_of(item) if item else None
            if item is None or stored is None or not may_become(stored.status, status):
                return False
            values: Item = {"status": status.value}
            if status is SubscriberStatus.CONFIRMED:
                values |= self._audience(subscriber_id, stored.preferences, confirmed_at=now)
                values["consent"] = {**stored.consent, "confirmed_at": time_text(now)}
                gone = {"ended_at", *_AUDIENCE} - values.keys()
            else:
                values["ended_at"] = time_text(now)
                gone = {*_AUDIENCE, *(_PERSONAL if status is SubscriberStatus.ERASED else ())}
            beside = None
            if status in _KEPT and "address_hash" in item:
                gone |= {*_UNTIL_KEPT}
                beside = kept_address(stored, item["address_hash"])
            if self._update(stored, values, gone, beside=beside):
                return True
        raise ConflictError("a subscriber's profile is being changed by another writer")

    def put_preferences(self, subscriber_id: str, preferences: Preferences) -> bool:
        """
        Replace the preferences; False if there is no such subscriber, or it is erased.

        Raises: ConflictError: If another writer kept changing the profile.
        """
        for _ in range(_ATTEMPTS):
            stored = self.get(subscriber_id)
            if stored is None or stored.status is SubscriberStatus.ERASED:
                return False
            values: Item = {"preferences": preferences_item(preferences)}
            gone: set[str] = set()
            if stored.status is SubscriberStatus.CONFIRMED:
                assert stored.confirmed_at is not None
                values |= self._audience(
                    subscriber_id, preferences, confirmed_at=stored.confirmed_at
                )
                gone = set(_AUDIENCE) - values.keys()
            if self._update(stored, values, gone):
                return True
        raise ConflictError("a subscriber's profile is being changed by another writer")

    def note_bounce(self, subscriber_id: str, message_id: str, *, at: datetime) -> bool:
        """
        Note that the letter *message_id* bounced for now, at *at* (see domain/bounces.py).

        Returns whether that pauses a confirmed subscription, or pauses it longer. A repeat changes
        nothing, and a pause that the reader chose is never cut short. It is noted of who has left,
        too, so that the order in which events arrive does not matter.
        Raises: ConflictError: If another writer kept changing the profile.
        """
        for _ in range(_ATTEMPTS):
            item = self._get(keys.subscriber_pk(subscriber_id), keys.PROFILE_SK)
            stored = subscriber_of(item) if item else None
            if item is None or stored is None or stored.status is SubscriberStatus.ERASED:
                return False
            told = noted(stored.bounces, message_id, at)
            if told == stored.bounces:
                return False
            is_confirmed = stored.status is SubscriberStatus.CONFIRMED
            until, chosen = paused_until(told), stored.preferences.paused_until
            pauses = until is not None and (chosen is None or until > chosen)
            values: Item = {"bounces": {i: time_text(when) for i, when in told.items()}}
            if pauses and until is not None:
                values["preferences"] = preferences_item(
                    replace(stored.preferences, paused_until=until)
                )
                # Of the audience's attributes nobody else has any.
                values |= {"paused_until": until.isoformat()} if is_confirmed else {}
            if self._update(stored, values, set(), bounces=item.get("bounces")):
                return pauses and is_confirmed
        raise ConflictError("a subscriber's profile is being changed by another writer")

    def list_profiles(self) -> Iterator[Subscriber]:
        """Every subscriber, erased ones too; a scan, for the operator alone."""
        start: Item = {}
        while True:
            page = self._table.scan(
                FilterExpression="sk = :profile",
                ExpressionAttributeValues={":profile": keys.PROFILE_SK},
                ConsistentRead=True,
                **start,
            )
            yield from map(subscriber_of, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def count_readers(self, *, since: datetime) -> Readers:
        """
        Count the confirmed, and who joined and left since then.

        It reads every profile, and of each no more than its status and two times.
        """
        confirmed = joined = 0
        left = Counter[str]()
        for page in self._client.get_paginator("scan").paginate(
            TableName=self._table.name,
            FilterExpression="sk = :profile",
            ProjectionExpression="#status, confirmed_at, ended_at",
            Select="SPECIFIC_ATTRIBUTES",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":profile": keys.PROFILE_SK},
        ):
            for item in page["Items"]:
                status = SubscriberStatus(str(item["status"]))
                if status is SubscriberStatus.CONFIRMED:
                    confirmed += 1
                    joined += _at(item, "confirmed_at") >= since
                elif _at(item, "ended_at") >= since:
                    left[status.value] += 1
        return Readers(confirmed=confirmed, joined=joined, left=dict(sorted(left.items())))

    # the audience

    def list_audience(
        self, cadence: Cadence | str, shard: int, *, start: str | None = None
    ) -> Iterator[AudienceMember]:
        """
        The confirmed subscribers of a cadence and shard by id, only those behind the id *start*.

        Read through the index, so a change shows within about a second.
        """
        condition, values = "audience = :audience", {":audience": keys.audience_key(cadence, shard)}
        if start is not None:
            condition, values = f"{condition} AND id > :start", {**values, ":start": start}
        for item in query_pages(self._table, condition, values, index=keys.AUDIENCE_INDEX):
            yield AudienceMember(
                subscriber_id=item["id"],
                zone=item["zone"],
                hour=number(item["hour"]) if "hour" in item else None,
                confirmed_at=parsed_time(item["confirmed_at"]),
                paused_until=optional_date(item.get("paused_until")),
            )

    # helpers

    def _get(self, pk: str, sk: str) -> Mapping[str, Any] | None:
        return self._table.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True).get("Item")

    def _transact(self, *operations: Mapping[str, Item]) -> bool:
        """Do all *operations* or none; False if a condition failed or a writer was in the way."""
        request: Any = [
            {name: {"TableName": self._table.name, **what}}
            for operation in operations
            for name, what in operation.items()
        ]
        try:
            self._client.transact_write_items(TransactItems=request)
        except self._client.exceptions.TransactionCanceledException as exc:
            reasons = {reason.get("Code") for reason in exc.response["CancellationReasons"]}
            if reasons <= {"None", "ConditionalCheckFailed", "TransactionConflict"}:
                return False
            raise
        return True

    def _update(
        self,
        stored: Subscriber,
        values: Item,
        gone: set[str],
        *,
        bounces: Item | None = None,
        beside: Item | None = None,
    ) -> bool:
        """
        Write *values*, remove *gone*; False if status or preferences are not as *stored* now.

        With values for `bounces` these must be as they were, too. *beside*: an update of another
        item that is done as well, or neither.
        """
        changed = {f"#v{n}": name for n, name in enumerate(values)}
        removed = {f"#g{n}": name for n, name in enumerate(sorted(gone))}
        update = "SET " + ", ".join(f"{name} = :{name[1:]}" for name in changed)
        if removed:
            update += " REMOVE " + ", ".join(removed)
        condition = "#status = :status AND #preferences = :preferences"
        as_read: Item = {}
        if "bounces" in values:
            condition += " AND " + ("bounces = :bounces" if bounces else _NO_BOUNCES)
            as_read = {":bounces": bounces} if bounces else {}
        request: Item = {
            "Key": profile_key(stored.subscriber_id),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {
                **changed,
                **removed,
                "#status": "status",
                "#preferences": "preferences",
            },
            "ExpressionAttributeValues": {
                **{f":{name[1:]}": values[changed[name]] for name in changed},
                ":status": stored.status.value,
                ":preferences": preferences_item(stored.preferences),
                **as_read,
            },
        }
        if beside is not None:
            return self._transact({"Update": request}, {"Update": beside})
        try:
            self._table.update_item(**request)
        except self._conflict:
            return False
        return True

    def _audience(
        self, subscriber_id: str, preferences: Preferences, *, confirmed_at: datetime
    ) -> Item:
        shard = shard_of(subscriber_id, self._shards)
        return present(
            {
                "audience": keys.audience_key(preferences.cadence, shard),
                "id": subscriber_id,
                "zone": preferences.zone,
                "hour": preferences.hour,
                "paused_until": preferences.paused_until and preferences.paused_until.isoformat(),
                "confirmed_at": time_text(confirmed_at),
            }
        )

    def _item(self, subscriber: Subscriber) -> Item:
        audience = (
            self._audience(
                subscriber.subscriber_id,
                subscriber.preferences,
                confirmed_at=subscriber.confirmed_at or subscriber.created_at,
            )
            if subscriber.status is SubscriberStatus.CONFIRMED
            else {}
        )
        return {
            **profile_key(subscriber.subscriber_id),
            "status": subscriber.status.value,
            "address": subscriber.address,
            "preferences": preferences_item(subscriber.preferences),
            "consent": subscriber.consent,
            "created_at": time_text(subscriber.created_at),
            **present({"ended_at": subscriber.ended_at and time_text(subscriber.ended_at)}),
            **audience,
        }


def _at(item: Mapping[str, Any], name: str) -> datetime:
    return optional_time(item.get(name)) or datetime.min.replace(tzinfo=UTC)
