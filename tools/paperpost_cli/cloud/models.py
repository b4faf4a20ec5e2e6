"""
The stand-in's models: what answers a Bedrock Converse request.

A `Model` takes a `ConverseRequest` and returns a `ConverseAnswer` or raises `ModelError`.
`ReplayModel` gives prepared answers; `ForwardModel` asks a local OpenAI-compatible server.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from paperpost.domain.errors import InvalidInputError, PaperpostError

_FORWARD_TIMEOUT_S = 55
_BYTES_A_TOKEN = 4
_HTTP_OK = 200
_NOT_TAKEN = frozenset({400, 413, 422})  # a paper longer than its context, say


class ModelError(PaperpostError):
    """A model's refusal, as the AWS error type and HTTP status that the caller shall see."""

    def __init__(self, error_type: str, message: str, *, status: int) -> None:
        self.error_type, self.status = error_type, status
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConverseRequest:
    """What a handler asked: texts joined, and the one tool that it forces, if any."""

    model: str
    system: str
    user: str
    tool: str | None = None
    tool_schema: Mapping[str, Any] | None = None
    max_tokens: int | None = None
    temperature: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConverseAnswer:
    """A text, or the input for the forced tool; and what it cost."""

    text: str = ""
    tool_input: Mapping[str, Any] | None = None
    stop_reason: str = "end_turn"
    input_tokens: int = 0
    output_tokens: int = 0


class Model(Protocol):
    """Answers one request."""

    def __call__(self, request: ConverseRequest, /) -> ConverseAnswer:
        """Return the answer; raise `ModelError` for a refusal."""


