"""`paperpost backfill`: day by day through the fetch function, as often as one likes."""

import io
import json
from datetime import date
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from paperpost.domain.errors import InvalidInputError
from paperpost_cli.backfill import fill
from paperpost_cli.invoke import InvokeError
from paperpost_cli.main import main

FRIDAY, MONDAY = date(2026, 4, 17), date(2026, 4, 20)


class Function:
    """The fetch function, with prepared answers; it knows what it was asked."""

    def __init__(self) -> None:
        self.client = boto3.client(
            "lambda", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        self.stub = Stubber(self.client)
        self.stub.activate()

    def answers(self, on: date, result: Any, *, error: bool = False) -> None:
        body = json.dumps(result).encode()
        event = {"task": "backfill", "category": "cs.AI", "from": str(on), "to": str(on)}
        self.stub.add_response(
            "invoke",
            {
                "Payload": StreamingBody(io.BytesIO(body), len(body)),
                **({"FunctionError": "Unhandled"} if error else {}),
            },
            {"FunctionName": "fetch", "Payload": json.dumps(event).encode()},
        )

    def fill(self, first: date = FRIDAY, last: date = MONDAY) -> dict[str, Any]:
        return fill(self.client, "fetch", "cs.AI", first, last, is_quiet=True)


@pytest.fixture
def function() -> Function:
    return Function()


def test_each_due_day_is_one_invocation(function: Function) -> None:
    """The weekend is not asked for; counts add up, complete days are told apart."""
    function.answers(FRIDAY, {"backfilled": 1, "papers": 40, "missing": 0})
    function.answers(MONDAY, {"backfilled": 0, "papers": 0, "missing": 0})

    told = function.fill()

    assert told == {
        "category": "cs.AI",
        "days": 2,
        "backfilled": 1,
        "papers": 40,
        "missing": 0,
        "complete_before": 1,
    }
    function.stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("result", "error", "said"),
    [
        ({"busy": 1}, False, "2026-04-17: another fetcher"),
        ({"errorMessage": "no usable answer\nmore"}, True, "2026-04-17: no usable answer; "),
    ],
)
def test_a_day_that_fails_ends_the_command_and_says_which(
    function: Function,
    result: Any,
    error: bool,  # noqa: FBT001
    said: str,
) -> None:
    """What was filled stays, and the command can be repeated."""
    function.answers(FRIDAY, result, error=error)

    with pytest.raises(InvokeError, match=said):
        function.fill()


def test_a_range_that_runs_backwards_is_refused(function: Function) -> None:
    with pytest.raises(InvalidInputError, match="is after"):
        function.fill(MONDAY, FRIDAY)


def test_an_unknown_category_is_one_line_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before any function is looked for."""
    status = main(["backfill", "--category", "cs.QQ", "--from", "2026-04-17", "--to", "2026-04-20"])

    assert status == 1
    assert capsys.readouterr().err == "paperpost: arXiv has no category 'cs.QQ'\n"


def test_a_date_that_is_none_is_a_mistake_in_the_command() -> None:
    with pytest.raises(SystemExit):
        main(["backfill", "--category", "cs.AI", "--from", "soon", "--to", "2026-04-20"])
