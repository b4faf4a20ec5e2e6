"""Chat Completions against a server on loopback: what goes out, what is believed of the answer."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from paperpost import clients
from paperpost.domain.spending import Tokens
from paperpost.enrich import prompt
from paperpost.enrich.answers import RefusedByProviderError, TransientProviderError
from paperpost.enrich.providers.openai import OpenAi, is_safe
from support.modelserver import ModelServer, model_server
from support.modelserver import reply as chat_completion
from unit.enrich.conftest import CHINESE, PAPER

REQUEST = prompt.Request(paper=PAPER, language="zh")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A model server that says what the test tells it to."""
    with model_server() as made:
        yield made


def reply(content: object = CHINESE, **more: Any) -> bytes:
    """A chat completion, a good one if nothing else is said."""
    return chat_completion(content, **more)


def ask(server: ModelServer, **more: Any) -> Any:
    """One question to the server."""
    made = OpenAi(
        clients.model_http(),
        url=server.url + more.pop("path", "/v1"),
        model="fake-1",
        key=lambda: "sk-secret",
        **more,
    )
    return made.enrich(REQUEST)


def test_a_paper_is_asked_for_with_a_strict_schema(server: ModelServer) -> None:
    """System prompt, fenced paper; the answer comes back unchecked with its cost."""
    server.body = reply()

    answer = ask(server)

    path, headers, body = server.asked[0]
    assert (path, headers["Authorization"]) == ("/v1/chat/completions", "Bearer sk-secret")
    assert body == {
        "model": "fake-1",
        "messages": [
            {"role": "system", "content": prompt.SYSTEM},
            {"role": "user", "content": prompt.message(REQUEST)},
        ],
        "max_tokens": prompt.MAX_TOKENS,
        "temperature": 0.0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": prompt.schema("zh")},
        },
    }
    assert dict(answer.fields) == CHINESE
    assert answer.tokens == Tokens(input=700, output=300)


def test_azures_older_address_takes_its_version_and_its_own_header(server: ModelServer) -> None:
    server.body = reply()

    ask(server, path="/openai/deployments/mine/", api_version="2024-10-21")

    path, headers, _ = server.asked[0]
    assert path == "/openai/deployments/mine/chat/completions?api-version=2024-10-21"
    assert headers["api-key"] == "sk-secret"
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("url", "limit"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://me.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://openai.azure.com.example.org/v1", "max_tokens"),
    ],
)
def test_the_limit_has_the_name_that_the_server_knows(url: str, limit: str) -> None:
    """OpenAI's newer models refuse the old name, other servers ignore the new one."""
    made = OpenAi(clients.model_http(), url=url, model="m", key=str)

    body = made._body(REQUEST)

    assert {"max_tokens", "max_completion_tokens"} & set(body) == {limit}
    assert ("temperature" in body) == (limit == "max_tokens")


def test_azures_newer_address_needs_no_version_and_has_the_same_header() -> None:
    url = "https://me.openai.azure.com/openai/v1/"
    made = OpenAi(clients.model_http(), url=url, model="m", key=lambda: "k")

    assert made._url == "https://me.openai.azure.com/openai/v1/chat/completions"
    assert made._headers()["api-key"] == "k"


def test_a_server_without_schemas_gets_a_tool_or_is_asked_for_any_json(server: ModelServer) -> None:
    call = {"function": {"name": "answer", "arguments": json.dumps(CHINESE)}}
    server.body = reply(stopped="tool_calls", content="", tool_calls=[call])

    assert dict(ask(server, form="tool").fields) == CHINESE
    server.body = reply()
    assert dict(ask(server, form="json_object").fields) == CHINESE

    (_, _, tool), (_, _, plain) = server.asked
    assert tool["tool_choice"] == {"type": "function", "function": {"name": "answer"}}
    assert tool["tools"][0]["function"]["parameters"] == prompt.schema("zh")
    assert "response_format" not in tool
    assert plain["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (reply(stopped="length"), "stopped: length"),
        (reply(stopped="content_filter"), "stopped: content_filter"),
        (reply(stopped=None), "stopped: None"),
        (reply(refusal="I cannot do that."), "refusal"),
        (reply(["a", "list"]), "no JSON in the answer"),
        (reply(content="text"), "no JSON in the answer"),
        (reply().replace(b'"content": "{', b'"content": "Sure! {'), "no JSON in the answer"),
        (reply(tool_calls=[{"function": {}}]), "no JSON in the answer"),
        (reply(content="x", tool_calls="x"), "no JSON in the answer"),
        (b"<html>", "no chat completion"),
        (b"[]", "no chat completion"),
        (b'{"choices": []}', "no chat completion"),
        (b'{"choices": [{}]}', "no chat completion"),
        (b"[" * 100_000, "no chat completion"),
        (b" " * 1_000_001, "answer too large"),
    ],
)
def test_an_unfinished_or_other_answer_is_refused(
    server: ModelServer, body: bytes, reason: str
) -> None:
    """Whatever a server sends, it is no crash and no half translation."""
    server.body = body

    with pytest.raises(RefusedByProviderError) as refused:
        ask(server)

    assert refused.value.reason == reason


