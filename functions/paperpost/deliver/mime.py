"""Messages: the headers that bulk mail must have, and two parts, read back before they go."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.header import Header
from email.parser import BytesParser
from email.utils import format_datetime
from typing import cast

from paperpost.deliver.pieces import Piece
from paperpost.domain.addresses import bare, mailable
from paperpost.domain.errors import InvalidInputError, PaperpostError
from paperpost.domain.text import clean

_NAME = "Paperpost 论文早报"
# Quoted-printable never has "=_", so no part can hold the boundary (RFC 2045, section 6.7).
_BOUNDARY = "=_paperpost_=_0"
_PRINTABLE = re.compile(r"[!-~]+(?: [!-~]+)*", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_.@-]{1,256}", re.ASCII)
# SES makes Feedback-ID of it, by which Gmail counts complaints for each stream of mail. Source:
# https://aws.amazon.com/blogs/messaging-and-targeting/understanding-google-postmaster-tools-spam-complaints-for-amazon-ses-email-senders
# (read 2026-11-26).
_STREAM_TAG = "ses:feedback-id-a"
# SES: a header's value has at most 995 characters (ses/latest/dg/header-fields, read 2026-11-23).
_LONGEST = 995


class MessageError(PaperpostError):
    """A message is not what was meant; nothing of it was sent. The text holds no address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """
    Everything of a message but its parts.

    `list_name`: daily or weekly for issues; '' for mail that a reader asked for just now, which
    has no list headers; `kind` says then what it is. `tags`: SES message tags, by which feedback
    finds its delivery.
    """

    sender: str
    recipient: str
    subject: str
    tags: tuple[tuple[str, str], ...]
    date: datetime
    kind: str = "confirm"
    list_name: str = ""
    unsubscribe_url: str = ""


def message(envelope: Envelope, pieces: Sequence[Piece]) -> bytes:
    """
    Return the serialised message: text first, then HTML, both quoted-printable.

    Raises: MessageError: If the recipient or a header cannot be written, or the bytes read back
        differ from what was meant. InvalidInputError: If the sender's address is unusable, which
        concerns every message.
    """
    headers = _headers(envelope)
    raw = b"".join(
        (
            *(f"{name}: {value}\r\n".encode("ascii") for name, value in headers),
            b"\r\nThis is a message in two parts.\r\n",
            _part_head("plain"),
            *(piece.text_encoded for piece in pieces),
            _part_head("html"),
            *(piece.html_encoded for piece in pieces),
            f"\r\n--{_BOUNDARY}--\r\n".encode(),
        )
    )
    _check(raw, envelope, headers, pieces)
    return raw


def header_text(text: str) -> str:
    """
    Untrusted *text* for a header: one line, nothing that hides, nothing that decodes to more.

    Python before 3.12.2 unfolded encoded words inside a value into real headers (CVE-2024-6923).
    """
    return clean(text).replace("=?", "= ?").replace("?=", "? =")


def _part_head(subtype: str) -> bytes:
    return (
        f"\r\n--{_BOUNDARY}\r\n"
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode()


def _headers(envelope: Envelope) -> list[tuple[str, str]]:
    sender, domain = _sender(envelope.sender)
    headers = [
        ("From", f"{_encoded(_NAME, 'From')} <{sender}>"),
        ("To", _recipient(envelope.recipient)),
        ("Subject", _encoded(header_text(envelope.subject), "Subject")),
        ("Date", format_datetime(envelope.date)),
    ]
    if envelope.list_name:
        name = envelope.list_name
        headers += [
            ("List-Id", _plain(f"Paperpost {name} <{name}.{domain}>")),
            ("List-Unsubscribe", f"<{_plain(envelope.unsubscribe_url)}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("Precedence", "bulk"),
        ]
    return [
        *headers,
        ("Auto-Submitted", "auto-generated"),
        ("X-SES-MESSAGE-TAGS", _tags(envelope.tags, envelope.list_name or envelope.kind)),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{_BOUNDARY}"'),
    ]


def _sender(configured: str) -> tuple[str, str]:
    """The address and its domain; a display name in the setting is replaced by ours."""
    address = mailable(bare(configured))
    return address, address.rpartition("@")[2]


def _recipient(address: str) -> str:
    try:
        written = mailable(address)
    except InvalidInputError as exc:
        raise MessageError("the recipient's address cannot be used") from exc
    if written != address:
        raise MessageError("the recipient's address is not in its mailed form")
    return written


def _encoded(text: str, name: str) -> str:
    """*text* as RFC 2047 has it, folded; plain if it is ASCII."""
    if text.isascii():
        return _plain(text)
    return Header(text, "utf-8", maxlinelen=75, header_name=name).encode(linesep="\r\n")


def _plain(text: str) -> str:
    if len(text) > _LONGEST or not _PRINTABLE.fullmatch(text):
        raise MessageError("a header's value is not plain text")
    return text


def _tags(tags: Sequence[tuple[str, str]], stream: str) -> str:
    for name, value in tags:
        if not _TAG.fullmatch(name) or not _TAG.fullmatch(value):
            raise MessageError(f"SES takes no such tag: {name[:40]!r}")
    return ", ".join(f"{name}={value}" for name, value in (*tags, (_STREAM_TAG, stream)))


def _check(
    raw: bytes, envelope: Envelope, headers: Sequence[tuple[str, str]], pieces: Sequence[Piece]
) -> None:
    """Read the message as a mail program does and compare it with what was meant."""
    parsed = BytesParser(policy=policy.default).parsebytes(raw)
    if [name for name, _ in parsed.items()] != [name for name, _ in headers]:
        raise MessageError("the headers read back are not those written")
    if parsed["Subject"] != header_text(envelope.subject):
        raise MessageError("the subject read back is not the one written")
    if [a.addr_spec for a in parsed["To"].addresses] != [envelope.recipient]:
        raise MessageError("the recipient read back is not the one written")
    if parsed.defects:
        raise MessageError(f"the message is malformed: {parsed.defects[0]!r}")
    meant = {
        "text/plain": "".join(piece.text for piece in pieces),
        "text/html": "".join(piece.html for piece in pieces),
    }
    found = {
        part.get_content_type(): cast("bytes", part.get_payload(decode=True))
        .decode()
        .replace("\r\n", "\n")
        .removesuffix("\n")
        for part in parsed.iter_parts()
    }
    if found != {kind: text.removesuffix("\n") for kind, text in meant.items()}:
        raise MessageError("the parts read back are not those written")
