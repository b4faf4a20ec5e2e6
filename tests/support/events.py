"""The recorded events, and the triggers of template.yaml that they belong to."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.template import ROOT, of_type

EVENTS = ROOT / "events"
# What the emulator calls a resource that the template does not name itself.
MADE_NAME = re.compile(r"paperpost-([A-Za-z]+)-[0-9A-F]{13}")


def event_files() -> list[Path]:
    """Every event, in the order of names."""
    return sorted(set(EVENTS.glob("*.json")) - {EVENTS / "env.json"})


def read_event(name: str) -> dict[str, Any]:
    """The event of the file *name*."""
    event: dict[str, Any] = json.loads((EVENTS / name).read_text(encoding="utf-8"))
    return event


def read_variables() -> dict[str, dict[str, str]]:
    """events/env.json: function → variables."""
    variables: dict[str, dict[str, str]] = json.loads(
        (EVENTS / "env.json").read_text(encoding="utf-8")
    )
    return variables


def trigger_of(event: Mapping[str, Any]) -> str:
    """What sends *event*, in the words of `triggers`."""
    if "routeKey" in event:
        return f"route {event['routeKey']}"
    if "Records" not in event:
        return f"schedule {json.dumps(event)}"
    (source,) = {record["eventSourceARN"] for record in event["Records"]}
    made = MADE_NAME.search(source)
    assert made is not None, source
    return f"source {made[1]}"


def triggers() -> dict[str, str]:
    """Every trigger of the translated template and the function that it invokes."""
    routes = of_type("AWS::ApiGatewayV2::Route")
    integrations = of_type("AWS::ApiGatewayV2::Integration")
    return {
        **{
            f"schedule {schedule['Target']['Input']}": schedule["Target"]["Arn"]["Fn::GetAtt"][0]
            for schedule in of_type("AWS::Scheduler::Schedule").values()
        },
        **{
            f"source {mapping['EventSourceArn']['Fn::GetAtt'][0]}": mapping["FunctionName"]["Ref"]
            for mapping in of_type("AWS::Lambda::EventSourceMapping").values()
        },
        **{
            f"route {route['RouteKey']}": integrations[
                route["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}")
            ]["IntegrationUri"]["Fn::GetAtt"][0]
            for route in routes.values()
        },
    }


def function_of(event: Mapping[str, Any]) -> str:
    """The logical id of the function that gets *event*."""
    return triggers()[trigger_of(event)]
