"""The events folder and template.yaml say the same."""

import re

from support.events import (
    event_files,
    function_of,
    read_event,
    read_variables,
    trigger_of,
    triggers,
)
from support.template import of_type


def test_every_trigger_has_an_event_and_every_event_a_trigger() -> None:
    """Schedules, queues, the stream and all routes; no file is left over."""
    found = {trigger_of(read_event(path.name)) for path in event_files()}

    assert found == set(triggers())


def test_every_function_has_an_event() -> None:
    found = {function_of(read_event(path.name)) for path in event_files()}

    assert found == set(of_type("AWS::Lambda::Function"))


def test_a_routes_event_has_the_method_and_path_of_its_route() -> None:
    """Nobody fixed the key alone: the path matches its pattern, and the token is taken from it."""
    events = [read_event(path.name) for path in event_files()]
    requests = [event for event in events if " " in event.get("routeKey", "")]

    for event in requests:
        method, pattern = event["routeKey"].split(" ")
        matched = re.fullmatch(pattern.replace("{token}", "(?P<token>[^/]+)"), event["rawPath"])
        http = event["requestContext"]["http"]
        assert matched is not None, event["routeKey"]
        assert event.get("pathParameters", {}) == matched.groupdict()
        assert (http["method"], http["path"]) == (method, event["rawPath"])
        assert event["requestContext"]["routeKey"] == event["routeKey"]


def test_the_environment_file_names_the_variables_of_each_function() -> None:
    """SAM CLI can only set what the template declares, and what is not set is empty there."""
    declared = {
        name: set(properties["Environment"]["Variables"])
        for name, properties in of_type("AWS::Lambda::Function").items()
    }

    assert {name: set(values) for name, values in read_variables().items()} == declared
