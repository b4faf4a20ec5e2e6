"""The mails of a run, read from the raw messages that were handed to SES."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage, MIMEPart
from email.utils import getaddresses
from pathlib import Path

from oracle.source import linked_ids

_FOR_MACHINES = re.compile(r"List-.*|X-SES-.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message; `faults` are what a mail program could not read in it."""

    name: str
    headers: dict[str, list[str]]
    to: str
    tags: dict[str, str]
    text: str = ""
    html: bytes = b""
    parts: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    text_ids: Counter[str] = field(default_factory=Counter)
    html_ids: frozenset[str] = frozenset()

    @property
    def issue(self) -> str:
        """The issue that it is a letter of, or '' for a confirmation or other mail."""
        return self.tags.get("issue", "")

    def header(self, name: str) -> str:
        """The header's value if it stands there exactly once, else ''."""
        values = self.headers.get(name.lower(), [])
        return values[0] if len(values) == 1 else ""


def read_mails(folder: Path) -> Iterator[Mail]:
    """Yield every message of *folder*, by file name."""
    for path in sorted(folder.glob("*.eml")):
        yield _read(path)


def addresses_in(text: str) -> list[str]:
    """The addresses of an address header, as they are written."""
    return [address for _, address in getaddresses([text]) if address]


def tags_in(text: str) -> dict[str, str]:
    """The tags of an X-SES-MESSAGE-TAGS header."""
    pairs = (pair.partition("=") for pair in re.split(r"[,;]", text))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def _read(path: Path) -> Mail:
    # The default policy unfolds and decodes headers; what it only suspects is not an error.
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    headers: dict[str, list[str]] = {}
    for (name, value), (_, raw) in zip(message.items(), message.raw_items(), strict=True):
        # Nobody decodes encoded words in headers that machines read.
        text = re.sub(r"\r?\n", "", str(raw)) if _FOR_MACHINES.fullmatch(name) else str(value)
        headers.setdefault(name.lower(), []).append(text.strip())
    faults: list[str] = []
    parts = list(message.iter_parts()) if message.is_multipart() else []
    plain = _decoded(parts, "text/plain", faults)
    html = _decoded(parts, "text/html", faults)
    return Mail(
        name=path.name,
        headers=headers,
        to=", ".join(addresses_in(", ".join(headers.get("to", [])))).lower(),
        tags=tags_in(", ".join(headers.get("x-ses-message-tags", []))),
        text=plain.decode("utf-8", "replace"),
        html=html,
        parts=(message.get_content_type(), *(part.get_content_type() for part in parts)),
        faults=tuple(faults),
        text_ids=Counter(linked_ids(plain.decode("utf-8", "replace"))),
        html_ids=frozenset(linked_ids(html.decode("utf-8", "replace"))),
    )


def _decoded(parts: Sequence[MIMEPart], content_type: str, faults: list[str]) -> bytes:
    """The first such part's text as UTF-8 bytes, its transfer encoding taken off."""
    for part in parts:
        if part.get_content_type() == content_type:
            try:
                body = part.get_payload(decode=True)
                assert isinstance(body, bytes)
                return body.decode(part.get_content_charset("us-ascii")).encode()
            except (LookupError, ValueError, AssertionError, MessageError) as exc:
                faults.append(f"the {content_type} part cannot be decoded: {exc}")
    return b""
