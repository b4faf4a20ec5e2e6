"""Bedrock's Converse, as botocore shapes its requests and answers."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.stub import ANY, Stubber

from paperpost.domain.spending import Tokens
from paperpost.enrich import prompt
from paperpost.enrich.answers import RefusedByProviderError, TransientProviderError
from paperpost.enrich.providers.bedrock import Bedrock
from unit.enrich.conftest import CHINESE, PAPER

MODEL = "fake.model-1"
REQUEST = prompt.Request(paper=PAPER, language="zh")


@pytest.fixture
def client() -> Any:
    """A client that has never a chance to reach a network: every call is stubbed."""
    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    """Checks requests against AWS's own model of Converse."""
    with Stubber(client) as stubber:
        yield stubber


def reply(*, stopped: str = "tool_use", content: list[Any] | None = None) -> dict[str, Any]:
    """An answer of Converse."""
    used = {"toolUse": {"toolUseId": "t1", "name": "answer", "input": CHINESE}}
    return {
        "output": {
            "message": {"role": "assistant", "content": [used] if content is None else content}
        },
        "stopReason": stopped,
        "usage": {"inputTokens": 700, "outputTokens": 300, "totalTokens": 1000},
        "metrics": {"latencyMs": 900},
    }


def test_a_paper_is_asked_for_through_a_forced_tool(client: Any, stub: Stubber) -> None:
    """System prompt, fenced paper, schema; the answer comes back unchecked with its cost."""
    stub.add_response(
        "converse",
        reply(content=[{"text": "Sure."}, *reply()["output"]["message"]["content"]]),
        {
            "modelId": MODEL,
            "system": [{"text": prompt.SYSTEM}],
            "messages": [{"role": "user", "content": [{"text": prompt.message(REQUEST)}]}],
            "inferenceConfig": ANY,
            "toolConfig": {
                "tools": [
                    {
                        "toolSpec": {
                            "name": "answer",
                            "description": ANY,
                            "inputSchema": {"json": prompt.schema("zh")},
                        }
                    }
                ],
                "toolChoice": {"tool": {"name": "answer"}},
            },
        },
    )

    answer = Bedrock(client, MODEL).enrich(REQUEST)

    assert dict(answer.fields) == CHINESE
    assert answer.tokens == Tokens(input=700, output=300)


def test_a_finished_turn_with_the_tool_used_is_an_answer(client: Any, stub: Stubber) -> None:
    """Some models end their turn beside using the tool."""
    stub.add_response("converse", reply(stopped="end_turn"))

    assert dict(Bedrock(client, MODEL).enrich(REQUEST).fields) == CHINESE


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (reply(stopped="max_tokens"), "stopped: max_tokens"),
        (reply(stopped="content_filtered"), "stopped: content_filtered"),
        (reply(stopped="guardrail_intervened"), "stopped: guardrail_intervened"),
        (reply(content=[]), "no answer in the reply"),
        (reply(stopped="end_turn", content=[{"text": "你好"}]), "no answer in the reply"),
        (
            reply(content=[{"toolUse": {"toolUseId": "t", "name": "other", "input": {}}}]),
            "no answer in the reply",
        ),
        (
            reply(content=[{"toolUse": {"toolUseId": "t", "name": "answer", "input": ["x"]}}]),
            "no answer in the reply",
        ),
    ],
)
def test_an_unfinished_or_other_answer_is_refused(
    client: Any, stub: Stubber, told: dict[str, Any], reason: str
) -> None:
    """Half an abstract is no translation."""
    stub.add_response("converse", told)

    with pytest.raises(RefusedByProviderError) as refused:
        Bedrock(client, MODEL).enrich(REQUEST)

    assert refused.value.reason == reason
    assert refused.value.tokens == Tokens(input=700, output=300)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ThrottlingException", 429, TransientProviderError),
        ("ModelNotReadyException", 429, TransientProviderError),
        ("ModelTimeoutException", 408, TransientProviderError),
        ("ModelErrorException", 424, TransientProviderError),
        ("InternalServerException", 500, TransientProviderError),
        ("ServiceUnavailableException", 503, TransientProviderError),
        ("ValidationException", 400, RefusedByProviderError),
        ("AccessDeniedException", 403, TransientProviderError),
        ("ResourceNotFoundException", 404, TransientProviderError),
    ],
)
def test_an_error_is_transient_or_refused_by_its_status(
    client: Any, stub: Stubber, code: str, status: int, error: type[Exception]
) -> None:
    """What says nothing of the paper goes back to the queue; the rest is noted."""
    stub.add_client_error("converse", service_error_code=code, http_status_code=status)

    with pytest.raises(error, match=code):
        Bedrock(client, MODEL).enrich(REQUEST)


@pytest.mark.parametrize(
    ("fault", "tokens"),
    [
        (ReadTimeoutError(endpoint_url="x"), None),
        (ConnectionClosedError(endpoint_url="x"), None),
        (ConnectTimeoutError(endpoint_url="x"), Tokens()),
        (EndpointConnectionError(endpoint_url="x"), Tokens()),
    ],
)
def test_no_answer_at_all_is_transient(fault: Exception, tokens: Tokens | None) -> None:
    """A time-out says nothing of the paper; what it has cost is known if nothing was sent."""

    class Dead:
        def converse(self, **_: Any) -> Any:
            raise fault

    with pytest.raises(TransientProviderError, match=type(fault).__name__) as failed:
        Bedrock(Dead(), MODEL).enrich(REQUEST)  # type: ignore[arg-type]

    assert failed.value.tokens == tokens
