"""Any server that speaks OpenAI's Chat Completions: OpenAI, Azure OpenAI, vLLM, llama.cpp."""

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode, urlsplit

from urllib3 import BaseHTTPResponse, PoolManager
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from paperpost.domain.spending import Tokens
from paperpost.enrich import prompt
from paperpost.enrich.answers import (
    Answer,
    RefusedByProviderError,
    TransientProviderError,
)

FORMS = ("json_schema", "json_object", "tool")
_OK = 200
_SERVER_ERROR = 500
# Statuses that say nothing of the paper: denied, no such model, time-out, conflict, throttled.
_TRANSIENT = frozenset({401, 402, 403, 404, 408, 409, 425, 429})
_FINISHED = frozenset({"stop", "tool_calls"})
_MOST_BYTES = 1_000_000  # an answer has some 10 kB
_MOST_TOKENS = 10_000_000  # no model reads or writes so many
# For all of a call: a time-out of a socket begins anew with each byte, and some servers send blank
# lines for minutes before they answer (https://api-docs.deepseek.com/quick_start/rate_limit, read
# 2026-11-26). The function's time-out in template.yaml counts with it.
_PATIENCE_S = 63
_LONGEST_WAIT_S = 900
_OPENAI_HOST = "api.openai.com"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def is_safe(url: str) -> bool:
    """Whether a key may be sent to *url*: https, or a server on this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


class OpenAi:
    """
    Asks *model* at the base address *url*, to which `/chat/completions` is added.

    `key`: gives the key, or '' where none is needed; Azure wants it in a header of its own.
    `api_version`: only for Azure's older address, which wants it in the query
    (`https://NAME.openai.azure.com/openai/deployments/DEPLOYMENT`; the newer one is `…/openai/v1`).
    `form`: how JSON is asked for, one of FORMS. `patience_s`: for all of a call. Sources:
    https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle and
    https://learn.microsoft.com/azure/ai-services/openai/reference, read 2026-11-25.
    """

    translates = True

    def __init__(
        self,
        http: PoolManager,
        *,
        url: str,
        model: str,
        key: Callable[[], str],
        api_version: str = "",
        form: str = "json_schema",
        patience_s: float = _PATIENCE_S,
    ) -> None:
        query = f"?{urlencode({'api-version': api_version})}" if api_version else ""
        self._url = f"{url.rstrip('/')}/chat/completions{query}"
        self._http, self.model, self._key, self._patience_s = http, model, key, patience_s
        self._form, host = form, urlsplit(url).hostname or ""
        self._is_azure = bool(api_version) or host.endswith(".azure.com")
        self._is_openai = self._is_azure or host == _OPENAI_HOST

    def enrich(self, request: prompt.Request) -> Answer:
        """
        Return the model's answer, unchecked.

        Raises:
            TransientProviderError: On throttling, a time-out, a denial or a fault of the server.
            RefusedByProviderError: On any other status, and on an answer that is not finished.
        """
        response, data = self._in_time(self._body(request), self._headers())
        if response.status in _TRANSIENT or response.status >= _SERVER_ERROR:
            wait_s = _seconds(response.headers.get("Retry-After", ""))
            raise TransientProviderError(f"HTTP {response.status}", retry_after_s=wait_s)
        if response.status != _OK:
            raise RefusedByProviderError(f"HTTP {response.status}", tokens=Tokens())
        return _answer(data)

    def _in_time(
        self, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> tuple[BaseHTTPResponse, bytes]:
        """The reply and its body, unless they take too long; the late ones are left to a thread."""
        worker = ThreadPoolExecutor(max_workers=1)
        posted = worker.submit(self._post, body, headers)
        try:
            return posted.result(timeout=self._patience_s)
        except TimeoutError as exc:
            raise TransientProviderError("no answer: too slow", tokens=None) from exc
        except (NewConnectionError, ConnectTimeoutError) as exc:
            raise TransientProviderError(f"no answer: {type(exc).__name__}") from exc
        except HTTPError as exc:  # a connection that breaks, when the model may have written
            raise TransientProviderError(f"no answer: {type(exc).__name__}", tokens=None) from exc
        finally:
            worker.shutdown(wait=False)

    def _post(
        self, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> tuple[BaseHTTPResponse, bytes]:
        until = time.monotonic() + self._patience_s
        sent = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        response = self._http.request(
            "POST", self._url, body=sent, headers=headers, preload_content=False
        )
        try:
            return response, _read(response, until)
        finally:
            response.close()

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if key := self._key():
            headers |= {"api-key": key} if self._is_azure else {"Authorization": f"Bearer {key}"}
        return headers

    def _body(self, request: prompt.Request) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": prompt.SYSTEM},
                {"role": "user", "content": prompt.message(request)},
            ],
        }
        # OpenAI's newer models refuse `max_tokens` and any temperature; other servers know no else.
        if self._is_openai:
            body["max_completion_tokens"] = prompt.MAX_TOKENS
        else:
            body |= {"max_tokens": prompt.MAX_TOKENS, "temperature": 0.0}
        return body | _form(self._form, prompt.schema(request.language))


def _form(form: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    if form == "tool":
        function = {
            "name": prompt.TOOL,
            "description": prompt.TOOL_DESCRIPTION,
            "parameters": schema,
        }
        return {
            "tools": [{"type": "function", "function": function}],
            "tool_choice": {"type": "function", "function": {"name": prompt.TOOL}},
        }
    if form == "json_object":
        return {"response_format": {"type": "json_object"}}
    strict = {"name": prompt.TOOL, "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": strict}}


def _read(response: BaseHTTPResponse, until: float) -> bytes:
    """The body, at most _MOST_BYTES; nobody waits for it after *until*."""
    data = b""
    for chunk in response.stream(1 << 16):
        data += chunk
        if len(data) > _MOST_BYTES:
            raise RefusedByProviderError("answer too large")
        if time.monotonic() > until:
            raise TransientProviderError("no answer: too slow", tokens=None)
    return data


def _answer(data: bytes) -> Answer:
    """The answer in the body of a reply, in any of FORMS."""
    try:
        reply = json.loads(data)
        tokens = _tokens(reply.get("usage"))
        choice = reply["choices"][0]
        message, stopped = choice["message"], choice.get("finish_reason")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as exc:
        raise RefusedByProviderError("no chat completion") from exc
    if stopped not in _FINISHED:
        raise RefusedByProviderError(f"stopped: {str(stopped)[:40]}", tokens=tokens)
    try:
        if message.get("refusal"):
            raise RefusedByProviderError("refusal", tokens=tokens)
        calls = message.get("tool_calls")
        text = calls[0]["function"]["arguments"] if calls else message["content"]
        given = json.loads(text)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as exc:
        raise RefusedByProviderError("no JSON in the answer", tokens=tokens) from exc
    if not isinstance(given, Mapping):
        raise RefusedByProviderError("no JSON in the answer", tokens=tokens)
    return Answer(fields=given, tokens=tokens)


def _tokens(usage: object) -> Tokens | None:
    """What the server counted; some count nothing."""
    if not isinstance(usage, Mapping):
        return None
    read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not isinstance(read, int) or not isinstance(written, int):
        return None
    if not (0 <= read <= _MOST_TOKENS and 0 <= written <= _MOST_TOKENS):
        return None
    return Tokens(input=read, output=written)


def _seconds(retry_after: str) -> int:
    """A Retry-After in seconds; a date there is not worth a parser, the queue's back-off holds."""
    is_number = retry_after.isascii() and retry_after.isdigit()
    return min(int(retry_after[:9]), _LONGEST_WAIT_S) if is_number else 0
