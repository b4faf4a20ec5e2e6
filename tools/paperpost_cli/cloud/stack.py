"""
Deploys a SAM template to the emulator: `deploy(emulator, template, stack_name=…, parameters=…)`.

MiniStack's CloudFormation (1.5.33) silently drops some properties; found by reading them back. Put
right through the API after each deployment:

* `AWS::DynamoDB::Table` TimeToLiveSpecification and PointInTimeRecoverySpecification
* `AWS::Scheduler::Schedule` ScheduleExpressionTimezone

Left as they are, since nothing local depends on them: a table's SSESpecification, a bucket's
LifecycleConfiguration, a function's ReservedConcurrentExecutions, an API stage's
DefaultRouteSettings. `AWS::ApiGatewayV2::Api` Body is dropped too, so that a SAM HttpApi has no
routes; plain Api, Stage, Integration and Route resources work.

Handlers' dependencies are not packaged: MiniStack runs handlers on this process's interpreter, from
whose environment they import them.
"""

import hashlib
import io
import json
import os
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError

from paperpost.domain.errors import PaperpostError
from paperpost_cli.cloud.emulator import Emulator

ARTIFACTS_BUCKET = "paperpost-artifacts"
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_WITHIN_S = 120.0
_SETTLED = ("COMPLETE", "FAILED")
_NEVER_MADE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS")
_NO_CHANGE = ("didn't contain changes", "No updates are to be performed")
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


class StackError(PaperpostError):
    """A deployment failed: the resource (or the template) and the reason, in one line."""

    def __init__(self, resource: str, reason: str) -> None:
        self.resource, self.reason = resource, reason
        super().__init__(f"{resource}: {' '.join(reason.split())}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A deployed stack: outputs by name, physical ids and types by logical id."""

    name: str
    outputs: Mapping[str, str]
    physical: Mapping[str, str]
    types: Mapping[str, str]
    changed: bool

    def resources(self, kind: str) -> dict[str, str]:
        """Physical by logical ids of the resources of type *kind* (`AWS::Lambda::Function`)."""
        return {name: self.physical[name] for name, made in self.types.items() if made == kind}


def deploy(
    emulator: Emulator, template: Path, *, stack_name: str, parameters: Mapping[str, str]
) -> Stack:
    """
    Create the stack, or update it to the template; `changed` is False if there was nothing to do.

    Raises:
        StackError: the template cannot be read or a resource failed; the old stack stands again.
    """
    body = load_template(template)
    address = _upload(emulator, body, template.parent)
    changed = _apply(emulator, stack_name, address, parameters)
    stack = describe(emulator, stack_name, changed=changed)
    _put_right(emulator, stack, parameters)
    return stack


def describe(emulator: Emulator, stack_name: str, *, changed: bool = False) -> Stack:
    """The stack as it stands."""
    cloudformation = emulator.client("cloudformation")
    outputs = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0].get("Outputs", [])
    resources = [
        row
        for page in cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=stack_name
        )
        for row in page["StackResourceSummaries"]
    ]
    return Stack(
        name=stack_name,
        outputs={row["OutputKey"]: row["OutputValue"] for row in outputs},
        physical={row["LogicalResourceId"]: row["PhysicalResourceId"] for row in resources},
        types={row["LogicalResourceId"]: row["ResourceType"] for row in resources},
        changed=changed,
    )


def load_template(path: Path) -> dict[str, Any]:
    """The template with its short-form intrinsics (`!Ref`, `!Sub` …) in the long form."""
    try:
        body = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader with tags
    except yaml.YAMLError as exc:
        raise StackError(path.name, str(exc)) from exc
    if not isinstance(body, dict):
        raise StackError(path.name, "is not a mapping")
    return body


