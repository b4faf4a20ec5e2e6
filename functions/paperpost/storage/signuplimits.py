"""What limits sign-ups in the Subscribers table: counters by hour, and mails by mailbox."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from paperpost.storage import keys
from paperpost.storage.items import Item, time_text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_CONFIRMATIONS_APART = timedelta(hours=24)
_MOST_CONFIRMATIONS = 3


class SignUpLimits:
    """Counts sign-ups and confirmation mails; a count that is full is not raised."""

    def __init__(self, table: "Table") -> None:
        self._table = table
        self._conflict = table.meta.client.exceptions.ConditionalCheckFailedException

    def count(
        self, kind: str, value_hash: str, window: str, *, limit: int, expires_at: int
    ) -> bool:
        """
        Count one more of *kind* in *window*; False, counting nothing, if *limit* is reached.

        *expires_at*: epoch seconds of the real clock, when DynamoDB may clean the counter up.
        """
        if limit <= 0:
            return False
        try:
            self._table.update_item(
                Key={"pk": keys.limit_pk(kind, value_hash), "sk": window},
                UpdateExpression="ADD #count :one SET expires_at = :expires_at",
                ConditionExpression="attribute_not_exists(#count) OR #count < :limit",
                ExpressionAttributeNames={"#count": "count"},
                ExpressionAttributeValues={":one": 1, ":limit": limit, ":expires_at": expires_at},
            )
        except self._conflict:
            return False
        return True

    def claim_confirmation(self, mailbox_hash: str, *, now: datetime, expires_at: int) -> bool:
        """
        Count one confirmation mail to a mailbox; False, counting nothing, if it has had its share.

        That is one in 24 hours, and three until it confirms. *expires_at*: epoch seconds of the
        real clock when DynamoDB may forget the count; whoever waits for that waits from the last
        mail on, whatever became of the profile.
        """
        try:
            self._table.update_item(
                Key=_mails_key(mailbox_hash),
                UpdateExpression="SET mailed_at = :now, expires_at = :expires_at ADD #count :one",
                ConditionExpression="attribute_not_exists(pk) OR "
                "(#count < :most AND (attribute_not_exists(mailed_at) OR mailed_at <= :before))",
                ExpressionAttributeNames={"#count": "count"},
                ExpressionAttributeValues={
                    ":now": time_text(now),
                    ":before": time_text(now - _CONFIRMATIONS_APART),
                    ":expires_at": expires_at,
                    ":one": 1,
                    ":most": _MOST_CONFIRMATIONS,
                },
            )
        except self._conflict:
            return False
        return True

    def return_confirmation(self, mailbox_hash: str) -> None:
        """Take a claim back: the mail was certainly not sent."""
        self._table.update_item(
            Key=_mails_key(mailbox_hash),
            UpdateExpression="ADD #count :less REMOVE mailed_at",
            ExpressionAttributeNames={"#count": "count"},
            ExpressionAttributeValues={":less": -1},
        )

    def forget_confirmations(self, mailbox_hash: str) -> None:
        """Count from nothing again, where there is a count: the mailbox's owner has confirmed."""
        with suppress(self._conflict):
            self._table.update_item(
                Key=_mails_key(mailbox_hash),
                UpdateExpression="SET #count = :none",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeNames={"#count": "count"},
                ExpressionAttributeValues={":none": 0},
            )


def _mails_key(mailbox_hash: str) -> Item:
    return {"pk": keys.limit_pk("mailbox", mailbox_hash), "sk": keys.MAILS_SK}
