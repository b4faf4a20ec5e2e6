"""The Deliveries table: the ledger of who gets which issue; no address ever."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from paperpost.domain.deliveries import (
    LEASE,
    OVERDUE_AFTER,
    UNASKED,
    Delivery,
    DeliveryState,
    IssueRow,
    IssueState,
    may_become,
)
from paperpost.storage import keys
from paperpost.storage.items import (
    Item,
    number,
    optional_time,
    parsed_time,
    present,
    query_pages,
    time_text,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DeliveryTable:
    """Reads and writes the ledger; every change is one conditional write."""

    def __init__(self, table: "Table") -> None:
        self._table = table
        self._conflict = table.meta.client.exceptions.ConditionalCheckFailedException

    # issues (compose writes; deliver stops them)

    def put_issue(self, row: IssueRow, *, expires_at: int) -> bool:
        """
        Store the row of a frozen issue; False if there is one already.

        *expires_at*: epoch seconds of the real clock, when DynamoDB may clean the row up.
        """
        return self._put_if_absent({**_issue_item(row), "expires_at": expires_at})

    def get_issue(self, issue: str) -> IssueRow | None:
        """The issue's row, strongly consistent, or None."""
        answer = self._table.get_item(Key=_issue_key(issue), ConsistentRead=True)
        return _issue(answer["Item"]) if "Item" in answer else None

    def save_cursor(self, issue: str, cursor: tuple[int, str]) -> None:
        """Remember up to which shard and subscriber the issue's rows are planned."""
        self._update_issue(
            issue, "SET plan_cursor = :cursor", {":cursor": [cursor[0], cursor[1]]}, {}
        )

    def finish_planning(self, issue: str) -> None:
        """From now on the number of rows is the audience."""
        self._update_issue(
            issue,
            "SET #state = :sending REMOVE plan_cursor",
            {":sending": IssueState.SENDING.value},
            {"#state": "state"},
        )

    def note_queued(self, issue: str, queued: Mapping[datetime, datetime]) -> None:
        """Remember when the rows of each due time were queued; what stopped the issue is over."""
        self._update_issue(
            issue,
            "SET queued = :queued REMOVE stopped",
            {":queued": {time_text(due): time_text(at) for due, at in queued.items()}},
            {},
        )

    def stop_issue(self, issue: str, reason: str) -> None:
        """Let no letter of the issue start before compose's next tick."""
        self._update_issue(issue, "SET stopped = :reason", {":reason": reason}, {})

    def close_issue(self, issue: str, totals: Mapping[str, int], *, now: datetime) -> None:
        """Every row is accounted for."""
        self._update_issue(
            issue,
            "SET #state = :closed, closed_at = :now, totals = :totals",
            {
                ":closed": IssueState.CLOSED.value,
                ":now": time_text(now),
                ":totals": dict(totals),
            },
            {"#state": "state"},
        )

    # deliveries

    def put_planned(self, delivery: Delivery, *, expires_at: int) -> bool:
        """Plan a delivery; False if the subscriber has one of this issue already."""
        return self._put_if_absent({**_delivery_item(delivery), "expires_at": expires_at})

    def get_delivery(self, issue: str, shard: int, subscriber_id: str) -> Delivery | None:
        """One delivery, strongly consistent, or None."""
        answer = self._table.get_item(
            Key=_delivery_key(issue, shard, subscriber_id), ConsistentRead=True
        )
        return _delivery(answer["Item"]) if "Item" in answer else None

    def list_deliveries(self, issue: str, shard: int) -> Iterator[Delivery]:
        """All deliveries of one shard of an issue, strongly consistent."""
        for item in query_pages(self._table, "pk = :pk", {":pk": keys.deliveries_pk(issue, shard)}):
            yield _delivery(item)

    def list_standings(self, issue: str, shard: int) -> Iterator[Delivery]:
        """
        The same without owner, mails and reason: 100,000 rows in a third of the time.

        Enough to settle, queue and count them.
        """
        for item in query_pages(
            self._table,
            "pk = :pk",
            {":pk": keys.deliveries_pk(issue, shard)},
            attributes=("sk", "state", "due_at", "updated_at", "lease_until"),
        ):
            subscriber = item["sk"].removeprefix(keys.delivery_sk(""))
            yield _delivery({**item, "issue": issue, "shard": shard, "subscriber": subscriber})

    def count_deliveries(self, issue: str, shards: int) -> Counter[str]:
        """How many deliveries there are in each state, by query."""
        return Counter(
            delivery.state.value
            for shard in range(shards)
            for delivery in self.list_standings(issue, shard)
        )

    def claim(
        self, issue: str, shard: int, subscriber_id: str, *, owner: str, now: datetime
    ) -> Delivery | None:
        """
        Make the delivery *owner*'s alone; None if it is not open, not due, overdue or unknown.

        *owner* is made for this one call: so when the reply to a write is lost and the SDK asks
        again, the row itself tells that the claim is ours.
        """
        try:
            answer = self._table.update_item(
                Key=_delivery_key(issue, shard, subscriber_id),
                UpdateExpression=(
                    "SET #state = :claimed, #owner = :owner, lease_until = :lease, "
                    "updated_at = :now REMOVE reason ADD mails :one"
                ),
                ConditionExpression=(
                    "#state IN (:planned, :released) AND due_at <= :now AND due_at >= :oldest"
                ),
                ExpressionAttributeNames={"#state": "state", "#owner": "owner"},
                ExpressionAttributeValues={
                    ":claimed": DeliveryState.CLAIMED.value,
                    ":planned": DeliveryState.PLANNED.value,
                    ":released": DeliveryState.RELEASED.value,
                    ":owner": owner,
                    ":one": 1,
                    ":lease": time_text(now + LEASE),
                    ":now": time_text(now),
                    ":oldest": time_text(now - OVERDUE_AFTER),
                },
                ReturnValues="ALL_NEW",
            )
        except self._conflict:
            stored = self.get_delivery(issue, shard, subscriber_id)
            ours = stored and stored.owner == owner and stored.state is DeliveryState.CLAIMED
            return stored if ours else None
        return _delivery(answer["Attributes"])

    def mark(
        self,
        claimed: Delivery,
        state: DeliveryState,
        *,
        now: datetime,
        reason: str = "",
        message_id: str = "",
    ) -> bool:
        """Record what became of a claim; False if it is no longer this owner's."""
        adds: dict[str, Any] = {"mails": -1} if state in UNASKED else {}
        if message_id:
            adds["message_ids"] = {message_id}
        return self._change(
            claimed,
            state,
            now=now,
            reason=reason,
            condition="#state = :claimed AND #owner = :owner",
            values={":claimed": DeliveryState.CLAIMED.value, ":owner": claimed.owner},
            names={"#owner": "owner"},
            adds=adds,
        )

    def reconcile(
        self, seen: Delivery, state: DeliveryState, *, now: datetime, reason: str
    ) -> bool:
        """
        Bring a delivery to *state*; False if it is no longer as *seen*.

        What is released here goes again on the operator's word, so it is due *now*.
        """
        return self._change(
            seen,
            state,
            now=now,
            reason=reason,
            due_at=now if state is DeliveryState.RELEASED else None,
            condition="#state = :seen AND updated_at = :at",
            values={":seen": seen.state.value, ":at": time_text(seen.updated_at)},
        )

    def postpone(self, seen: Delivery, due_at: datetime) -> bool:
        """Make a letter that waits due at *due_at*; False if it is no longer as *seen*."""
        try:
            self._table.update_item(
                Key=_delivery_key(seen.issue, seen.shard, seen.subscriber_id),
                UpdateExpression="SET due_at = :due",
                ConditionExpression="#state = :seen AND due_at = :was",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":due": time_text(due_at),
                    ":seen": seen.state.value,
                    ":was": time_text(seen.due_at),
                },
            )
        except self._conflict:
            return False
        return True

    # deliveries, by what SES tells of a mail; feedback writes

    def knows_mail(self, issue: str, shard: int, subscriber_id: str, message_id: str) -> bool:
        """
        Whether the letter went out as the mail *message_id*, which it then remembers.

        As many mails of it as may have gone to SES bring their ids, once: SES names them in its
        reply, or here if the reply was lost. What names another is about no mail of ours.
        """
        try:
            self._table.update_item(
                Key=_delivery_key(issue, shard, subscriber_id),
                UpdateExpression="ADD message_ids :ids",
                ConditionExpression=(
                    "contains(message_ids, :id) "
                    "OR (attribute_exists(message_ids) AND size(message_ids) < mails) "
                    "OR (attribute_not_exists(message_ids) AND mails > :none)"
                ),
                ExpressionAttributeValues={":id": message_id, ":ids": {message_id}, ":none": 0},
            )
        except self._conflict:
            return False
        return True

    def settle(
        self,
        issue: str,
        shard: int,
        subscriber_id: str,
        state: DeliveryState,
        *,
        reason: str,
        now: datetime,
    ) -> bool:
        """
        Record what feedback proves, that a letter was sent or failed; False if it was known.

        Also for a claim that still runs, since the event may come before the lease ends, and for
        one that was given free to be sent again. Of several reasons the first by alphabet stays,
        whichever came first.
        """
        seen = Delivery(
            issue=issue,
            shard=shard,
            subscriber_id=subscriber_id,
            state=state,
            due_at=now,
            updated_at=now,
        )
        before = {f":{b.value}": b.value for b in DeliveryState if may_become(b, state)}
        return self._change(
            seen,
            state,
            now=now,
            reason=reason,
            condition=f"#state IN ({', '.join(before)}) OR (#state = :state AND reason > :reason)",
            values=before,
        )

    # turns: whose mail goes next; deliver writes

    def take_turn(self, *, now_ms: int, gap_ms: int) -> int:
        """The next free moment, in milliseconds since 1970; the one after lies *gap_ms* later."""
        while True:
            behind = self._shift_turns("next_ms + :gap", "next_ms >= :now", now_ms, gap_ms)
            if behind is not None:
                return behind
            free = "attribute_not_exists(next_ms) OR next_ms < :now"
            if self._shift_turns(":now + :gap", free, now_ms, gap_ms) is not None:
                return now_ms

    # the morning letter; deliver writes

    def claim_morning(self, on: date, *, now: datetime, expires_at: int) -> bool:
        """Make the morning letter of *on* the caller's alone; False if it is somebody's already."""
        try:
            self._table.update_item(
                Key=_morning_key(on),
                UpdateExpression="SET claimed_at = :now, expires_at = :expires_at",
                ConditionExpression="attribute_not_exists(claimed_at)",
                ExpressionAttributeValues={":now": time_text(now), ":expires_at": expires_at},
            )
        except self._conflict:
            return False
        return True

    def release_morning(self, on: date) -> None:
        """Give the morning letter back: it was certainly not sent."""
        self._table.update_item(Key=_morning_key(on), UpdateExpression="REMOVE claimed_at")

    def mark_morning(self, on: date, state: DeliveryState, *, message_id: str) -> None:
        """Record what became of the morning letter."""
        self._table.update_item(
            Key=_morning_key(on),
            UpdateExpression="SET #state = :state, message_id = :message_id",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":state": state.value, ":message_id": message_id},
        )

    # helpers

    def _shift_turns(self, moment: str, condition: str, now_ms: int, gap_ms: int) -> int | None:
        """The moment before it was shifted (0 if there was none), None if *condition* fails."""
        try:
            answer: Any = self._table.update_item(
                Key={"pk": keys.PACE_KEY, "sk": keys.PACE_KEY},
                UpdateExpression=f"SET next_ms = {moment}",
                ConditionExpression=condition,
                ExpressionAttributeValues={":now": now_ms, ":gap": gap_ms},
                ReturnValues="UPDATED_OLD",
            )
        except self._conflict:
            return None
        return number(answer.get("Attributes", {}).get("next_ms", 0))

    def _change(
        self,
        delivery: Delivery,
        state: DeliveryState,
        *,
        now: datetime,
        condition: str,
        values: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
        reason: str = "",
        adds: Mapping[str, Any] | None = None,
        due_at: datetime | None = None,
    ) -> bool:
        sets = present(
            {
                "updated_at": time_text(now),
                "reason": reason,
                "due_at": due_at and time_text(due_at),
            }
        )
        update = "SET #state = :state, " + ", ".join(f"{name} = :{name}" for name in sets)
        if adds:
            update += " ADD " + ", ".join(f"{name} :{name}" for name in adds)
        try:
            self._table.update_item(
                Key=_delivery_key(delivery.issue, delivery.shard, delivery.subscriber_id),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#state": "state", **(names or {})},
                ExpressionAttributeValues={
                    ":state": state.value,
                    **{f":{name}": value for name, value in {**sets, **(adds or {})}.items()},
                    **values,
                },
            )
        except self._conflict:
            return False
        return True

    def _update_issue(
        self, issue: str, update: str, values: Mapping[str, Any], names: Mapping[str, str]
    ) -> None:
        request: Any = {"ExpressionAttributeNames": dict(names)} if names else {}
        self._table.update_item(
            Key=_issue_key(issue),
            UpdateExpression=update,
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues=dict(values),
            **request,
        )

    def _put_if_absent(self, item: Item) -> bool:
        try:
            self._table.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")
        except self._conflict:
            return False
        return True