def test_what_an_unusable_answer_cost_is_counted(server: ModelServer) -> None:
    server.body = reply(stopped="length")

    with pytest.raises(RefusedByProviderError) as refused:
        ask(server)

    assert refused.value.tokens == Tokens(input=700, output=300)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        [],
        {"prompt_tokens": "7", "completion_tokens": 1},
        {"prompt_tokens": -7, "completion_tokens": 1},
        {"prompt_tokens": 10**40, "completion_tokens": 1},
    ],
)
def test_a_count_that_cannot_be_is_none(server: ModelServer, usage: object) -> None:
    """The worker then counts its worst case."""
    server.body = reply(usage=usage)

    assert ask(server).tokens is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, TransientProviderError),
        (403, TransientProviderError),
        (404, TransientProviderError),
        (429, TransientProviderError),
        (500, TransientProviderError),
        (503, TransientProviderError),
        (400, RefusedByProviderError),
        (422, RefusedByProviderError),
        (307, RefusedByProviderError),
    ],
)
def test_a_status_is_transient_or_refused(
    server: ModelServer, status: int, error: type[Exception]
) -> None:
    """A redirect is not followed: the key would go along."""
    server.status, server.headers = status, {"Location": "/elsewhere"}

    with pytest.raises(error, match=f"HTTP {status}"):
        ask(server)

    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("told", "seconds"), [("17", 17), ("999999", 900), ("Wed, 25 Nov 2026 20:00:00 GMT", 0)]
)
def test_the_wait_that_is_asked_for_is_kept(server: ModelServer, told: str, seconds: int) -> None:
    server.status, server.headers = 429, {"Retry-After": told}

    with pytest.raises(TransientProviderError) as failed:
        ask(server)

    assert failed.value.retry_after_s == seconds


def test_nobody_there_is_transient_and_tells_no_key() -> None:
    made = OpenAi(
        urllib3.PoolManager(retries=False),
        url="http://127.0.0.1:9/v1",
        model="m",
        key=lambda: "sk-secret",
    )

    with pytest.raises(TransientProviderError, match="no answer: NewConnectionError") as failed:
        made.enrich(REQUEST)

    assert "secret" not in str(failed.value)
    assert failed.value.tokens == Tokens()


def test_a_body_that_drips_for_ever_is_not_waited_for(server: ModelServer) -> None:
    """
    Each byte comes in good time, so that no time-out of a socket ends it.

    What it has cost meanwhile, nobody knows.
    """
    server.body, server.pace_s = b" " * 100_000, 0.05
    began = time.monotonic()

    with pytest.raises(TransientProviderError, match="no answer: too slow") as failed:
        ask(server, patience_s=0.5)

    assert time.monotonic() - began < 5
    assert failed.value.tokens is None


def test_blank_lines_before_the_answer_do_no_harm(server: ModelServer) -> None:
    """Some servers send them while a question waits for its turn."""
    server.body, server.pace_s = b"\n" * 50 + reply(), 0.0001

    assert dict(ask(server).fields) == CHINESE


def test_a_connection_that_breaks_may_have_cost_something(server: ModelServer) -> None:
    server.body, server.headers = reply(), {"Transfer-Encoding": "chunked"}

    with pytest.raises(TransientProviderError, match="no answer: ") as failed:
        ask(server)

    assert failed.value.tokens is None


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/v1", True),
        ("http://127.0.0.1:8080/v1", True),
        ("http://localhost/v1", True),
        ("http://example.org/v1", False),
        ("http://127.0.0.1.example.org", False),
        ("ftp://example.org", False),
        ("https:///v1", False),
        ("", False),
    ],
)
def test_a_key_leaves_over_https_alone(url: str, safe: bool) -> None:  # noqa: FBT001  a table's row
    assert is_safe(url) == safe
