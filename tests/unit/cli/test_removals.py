"""Copies of the template with one trigger taken out: that trigger, and no other."""

import json
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from samtranslator.translator.transform import transform

from paperpost_cli.proofs.removals import REMOVALS, SAYS, without_trigger
from support.template import _NoManagedPolicies, translated_template

# What the translated template lacks without the trigger, and nothing else.
GONE = {
    "fetch schedule": {"FetchFunctionPoll", "FetchFunctionPollRole"},
    "publish stream and schedule": {
        "PublishFunctionChanges",
        "PublishFunctionHeal",
        "PublishFunctionHealRole",
    },
    "compose schedule": {"ComposeFunctionTick", "ComposeFunctionTickRole"},
    "enrichment queue": {"EnrichFunctionPapers"},
    "confirmation queue": {"DeliverFunctionConfirmations"},
    "delivery queue": {"DeliverFunctionLetters"},
    "feedback queue": {"FeedbackFunctionFeedback"},
    "SNS subscription": {"FeedbackSubscription"},
    "HTTP API": {
        name
        for name, resource in translated_template()["Resources"].items()
        if resource["Type"].startswith("AWS::ApiGatewayV2::") or name == "HttpApiMayInvoke"
    },
}


def removed(name: str, folder: Path) -> dict[str, Any]:
    """The template without the trigger, as it is deployed."""
    template: dict[str, Any] = json.loads(without_trigger(name, folder).read_text())
    return template


def translated(template: dict[str, Any]) -> dict[str, Any]:
    """What CloudFormation would get: the translator refuses what is not well formed."""
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/functions.zip"
    with patch.dict(os.environ, AWS_DEFAULT_REGION="us-east-1"):
        made: dict[str, Any] = transform(template, {}, _NoManagedPolicies())
    return made


def dangling(template: dict[str, Any]) -> set[str]:
    """Names that some part refers to and nothing declares."""
    known = {*template["Resources"], *template["Parameters"], *template.get("Conditions", {})}
    return {name for name in references(template) if "::" not in name} - known


def references(node: Any) -> set[str]:
    """Every name behind Ref, Fn::GetAtt, Fn::Sub and DependsOn."""
    if isinstance(node, list):
        return set().union(*map(references, node), set())
    if not isinstance(node, dict):
        return set()
    found = set().union(*map(references, node.values()), set())
    if isinstance(node.get("Ref"), str):
        found.add(node["Ref"])
    if isinstance(got := node.get("Fn::GetAtt"), list):
        found.add(got[0])
    if isinstance(text := node.get("Fn::Sub"), str):
        found |= {part.split("}")[0].split(".")[0] for part in text.split("${")[1:]}
    if depends := node.get("DependsOn"):
        found |= {depends} if isinstance(depends, str) else set(depends)
    return found


def test_every_removal_says_what_the_run_must_say() -> None:
    assert REMOVALS.keys() == SAYS.keys() == GONE.keys()


@pytest.mark.parametrize("name", REMOVALS)
def test_only_the_trigger_goes(name: str, tmp_path: Path) -> None:
    """All functions, tables and queues stay, and nothing is added."""
    left = translated(removed(name, tmp_path))["Resources"].keys()

    assert translated_template()["Resources"].keys() ^ left == GONE[name]


@pytest.mark.parametrize("name", REMOVALS)
def test_the_rest_is_deployable(name: str, tmp_path: Path) -> None:
    """Nothing refers to what is gone, and the code is found from anywhere."""
    template = removed(name, tmp_path)

    assert (Path(template["Globals"]["Function"]["CodeUri"]) / "paperpost").is_dir()
    assert dangling(translated(template)) == set()


def test_the_check_for_dangling_names_can_fail(tmp_path: Path) -> None:
    """The proof of the proof: a queue that everything refers to is taken out."""
    template = removed("fetch schedule", tmp_path)
    del template["Resources"]["EnrichmentQueue"]

    assert "EnrichmentQueue" in dangling(template)
