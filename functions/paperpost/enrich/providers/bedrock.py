"""Amazon Bedrock: any model that Converse reaches, answering through a forced tool."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from paperpost.domain.spending import Tokens
from paperpost.enrich import prompt
from paperpost.enrich.answers import (
    Answer,
    RefusedByProviderError,
    TransientProviderError,
)

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime.client import BedrockRuntimeClient

# Statuses that say nothing of the paper. Source: Converse's list of errors,
# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, 2026-11-23;
# 403 is AccessDenied, 404 ResourceNotFound, 424 ModelErrorException, 408 ModelTimeoutException,
# 429 Throttling and ModelNotReady.
_TRANSIENT = frozenset({401, 403, 404, 408, 424, 429})
_SERVER_ERROR = 500
_FINISHED = frozenset({"tool_use", "end_turn"})


class Bedrock:
    """Asks *model*, the id of a model or of an inference profile."""

    translates = True

    def __init__(self, client: "BedrockRuntimeClient", model: str) -> None:
        self._client, self.model = client, model

    def enrich(self, request: prompt.Request) -> Answer:
        """
        Return the model's answer, unchecked.

        Raises:
            TransientProviderError: On throttling, a time-out, a denial or a fault of the service.
            RefusedByProviderError: On any other error, and on an answer that is not finished.
        """
        try:
            reply = self._client.converse(**self._body(request))
        except ClientError as exc:
            code = exc.response.get("Error", {}).get("Code", "unknown")
            status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if status in _TRANSIENT or status >= _SERVER_ERROR:
                raise TransientProviderError(f"Bedrock answered {code} ({status})") from exc
            raise RefusedByProviderError(code, tokens=Tokens()) from exc
        except BotoCoreError as exc:  # time-outs and connections that break
            # Behind a connection that was made, the model may have written all the same.
            cost = None if isinstance(exc, HTTPClientError) else Tokens()
            problem = f"no answer from Bedrock: {type(exc).__name__}"
            raise TransientProviderError(problem, tokens=cost) from exc
        return _answer(reply)

    def _body(self, request: prompt.Request) -> Any:  # noqa: ANN401  a request's own shape
        return {
            "modelId": self.model,
            "system": [{"text": prompt.SYSTEM}],
            "messages": [{"role": "user", "content": [{"text": prompt.message(request)}]}],
            "inferenceConfig": {"maxTokens": prompt.MAX_TOKENS, "temperature": 0.0},
            "toolConfig": {
                "tools": [
                    {
                        "toolSpec": {
                            "name": prompt.TOOL,
                            "description": prompt.TOOL_DESCRIPTION,
                            "inputSchema": {"json": prompt.schema(request.language)},
                        }
                    }
                ],
                "toolChoice": {"tool": {"name": prompt.TOOL}},
            },
        }


def _answer(reply: Mapping[str, Any]) -> Answer:
    usage = reply.get("usage", {})
    tokens = Tokens(input=usage.get("inputTokens", 0), output=usage.get("outputTokens", 0))
    stopped = reply.get("stopReason", "unknown")
    if stopped not in _FINISHED:
        raise RefusedByProviderError(f"stopped: {stopped}", tokens=tokens)
    content = reply.get("output", {}).get("message", {}).get("content", [])
    used = [block["toolUse"] for block in content if "toolUse" in block]
    given = next((use.get("input") for use in used if use.get("name") == prompt.TOOL), None)
    if not isinstance(given, Mapping):
        raise RefusedByProviderError("no answer in the reply", tokens=tokens)
    return Answer(fields=given, tokens=tokens)
