"""Any server that speaks OpenAI's Chat Completions: OpenAI, Azure OpenAI, vLLM, llama.cpp."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from urllib3 import BaseHTTPResponse, PoolManager
from urllib3.exceptions import HTTPError

from paperpost.domain.spending import Tokens
from paperpost.enrich import prompt
from paperpost.enrich.answers import Answer, RefusedByProviderError, TransientProviderError

FORMS = ("json_schema", "json_object", "tool")
_OK = 200
_SERVER_ERROR = 500
# Statuses that say nothing of the paper: denied, no such model, time-out, conflict, throttled.
_TRANSIENT = frozenset({401, 402, 403, 404, 408, 409, 425, 429})
_FINISHED = frozenset({"stop", "tool_calls"})
_MOST_BYTES = 1_000_000  # an answer has some 10 kB
_BODY_S = 60  # for the whole of a body, however steadily it drips
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
    `form`: how JSON is asked for, one of FORMS. Sources:
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
    ) -> None:
        query = f"?{urlencode({'api-version': api_version})}" if api_version else ""
        self._url = f"{url.rstrip('/')}/chat/completions{query}"
        self._http, self.model, self._key = http, model, key
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
        body = json.dumps(self._body(request), ensure_ascii=False).encode("utf-8", "replace")
        try:
            response = self._http.request(
                "POST", self._url, body=body, headers=self._headers(), preload_content=False
            )
            try:
                data = _read(response)
            finally:
                response.close()
        except HTTPError as exc:  # time-outs and connections that break
            raise TransientProviderError(f"no answer: {type(exc).__name__}") from exc
        if response.status in _TRANSIENT or response.status >= _SERVER_ERROR:
            wait_s = _seconds(response.headers.get("Retry-After", ""))
            raise TransientProviderError(f"HTTP {response.status}", retry_after_s=wait_s)
        if response.status != _OK:
            raise RefusedByProviderError(f"HTTP {response.status}", tokens=Tokens())
        return _answer(data)

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


def _read(response: BaseHTTPResponse) -> bytes:
    """The body, at most _MOST_BYTES and within _BODY_S."""
    until, data = time.monotonic() + _BODY_S, b""
    for chunk in response.stream(1 << 16):
        data += chunk
        if len(data) > _MOST_BYTES:
            raise RefusedByProviderError("answer too large")
        if time.monotonic() > until:
            raise TransientProviderError("no answer: too slow")
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
    if not isinstance(read, int) or not isinstance(written, int) or min(read, written) < 0:
        return None
    return Tokens(input=read, output=written)


def _seconds(retry_after: str) -> int:
    """A Retry-After in seconds; a date there is not worth a parser, the queue's back-off holds."""
    is_number = retry_after.isascii() and retry_after.isdigit()
    return min(int(retry_after[:9]), _LONGEST_WAIT_S) if is_number else 0
