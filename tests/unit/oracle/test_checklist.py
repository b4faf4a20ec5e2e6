"""The checklist of mails: a right one passes, and each way of being wrong is seen."""

from collections.abc import Callable

import pytest

from oracle.checklist import faults

LEAVE = "https://p.example/api/unsubscribe/t"
TEXT = f"Three papers.\r\n{LEAVE}\r\nhttps://p.example/api/preferences/t"
HTML = (
    '<!doctype html><html lang="zh-Hans"><head><title>T</title>'
    '<meta name="color-scheme" content="light dark"></head><body>'
    '<table role="presentation"><tr><td><a href="https://p.example/x">x</a></td></tr></table>'
    f'<a href="{LEAVE}">l</a><a href="https://p.example/api/preferences/t">p</a></body></html>'
)
ISSUE = f"""From: =?utf-8?q?Paperpost_=E8=AE=BA=E6=96=87=E6=97=A9=E6=8A=A5?= <paperpost@p.example>
To: reader@example.com
Subject: 3 new
Date: Tue, 21 Apr 2026 04:30:00 +0000
List-Id: Paperpost daily <daily.p.example>
List-Unsubscribe: <{LEAVE}>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Precedence: bulk
Auto-Submitted: auto-generated
X-SES-MESSAGE-TAGS: issue=daily-2026-04-21, subscriber=a1, ses:feedback-id-a=daily
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="b"

--b
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

{TEXT.replace("=", "=3D")}
--b
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

{HTML.replace("=", "=3D")}
--b--
""".replace("\r\n", "\n").replace("\n", "\r\n")


def swapped(old: str, new: str) -> Callable[[str], str]:
    """The mail with *new* in place of *old*, which stands there."""

    def swap(mail: str) -> str:
        assert old in mail
        return mail.replace(old, new)

    return swap


def test_a_right_issue_passes() -> None:
    assert faults(ISSUE.encode()) == []


def test_a_right_confirmation_passes() -> None:
    """Without anything of a list, and without exits."""
    lines = [line for line in ISSUE.split("\r\n") if not line.startswith(("List-", "Precedence"))]
    mail = "\r\n".join(lines).replace("issue=daily-2026-04-21", "kind=confirm")

    assert faults(mail.encode()) == []


WRONG: dict[str, tuple[Callable[[str], str], str]] = {
    "bare line feeds": (swapped("\r\n", "\n"), "bare CR or LF"),
    "a NUL": (swapped("Three", "Thr\0ee"), "a NUL"),
    "8-bit": (swapped("Three", "Drei für"), "8-bit"),
    "a long line": (swapped("Three", "T" * 1000), "a line of"),
    "no date": (swapped("Date: Tue, 21 Apr 2026 04:30:00 +0000\r\n", ""), "Date stands there 0"),
    "two subjects": (swapped("Subject: 3 new", "Subject: 3 new\r\nSubject: 4"), "Subject stands"),
    "two recipients": (swapped("reader@example.com", "a@b.example, c@d.example"), "one recipient"),
    "another sender": (swapped("Paperpost_", "Someone_"), "nobody knows"),
    "no subscriber": (swapped("subscriber=a1, ", ""), "lead to nobody"),
    "no stream": (swapped(", ses:feedback-id-a=daily", ""), "lead to nobody"),
    "no list": (swapped("List-Id: Paperpost daily <daily.p.example>\r\n", ""), "List-Id does not"),
    "another list": (swapped("Paperpost daily <", "Paperpost hourly <"), "the List-Id"),
    "no https": (swapped(f"<{LEAVE}>", "<mailto:a@b.example>"), "no https address"),
    "no one-click": (swapped("=One-Click", "=Two-Click"), "no one-click"),
    "no bulk": (swapped("Precedence: bulk", "Precedence: list"), "no bulk"),
    "written by hand": (swapped("auto-generated", "no"), "Auto-Submitted"),
    "HTML first": (swapped("text/plain", "text/html"), "text first"),
    "another charset": (swapped('plain; charset="utf-8"', 'plain; charset="latin1"'), "not UTF-8"),
    "no way out": (
        swapped("l</a>", "l</a>").__class__ and swapped(LEAVE + "\r\n", "\r\n"),
        "no way to leave in the text",
    ),
    "a script": (swapped("<body>", "<body><script>1</script>"), "<script>"),
    "an image": (swapped("<body>", '<body><img src=3D"https://t.example/p.gif">'), "attribute src"),
    "a handler": (swapped("<body>", '<body onload=3D"x()">'), "attribute onload"),
    "a link to nowhere": (swapped("https://p.example/x", "javascript:x"), "a link to"),
    "a loaded style": (swapped("<body>", '<body style=3D"background:url(//t.example)">'), "loaded"),
    "a loaded sheet": (swapped("<body>", "<style>@import 'x'</style><body>"), "loaded"),
    "a data table": (swapped(' role=3D"presentation"', ""), "layout alone"),
    "no language": (swapped(' lang=3D"zh-Hans"', ""), "without its language"),
    "no title": (swapped("<title>T</title>", ""), "without a title"),
    "no scheme": (swapped("color-scheme", "colour"), "colour schemes"),
    "too much": (swapped("<body>", "<body>" + "x=\r\n" * 90_000), "bytes of HTML"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_seen(name: str) -> None:
    spoil, said = WRONG[name]

    assert any(said in fault for fault in faults(spoil(ISSUE).encode()))


def test_a_confirmation_with_a_list_is_seen() -> None:
    mail = ISSUE.replace("issue=daily-2026-04-21", "kind=confirm")

    assert "a confirmation with List-Id" in faults(mail.encode())
