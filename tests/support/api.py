"""HTTP API requests as Lambda gets them, and a context to call handlers with."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

_FORM = "application/x-www-form-urlencoded"


@dataclass
class FakeContext:
    """What handlers read of Lambda's context."""

    function_name: str = "paperpost"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:paperpost"
    aws_request_id: str = "52fdfc07-2182-154f-163f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        """Plenty."""
        return 30_000


def request(
    method: str,
    path: str,
    *,
    form: Mapping[str, Any] | None = None,
    data: Any = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    source_ip: str = "203.0.113.7",
) -> dict[str, Any]:
    """An event of payload format 2.0. API Gateway encodes every body but JSON in base64."""
    sent = {"accept": "text/html,*/*;q=0.8", "accept-language": "zh-CN,zh;q=0.9"}
    is_base64 = True
    if form is not None:
        body, sent["content-type"] = urlencode(form, doseq=True).encode(), _FORM
    if data is not None:
        body, is_base64 = json.dumps(data).encode(), False
        sent |= {"content-type": "application/json", "accept": "application/json"}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {**sent, **(headers or {})},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "r3pmxmplak",
            "domainName": "api.example.org",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": source_ip,
                "userAgent": "test",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": f"{method} {path}",
            "stage": "$default",
            "time": "21/Apr/2026:05:00:00 +0000",
            "timeEpoch": 1776747600000,
        },
        "isBase64Encoded": is_base64 and body is not None,
    }
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if is_base64 else body.decode()
    return event
