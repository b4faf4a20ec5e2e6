"""
What every mail must be, whoever made it and for whatever test: faults as short sentences.

It imports nothing of the service. Sources: RFC 2045, 2369, 2919, 3834, 5322, 8058; Google's and
Yahoo's rules for bulk senders; SES's header fields; CAN-SPAM, 15 U.S.C. 7704(a)(5), for the postal
address; arXiv's https://info.arxiv.org/help/api/tou.html for the thanks; all read 2026-11-26.
"""

import re
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import cast

from oracle.findings import Finding, finding

_MOST_HTML = 90_000  # Gmail hides what is beyond about 102 kB
_LONGEST_LINE = 998  # RFC 5322, section 2.1.1
_LONGEST_VALUE = 995  # SES
_ONCE = ("From", "To", "Subject", "Date", "MIME-Version", "Content-Type", "Auto-Submitted")
_LIST = ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Precedence")
_LIST_ID = re.compile(r"Paperpost (daily|weekly) <(daily|weekly)\.[a-z0-9.-]+>", re.ASCII)
_LINK = re.compile(r"<[!-;=?-~]+>", re.ASCII)
_LAPTOP = "http://127.0.0.1:"
_NOT_IN_MAIL = frozenset(
    {"script", "form", "input", "button", "iframe", "object", "embed", "img", "picture", "video"}
    | {"audio", "svg", "link", "base"}
)
# Issues and what was asked for just now come from different addresses, so that whoever counts
# complaints about bulk mail does not count them against confirmations.
_FROM = {"confirm": "confirm", "morning": "paperpost", "": "paperpost"}
_THANKS = "Thank you to arXiv for use of its open access interoperability."
_SIGNED = re.compile(rf"Paperpost, (?!{re.escape(_THANKS[:9])})\w[^·]{{7}}")
_PAPER = re.compile(r"https://arxiv\.org/abs/[0-9a-z./-]+", re.ASCII)
# HTML elements without an end tag.
_VOID = frozenset({"br", "hr", "meta", "img", "input", "link", "base", "wbr", "col"})
_UNSEEN = re.compile(
    r"display:none|visibility:hidden|opacity:0(?![.\d])|font-size:0(?![.\d])|max-height:0(?![.\d])"
)
_LOADED = re.compile(r"url\(|@import|expression\(|javascript:", re.IGNORECASE)


def faults(raw: bytes, *, site: str = "https://") -> list[str]:
    """
    What is wrong with the message *raw*; empty if nothing is.

    *site*: how addresses of the site begin; a laptop's is no https.
    """
    return [*_of_bytes(raw), *_of_message(cast("EmailMessage", _parsed(raw)), site)]


def check_forms(folder: Path) -> Finding:
    """Every mail that a laptop left in *folder*; a fault is told once, with how many have it."""
    found, mails = Counter[str](), sorted(folder.glob("*.eml"))
    for path in mails:
        found.update(set(faults(path.read_bytes(), site=_LAPTOP)))
    wrong = [f"{n}× {fault}" for fault, n in found.most_common()] if mails else ["no mail"]
    return finding("the checklist of mails", f"{len(mails):,} mails", wrong)


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


def _of_message(mail: EmailMessage, site: str) -> Iterator[str]:
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
    kind = "" if "issue" in tags else tags.get("kind", "confirm")
    if mail["From"].addresses[0].username != _FROM.get(kind):
        yield f"a From that is not for such mail: {mail['From'].addresses[0].username}"
    yield from _of_list(mail, site, is_issue=not kind)
    yield from _of_parts(mail, kind, site)


def _of_list(mail: EmailMessage, site: str, *, is_issue: bool) -> Iterator[str]:
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
    leave = mail["List-Unsubscribe"]
    if not (_LINK.fullmatch(leave) and leave.startswith(f"<{site}")):
        yield "a List-Unsubscribe that is no https address"
    if mail["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click":
        yield "no one-click"
    if mail["Precedence"] != "bulk":
        yield "no bulk mail"


def _of_parts(mail: EmailMessage, kind: str, site: str) -> Iterator[str]:
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
    seen = _Seen(site)
    seen.feed(html)
    seen.close()
    yield from _of_html(seen)
    for name, told in (("text", text), ("HTML", seen.text)):
        line = " ".join(told.split())
        if not _SIGNED.search(line):
            yield f"no postal address in the {name}"
        if _THANKS not in line and kind != "morning":
            yield f"no thanks to arXiv in the {name}"
    if not kind:
        yield from _of_issue(mail, text, html, seen)


def _of_issue(mail: EmailMessage, text: str, html: str, seen: "_Seen") -> Iterator[str]:
    """Who gets an issue must see its papers, how to leave and how to change what comes."""
    exits = {
        "no way to leave": str(mail["List-Unsubscribe"]).strip("<>"),
        "no way to the preferences": "/api/preferences/",
    }
    for fault, address in exits.items():
        if address not in text:
            yield f"{fault} in the text"
        if not any(address in link for link in seen.links):
            yield f"{fault} in the HTML"
    papers = {link for link in seen.links if _PAPER.fullmatch(link)}
    if not papers:
        yield "no paper"
    if lacking := papers - set(_PAPER.findall(text)):
        yield f"{len(lacking)} papers that the text lacks"
    if len(html.encode()) > _MOST_HTML:
        yield f"{len(html.encode()):,} bytes of HTML"


def _of_html(seen: "_Seen") -> Iterator[str]:
    if not seen.language:
        yield "HTML without its language"
    if not seen.has_title:
        yield "HTML without a title"
    if not seen.has_scheme:
        yield "HTML that does not name its colour schemes"
    yield from sorted(seen.problems)


class _Seen(HTMLParser):
    """
    What stands in a mail's HTML.

    `text` and `links` are what a reader sees: neither comments nor what is hidden, and no link
    without words.
    """

    def __init__(self, site: str) -> None:
        super().__init__()
        self._safe = ("https://", "mailto:", site)
        self.language, self.has_title, self.has_scheme = "", False, False
        self.problems, self.links, self.text = set[str](), set[str](), ""
        self._open = list[tuple[str, bool]]()
        self._link, self._in_style = "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag in _NOT_IN_MAIL:
            self.problems.add(f"<{tag}>")
        if tag == "html":
            self.language = told.get("lang") or ""
        if tag == "table" and told.get("role") != "presentation":
            self.problems.add("a table that is not for layout alone")
        if tag == "a":
            self._link = told.get("href") or ""
            if not self._link.startswith(self._safe):
                self.problems.add(f"a link to {told.get('href')!r}")
        self._in_style = tag == "style"
        style = told.get("style") or ""
        self._look(style)
        if tag not in _VOID:
            is_unseen = tag in {"head", "style"} or bool(_UNSEEN.search(style.replace(" ", "")))
            self._open.append((tag, is_unseen or "hidden" in told))
        self.has_title |= tag == "title"
        self.has_scheme |= tag == "meta" and told.get("name") == "color-scheme"
        for name in told:
            if name.startswith("on") or name in {"src", "srcset", "background", "action"}:
                self.problems.add(f"the attribute {name}")

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self._look(data)
        if any(is_unseen for _, is_unseen in self._open):
            return
        self.text += data
        if self._link and data.strip():
            self.links.add(self._link)

    def handle_endtag(self, tag: str) -> None:
        self._in_style &= tag != "style"
        if tag == "a":
            self._link = ""
        # What is open inside ends with it.
        while any(name == tag for name, _ in self._open) and self._open.pop()[0] != tag:
            pass

    def _look(self, style: str) -> None:
        if _LOADED.search(style):
            self.problems.add("something that is loaded or run")
