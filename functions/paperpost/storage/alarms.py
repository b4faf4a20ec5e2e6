"""CloudWatch's alarms, which monitoring.yaml makes under the name of the stack that they watch."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient


def ringing(client: "CloudWatchClient", stack: str) -> tuple[str, ...]:
    """The names of the stack's alarms that ring, sorted."""
    pages = client.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=f"{stack}-", AlarmTypes=["MetricAlarm"], StateValue="ALARM"
    )
    return tuple(sorted(a["AlarmName"] for page in pages for a in page["MetricAlarms"]))
