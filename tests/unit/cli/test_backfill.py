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
from paperpost.fetch.handler import LEASE_MARGIN
from paperpost_cli import backfill, invoke
from paperpost_cli.backfill import Filled, due_days, fill
from paperpost_cli.invoke import InvokeError
from paperpost_cli.main import main
from support.template import of_type

FRIDAY, MONDAY = date(2026, 4, 17), date(2026, 4, 20)


class Function:
    """The fetch function, with prepared answers; it knows what it was asked."""

    def __init__(self) -> None:
        self.client = boto3.client(
            "lambda", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        self.waits: list[float] = []
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
        """What `--json` would print in the end."""
        due = due_days(first, last)
        filled = Filled(category="cs.AI", days=len(due))
        fill(self.client, "fetch", due, filled, is_quiet=True, sleep=self.waits.append)
        return filled.told()


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
        "complete_before": 1,
        "missing": 0,
        "problem": None,
    }
    function.stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (
            {"errorMessage": "no usable answer\nmore", "errorType": "UnavailableError"},
            "2026-04-17: no usable answer; days before it are filled, the command can be repeated",
        ),
        ({}, "2026-04-17: fetch raised an error; days before it are filled"),
        ({"errorMessage": ""}, "2026-04-17: fetch raised an error; days before it are filled"),
    ],
)
def test_a_day_that_fails_ends_the_command_and_says_which(
    function: Function, result: Any, said: str
) -> None:
    """What was filled stays, and the command can be repeated."""
    function.answers(FRIDAY, result, error=True)

    with pytest.raises(InvokeError, match=said):
        function.fill()


def test_what_the_function_does_not_take_is_not_to_be_repeated(function: Function) -> None:
    """A category that is not configured stays one."""
    told = {"errorMessage": "cs.AI is not among them", "errorType": "InvalidInputError"}
    function.answers(FRIDAY, told, error=True)

    with pytest.raises(InvokeError, match=r"2026-04-17: cs\.AI is not among them$"):
        function.fill()


def test_another_fetcher_is_waited_for(function: Function) -> None:
    """A poll, or what a killed command left running, ends by itself."""
    function.answers(FRIDAY, {"busy": 1})
    function.answers(FRIDAY, {"busy": 1})
    function.answers(FRIDAY, {"backfilled": 1, "papers": 40, "missing": 0})

    told = function.fill(FRIDAY, FRIDAY)

    assert function.waits == [5, 5]
    assert (told["days"], told["backfilled"], told["complete_before"]) == (1, 1, 0)


def test_a_fetcher_without_end_is_not_waited_for_without_end(function: Function) -> None:
    """No lease lasts longer."""
    for _ in range(127):
        function.answers(FRIDAY, {"busy": 1})

    with pytest.raises(InvokeError, match="still talks to arXiv after 630 s"):
        function.fill()
    function.stub.assert_no_pending_responses()


def test_functions_are_waited_for_as_long_as_they_may_run() -> None:
    """By the answer of one, and by whoever finds another at it."""
    longest_s = max(f["Timeout"] for f in of_type("AWS::Lambda::Function").values())
    fetch_s = of_type("AWS::Lambda::Function")["FetchFunction"]["Timeout"]

    assert longest_s < invoke._READ_TIMEOUT_S
    assert fetch_s + LEASE_MARGIN.total_seconds() < backfill._BUSY_FOR_S


def test_a_range_that_runs_backwards_is_refused(function: Function) -> None:
    with pytest.raises(InvalidInputError, match="is after"):
        function.fill(MONDAY, FRIDAY)


def test_a_range_without_announcement_is_refused(function: Function) -> None:
    """A weekend: it would look as if all were there."""
    with pytest.raises(InvalidInputError, match="nothing was announced from 2026-04-18"):
        function.fill(date(2026, 4, 18), date(2026, 4, 19))


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
