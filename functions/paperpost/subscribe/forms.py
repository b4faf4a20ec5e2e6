"""A request's body as named fields, whatever its encoding, and what can be wrong with it."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from paperpost.domain.errors import PaperpostError

_LONGEST_BODY = 16_384
_MOST_FIELDS = 400
_LONGEST_VALUE = 1_000
_LONGEST_NAME = 40
_LONGEST_TEXT = 8_000
_OF_LINES = frozenset({"include", "exclude"})

Fields = Mapping[str, list[str]]


class RequestError(PaperpostError):
    """
    The sender can put it right: *problem* is a key of pages.PROBLEMS, *field* the field at fault.

    Its text holds nothing of what was sent, so it may be logged; `word` is the sender's own word at
    fault, for the answer alone.
    """

    def __init__(self, problem: str, *, field: str = "", word: str = "") -> None:
        self.problem, self.field, self.word = problem, field, word
        super().__init__(f"{problem}: {field}" if field else problem)


def read_fields(body: str | None, *, is_base64: bool, content_type: str) -> Fields:
    """
    Return each field's values, from an urlencoded form or a JSON object of texts and numbers.

    Raises: RequestError: If the body is too long, badly encoded or of another kind.
    """
    text = _text(body or "", is_base64=is_base64)
    match content_type.partition(";")[0].strip().lower():
        case "application/x-www-form-urlencoded":
            return _from_form(text)
        case "application/json":
            return _from_json(text)
    raise RequestError("content-type")


def single(fields: Fields, name: str, *, default: str = "") -> str:
    """
    The one value of the field, stripped, or *default* if it is absent or empty.

    Raises: RequestError: If the field came several times.
    """
    values = fields.get(name, [])
    if len(values) > 1:
        raise RequestError("field", field=name)
    return (values[0].strip() if values else "") or default


def one_of(fields: Fields, name: str, allowed: tuple[str, ...], *, default: str) -> str:
    """
    The field's value, one of *allowed*, or *default* if it is absent.

    Raises: RequestError: If it is anything else.
    """
    value = single(fields, name, default=default)
    if value not in allowed:
        raise RequestError("field", field=name)
    return value


def _text(body: str, *, is_base64: bool) -> str:
    if len(body) > _LONGEST_BODY * (2 if is_base64 else 1):
        raise RequestError("too-long")
    try:
        raw = base64.b64decode(body, validate=True) if is_base64 else body.encode()
        text = raw.decode()
    except ValueError as exc:  # of either decoding
        raise RequestError("encoding") from exc
    if len(raw) > _LONGEST_BODY:
        raise RequestError("too-long")
    return text


def _from_form(text: str) -> Fields:
    try:
        fields = parse_qs(
            text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError as exc:  # UnicodeDecodeError among them
        raise RequestError("encoding") from exc
    return {name: [_checked(name, value) for value in values] for name, values in fields.items()}


def _from_json(text: str) -> Fields:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise RequestError("encoding") from exc
    if not isinstance(value, dict) or len(value) > _MOST_FIELDS:
        raise RequestError("encoding")
    return {name: _from_value(name, part) for name, part in value.items() if part is not None}


def _from_value(name: str, value: Any) -> list[str]:  # noqa: ANN401  whatever the JSON held
    parts = value if isinstance(value, list) else [value]
    if len(parts) > _MOST_FIELDS:
        raise _wrong(name)
    # True is an int in Python, and means no number here.
    if any(isinstance(p, bool) or not isinstance(p, str | int) for p in parts):
        raise _wrong(name)
    return [_checked(name, str(part)) for part in parts]


def _checked(name: str, value: str) -> str:
    longest = _LONGEST_VALUE
    if name in _OF_LINES:
        longest, value = _LONGEST_TEXT, value.replace("\r\n", "\n").replace("\t", " ")
    text = value.replace("\n", "") if name in _OF_LINES else value
    if len(value) > longest or not text.isprintable() or not name.isprintable():
        raise _wrong(name)
    return value


def _wrong(name: str) -> RequestError:
    """The fault of a field by its sender's own name for it, if that is one."""
    is_name = name.isidentifier() and len(name) <= _LONGEST_NAME
    return RequestError("field", field=name if is_name else "")
