"""Mails read back from their files."""

from email.message import EmailMessage
from pathlib import Path

from paperpost_cli.mailbox import list_mails, read_mail, tags


def write(path: Path, **headers: str) -> EmailMessage:
    mail = EmailMessage()
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Guten Morgen  \n\n论文 " + "word " * 60)
    mail.add_alternative("<p>论文</p>", subtype="html")
    path.write_bytes(mail.as_bytes())
    return mail


def test_a_mail_is_shown_decoded(tmp_path: Path) -> None:
    """Encoded words and transfer encodings are undone; the source is what was handed over."""
    write(tmp_path / "1.eml", Subject="论文早报", To="a@example.org", From="b@example.org")

    mail = read_mail(tmp_path / "1.eml", 7)

    assert (mail.number, mail.name, mail.subject) == (7, "1.eml", "论文早报")
    assert (mail.to, mail.sender, mail.html) == ("a@example.org", "b@example.org", "<p>论文</p>\n")
    assert "=?utf-8?" in mail.source
    assert mail.preview.startswith("Guten Morgen 论文 word word")
    assert len(mail.preview) == 120


def test_mails_are_numbered_in_the_order_of_their_names(tmp_path: Path) -> None:
    """A file that is just being written has another ending."""
    for name in ("2.eml", "1.eml", "3.eml.new"):
        write(tmp_path / name, Subject=name)

    assert [(m.number, m.subject) for m in list_mails(tmp_path)] == [(1, "1.eml"), (2, "2.eml")]


def test_a_letter_is_told_from_a_confirmation_by_its_tags(tmp_path: Path) -> None:
    letter = write(
        tmp_path / "1.eml", X_SES_MESSAGE_TAGS="issue=daily-2026-04-21, subscriber=a.b_c-1"
    )
    write(tmp_path / "2.eml", X_SES_MESSAGE_TAGS="subscriber=a1")

    assert tags(letter) == {"issue": "daily-2026-04-21", "subscriber": "a.b_c-1"}
    assert [m.kind for m in list_mails(tmp_path)] == ["daily-2026-04-21", "confirmation"]


def test_a_mail_without_html_is_no_trouble(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail.set_content("text alone")
    (tmp_path / "1.eml").write_bytes(mail.as_bytes())

    assert read_mail(tmp_path / "1.eml").html == ""
    assert read_mail(tmp_path / "1.eml").text == "text alone\n"


def test_a_folder_that_is_not_there_yet_holds_no_mail(tmp_path: Path) -> None:
    assert list_mails(tmp_path / "later") == []
