"""The sign-up API, called as API Gateway does, and what it leaves in table and queue."""

import json
from typing import Any

from lxml import html

from paperpost import clients
from paperpost.domain.tokens import Purpose, make_token
from paperpost.storage.subscribers import SubscriberTable
from paperpost.subscribe.handler import handler
from support.api import FakeContext, request
from support.aws import Cloud
from support.readers import ADDRESS, NOW, make_keys

KEYS = make_keys()
WISH = {"email": ADDRESS, "categories": ["cs.CV", "cs.AI"], "language": "both"}
PURPOSES = {
    "confirm": Purpose.CONFIRM,
    "unsubscribe": Purpose.UNSUBSCRIBE,
    "preferences": Purpose.PREFERENCES,
    "export": Purpose.PREFERENCES,
    "erase": Purpose.PREFERENCES,
}


def call(method: str, path: str, **what: Any) -> dict[str, Any]:
    """The function's answer."""
    answer: dict[str, Any] = handler(request(method, path, **what), FakeContext())
    return answer


def link(route: str, subscriber_id: str = "a1", **changes: Any) -> str:
    """The path of *route* with a token of its purpose."""
    token = make_token(PURPOSES[route], subscriber_id, KEYS, now=changes.get("now", NOW))
    return f"/api/{route}/{token}"


def dump() -> list[dict[str, Any]]:
    """Every item of the table."""
    items = clients.table("subscribers").scan()["Items"]
    return sorted(items, key=lambda item: (item["pk"], item["sk"]))


def times_to_live() -> dict[str, int]:
    """When profile and address will be forgotten, of those that will."""
    wanted = ("PROFILE", "EMAIL")
    return {
        item["sk"]: int(item["expires_at"])
        for item in dump()
        if item["sk"] in wanted and "expires_at" in item
    }


def queued(cloud: Cloud) -> list[dict[str, Any]]:
    """The confirmation queue's messages."""
    answer = clients.sqs().receive_message(
        QueueUrl=cloud.queues["confirmation"], MaxNumberOfMessages=10
    )
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def status_of(table: SubscriberTable, subscriber_id: str = "a1") -> str:
    """The status of a subscriber."""
    stored = table.get(subscriber_id)
    assert stored is not None
    return stored.status.value


def page_of(answer: dict[str, Any]) -> Any:
    """An answer's page, parsed."""
    assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
    return html.document_fromstring(answer["body"])
