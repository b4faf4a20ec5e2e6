"""What fetch remembers beside papers: the lease on arXiv, validators, what the API still owes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from paperpost.storage import keys
from paperpost.storage.items import Item, optional_time, parsed_time, present, time_text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_LEASE = ("owner", "until", "asked_at", "hosts")  # the attributes of the lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """
    When arXiv may be asked again: at all, and by host where an answer asked to wait longer.

    `asked_at` is when the last request was over, None if that is not known.
    """

    asked_at: datetime | None = None
    hosts: Mapping[str, datetime] = field(default_factory=dict)


class FetchNotes:
    """
    The items of the partition FETCH, watermarks apart (PaperTable).

    The lease: whoever holds it is the only one of this stack that talks to arXiv, and asks nothing
    from `until` on, so that it may be taken over then. Expiry is checked here, not by TTL.
    """

    def __init__(self, table: "Table") -> None:
        self._table = table
        self._conflict = table.meta.client.exceptions.ConditionalCheckFailedException

    def take_lease(self, owner: str, *, until: datetime, now: datetime) -> Waits | None:
        """Take the lease and return what is to be waited for; None while another owner has it."""
        stored = self._get(keys.LEASE_SK)
        if stored.get("owner") and parsed_time(stored["until"]) > now:
            return None
        # Who dies with the lease tells nothing more: its last request was before its end.
        asked_at = stored.get("until") if stored.get("owner") else stored.get("asked_at")
        waits = Waits(
            asked_at=optional_time(asked_at),
            hosts={host: parsed_time(at) for host, at in stored.get("hosts", {}).items()},
        )
        item = _lease(waits) | {"owner": owner, "until": time_text(until)}
        return waits if self._put_over(stored, item) else None

    def release_lease(self, owner: str, waits: Waits) -> bool:
        """Give the lease back with what the next owner has to wait for; False if it was lost."""
        try:
            self._table.put_item(
                Item=_lease(waits),
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": owner},
            )
        except self._conflict:
            return False
        return True

    def get_validators(self, url: str) -> Mapping[str, str]:
        """The headers that ask for *url* only if it changed; empty if nothing is known of it."""
        headers: Mapping[str, str] = self._get(keys.etag_sk(url)).get("headers", {})
        return headers

    def put_validators(self, url: str, headers: Mapping[str, str]) -> None:
        """Remember the headers that ask for *url* only if it changed."""
        key = {"pk": keys.FETCH_PK, "sk": keys.etag_sk(url)}
        self._table.put_item(Item={**key, "headers": dict(headers)})

    def get_incomplete(self) -> dict[date, tuple[str, ...]]:
        """The ids that the API has told nothing of yet, by the date on which they were seen."""
        stored: Mapping[str, Sequence[str]] = self._get(keys.INCOMPLETE_SK).get("papers", {})
        return {date.fromisoformat(on): tuple(ids) for on, ids in stored.items()}

    def put_incomplete(self, papers: Mapping[date, Sequence[str]]) -> None:
        """Remember them."""
        told = {on.isoformat(): list(ids) for on, ids in papers.items()}
        key = {"pk": keys.FETCH_PK, "sk": keys.INCOMPLETE_SK}
        self._table.put_item(Item={**key, "papers": told})

    def _get(self, key: str) -> Mapping[str, Any]:
        answer = self._table.get_item(Key={"pk": keys.FETCH_PK, "sk": key}, ConsistentRead=True)
        return answer.get("Item", {})

    def _put_over(self, stored: Mapping[str, Any], item: Item) -> bool:
        """Put *item* if the lease is still as it was read: another may have come and gone."""
        as_read = [
            f"#{name} = :{name}" if stored.get(name) else f"attribute_not_exists(#{name})"
            for name in _LEASE
        ]
        condition: dict[str, Any] = {
            "ConditionExpression": " AND ".join(as_read),
            "ExpressionAttributeNames": {f"#{name}": name for name in _LEASE},
        }
        if values := {f":{name}": stored[name] for name in _LEASE if stored.get(name)}:
            condition["ExpressionAttributeValues"] = values
        try:
            self._table.put_item(Item=item, **condition)
        except self._conflict:
            return False
        return True


def _lease(waits: Waits) -> Item:
    return present(
        {
            "pk": keys.FETCH_PK,
            "sk": keys.LEASE_SK,
            "asked_at": waits.asked_at and time_text(waits.asked_at),
            "hosts": {host: time_text(at) for host, at in waits.hosts.items()},
        }
    )
