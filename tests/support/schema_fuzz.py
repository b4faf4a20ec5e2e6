"""schemathesis against the sign-up API: `python -m support.schema_fuzz PROGRAM EXAMPLES`."""

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

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
# Without them a call for a token that means nothing would be refused before it is looked at.
_WITH_TOKENS = "examples,coverage,fuzzing"


def main(program: str, examples: str) -> int:
    """Run it and hand on its exit status; its report goes to standard output."""
    with served() as (url, table), tempfile.TemporaryDirectory() as folder:
        store(table, make_subscriber("f1"), status=SubscriberStatus.CONFIRMED)
        schema = Path(folder, "openapi.json")
        schema.write_text(json.dumps(_with_real_tokens()), encoding="utf-8")
        command = [program, "run", str(schema), "--url", url, "--checks", _CHECKS]
        command += ["--phases", _WITH_TOKENS, "--max-examples", examples, "--workers", "1"]
        command += ["--seed", "20261126", "--continue-on-failure", "--no-color"]
        ended = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
    sys.stdout.write(ended.stdout[-6000:] + ended.stderr[-2000:])
    return ended.returncode


def _with_real_tokens() -> dict[str, object]:
    """The document with a token that is good as the example of each route."""
    made, now = document(), datetime.now(UTC)
    for path, methods in made["paths"].items():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                purpose = PURPOSES[path.split("/")[2]]
                parameter["example"] = make_token(purpose, "f1", make_keys(), now=now)
    return made


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
