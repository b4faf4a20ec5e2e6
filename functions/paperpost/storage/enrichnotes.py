"""What enrich keeps beside the enrichments: claims, a provider's breaker, what a day has cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from paperpost.domain.breaker import Breaker
from paperpost.domain.spending import Budget, Spend, Tokens
from paperpost.storage import keys
from paperpost.storage.items import (
    Item,
    number,
    optional_time,
    present,
    query_pages,
    time_text,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """
    One worker's word that it asks for an enrichment, until its lease is over.

    `cache_key`: what would be paid for; a claim on another one does not count. `expires_at`: epoch
    seconds, for cleaning up.
    """

    arxiv_id: str
    language: str
    cache_key: str
    owner: str
    until: datetime
    expires_at: int


class EnrichNotes:
    """Items of enrich in Papers that are no enrichments; each write is conditional or a sum."""

    def __init__(self, table: "Table") -> None:
        self._table = table
        self._conflict = table.meta.client.exceptions.ConditionalCheckFailedException

    # claims

    def claim(self, claim: Claim, *, now: datetime) -> bool:
        """Take the claim; False while another owner has one on the same cache key."""
        item = {
            **_claim_key(claim),
            "cache_key": claim.cache_key,
            "owner": claim.owner,
            "until": time_text(claim.until),
            "expires_at": claim.expires_at,
        }
        return self._put_if(
            item,
            "attribute_not_exists(pk) OR #until <= :now OR cache_key <> :key",
            names={"#until": "until"},
            values={":now": time_text(now), ":key": claim.cache_key},
        )

    def release(self, claim: Claim) -> bool:
        """Give the claim back; False if it was lost."""
        try:
            self._table.delete_item(
                Key=_claim_key(claim),
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": claim.owner},
            )
        except self._conflict:
            return False
        return True

    # the breaker

    def get_breaker(self, model: str) -> Breaker:
        """What is known of *model*, strongly consistent."""
        return _breaker(self._get(keys.breaker_sk(model)))

    def list_breakers(self) -> dict[str, Breaker]:
        """What is known of each model that ever failed, strongly consistent."""
        first = keys.breaker_sk("")
        values = {":pk": keys.ENRICH_PK, ":first": first}
        items = query_pages(self._table, "pk = :pk AND begins_with(sk, :first)", values)
        return {item["sk"].removeprefix(first): _breaker(item) for item in items}

    def put_breaker(self, model: str, breaker: Breaker) -> bool:
        """Store *breaker* if nobody wrote since its `version` was read."""
        item = {
            "pk": keys.ENRICH_PK,
            "sk": keys.breaker_sk(model),
            "failures": breaker.failures,
            "opened": breaker.opened,
            "until": breaker.until and time_text(breaker.until),
            "version": breaker.version + 1,
        }
        if not breaker.version:
            return self._put_if(present(item), "attribute_not_exists(pk)")
        return self._put_if(
            present(item),
            "#version = :version",
            names={"#version": "version"},
            values={":version": breaker.version},
        )

    # what a day has cost

    def reserve(self, on: date, worst: Tokens, budget: Budget) -> bool:
        """Hold the cost of *worst* for a call; False if it would not fit under a cap."""
        held = {":t": worst.total, ":m": budget.micro_usd(worst)}
        caps = {
            "held_tokens": (budget.most_tokens, ":t"),
            "held_micro_usd": (budget.most_micro_usd, ":m"),
        }
        room = {f":room_{name}": cap - held[sign] for name, (cap, sign) in caps.items() if cap}
        if any(left < 0 for left in room.values()):
            return False
        condition: dict[str, Any] = {}
        if room:
            fits = (
                f"(attribute_not_exists({name}) OR {name} <= :room_{name})"
                for name, (cap, _) in caps.items()
                if cap
            )
            condition = {"ConditionExpression": " AND ".join(fits)}
        try:
            self._table.update_item(
                Key=_spend_key(on),
                UpdateExpression="ADD held_tokens :t, held_micro_usd :m REMOVE capped_at",
                ExpressionAttributeValues=held | room,
                **condition,
            )
        except self._conflict:
            return False
        return True

    def settle(self, on: date, worst: Tokens, real: Tokens, budget: Budget) -> None:
        """Put what a call really cost in the place of what was held for it."""
        cost, held = budget.micro_usd(real), budget.micro_usd(worst)
        self._table.update_item(
            Key=_spend_key(on),
            UpdateExpression=(
                "ADD held_tokens :t, held_micro_usd :m, calls :one,"
                " input_tokens :in, output_tokens :out, micro_usd :cost"
            ),
            ExpressionAttributeValues={
                ":t": real.total - worst.total,
                ":m": cost - held,
                ":one": 1,
                ":in": real.input,
                ":out": real.output,
                ":cost": cost,
            },
        )

    def note_capped(self, on: date, now: datetime) -> None:
        """Remember that a cap held back a call."""
        try:
            self._table.update_item(
                Key=_spend_key(on),
                UpdateExpression="SET capped_at = :now",
                ConditionExpression="attribute_not_exists(capped_at)",
                ExpressionAttributeValues={":now": time_text(now)},
            )
        except self._conflict:
            return  # noted already

    def get_spend(self, on: date) -> Spend:
        """What the UTC day *on* has cost, strongly consistent."""
        return _spend(on, self._get(keys.spend_sk(on)))

    def list_spends(self, first: date, last: date) -> list[Spend]:
        """What each UTC day from *first* to *last* has cost, days without calls left out."""
        items = query_pages(
            self._table,
            "pk = :pk AND sk BETWEEN :first AND :last",
            {
                ":pk": keys.ENRICH_PK,
                ":first": keys.spend_sk(first),
                ":last": keys.spend_sk(last),
            },
        )
        return [_spend(date.fromisoformat(i["sk"].removeprefix("SPEND#")), i) for i in items]

    def _get(self, key: str) -> Mapping[str, Any]:
        answer = self._table.get_item(Key={"pk": keys.ENRICH_PK, "sk": key}, ConsistentRead=True)
        return answer.get("Item", {})

    def _put_if(
        self,
        item: Item,
        condition: str,
        *,
        names: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> bool:
        more: dict[str, Any] = {}
        if names and values:
            more = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
        try:
            self._table.put_item(Item=item, ConditionExpression=condition, **more)
        except self._conflict:
            return False
        return True


def _claim_key(claim: Claim) -> dict[str, str]:
    return {"pk": keys.claim_pk(claim.arxiv_id), "sk": claim.language}


def _breaker(item: Mapping[str, Any]) -> Breaker:
    return Breaker(
        failures=number(item.get("failures", 0)),
        opened=number(item.get("opened", 0)),
        until=optional_time(item.get("until")),
        version=number(item.get("version", 0)),
    )


def _spend_key(on: date) -> dict[str, str]:
    return {"pk": keys.ENRICH_PK, "sk": keys.spend_sk(on)}


def _spend(on: date, item: Mapping[str, Any]) -> Spend:
    def count(name: str) -> int:
        return number(item.get(name, 0))

    return Spend(
        on=on,
        calls=count("calls"),
        tokens=Tokens(input=count("input_tokens"), output=count("output_tokens")),
        micro_usd=count("micro_usd"),
        held_tokens=count("held_tokens"),
        held_micro_usd=count("held_micro_usd"),
        capped_at=optional_time(item.get("capped_at")),
    )
