"""Between domain values and DynamoDB items: dates and times as ISO text, empty values left out."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

Item = dict[str, Any]
T = TypeVar("T")


def time_text(at: datetime) -> str:
    """An aware time as sortable UTC text with microseconds."""
    if at.tzinfo is None:
        raise ValueError("a time without zone cannot be stored")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parsed_time(text: str) -> datetime:
    """The aware UTC time of *text*."""
    return datetime.fromisoformat(text).astimezone(UTC)


def optional_time(text: str | None) -> datetime | None:
    """The same for an attribute that may be absent."""
    return parsed_time(text) if text else None


def optional_date(text: str | None) -> date | None:
    """The date of an attribute that may be absent."""
    return date.fromisoformat(text) if text else None


def present(values: Mapping[str, Any]) -> Item:
    """*values* without None and empty text or lists, which need no attribute."""
    return {k: v for k, v in values.items() if v is not None and v not in ("", [], {})}


def number(value: Decimal | float) -> int:
    """A stored number as an int."""
    return int(value)


def chunks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """*values* in pieces of at most *size*."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def query_pages(
    table: "Table",
    condition: str,
    values: Mapping[str, Any],
    *,
    index: str | None = None,
    newest_first: bool = False,
    limit: int | None = None,
    attributes: Sequence[str] = (),
) -> Iterator[Item]:
    """
    All items of a key condition, at most *limit*; strongly consistent but for an index.

    With *attributes* no others are answered: of many items most of the time is their reading.
    """
    request: dict[str, Any] = {
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": dict(values),
        "ScanIndexForward": not newest_first,
    }
    if attributes:
        names = {f"#a{n}": name for n, name in enumerate(attributes)}
        request["ProjectionExpression"] = ", ".join(names)
        request["ExpressionAttributeNames"] = names
    if index is None:
        request["ConsistentRead"] = True
    else:
        request["IndexName"] = index
    left = limit
    while True:
        if left is not None:
            request["Limit"] = left
        answer = table.query(**request)
        yield from answer["Items"]
        if left is not None:
            left -= len(answer["Items"])
        last = answer.get("LastEvaluatedKey")
        if not last or left == 0:
            return
        request["ExclusiveStartKey"] = last
