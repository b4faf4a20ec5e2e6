"""
What every mail must be, whoever made it and for whatever test: faults as short sentences.

It imports nothing of the service. Sources: RFC 2045, 2369, 2919, 3834, 5322, 8058; Google's and
Yahoo's rules for bulk senders; SES's header fields; all read 2026-11-26.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import cast

_MOST_HTML = 90_000  # Gmail hides what is beyond about 102 kB
_LONGEST_LINE = 998  # RFC 5322, section 2.1.1
_LONGEST_VALUE = 995  # SES
_ONCE = ("From", "To", "Subject", "Date", "MIME-Version", "Content-Type", "Auto-Submitted")
_LIST = ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Precedence")
_LIST_ID = re.compile(r"Paperpost (daily|weekly) <(daily|weekly)\.[a-z0-9.-]+>", re.ASCII)
_LINK = re.compile(r"<https://[!-;=?-~]+>", re.ASCII)
_NOT_IN_MAIL = frozenset(
    {"script", "form", "input", "button", "iframe", "object", "embed", "img", "picture", "video"}
    | {"audio", "svg", "link", "base"}
)
_LOADED = re.compile(r"url\(|@import|expression\(|javascript:", re.IGNORECASE)


def faults(raw: bytes) -> list[str]:
    """What is wrong with the message *raw*; empty if nothing is."""
    return [*_of_bytes(raw), *_of_message(cast("EmailMessage", _parsed(raw)))]


def html_sizes(raw: bytes) -> tuple[int, int]:
    """Bytes of the HTML part: decoded, and as it is sent."""
    part = cast("EmailMessage", _parsed(raw)).get_body(("html",))
    assert part is not None
    return len(part.get_content().encode()), len(str(part.get_payload()))


def _parsed(raw: bytes) -> object:
    return message_from_bytes(raw, policy=policy.default)


def _of_bytes(raw: bytes) -> Iterator[str]:
    if b"\x00" in raw:
        yield "a NUL"
    if re.search(rb"\r(?!\n)|(?<!\r)\n", raw):
        yield "a bare CR or LF"
    if not raw.isascii():
        yield "8-bit bytes"
    if longest := max(map(len, raw.split(b"\r\n"))):
        yield from [f"a line of {longest} bytes"] if longest > _LONGEST_LINE else []


def _of_message(mail: EmailMessage) -> Iterator[str]:
    if mail.defects:
        yield f"defects: {mail.defects}"
    for name in _ONCE:
        if len(mail.get_all(name, [])) != 1:
            yield f"{name} stands there {len(mail.get_all(name, []))} times"
    yield from (f"a long {name}" for name, value in mail.items() if len(value) > _LONGEST_VALUE)
    if mail["Auto-Submitted"] != "auto-generated":
        yield "no Auto-Submitted: auto-generated"
    if len(mail["To"].addresses) != 1:
        yield "not one recipient"
    if mail["From"].addresses[0].display_name != "Paperpost 论文早报":
        yield "a From that nobody knows"
    tags = dict(pair.split("=", 1) for pair in str(mail["X-SES-MESSAGE-TAGS"]).split(", "))
    # The morning letter goes to the operator, who is no subscriber.
    told = tags.get("subscriber") or tags.get("kind") == "morning"
    if not told or not tags.get("ses:feedback-id-a"):
        yield "tags that lead to nobody"
    yield from _of_list(mail, is_issue="issue" in tags)
    yield from _of_parts(mail, is_issue="issue" in tags)


def _of_list(mail: EmailMessage, *, is_issue: bool) -> Iterator[str]:
    """Issues are bulk mail that is left in one click; a confirmation was asked for just now."""
    if not is_issue:
        yield from (f"a confirmation with {name}" for name in _LIST if mail[name] is not None)
        return
    for name in _LIST:
        if len(mail.get_all(name, [])) != 1:
            yield f"{name} does not stand there once"
            return
    if not _LIST_ID.fullmatch(mail["List-Id"]):
        yield f"the List-Id {mail['List-Id']}"
    if not _LINK.fullmatch(mail["List-Unsubscribe"]):
        yield "a List-Unsubscribe that is no https address"
    if mail["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click":
        yield "no one-click"
    if mail["Precedence"] != "bulk":
        yield "no bulk mail"


def _of_parts(mail: EmailMessage, *, is_issue: bool) -> Iterator[str]:
    parts = list(mail.iter_parts())
    if mail.get_content_type() != "multipart/alternative" or [
        part.get_content_type() for part in parts
    ] != ["text/plain", "text/html"]:
        yield "not text first and then HTML"
        return
    for part in parts:
        if part.get_content_charset() != "utf-8":
            yield "a part that is not UTF-8"
        if part["Content-Transfer-Encoding"] not in {"quoted-printable", "base64"}:
            yield "a part as it is"
    text, html = (cast("EmailMessage", part).get_content() for part in parts)
    yield from _of_html(html)
    if is_issue:
        yield from _of_exits(mail, text, html)


def _of_exits(mail: EmailMessage, text: str, html: str) -> Iterator[str]:
    """Who gets an issue must see how to leave and how to change what comes."""
    leave = str(mail["List-Unsubscribe"]).strip("<>")
    for name, body in (("text", text), ("HTML", html)):
        if leave not in body:
            yield f"no way to leave in the {name}"
        if "/api/preferences/" not in body:
            yield f"no way to the preferences in the {name}"
    if len(html.encode()) > _MOST_HTML:
        yield f"{len(html.encode()):,} bytes of HTML"


def _of_html(html: str) -> Iterator[str]:
    seen = _Seen()
    seen.feed(html)
    seen.close()
    if not seen.language:
        yield "HTML without its language"
    if not seen.has_title:
        yield "HTML without a title"
    if not seen.has_scheme:
        yield "HTML that does not name its colour schemes"
    yield from sorted(seen.problems)


class _Seen(HTMLParser):
    """What stands in a mail's HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.language, self.has_title, self.has_scheme = "", False, False
        self.problems = set[str]()
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag in _NOT_IN_MAIL:
            self.problems.add(f"<{tag}>")
        if tag == "html":
            self.language = told.get("lang") or ""
        if tag == "table" and told.get("role") != "presentation":
            self.problems.add("a table that is not for layout alone")
        if tag == "a" and not (told.get("href") or "").startswith(("https://", "mailto:")):
            self.problems.add(f"a link to {told.get('href')!r}")
        self._in_style = tag == "style"
        self._look(told.get("style") or "")
        self.has_title |= tag == "title"
        self.has_scheme |= tag == "meta" and told.get("name") == "color-scheme"
        for name in told:
            if name.startswith("on") or name in {"src", "srcset", "background", "action"}:
                self.problems.add(f"the attribute {name}")

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self._look(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_style &= tag != "style"

    def _look(self, style: str) -> None:
        if _LOADED.search(style):
            self.problems.add("something that is loaded or run")