class ReplayModel:
    """Prepared answers by arXiv id and language, found in the JSON object of the prompt."""

    def __init__(self, answers: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
        self._answers = answers

    @classmethod
    def from_file(cls, path: Path) -> "ReplayModel":
        """
        Read lines of `{"id": …, "zh": {"title", "abstract", "tldr"}, "en": {"tldr"}}`.

        Raises: InvalidInputError: a line is not of that form; the text names it.
        """
        answers = {}
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
                answers[found["id"]] = {k: found[k] for k in ("zh", "en") if k in found}
            except (ValueError, KeyError, TypeError) as exc:
                raise InvalidInputError(f"{path}:{number} is not an answer: {exc}") from exc
        return cls(answers)

    def __call__(self, request: ConverseRequest, /) -> ConverseAnswer:
        """Return what was prepared for the paper and language that the prompt names."""
        paper, language = _paper_and_language(request.user)
        prepared = self._answers.get(paper, {}).get(language)
        if prepared is None:
            message = f"no answer is prepared for {paper} in {language}"
            raise ModelError("ValidationException", message, status=400)
        text = json.dumps(prepared, ensure_ascii=False)
        return ConverseAnswer(
            text="" if request.tool else text,
            tool_input=prepared if request.tool else None,
            stop_reason="tool_use" if request.tool else "end_turn",
            input_tokens=len((request.system + request.user).encode()) // _BYTES_A_TOKEN,
            output_tokens=len(text.encode()) // _BYTES_A_TOKEN,
        )


class ForwardModel:
    """A local OpenAI-compatible server, such as `http://127.0.0.1:8080`."""

    def __init__(self, url: str, *, model: str | None = None) -> None:
        """Forward to *url*; *model* replaces the model id that the handler asks for."""
        self._url = urlsplit(url)
        self._model = model
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            raise InvalidInputError(f"not an address of a model server: {url}")

    def __call__(self, request: ConverseRequest, /) -> ConverseAnswer:
        """Return the server's answer."""
        answer = self._post(self._body(request))
        try:
            choice = answer["choices"][0]
            message = choice["message"]
            cut_off = choice.get("finish_reason") == "length"
            tool_input = _tool_input(message) if request.tool and not cut_off else None
            stop = "max_tokens" if cut_off else "end_turn"
            return ConverseAnswer(
                text="" if tool_input is not None else message.get("content") or "",
                tool_input=tool_input,
                stop_reason="tool_use" if tool_input is not None else stop,
                input_tokens=answer.get("usage", {}).get("prompt_tokens", 0),
                output_tokens=answer.get("usage", {}).get("completion_tokens", 0),
            )
        except (KeyError, IndexError, TypeError, AttributeError) as exc:
            text = f"the model server's answer has an unknown form: {exc!r}"
            raise ModelError("ModelErrorException", text, status=424) from exc

    def _body(self, request: ConverseRequest) -> dict[str, Any]:
        messages = [
            {"role": role, "content": text}
            for role, text in (("system", request.system), ("user", request.user))
            if text
        ]
        body: dict[str, Any] = {"model": self._model or request.model, "messages": messages}
        if request.max_tokens is not None:
            body["max_tokens"] = request.max_tokens
        if request.temperature is not None:
            body["temperature"] = request.temperature
        if request.tool:
            function = {"name": request.tool, "parameters": request.tool_schema or {}}
            body["tools"] = [{"type": "function", "function": function}]
            body["tool_choice"] = {"type": "function", "function": {"name": request.tool}}
        return body

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        host = self._url.hostname
        assert host is not None
        connection = kind(host, self._url.port, timeout=_FORWARD_TIMEOUT_S)
        path = self._url.path.rstrip("/").removesuffix("/v1") + "/v1/chat/completions"
        try:
            connection.request(
                "POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            response = connection.getresponse()
            data = response.read()
        except (OSError, HTTPException) as exc:
            text = f"the model server does not answer: {exc}"
            raise ModelError("ServiceUnavailableException", text, status=503) from exc
        finally:
            connection.close()
        if response.status in _NOT_TAKEN:
            text = f"the model server does not take the request: HTTP {response.status}"
            raise ModelError("ValidationException", text, status=400)
        if response.status != _HTTP_OK:
            text = f"the model server answered HTTP {response.status}"
            raise ModelError("ModelErrorException", text, status=424)
        try:
            answer: dict[str, Any] = json.loads(data)
        except ValueError as exc:
            text = "the model server's answer is not JSON"
            raise ModelError("ModelErrorException", text, status=424) from exc
        return answer


def answer_request(model: Model, model_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a Converse request body in Converse's form; raises `ModelError` for a refusal."""
    began = time.monotonic()
    request = parse_request(model_id, body)
    answer = model(request)
    content: dict[str, Any] = {"text": answer.text}
    if answer.tool_input is not None:
        use = {"toolUseId": "tooluse_1", "name": request.tool, "input": dict(answer.tool_input)}
        content = {"toolUse": use}
    return {
        "output": {"message": {"role": "assistant", "content": [content]}},
        "stopReason": answer.stop_reason,
        "usage": {
            "inputTokens": answer.input_tokens,
            "outputTokens": answer.output_tokens,
            "totalTokens": answer.input_tokens + answer.output_tokens,
        },
        "metrics": {"latencyMs": round((time.monotonic() - began) * 1000)},
    }


def parse_request(model_id: str, body: Mapping[str, Any]) -> ConverseRequest:
    """The request in our form; raises `ModelError` (ValidationException) if it lacks a message."""
    try:
        last = [m for m in body["messages"] if m["role"] == "user"][-1]
        user = "\n".join(part["text"] for part in last["content"] if "text" in part)
        system = "\n".join(part["text"] for part in body.get("system", []) if "text" in part)
        limits = body.get("inferenceConfig") or {}
        tools = body.get("toolConfig") or {}
        name = tools.get("toolChoice", {}).get("tool", {}).get("name")
        tools_offered = [tool["toolSpec"] for tool in tools.get("tools", []) if "toolSpec" in tool]
        if name is None and len(tools_offered) == 1 and "any" in tools.get("toolChoice", {}):
            name = tools_offered[0]["name"]
        schemas = {tool["name"]: tool["inputSchema"]["json"] for tool in tools_offered}
    except (KeyError, IndexError, TypeError, AttributeError) as exc:
        raise ModelError("ValidationException", f"not a request: {exc!r}", status=400) from exc
    return ConverseRequest(
        model=model_id,
        system=system,
        user=user,
        tool=name,
        tool_schema=schemas.get(name),
        max_tokens=limits.get("maxTokens"),
        temperature=limits.get("temperature"),
    )


def _paper_and_language(prompt: str) -> tuple[str, str]:
    for found in _objects(prompt):
        if isinstance(found.get("id"), str) and found.get("language") in ("zh", "en"):
            return found["id"], found["language"]
    message = 'the prompt holds no JSON object with "id" and "language"'
    raise ModelError("ValidationException", message, status=400)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Every JSON object that stands in *text*, however it is surrounded."""
    decoder, start = json.JSONDecoder(), text.find("{")
    while start >= 0:
        try:
            found, _ = decoder.raw_decode(text, start)
        except ValueError:
            found = None
        if isinstance(found, dict):
            yield found
        start = text.find("{", start + 1)


def _tool_input(message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The forced tool's input from a tool call, or from a text that is JSON."""
    calls = message.get("tool_calls")
    text = calls[0]["function"]["arguments"] if calls else message.get("content") or ""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
