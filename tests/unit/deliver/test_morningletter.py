"""The morning letter as it is read: golden files, and the checklist that every mail passes."""

from dataclasses import replace
from email import message_from_bytes, policy
from typing import Any

import pytest

from oracle.checklist import faults
from paperpost.deliver.letters import Imprint, Letter
from paperpost.deliver.mime import Envelope, message
from paperpost.deliver.morningletter import morning_letter
from paperpost.domain.morning import Morning
from support.golden import golden
from support.mornings import NOW, WELL, WRONG, mailing

IMPRINT = Imprint(
    site_url="https://papers.example.org",
    contact_mail="hello@example.org",
    postal_address="1 Example Street, 00000 Example",
)
MORNINGS = {"morning-well": WELL, "morning-wrong": WRONG}


def made(morning: Morning) -> tuple[Letter, Any]:
    """The letter, and its message read back."""
    letter = morning_letter(morning, IMPRINT, stack="paperpost", zone="Asia/Shanghai")
    envelope = Envelope(
        sender="paperpost@papers.example.org",
        recipient="hello@example.org",
        subject=letter.subject,
        tags=(("kind", "morning"),),
        date=NOW,
        kind="morning",
    )
    raw = message(envelope, letter.pieces)
    assert faults(raw) == []
    return letter, message_from_bytes(raw, policy=policy.default)


@pytest.mark.parametrize("name", MORNINGS)
@pytest.mark.parametrize("kind", ["txt", "html"])
def test_the_letter_is_the_golden_one(name: str, kind: str) -> None:
    """PAPERPOST_RENEW=1 renews the files, to be looked at before they are committed."""
    letter, parsed = made(MORNINGS[name])
    part = parsed.get_body(({"txt": "plain", "html": "html"}[kind],)).get_content()
    text = f"Subject: {letter.subject}\n\n{part}".replace("\r\n", "\n")

    assert text == golden(f"deliver/{name}.{kind}", text)


@pytest.mark.parametrize("name", MORNINGS)
def test_text_and_html_say_the_same_and_fit_a_telephone(name: str) -> None:
    """Every number of one part stands in the other; no line of text is wider than a screen."""
    _, parsed = made(MORNINGS[name])
    text = parsed.get_body(("plain",)).get_content()
    html = parsed.get_body(("html",)).get_content()
    numbers = {
        w for w in text.replace("\n", " ").split() if w.strip(",.").replace(",", "").isdigit()
    }

    assert len(html.encode()) < 12_000
    assert max(map(len, text.splitlines())) <= 78
    assert {number for number in numbers if number not in html} == set()


def test_the_subject_alone_tells_whether_to_get_up() -> None:
    well, wrong = (made(morning)[0].subject for morning in (WELL, WRONG))

    assert well == "All well · Wed 27 Mar · 2,593 announced, 1,240 mailed"
    assert wrong.startswith(
        "12 things need you · Wed 27 Mar · SES has put this account under review"
    )
    assert len(wrong) <= 90


@pytest.mark.parametrize(("too_late", "said"), [(1, "1 listing"), (1_004, "1,004 listings")])
def test_what_came_too_late_stands_with_the_issue(too_late: int, said: str) -> None:
    morning = replace(WELL, issues=(mailing(sent=7, too_late=too_late),))

    _, parsed = made(morning)

    text = " ".join(parsed.get_body(("plain",)).get_content().split())
    assert f"; {said} too late to mail" in text


def test_a_bulk_mails_headers_are_not_on_it() -> None:
    """Its reader is the one who runs the service: there is nothing to leave."""
    _, parsed = made(WELL)

    assert parsed["List-Id"] is None
    assert parsed["X-SES-MESSAGE-TAGS"] == "kind=morning, ses:feedback-id-a=morning"
