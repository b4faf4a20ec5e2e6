"""template.yaml as CloudFormation would see it: SAM translated, conditions kept."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


@lru_cache
def source_template() -> dict[str, Any]:
    """template.yaml as written, intrinsics in their long form."""
    parsed: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    return parsed


@lru_cache
def translated_template() -> dict[str, Any]:
    """template.yaml translated by aws-sam-translator, its code packaged."""
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/functions.zip"
    with patch.dict(os.environ, AWS_DEFAULT_REGION="us-east-1"):  # the translator asks boto3
        translated: dict[str, Any] = transform(template, {}, _NoManagedPolicies())
    return translated


def of_type(kind: str) -> dict[str, Any]:
    """Translated resources of one type: logical id → properties."""
    return {
        name: resource.get("Properties", {})
        for name, resource in translated_template()["Resources"].items()
        if resource["Type"] == kind
    }
