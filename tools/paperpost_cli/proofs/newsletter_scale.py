"""What compose costs with 100,000 readers: its own work, against tables that answer at once."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from paperpost.compose.planning import Planner
from paperpost.compose.reconciling import Reconciler
from paperpost.domain.deliveries import IssueRow
from paperpost.domain.subscribers import AudienceMember, Cadence
from paperpost.storage.deliveries import DeliveryTable
from paperpost_cli.proofs.proof import ProofError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

READERS = 100_000
_ISSUE = "daily-2024-03-26"
_FROZEN_AT = datetime(2024, 3, 26, 4, 30, tzinfo=UTC)
_PAGE = 2_000  # rows of this size in one answer of DynamoDB, which holds at most 1 MB
# compose in template.yaml: 300 s, of which it plans for 240, with 1,024 of the 1,769 MB that are
# one processor. Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html,
# read 2026-11-26.
_PROCESSOR = 1_024 / 1_769
_PLANS_FOR_S = 240


def scale(number: int = READERS) -> str:
    """
    Plan *number* readers and look through as many rows; seconds of processor for 100,000 of each.

    Raises: ProofError: If one tick of the function would not be enough, were its processor as fast
        as this one.
    """
    planning_s = _planned_s(number) * READERS / number
    looking_s = _looked_s(number) * READERS / number
    longest_s = (planning_s + looking_s) / _PROCESSOR
    figure = (
        f"{READERS:,} readers: planned in {planning_s:.0f} s of processor, looked through in "
        f"{looking_s:.1f} s, so {longest_s / _PLANS_FOR_S:.0%} of a tick"
    )
    if longest_s > _PLANS_FOR_S:
        raise ProofError("one tick is not enough", figure=figure)
    return figure


class _Answers:
    """DynamoDB on the wire: it says yes at once, and gives an issue's rows page by page."""

    def __init__(self, rows: int) -> None:
        self._pages = [
            [_row(n) for n in range(start, min(rows, start + _PAGE))]
            for start in range(0, rows, _PAGE)
        ]

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:  # noqa: ANN401  botocore's
        value: dict[str, Any] = {}
        if request.headers["X-Amz-Target"] == b"DynamoDB_20120810.Query":
            assert isinstance(request.body, bytes)
            asked = set(json.loads(request.body)["ExpressionAttributeNames"].values())
            page = self._pages.pop(0)
            value["Items"] = [{name: row[name] for name in asked & row.keys()} for row in page]
            if self._pages:
                value["LastEvaluatedKey"] = {name: page[-1][name] for name in ("pk", "sk")}
        body = json.dumps(value).encode()
        headers = HTTPHeaders.from_dict({"content-type": "application/x-amz-json-1.0"})
        return AWSResponse("https://dynamodb.invalid", 200, headers, _Raw(body))


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        """What urllib3 would give."""
        yield self._body


class _Audience:
    def __init__(self, number: int) -> None:
        self._number = number

    def list_audience(
        self, _cadence: Cadence | str, shard: int, *, start: str | None = None
    ) -> Iterator[AudienceMember]:
        """Readers of every hour, all in the first shard."""
        assert start is None
        for n in range(0 if shard else self._number):
            yield AudienceMember(
                subscriber_id=f"{n:032x}",
                zone="Asia/Shanghai",
                hour=n % 24,
                confirmed_at=datetime(2024, 1, 2, tzinfo=UTC),
            )


def _planned_s(number: int) -> float:
    """Seconds of processor that planning takes."""
    planner = Planner(
        deliveries=DeliveryTable(_table(_Answers(0))),
        audience=_Audience(number),
        cutoff="07:30",
        may_go_on=lambda: True,
    )
    began = time.process_time()
    assert planner.plan(_issue(), expires_at=2_000_000_000)
    return time.process_time() - began


def _looked_s(number: int) -> float:
    """Seconds of processor that reading and settling an open issue takes."""
    reconciler = Reconciler(deliveries=DeliveryTable(_table(_Answers(number))), policy="skip")
    began = time.process_time()
    rows = reconciler.settle(_issue(), now=_FROZEN_AT)
    assert len(rows) == number
    return time.process_time() - began


def _table(answers: _Answers) -> "Table":
    nobody = boto3.Session(
        aws_access_key_id="-",
        aws_secret_access_key="-",  # noqa: S106  nobody's
        region_name="us-east-1",
    )
    table = nobody.resource("dynamodb").Table("deliveries")
    answer: Any = answers  # botocore takes an answer from this event; its types do not tell
    table.meta.client.meta.events.register_first("before-send.dynamodb.*", answer)
    return table


def _issue() -> IssueRow:
    return IssueRow(
        issue=_ISSUE, content_hash="h", frozen_at=_FROZEN_AT, reason="ready", papers=1, shards=1
    )


def _row(number: int) -> dict[str, Any]:
    text = {
        "pk": f"ISSUE#{_ISSUE}#0",
        "sk": f"SUB#{number:032x}",
        "issue": _ISSUE,
        "subscriber": f"{number:032x}",
        "state": "sent",
        "due_at": "2024-03-26T04:30:00.000000Z",
        "updated_at": "2024-03-26T04:31:00.000000Z",
        "owner": "0123456789abcdef",
        "lease_until": "2024-03-26T04:45:00.000000Z",
    }
    return {
        **{name: {"S": value} for name, value in text.items()},
        "shard": {"N": "0"},
        "mails": {"N": "1"},
        "message_ids": {"SS": ["0100018e7a1f0000-01234567-89ab-cdef-0123-456789abcdef-000000"]},
    }
