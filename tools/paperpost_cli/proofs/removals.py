"""Copies of the template with one trigger taken out; each must make a run fail."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from paperpost_cli.cloud.stack import load_template
from paperpost_cli.laptop import ROOT

_Template = dict[str, Any]


def without_trigger(name: str, folder: Path) -> Path:
    """Write the template without the trigger *name* into *folder* and return its path."""
    template = load_template(ROOT / "template.yaml")
    REMOVALS[name](template)
    template["Globals"]["Function"]["CodeUri"] = str(ROOT / "functions")
    path = folder / f"without-{name.replace(' ', '-')}.json"
    path.write_text(json.dumps(template, default=str), encoding="utf-8")
    return path


def _schedule(function: str, event: str) -> Callable[[_Template], None]:
    def remove(template: _Template) -> None:
        del template["Resources"][f"{function}Function"]["Properties"]["Events"][event]

    return remove


def _resource(name: str) -> Callable[[_Template], None]:
    def remove(template: _Template) -> None:
        del template["Resources"][name]

    return remove


def _http_api(template: _Template) -> None:
    """The API with all that refers to it: routes, the distribution's origin, the output."""
    resources = template["Resources"]
    for name, resource in list(resources.items()):
        kind = resource["Type"]
        if kind.startswith("AWS::ApiGatewayV2::") or kind == "AWS::Lambda::Permission":
            del resources[name]
    config = resources["Distribution"]["Properties"]["DistributionConfig"]
    config["Origins"] = [o for o in config["Origins"] if "Fn::If" not in o]
    del config["CacheBehaviors"]
    del template["Outputs"]["HttpApiId"]


def _both(*removals: Callable[[_Template], None]) -> Callable[[_Template], None]:
    def remove(template: _Template) -> None:
        for one in removals:
            one(template)

    return remove


# publish's stream and schedule stand in for each other, so both go.
REMOVALS: Mapping[str, Callable[[_Template], None]] = {
    "fetch schedule": _schedule("Fetch", "Poll"),
    "publish stream and schedule": _both(
        _resource("PublishFunctionChanges"), _schedule("Publish", "Heal")
    ),
    "compose schedule": _schedule("Compose", "Tick"),
    "enrichment queue": _resource("EnrichFunctionPapers"),
    "confirmation queue": _resource("DeliverFunctionConfirmations"),
    "delivery queue": _resource("DeliverFunctionLetters"),
    "feedback queue": _resource("FeedbackFunctionFeedback"),
    "SNS subscription": _resource("FeedbackSubscription"),
    "HTTP API": _http_api,
}

# What the failed run must say, so that it fails for this reason and no other.
SAYS: Mapping[str, str] = {
    "fetch schedule": "announcement is missing",
    "publish stream and schedule": "0 on the day page",
    "compose schedule": "confirmed readers have no delivery",
    "enrichment queue": "'EnrichmentQueue'",
    "confirmation queue": "'ConfirmationQueue'",
    "delivery queue": "'DeliveryQueue'",
    "feedback queue": "'FeedbackQueue'",
    "SNS subscription": "feedback was never invoked",
    "HTTP API": "POST /api/subscribe answered 404",
}
