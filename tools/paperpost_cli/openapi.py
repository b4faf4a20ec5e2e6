"""The sign-up API's OpenAPI document, from the code: `python -m paperpost_cli.openapi`."""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from paperpost.domain.papers import AnnounceType
from paperpost.domain.subscribers import Cadence
from paperpost.subscribe.handler import app
from paperpost.subscribe.lessmail import LESS
from paperpost.subscribe.pages import HEADERS, PROBLEMS
from paperpost.subscribe.preferences import LANGUAGES, LENGTHS
from paperpost.subscribe.routes_preferences import ACTIONS
from paperpost_cli.laptop import ROOT

DOCUMENT = ROOT / "docs" / "openapi.json"
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_TEXT: Mapping[str, Any] = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_SEVERAL = {"oneOf": [_TEXT, _TEXTS]}
_WANTED: Mapping[str, Any] = {
    "categories": {**_SEVERAL, "description": "Codes such as cs.CV that the site offers."},
    "announce_types": {"type": "array", "items": {"enum": [*AnnounceType]}},
    "include": {**_SEVERAL, "description": "Rules, one a line: `words`, `title: …`, `author: …`."},
    "exclude": {**_SEVERAL, "description": "The same; a paper that matches one is left out."},
    "language": {"enum": [*LANGUAGES]},
    "cadence": {"enum": [*Cadence]},
    "length": {"enum": [*LENGTHS]},
    "hour": {
        "type": ["integer", "string"],
        "description": "0 to 23; empty: as soon as it is ready.",
    },
    "zone": {**_TEXT, "description": "IANA name of a time zone."},
    "most": {"type": ["integer", "string"], "description": "Most papers of a mail; empty: all."},
    "paused_until": {**_TEXT, "description": "YYYY-MM-DD; empty: not paused."},
}
_EMAIL = {"type": "string", "format": "email"}
_TRAP = {**_TEXT, "description": "To be left empty."}
# The fields of the routes that read a body; of these `email` and `categories` must be there.
_BODIES: Mapping[str, Mapping[str, Any]] = {
    "/api/subscribe": {"email": _EMAIL, "website": _TRAP, **_WANTED},
    "/api/preferences/{token}": {"action": {"enum": [*ACTIONS]}, "email": _EMAIL, **_WANTED},
    "/api/unsubscribe/{token}": {"less": {"enum": [*LESS]}, "List-Unsubscribe": _TEXT},
}
_NEEDED = {"/api/subscribe": ["email", "categories"]}
# A body that is not read may be of any kind (RFC 8058: urlencoded or multipart).
_KINDS = {"/api/unsubscribe/{token}": (_FORM, "multipart/form-data")}
_PAGE = {"text/html; charset=utf-8": {"schema": _TEXT}}
_STATUS = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": _TEXT},
    "additionalProperties": False,
}


def document() -> dict[str, Any]:
    """The whole document; its routes are those that the function's resolver knows."""
    paths = dict[str, dict[str, Any]]()
    for method, path, does in routes():
        paths.setdefault(path, {})[method.lower()] = _operation(method, path, does)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Paperpost: the sign-up API",
            "version": "1",
            "description": "GET changes nothing. Answers are pages, or JSON for who asks for it.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "responses": _problems(),
            "headers": {
                name: {"required": True, "schema": {"const": told}}
                for name, told in HEADERS.items()
            },
            "schemas": {"Problem": _problem()},
        },
    }


def routes() -> list[tuple[str, str, str]]:
    """Method, path and what it does, of every route of the resolver, in order of paths."""
    # The resolver has no public list. A dynamic rule is `^/api/confirm/(?P<token>…)$`.
    found = [*app._static_routes, *app._dynamic_routes]  # noqa: SLF001
    return sorted(
        (route.method, re.sub(r"<(\w+)>", r"{\1}", route.path), _sentence(route.func))
        for route in found
    )


def _sentence(function: object) -> str:
    return (function.__doc__ or "").strip().splitlines()[0]


def _operation(method: str, path: str, does: str) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": does, "responses": _responses(path)}
    if "{token}" in path:
        operation["parameters"] = [
            {"name": "token", "in": "path", "required": True, "schema": _TEXT}
        ]
    if method == "POST" and path in _BODIES:
        schema = {
            "type": "object",
            "properties": _BODIES[path],
            "required": _NEEDED.get(path, []),
        }
        kinds = _KINDS.get(path, (_FORM, _JSON))
        operation["requestBody"] = {
            "required": path in _NEEDED,
            "content": {kind: {"schema": schema} for kind in kinds},
        }
    return operation


def _responses(path: str) -> dict[str, Any]:
    good = "202" if path == "/api/subscribe" else "200"
    content: dict[str, Any] = {**_PAGE, "application/json; charset=utf-8": {"schema": _STATUS}}
    if path.startswith("/api/export"):
        content = {"application/json; charset=utf-8": {"schema": {"type": "object"}}}
    if path == "/api/health":
        return {good: {"description": "It answers.", "content": {_JSON: {"schema": _STATUS}}}}
    answers = {good: {"description": "Done.", "headers": _headers(), "content": content}}
    refused = {code: {"$ref": f"#/components/responses/{code}"} for code in _problems()}
    return answers | refused


def _problems() -> dict[str, Any]:
    """What the sender got wrong, by status."""
    statuses = sorted({problem.status for problem in PROBLEMS.values()})
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        str(status.value): {
            "description": status.phrase,
            "headers": _headers(),
            "content": {**_PAGE, "application/problem+json; charset=utf-8": {"schema": schema}},
        }
        for status in statuses
    }


def _problem() -> dict[str, Any]:
    """RFC 9457, with the field and the word at fault where there is one."""
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            **dict.fromkeys(("type", "title", "detail", "field", "word"), _TEXT),
            "status": {"type": "integer"},
        },
        "additionalProperties": False,
    }


def _headers() -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}


def text(value: Mapping[str, Any]) -> str:
    """*value* as it lies in docs/."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def main(arguments: Iterable[str]) -> int:
    """Write the document to docs/, or with `--check` say whether it is the code's."""
    made, path = text(document()), Path(DOCUMENT)
    if "--check" in arguments:
        if path.read_text(encoding="utf-8") == made:
            return 0
        print(f"{path} is not the code's; run python -m paperpost_cli.openapi", file=sys.stderr)
        return 1
    path.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
