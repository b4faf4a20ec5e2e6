"""Plan: everyone in the audience gets one row of the ledger, with the time it is due."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Protocol

from paperpost.domain.deliveries import Delivery, DeliveryState, IssueRow
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.issues import cadence_and_date, cutoff_at, due_at, due_from
from paperpost.domain.subscribers import MOST_SHARDS, AudienceMember, Cadence, shard_of
from paperpost.observe import logger
from paperpost.storage.deliveries import DeliveryTable

# The cursor is saved this often; what a crash repeats in between is put only if absent.
_SAVE_EVERY = 200
# One conditional write at a time would take 100,000 readers ten minutes. boto3's connections: ten.
_AT_ONCE = 8


class Audience(Protocol):
    """Who is confirmed, by cadence and shard, in the order of ids."""

    def list_audience(
        self, cadence: Cadence | str, shard: int, *, start: str | None = None
    ) -> Iterator[AudienceMember]:
        """The members behind the id *start*."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """
    Plans an issue's deliveries, over several ticks where the audience is large.

    `cutoff`: Eastern hh:mm, by which an issue should have been frozen.
    """

    deliveries: DeliveryTable
    audience: Audience
    cutoff: str
    may_go_on: Callable[[], bool]

    def plan(self, row: IssueRow, *, expires_at: int) -> bool:
        """Put a planned row for everyone confirmed before the freeze; False if not done yet."""
        cadence, _ = cadence_and_date(row.issue)
        first_shard, start = row.cursor or (0, "")
        with ThreadPoolExecutor(_AT_ONCE) as workers:
            put = partial(self._put, row, expires_at=expires_at)
            for shard in range(first_shard, MOST_SHARDS):
                members = iter(self.audience.list_audience(cadence, shard, start=start or None))
                while some := list(islice(members, _SAVE_EVERY)):
                    list(workers.map(put, some))  # raises what any of them raised
                    if len(some) < _SAVE_EVERY:
                        break
                    self.deliveries.save_cursor(row.issue, (shard, some[-1].subscriber_id))
                    if not self.may_go_on():
                        return False
                start = ""
        logger.info("audience planned", extra={"issue": row.issue})
        self.deliveries.finish_planning(row.issue)
        return True

    def _put(self, row: IssueRow, member: AudienceMember, *, expires_at: int) -> None:
        if member.confirmed_at >= row.frozen_at:
            return
        cadence, on = cadence_and_date(row.issue)
        since = due_from(row.frozen_at, cutoff_at(on, self.cutoff))
        try:
            due = due_at(cadence, since, hour=member.hour, zone=member.zone, friday=on)
        except InvalidInputError:
            # A zone that this system does not know (any more) must not cost anybody a letter.
            logger.warning("unknown time zone", extra={"subscriber": member.subscriber_id})
            due = since
        self.deliveries.put_planned(
            Delivery(
                issue=row.issue,
                shard=shard_of(member.subscriber_id, row.shards),
                subscriber_id=member.subscriber_id,
                state=DeliveryState.PLANNED,
                due_at=due,
                updated_at=row.frozen_at,
            ),
            expires_at=expires_at,
        )
