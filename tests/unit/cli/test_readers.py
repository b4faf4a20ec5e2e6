"""Made-up readers: always the same ones, and what they find in their mail."""

from collections import Counter
from email.message import EmailMessage
from pathlib import Path

import pytest

from paperpost_cli.readers import SignUpError, confirm, confirmation_links, invent_readers

CATEGORIES = ("cs.AI", "cs.CV", "stat.ML")


@pytest.mark.parametrize("number", [0, 1, 2, 3, 12, 25, 200])
def test_there_are_exactly_so_many_readers_with_addresses_of_their_own(number: int) -> None:
    assert len({reader.address for reader in invent_readers(number, CATEGORIES)}) == number


@pytest.mark.parametrize("number", [1, 2, 3, 25, 200])
def test_exactly_one_reader_bounces(number: int) -> None:
    """The others' addresses lead nowhere (RFC 2606)."""
    hosts = Counter(r.address.split("@")[1] for r in invent_readers(number, CATEGORIES))

    assert hosts == Counter({"simulator.amazonses.com": 1, "example.org": number - 1})


@pytest.mark.parametrize("categories", [("cs.AI",), CATEGORIES, tuple("abcdefgh")])
def test_every_reader_chose_one_to_three_of_the_categories(categories: tuple[str, ...]) -> None:
    """Each of them once, and every category is somebody's."""
    chosen = [r.preferences["categories"] for r in invent_readers(60, categories)]

    assert all(1 <= len(set(c)) == len(c) <= 3 for c in chosen)
    assert set().union(*chosen) == set(categories)


def test_all_are_daily_and_some_at_an_hour_of_their_own() -> None:
    preferences = [reader.preferences for reader in invent_readers(25, CATEGORIES)]

    assert {p["cadence"] for p in preferences} == {"daily"}
    assert {p["language"] for p in preferences} == {"zh", "en", "both"}
    assert sum("hour" in p for p in preferences) == 5
    assert all(("hour" in p) == ("zone" in p) for p in preferences)


def test_the_same_call_makes_the_same_readers() -> None:
    assert invent_readers(25, CATEGORIES) == invent_readers(25, CATEGORIES)


def test_more_readers_are_the_former_ones_and_more() -> None:
    """A second run into the same folder with a larger number signs up only who is new."""
    assert invent_readers(25, CATEGORIES)[:7] == invent_readers(7, CATEGORIES)


def write_mail(path: Path, text: str, *, to: str = "a@example.org", issue: str = "") -> None:
    mail = EmailMessage()
    mail["To"] = to
    if issue:
        mail["X-SES-MESSAGE-TAGS"] = f"issue={issue}, subscriber=a1"
    mail.set_content(text)
    path.write_bytes(mail.as_bytes())


def test_the_newest_confirmation_link_counts_and_no_letters_link(tmp_path: Path) -> None:
    """Mails lie in the order in which they were sent; a letter may speak of confirming too."""
    write_mail(tmp_path / "1.eml", "Confirm: http://127.0.0.1:8000/api/confirm/old.1")
    write_mail(tmp_path / "2.eml", "Confirm: http://127.0.0.1:8000/api/confirm/new-2_x~y")
    write_mail(tmp_path / "3.eml", "http://x/api/confirm/letter", issue="daily-2026-04-21")
    write_mail(tmp_path / "4.eml", "no link", to="b@example.org")

    assert confirmation_links(tmp_path) == {"a@example.org": "/api/confirm/new-2_x~y"}


def test_a_reader_without_a_confirmation_mail_is_said(tmp_path: Path) -> None:
    readers = invent_readers(1, CATEGORIES)

    with pytest.raises(SignUpError, match="got no confirmation mail"):
        confirm(readers, api="http://127.0.0.1:1", mails=tmp_path)
