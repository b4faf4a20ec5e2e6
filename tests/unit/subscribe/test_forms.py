"""A body becomes fields, or an error that tells the sender what is wrong."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.subscribe.forms import RequestError, one_of, read_fields, single

FORM = "application/x-www-form-urlencoded; charset=UTF-8"
JSON = "application/json"


def problem_of(body: str | None, content_type: str, *, is_base64: bool = False) -> tuple[str, str]:
    """The problem and field that reading *body* ends with."""
    with pytest.raises(RequestError) as refused:
        read_fields(body, is_base64=is_base64, content_type=content_type)
    return refused.value.problem, refused.value.field


def test_a_form_gives_every_value_of_every_field() -> None:
    """Ticked boxes share a name; signs and Chinese text are decoded; empty fields stay."""
    fields = read_fields(
        "email=a%2Bb%40example.com&categories=cs.AI&categories=cs.CV&hour=&note=%E8%AE%BA+%E6%96%87",
        is_base64=False,
        content_type=FORM,
    )

    assert fields == {
        "email": ["a+b@example.com"],
        "categories": ["cs.AI", "cs.CV"],
        "hour": [""],
        "note": ["论 文"],
    }


def test_a_form_in_base64_is_the_same() -> None:
    """API Gateway encodes forms so."""
    body = base64.b64encode(b"email=a%40example.com").decode()

    fields = read_fields(body, is_base64=True, content_type=FORM)

    assert fields == {"email": ["a@example.com"]}


def test_json_texts_numbers_and_lists_become_fields() -> None:
    """A program may send one category or several, and an hour as a number; null is absent."""
    body = json.dumps(
        {"categories": ["cs.AI", "cs.CV"], "email": "a@example.com", "hour": 7, "zone": None}
    )

    fields = read_fields(body, is_base64=False, content_type=JSON)

    assert fields == {"categories": ["cs.AI", "cs.CV"], "email": ["a@example.com"], "hour": ["7"]}


@pytest.mark.parametrize(
    ("body", "content_type", "problem"),
    [
        ("email=%FF%FE", FORM, "encoding"),
        ("&".join(f"a{n}=1" for n in range(500)), FORM, "encoding"),
        ("{", JSON, "encoding"),
        ("[]", JSON, "encoding"),
        ('"text"', JSON, "encoding"),
        ("[" * 100_000, JSON, "too-long"),
        ("[" * 10_000, JSON, "encoding"),
        ("", JSON, "encoding"),
        ("a=" + "x" * 20_000, FORM, "too-long"),
        ("论" * 10_000, FORM, "too-long"),
        ("--b\r\n", "multipart/form-data; boundary=b", "content-type"),
        ("a=1", "", "content-type"),
        ("\ud800", FORM, "encoding"),
    ],
)
def test_a_body_that_cannot_be_read_is_the_senders_problem(
    body: str, content_type: str, problem: str
) -> None:
    """Each fault has its own answer."""
    assert problem_of(body, content_type)[0] == problem


def test_bad_base64_is_the_senders_problem() -> None:
    """So are bytes behind it that are no text."""
    assert problem_of("!!!", FORM, is_base64=True)[0] == "encoding"
    assert problem_of(base64.b64encode(b"\xff").decode(), FORM, is_base64=True)[0] == "encoding"


@pytest.mark.parametrize(
    "value",
    [True, 1.5, {"a": 1}, [["cs.AI"]], [None], ["cs.AI"] * 500, "x" * 2000, "a\r\nb", "\x00"],
)
def test_a_field_of_the_wrong_type_is_named(value: Any) -> None:
    """Neither truth values nor objects, nested or endless lists, nor control characters."""
    assert problem_of(json.dumps({"email": value}), JSON) == ("field", "email")


def test_the_name_of_a_field_is_repeated_only_if_it_is_harmless() -> None:
    """It stands in the answer and in the log, and a sender may mistake an address for a name."""
    names = ("a\nb", "reader@example.com", "x" * 100)

    found = [problem_of(json.dumps({n: v}), JSON) for n in names for v in ("\x00", True, [1] * 500)]

    assert found == [("field", "")] * 9


def test_a_field_sent_twice_has_no_single_value() -> None:
    """Which of two addresses is meant cannot be guessed."""
    with pytest.raises(RequestError):
        single({"email": ["a@example.com", "b@example.com"]}, "email")
    assert single({"email": [" a "]}, "email") == "a"
    assert single({}, "email", default="none") == single({"email": [" "]}, "email", default="none")


def test_a_choice_outside_the_list_is_refused() -> None:
    """With the default for an absent field."""
    assert one_of({}, "length", ("brief", "full"), default="brief") == "brief"
    with pytest.raises(RequestError):
        one_of({"length": ["epic"]}, "length", ("brief", "full"), default="brief")


@given(st.text(max_size=300), st.sampled_from([FORM, JSON]), st.booleans())
def test_no_body_ends_in_any_other_error(body: str, content_type: str, is_base64: bool) -> None:  # noqa: FBT001
    """Whatever is sent, there are fields or there is a RequestError."""
    try:
        fields = read_fields(body, is_base64=is_base64, content_type=content_type)
    except RequestError:
        return

    assert all(isinstance(v, str) for values in fields.values() for v in values)
