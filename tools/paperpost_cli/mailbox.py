"""Every mail that was handed to SES, read back from its file for the laptop cloud's /mailbox."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message as its reader would get it."""

    number: int
    name: str
    sender: str
    to: str
    subject: str
    issue: str
    headers: tuple[tuple[str, str], ...]
    html: str
    text: str
    source: str
    is_morning: bool = False

    @property
    def kind(self) -> str:
        """The issue's id, `morning letter` or `confirmation`."""
        return self.issue or ("morning letter" if self.is_morning else "confirmation")

    @property
    def preview(self) -> str:
        """The first words of the text part."""
        return " ".join(self.text.split())[:120]


def list_mails(folder: Path) -> list[Mail]:
    """All mails of *folder*, oldest first; a file that is just being written is not there yet."""
    return [read_mail(path, n) for n, path in enumerate(sorted(folder.glob("*.eml")), 1)]


def read_mail(path: Path, number: int = 0) -> Mail:
    """The mail in the file *path*."""
    raw = path.read_bytes()
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return Mail(
        number=number,
        name=path.name,
        sender=str(message.get("From", "")),
        to=str(message.get("To", "")),
        subject=str(message.get("Subject", "")),
        issue=tags(message).get("issue", ""),
        headers=tuple((k, str(v)) for k, v in message.items()),
        html=_part(message, "html"),
        text=_part(message, "plain"),
        source=raw.decode("utf-8", "replace"),
        is_morning=tags(message).get("kind") == "morning",
    )


def tags(message: EmailMessage) -> dict[str, str]:
    """The message tags that SES reads from X-SES-MESSAGE-TAGS."""
    text = str(message.get("X-SES-MESSAGE-TAGS", ""))
    return dict(re.findall(r"([\w-]+)=([\w.@+-]+)", text))


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return part.get_content() if part is not None else ""
