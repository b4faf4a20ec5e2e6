"""The checklist of mails: a right one passes, and each way of being wrong is seen."""

from collections.abc import Callable
from pathlib import Path

import pytest

from oracle.checklist import check_forms, faults

LEAVE = "https://p.example/api/unsubscribe/t"
PAPERS = ("https://arxiv.org/abs/2604.00001", "https://arxiv.org/abs/hep-th/9901001v2")
FOOT = (
    "Paperpost, 1 Example Street, 00000 Example\r\n"
    "Thank you to arXiv for use of its open access interoperability."
)
TEXT = "\r\n".join(
    ("Three papers.", *PAPERS, LEAVE, "https://p.example/api/preferences/t", *FOOT.split("\r\n"))
)
HTML = (
    '<!doctype html><html lang="zh-Hans"><head><title>T</title>'
    '<meta name="color-scheme" content="light dark"></head><body>'
    '<table role="presentation"><tr><td><a href="https://p.example/x">x</a></td></tr></table>\r\n'
    f'<a href="{PAPERS[0]}">1</a><a href="{PAPERS[1]}">2</a>\r\n'
    f'<a href="{LEAVE}">l</a><a href="https://p.example/api/preferences/t">p</a>\r\n'
    f"<small>{FOOT}</small></body></html>"
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

    assert faults(mail.replace("paperpost@", "confirm@").encode()) == []


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
    "no way out": (swapped(LEAVE + "\r\n", "\r\n"), "no way to leave in the text"),
    "no seen way out": (
        swapped(f'<a href=3D"{LEAVE}">l</a>', f"<!-- {LEAVE} -->"),
        "no way to leave in the HTML",
    ),
    "a way out without words": (
        swapped(f'{LEAVE}">l</a>', f'{LEAVE}"> </a>'),
        "no way to leave in the HTML",
    ),
    "a hidden way out": (
        swapped(f'<a href=3D"{LEAVE}"', f'<a style=3D"display: none" href=3D"{LEAVE}"'),
        "no way to leave in the HTML",
    ),
    "exits in something hidden": (
        swapped(f'<a href=3D"{LEAVE}"', f'<div style=3D"opacity:0"><a href=3D"{LEAVE}"'),
        "no way to the preferences in the HTML",
    ),
    "no address": (
        swapped("1 Example Street, 00000 Example", ""),
        "no postal address in the HTML",
    ),
    "no address in the text": (
        lambda mail: mail.replace("1 Example Street, 00000 Example", "", 1),
        "no postal address in the text",
    ),
    "no thanks": (swapped("Thank you to arXiv", "Hello"), "no thanks to arXiv in the text"),
    "a paper that the text lacks": (
        lambda mail: mail.replace(PAPERS[1] + "\r\n", "", 1),
        "1 papers that the text lacks",
    ),
    "no paper": (swapped("arxiv.org/abs", "arxiv.org/pdf"), "no paper"),
    "from the confirmations' address": (swapped("<paperpost@", "<confirm@"), "a From that is not"),
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


def test_a_confirmation_from_the_issues_address_is_seen() -> None:
    """Complaints about issues would be counted against it."""
    mail = ISSUE.replace("issue=daily-2026-04-21", "kind=confirm")

    assert "a From that is not for such mail: paperpost" in faults(mail.encode())


def test_a_confirmation_with_a_list_is_seen() -> None:
    mail = ISSUE.replace("issue=daily-2026-04-21", "kind=confirm")

    assert "a confirmation with List-Id" in faults(mail.encode())


def test_a_folder_of_a_laptops_mails_passes_if_each_does(tmp_path: Path) -> None:
    """And an empty one does not: then nothing was looked at."""
    mail = ISSUE.replace("https://p.example", "http://127.0.0.1:8000")
    nothing = check_forms(tmp_path)
    (tmp_path / "1.eml").write_bytes(mail.encode())
    right = check_forms(tmp_path)
    (tmp_path / "2.eml").write_bytes(mail.replace("Precedence: bulk", "X: y").encode())
    wrong = check_forms(tmp_path)

    assert (nothing.ok, right.ok) == (False, True)
    assert wrong.problems == ("1× Precedence does not stand there once",)
    assert "a List-Unsubscribe that is no https address" in faults(mail.encode())
