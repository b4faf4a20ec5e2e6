"""schemathesis against the sign-up API: `python -m support.schema_fuzz PROGRAM EXAMPLES`."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paperpost.domain.subscribers import SubscriberStatus
from paperpost.domain.tokens import make_token
from paperpost_cli.openapi import document
from support.readers import make_keys, make_subscriber, store
from support.signup import PURPOSES
from support.signup_server import served

_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,response_headers_conformance,unsupported_method"
)
_PHASES = "examples,coverage,fuzzing"
# Values that the API takes, of fields whose description says more than their schema.
_GOOD: Mapping[str, Any] = {
    "categories": {
        "type": "array",
        "items": {"enum": ["cs.CV", "cs.AI", "math.ST"]},
        "minItems": 1,
    },
    "zone": {"enum": ["Asia/Shanghai", "America/New_York", "Pacific/Chatham"]},
    "hour": {"enum": [*range(24), ""]},
    "most": {"enum": [1, 30, 9999, ""]},
    "paused_until": {"enum": ["2020-02-29", ""]},
}


def main(program: str, examples: str) -> int:
    """Run it on both documents and return the worse exit status; its reports go to stdout."""
    worst = 0
    for document_of in (_as_published, _let_in):
        with served() as (url, table), tempfile.TemporaryDirectory() as folder:
            store(table, make_subscriber("f1"), status=SubscriberStatus.CONFIRMED)
            schema = Path(folder, "openapi.json")
            schema.write_text(json.dumps(document_of()), encoding="utf-8")
            command = [program, "run", str(schema), "--url", url, "--checks", _CHECKS]
            command += ["--phases", _PHASES, "--max-examples", examples, "--workers", "1"]
            command += ["--seed", "20261126", "--continue-on-failure", "--no-color"]
            # How slow this machine is just now says nothing of the API.
            command += ["--request-timeout", "120", "--suppress-health-check", "all"]
            ended = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
        sys.stdout.write(ended.stdout[-6000:] + ended.stderr[-2000:])
        worst = max(worst, ended.returncode)
    return worst


def _as_published() -> dict[str, Any]:
    """The document with a token that is good as the example of each route."""
    return _with_tokens(lambda schema, token: schema | {"example": token})


def _let_in() -> dict[str, Any]:
    """
    The same, but nearly all that is tried has a good token and values that can be taken.

    Else nearly all is refused at the door, and what is behind is hardly tried. Erasure is left out,
    since there would be nobody any more.
    """
    made = _with_tokens(lambda schema, token: schema | {"schema": {"enum": [token]}})
    del made["paths"]["/api/erase/{token}"]
    for content in _contents(made):
        properties = content["schema"]["properties"]
        good = {name: _GOOD.get(name, schema) for name, schema in properties.items()}
        content["schema"] |= {"properties": good}
    return made


def _with_tokens(
    change: Callable[[dict[str, Any], str], dict[str, Any]],
) -> dict[str, Any]:
    made, now = document(), datetime.now(UTC)
    for path, methods in made["paths"].items():
        for operation in methods.values():
            purpose = PURPOSES.get(path.split("/")[2])
            operation["parameters"] = [
                change(parameter, make_token(purpose, "f1", make_keys(), now=now))
                for parameter in operation.get("parameters", [])
                if purpose is not None
            ]
    return made


def _contents(made: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every kind of body that some operation takes."""
    return [
        content
        for methods in made["paths"].values()
        for operation in methods.values()
        for content in operation.get("requestBody", {}).get("content", {}).values()
    ]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
