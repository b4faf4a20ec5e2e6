"""monitoring.yaml watches what exists: names that template.yaml exports, metrics that code puts."""

import json
import re
from functools import lru_cache
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from support.template import ROOT, of_type, source_template

_LOOP = "Fn::ForEach::"
_ABSENCE = "MorningLetterAlarm"


@lru_cache
def alarms() -> dict[str, dict[str, Any]]:
    """Every alarm by its logical name, loops unrolled as AWS does."""
    template = yaml_parse((ROOT / "monitoring.yaml").read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for name, value in template["Resources"].items():
        if name.startswith(_LOOP):
            variable, members, body = value
            for member in members:
                found |= json.loads(json.dumps(body).replace(f"${{{variable}}}", member))
        else:
            found[name] = value
    return {n: r for n, r in found.items() if r["Type"] == "AWS::CloudWatch::Alarm"}


def watched(namespace: str, metric: str) -> dict[str, Any]:
    """The alarms on one metric."""
    return {
        name: alarm for name, alarm in alarms().items() if (namespace, metric) in metrics_of(alarm)
    }


def metrics_of(alarm: dict[str, Any]) -> set[tuple[str, str]]:
    """Namespace and name of what it watches: one metric, or those of an expression."""
    properties = alarm["Properties"]
    told = [m["MetricStat"]["Metric"] for m in properties.get("Metrics", []) if "MetricStat" in m]
    return {(metric["Namespace"], metric["MetricName"]) for metric in told or [properties]}


def exports() -> dict[str, Any]:
    """Exported name without the stack's → the output."""
    return {
        output["Export"]["Name"]["Fn::Sub"].removeprefix("${AWS::StackName}-"): output
        for output in source_template()["Outputs"].values()
        if "Export" in output
    }


def test_every_function_and_every_dead_letter_queue_is_watched() -> None:
    """By its exported name, and only with mail where it is made with mail alone."""
    of_functions = {f"{name}" for name in of_type("AWS::Lambda::Function")}
    of_queues = {name for name in of_type("AWS::SQS::Queue") if name.endswith("DeadLetters")}
    wanted = {
        **dict.fromkeys(of_functions, ("AWS/Lambda", "Errors", "FunctionName")),
        **dict.fromkeys(of_queues, ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName")),
    }

    for logical, (namespace, metric, dimension) in wanted.items():
        value = {"Fn::ImportValue": {"Fn::Sub": f"${{StackName}}-{logical}"}}
        (alarm,) = (
            a
            for a in watched(namespace, metric).values()
            if a["Properties"]["Dimensions"] == [{"Name": dimension, "Value": value}]
        )
        output = exports()[logical]
        assert alarm.get("Condition") == output.get("Condition"), logical
        assert logical in json.dumps(output["Value"])
    assert len(wanted) == 7 + 6


def test_every_metric_of_our_own_is_one_that_a_function_puts() -> None:
    code = "".join(p.read_text() for p in (ROOT / "functions" / "paperpost").rglob("*.py"))
    put = set(re.findall(r'add_metric\(\s*"(\w+)"', code))
    ours = {
        metric
        for alarm in alarms().values()
        for namespace, metric in metrics_of(alarm)
        if namespace == "Paperpost"
    }

    assert ours == {
        "ReceiptMismatch", "CandidatesRefused", "FetchProblems", "EnrichProviderDown",
        "EnrichCapReached", "EnrichOk", "EnrichRejected", "EnrichFailed", "MorningLetterSent",
        "SendingLocked", "MorningLetterBounced", "FrozenIssuesLost",
    }  # fmt: skip
    assert ours <= put
    assert re.search(r'Metrics\(namespace="Paperpost", service="paperpost"\)', code)


def test_every_alarm_tells_somebody_and_says_what_to_do() -> None:
    for name, alarm in alarms().items():
        properties = alarm["Properties"]
        assert properties["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        assert properties["AlarmDescription"], name
        # By this name the morning letter finds those of its stack.
        assert properties["AlarmName"] == {"Fn::Sub": f"${{StackName}}-{name[: -len('Alarm')]}"}
        assert (properties["Threshold"], properties["ComparisonOperator"]) == (
            (1, "LessThanThreshold") if name == _ABSENCE else (0, "GreaterThanThreshold")
        )


def test_a_morning_letter_that_does_not_come_is_an_alarm() -> None:
    """
    Nothing at all counts as wrong, over more than a day: no metric comes of what does not run.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html,
    and PutMetricAlarm: periods of an hour may span seven days; read 2026-11-26.
    """
    alarm = alarms()[_ABSENCE]
    properties = alarm["Properties"]
    span_s = properties["Period"] * properties["EvaluationPeriods"]

    assert properties["TreatMissingData"] == "breaching"
    assert properties["DatapointsToAlarm"] == properties["EvaluationPeriods"]
    assert properties["Period"] >= 3600
    assert 25 * 3600 < span_s <= 7 * 86400
    assert alarm["Condition"] == "MailOn"


def test_every_name_that_is_imported_is_exported() -> None:
    text = (ROOT / "monitoring.yaml").read_text(encoding="utf-8")
    imported = set(
        re.findall(r'ImportValue": \{"Fn::Sub": "\$\{StackName\}-(\w+)', json.dumps(alarms()))
    )

    assert imported == set(exports())
    assert "ImportValue" in text