def _issue_key(issue: str) -> Item:
    return {"pk": keys.issue_pk(issue), "sk": keys.ISSUE_SK}


def _morning_key(on: date) -> Item:
    return {"pk": keys.MORNING_PK, "sk": keys.morning_sk(on)}


def _delivery_key(issue: str, shard: int, subscriber_id: str) -> Item:
    return {"pk": keys.deliveries_pk(issue, shard), "sk": keys.delivery_sk(subscriber_id)}


def _issue_item(row: IssueRow) -> Item:
    return {
        **_issue_key(row.issue),
        **present(
            {
                "issue": row.issue,
                "content_hash": row.content_hash,
                "frozen_at": time_text(row.frozen_at),
                "reason": row.reason,
                "papers": row.papers,
                "shards": row.shards,
                "too_late": row.too_late,
                "state": row.state.value,
            }
        ),
    }


def _issue(item: Mapping[str, Any]) -> IssueRow:
    cursor = item.get("plan_cursor")
    return IssueRow(
        issue=item["issue"],
        content_hash=item["content_hash"],
        frozen_at=parsed_time(item["frozen_at"]),
        reason=item["reason"],
        papers=number(item["papers"]),
        shards=number(item["shards"]),
        too_late=number(item.get("too_late", 0)),
        state=IssueState(item["state"]),
        cursor=(number(cursor[0]), cursor[1]) if cursor else None,
        queued={parsed_time(due): parsed_time(at) for due, at in item.get("queued", {}).items()},
        stopped=item.get("stopped", ""),
        closed_at=optional_time(item.get("closed_at")),
        totals={state: number(n) for state, n in item.get("totals", {}).items()},
    )


def _delivery_item(delivery: Delivery) -> Item:
    return {
        **_delivery_key(delivery.issue, delivery.shard, delivery.subscriber_id),
        "issue": delivery.issue,
        "shard": delivery.shard,
        "subscriber": delivery.subscriber_id,
        "state": delivery.state.value,
        "due_at": time_text(delivery.due_at),
        "updated_at": time_text(delivery.updated_at),
    }


def _delivery(item: Mapping[str, Any]) -> Delivery:
    return Delivery(
        issue=item["issue"],
        shard=number(item["shard"]),
        subscriber_id=item["subscriber"],
        state=DeliveryState(item["state"]),
        due_at=parsed_time(item["due_at"]),
        updated_at=parsed_time(item["updated_at"]),
        owner=item.get("owner", ""),
        lease_until=optional_time(item.get("lease_until")),
        mails=number(item.get("mails", 0)),
        message_ids=frozenset(item.get("message_ids", ())),
        reason=item.get("reason", ""),
    )