def package(folder: Path) -> bytes:
    """The folder as a zip, links followed; equal contents give equal bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, file in _files(folder):
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.create_system = 3  # Unix, also when packed elsewhere
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
    return made.getvalue()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file with its name in the package, in order; a link to a parent is an error."""
    found = []
    for parent, folders, files in os.walk(folder, followlinks=True):
        here = Path(parent)
        if here.is_symlink() and here.resolve() in (folder.resolve(), *folder.resolve().parents):
            raise StackError(str(here), "links to a folder that contains it")
        folders[:] = [name for name in folders if name != "__pycache__"]
        found += [here / name for name in files if not name.endswith(".pyc")]
    return iter(sorted((file.relative_to(folder).as_posix(), file) for file in found))


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short-form intrinsics."""


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


def _date_as_text(loader: _Loader, node: yaml.ScalarNode) -> str:
    """An unquoted date such as a policy's Version stays the text that it is."""
    return str(loader.construct_scalar(node))


_Loader.add_multi_constructor("!", _intrinsic)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _date_as_text)


def _functions(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The property sets that name a local CodeUri: SAM functions and their globals."""
    shared = body.get("Globals", {}).get("Function", {})
    own = [
        resource.get("Properties", {})
        for resource in body.get("Resources", {}).values()
        if resource.get("Type") == "AWS::Serverless::Function"
    ]
    for properties in (shared, *own):
        if isinstance(properties.get("CodeUri"), str):
            yield properties


def _upload(emulator: Emulator, body: dict[str, Any], base: Path) -> str:
    """
    Return the address of the template in the bucket, each local CodeUri replaced by its package's.

    In a request CloudFormation takes 51,200 bytes; `sam deploy` goes by way of a bucket too.
    """
    s3 = emulator.client("s3")
    try:
        s3.head_bucket(Bucket=ARTIFACTS_BUCKET)
    except ClientError:
        s3.create_bucket(Bucket=ARTIFACTS_BUCKET)
    placed: dict[Path, str] = {}
    for properties in _functions(body):
        folder = base / properties["CodeUri"]
        if not folder.is_dir():
            raise StackError("CodeUri", f"{folder} is no folder")
        if folder not in placed:
            data = package(folder)
            key = hashlib.sha256(data).hexdigest() + ".zip"
            s3.put_object(Bucket=ARTIFACTS_BUCKET, Key=key, Body=data)
            placed[folder] = key
        properties["CodeUri"] = f"s3://{ARTIFACTS_BUCKET}/{placed[folder]}"
    data = json.dumps(body).encode()
    template = hashlib.sha256(data).hexdigest() + ".json"
    s3.put_object(Bucket=ARTIFACTS_BUCKET, Key=template, Body=data)
    held = s3.list_objects_v2(Bucket=ARTIFACTS_BUCKET).get("Contents", [])
    for old in {row["Key"] for row in held} - {*placed.values(), template}:
        s3.delete_object(Bucket=ARTIFACTS_BUCKET, Key=old)
    return f"{emulator.endpoint}/{ARTIFACTS_BUCKET}/{template}"


def _apply(emulator: Emulator, name: str, address: str, parameters: Mapping[str, str]) -> bool:
    """Make and execute a change set; False if it holds no change."""
    cloudformation = emulator.client("cloudformation")
    exists = _status(emulator, name) is not None
    if exists and _status(emulator, name) in _NEVER_MADE:
        cloudformation.delete_stack(StackName=name)
        _wait(emulator, name)
        exists = False
    try:
        change_set = cloudformation.create_change_set(
            StackName=name,
            ChangeSetName=f"paperpost-{time.time_ns()}",
            ChangeSetType="UPDATE" if exists else "CREATE",
            TemplateURL=address,
            Capabilities=_CAPABILITIES,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
        )["Id"]
    except ClientError as exc:
        raise StackError(name, exc.response["Error"]["Message"]) from exc
    seen = _settled_change_set(emulator, change_set)
    if seen["Status"] == "FAILED":
        reason = seen.get("StatusReason", "no reason given")
        cloudformation.delete_change_set(ChangeSetName=change_set)
        if any(text in reason for text in _NO_CHANGE):
            return False
        raise StackError(name, reason)
    began = len(_events(emulator, name))
    cloudformation.execute_change_set(ChangeSetName=change_set)
    status = _wait(emulator, name)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise _failure(name, _events(emulator, name), began, status)
    return True


def _settled_change_set(emulator: Emulator, change_set: str) -> dict[str, Any]:
    deadline = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline:
        seen: dict[str, Any] = emulator.client("cloudformation").describe_change_set(
            ChangeSetName=change_set
        )
        if seen["Status"].endswith(_SETTLED):
            return seen
        time.sleep(0.05)
    raise StackError("change set", f"not ready after {_WITHIN_S:.0f} s")


def _wait(emulator: Emulator, name: str) -> str | None:
    """The stack's status once nothing is in progress; None if it is gone."""
    deadline = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline:
        status = _status(emulator, name)
        if status is None or status.endswith(_SETTLED):
            return status
        time.sleep(0.05)
    raise StackError(name, f"still in progress after {_WITHIN_S:.0f} s")


def _status(emulator: Emulator, name: str) -> str | None:
    try:
        stacks = emulator.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as exc:
        if "does not exist" in exc.response["Error"]["Message"]:
            return None
        raise
    status = str(stacks[0]["StackStatus"])
    return None if status == "DELETE_COMPLETE" else status


def _events(emulator: Emulator, name: str) -> list[dict[str, Any]]:
    """What happened to the stack's resources, oldest first."""
    pages = emulator.client("cloudformation").get_paginator("describe_stack_events")
    events = [event for page in pages.paginate(StackName=name) for event in page["StackEvents"]]
    return events[::-1]


def _failure(name: str, events: list[dict[str, Any]], began: int, status: str | None) -> StackError:
    """The first failure since *began*, which is the cause of the others."""
    for event in events[began:]:
        if event["ResourceStatus"].endswith("_FAILED"):
            reason = event.get("ResourceStatusReason", event["ResourceStatus"])
            return StackError(event["LogicalResourceId"], reason)
    return StackError(name, f"ended as {status}")


def _put_right(emulator: Emulator, stack: Stack, parameters: Mapping[str, str]) -> None:
    """Set through the API what MiniStack's CloudFormation drops (see the module's docstring)."""
    cloudformation = emulator.client("cloudformation")
    body = cloudformation.get_template(StackName=stack.name, TemplateStage="Processed")
    template = body["TemplateBody"]
    if isinstance(template, str):
        template = json.loads(template)
    defaults = {
        key: str(declared["Default"])
        for key, declared in template.get("Parameters", {}).items()
        if "Default" in declared
    }
    values = {**defaults, **parameters}
    for logical, resource in template["Resources"].items():
        if logical not in stack.physical:
            continue
        physical, properties = stack.physical[logical], resource.get("Properties", {})
        if resource["Type"] == "AWS::DynamoDB::Table":
            _put_table_right(emulator, physical, properties)
        elif resource["Type"] == "AWS::Scheduler::Schedule":
            _put_schedule_right(emulator, physical, properties, values)


def _put_table_right(emulator: Emulator, table: str, properties: dict[str, Any]) -> None:
    dynamodb = emulator.client("dynamodb")
    wanted = properties.get("TimeToLiveSpecification")
    found = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    if wanted is not None and found["TimeToLiveStatus"] == "DISABLED":
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)
    backups = properties.get("PointInTimeRecoverySpecification")
    if backups is not None:
        dynamodb.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification=backups
        )


def _put_schedule_right(
    emulator: Emulator, name: str, properties: dict[str, Any], values: Mapping[str, str]
) -> None:
    zone = properties.get("ScheduleExpressionTimezone", "UTC")
    if isinstance(zone, dict):
        zone = values[zone["Ref"]]
    scheduler = emulator.client("scheduler")
    kept = scheduler.get_schedule(Name=name, GroupName=_group(properties))
    if kept["ScheduleExpressionTimezone"] == zone:
        return
    known = scheduler.meta.service_model.operation_model("UpdateSchedule").input_shape.members
    given = {key: value for key, value in kept.items() if key in known}
    scheduler.update_schedule(**{**given, "ScheduleExpressionTimezone": zone})


def _group(properties: dict[str, Any]) -> str:
    group = properties.get("GroupName", "default")
    return group if isinstance(group, str) else "default"
