"""`paperpost invoke FUNCTION EVENT.json`: one function, one event, on a laptop or in AWS."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from paperpost.domain.errors import InvalidInputError, PaperpostError
from paperpost_cli.cloud.emulator import REGION, ROOT_KEY
from paperpost_cli.laptop import EMULATOR_PORT, HOME, LIVE_HOME, STACK_NAME, Folders

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

_FUNCTIONS = ("fetch", "enrich", "publish", "compose", "deliver", "subscribe", "feedback")
_READ_TIMEOUT_S = 620  # longer than any function's own time-out


class InvokeError(PaperpostError):
    """The function could not be invoked, or raised."""


def run_invoke(options: argparse.Namespace) -> int:
    """Invoke the function, print what it returned as JSON, and return 0 unless it raised."""
    if options.function not in _FUNCTIONS:
        raise InvalidInputError(f"no function {options.function!r}: {', '.join(_FUNCTIONS)}")
    try:
        event = options.event.read_bytes()
        json.loads(event)
    except (OSError, ValueError) as exc:
        raise InvalidInputError(f"{options.event} is no JSON file: {exc}") from exc
    client, name = lambda_client(options.function, options.stack)
    try:
        answer = client.invoke(FunctionName=name, Payload=event)
    except (BotoCoreError, ClientError) as exc:
        raise _not_invoked(options.function, options.stack, exc) from exc
    result = json.loads(answer["Payload"].read() or b"null")
    print(json.dumps(result, ensure_ascii=False, indent=2))
    if "FunctionError" in answer:
        print(f"paperpost: {options.function} raised an error", file=sys.stderr)
        return 1
    return 0


def lambda_client(function: str, stack: str | None) -> "tuple[LambdaClient, str]":
    """
    A client for the stack *stack* in AWS, or for the laptop cloud, and the function's name there.

    Raises: InvokeError: If there is no such stack, or no laptop cloud.
    """
    session, endpoint = session_of(stack)
    try:
        name = _physical_name(session, endpoint, stack or STACK_NAME, function)
        client: LambdaClient = session.client(
            "lambda",
            endpoint_url=endpoint,
            config=Config(read_timeout=_READ_TIMEOUT_S, retries={"total_max_attempts": 1}),
        )
    except (BotoCoreError, ClientError) as exc:
        raise _not_invoked(function, stack, exc) from exc
    return client, name


def _not_invoked(function: str, stack: str | None, exc: Exception) -> InvokeError:
    where = "in AWS" if stack else "on the laptop cloud (is `make run` running?)"
    return InvokeError(f"{function} cannot be invoked {where}: {exc}")


def session_of(stack: str | None) -> tuple[boto3.Session, str | None]:
    """The operator's own session for AWS; the emulator's root for the laptop."""
    if stack:
        return boto3.Session(), None
    laptop = boto3.Session(
        aws_access_key_id=ROOT_KEY, aws_secret_access_key=ROOT_KEY, region_name=REGION
    )
    return laptop, laptop_endpoint(Path.cwd())


def laptop_endpoint(folder: Path) -> str:
    """The address that a laptop cloud started in *folder* wrote down, or where it usually is."""
    for home in (HOME, LIVE_HOME):
        written = Folders.of(folder / home).endpoint
        if written.exists():
            return written.read_text(encoding="utf-8").strip()
    return f"http://127.0.0.1:{EMULATOR_PORT}"


def _physical_name(session: boto3.Session, endpoint: str | None, stack: str, function: str) -> str:
    # A laptop cloud that does not answer at once does not run.
    retries = Config(retries={"total_max_attempts": 1}) if endpoint else None
    resource = session.client(
        "cloudformation", endpoint_url=endpoint, config=retries
    ).describe_stack_resource(StackName=stack, LogicalResourceId=f"{function.capitalize()}Function")
    return resource["StackResourceDetail"]["PhysicalResourceId"]
