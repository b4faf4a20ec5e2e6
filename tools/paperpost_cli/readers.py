"""Made-up subscribers who sign up through the HTTP API and confirm by the link in their mail."""

import json
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from paperpost.domain.errors import PaperpostError
from paperpost_cli.mailbox import list_mails

_SEED = 20240326
_TIMEOUT_S = 30
_CONFIRM_LINK = re.compile(r"https?://\S+?(/api/confirm/[\w.~-]+)")


class SignUpError(PaperpostError):
    """A sign-up through the API did not end with a confirmed subscriber."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One subscriber to be: the address and what is filled in on the form."""

    address: str
    preferences: dict[str, Any]


def invent_readers(number: int, categories: Sequence[str]) -> list[Reader]:
    """
    Return *number* readers, always the same ones for the same categories, each with at least one.

    The first has a simulator address at which every mail bounces. More of them are these and more.
    """
    chance = random.Random(_SEED)  # noqa: S311  no secret hangs on it
    readers = []
    for n in range(number):
        chosen = chance.sample(list(categories), k=chance.randint(1, min(3, len(categories))))
        # Every fifth reads at 8 in the morning in Beijing, the others as soon as it is ready.
        hour = {"hour": 8, "zone": "Asia/Shanghai"} if n % 5 == 4 else {}  # noqa: PLR2004
        readers.append(
            Reader(
                address=f"bounce+reader{n + 1:03}@simulator.amazonses.com"
                if n == 0
                else f"reader{n + 1:03}@example.org",
                preferences={
                    "categories": sorted(chosen),
                    "language": chance.choice(["both", "both", "zh", "en"]),
                    "cadence": "daily",
                    "length": chance.choice(["brief", "brief", "full"]),
                    **hour,
                },
            )
        )
    return readers


def sign_up(readers: Iterable[Reader], *, api: str) -> None:
    """
    Fill in the form for each of *readers*.

    Raises: SignUpError: If the API does not answer 202.
    """
    for reader in readers:
        body = {"email": reader.address, **reader.preferences}
        status, answer = post(f"{api}/api/subscribe", json.dumps(body), "application/json")
        if status != HTTPStatus.ACCEPTED:
            raise SignUpError(f"POST /api/subscribe answered {status}: {answer[:200]}")


def confirm(readers: Iterable[Reader], *, api: str, mails: Path) -> None:
    """
    Press the button behind each reader's confirmation link.

    Raises: SignUpError: If a reader got no confirmation mail, or its link is refused.
    """
    links = confirmation_links(mails)
    for reader in readers:
        path = links.get(reader.address)
        if path is None:
            raise SignUpError(f"{reader.address} got no confirmation mail")
        status, answer = post(f"{api}{path}", "", "application/x-www-form-urlencoded")
        if status != HTTPStatus.OK:
            raise SignUpError(f"POST /api/confirm answered {status}: {answer[:200]}")


def confirmation_links(mails: Path) -> dict[str, str]:
    """The newest confirmation link by address."""
    links = {}
    for mail in list_mails(mails):
        match = None if mail.issue else _CONFIRM_LINK.search(mail.text)
        if match:
            links[mail.to] = match[1]
    return links


def post(url: str, body: str, content_type: str) -> tuple[int, str]:
    """Status and text of the answer to a POST, as a browser or a mail program sends it."""
    address = urlsplit(url)
    connection = HTTPConnection(address.netloc, timeout=_TIMEOUT_S)
    try:
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        connection.request("POST", address.path, body.encode(), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()
