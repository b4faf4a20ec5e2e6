"""Messages: headers that cannot be subverted, parts that come out as they went in."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.deliver.mime import Envelope, MessageError, header_text, message
from paperpost.deliver.pieces import Piece
from paperpost.domain.errors import InvalidInputError

NOW = datetime(2024, 3, 26, 4, 30, tzinfo=UTC)
BODY = (Piece.of("<p>Grüße, 论文</p>\n", "Grüße, 论文\n"),)
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Precedence",
    "Auto-Submitted",
    "X-SES-MESSAGE-TAGS",
    "MIME-Version",
    "Content-Type",
]


def envelope(**changes: object) -> Envelope:
    """An issue's envelope, with *changes*."""
    values: dict[str, object] = {
        "sender": "paperpost@papers.example.org",
        "recipient": "reader@example.com",
        "subject": "3月26日 · 新论文 38 篇",
        "tags": (("issue", "daily-2024-03-26"), ("subscriber", "a1")),
        "date": NOW,
        "list_name": "daily",
        "unsubscribe_url": "https://papers.example.org/api/unsubscribe/k1.a1.MAC",
    }
    return Envelope(**{**values, **changes})  # type: ignore[arg-type]


def test_a_letter_carries_the_headers_that_bulk_mail_must_have() -> None:
    """Each once, in one line of plain ASCII, the names encoded."""
    parsed = message_from_bytes(message(envelope(), BODY), policy=policy.default)

    assert parsed.keys() == HEADERS
    assert parsed["From"] == "Paperpost 论文早报 <paperpost@papers.example.org>"
    assert parsed["To"] == "reader@example.com"
    assert parsed["Subject"] == "3月26日 · 新论文 38 篇"
    assert parsed["List-Id"] == "Paperpost daily <daily.papers.example.org>"
    assert parsed["List-Unsubscribe"] == ("<https://papers.example.org/api/unsubscribe/k1.a1.MAC>")
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["Precedence"] == "bulk"
    tags = "issue=daily-2024-03-26, subscriber=a1, ses:feedback-id-a=daily"
    assert parsed["X-SES-MESSAGE-TAGS"] == tags


def test_a_confirmation_carries_no_list_headers() -> None:
    """It answers what somebody just did."""
    parsed = message_from_bytes(message(envelope(list_name=""), BODY), policy=policy.default)

    assert not {"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Precedence"} & {
        *parsed.keys()
    }


def test_the_text_part_comes_first_and_lines_are_short() -> None:
    """As RFC 2046 and RFC 2045 want it; nothing but ASCII and CRLF on the wire."""
    raw = message(envelope(), (Piece.of("<p>" + "中文 " * 3000 + "</p>\n", "x" * 999 + "\n"),))

    parsed = message_from_bytes(raw, policy=policy.default)
    assert [part.get_content_type() for part in parsed.iter_parts()] == [
        "text/plain",
        "text/html",
    ]
    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r\n")
    head, _, body = raw.partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert max(map(len, head.split(b"\r\n"))) < 998


TEXTS = st.lists(
    st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"])), max_size=5
)


@given(html=TEXTS, text=TEXTS)
def test_joined_pieces_decode_to_joined_texts(html: list[str], text: list[str]) -> None:
    """Whatever is in them: dots, equals signs, boundaries, trailing spaces, line separators."""
    count = max(len(html), len(text))
    pieces = [
        Piece.of(
            f"{(html[n] if n < len(html) else '')}\n", f"{(text[n] if n < len(text) else '')} \n"
        )
        for n in range(count)
    ]

    parsed = message_from_bytes(message(envelope(), pieces), policy=policy.default)

    found = [part.get_payload(decode=True).decode() for part in parsed.iter_parts()]  # type: ignore[union-attr]
    meant = ["".join(p.text for p in pieces), "".join(p.html for p in pieces)]
    assert [f.replace("\r\n", "\n").removesuffix("\n") for f in found] == [
        m.removesuffix("\n") for m in meant
    ]


@given(
    subject=st.text(min_size=1).filter(header_text)
    | st.sampled_from(
        [
            "x\r\nBcc: evil@example.com",
            "=?utf-8?q?x=0D=0ABcc=3A_e=40example.com?=",
            "=?utf-8?b?eA0KQmNjOiBlQGV4YW1wbGUuY29t?= 论文",
            "a\u2028Bcc: b\u2029c\x85d\x0be\x0cf",
            "A" * 3000,
            "论" * 900,
        ]
    )
)
def test_no_subject_makes_a_header_of_its_own(subject: str) -> None:
    """The set of headers is ours, and the subject reads as one line."""
    try:
        raw = message(envelope(subject=subject), BODY)
    except MessageError:
        raw = message(envelope(), BODY)

    parsed = message_from_bytes(raw, policy=policy.default)
    assert parsed.keys() == HEADERS
    assert "\n" not in parsed["Subject"]
    assert [a.addr_spec for a in parsed["To"].addresses] == ["reader@example.com"]


def test_encoded_words_in_a_title_stay_undecoded() -> None:
    """They are broken up, so that no mail program decodes them either."""
    shown = header_text("On =?utf-8?q?x=0D=0ABcc=3A_e=40example.com?= sets")

    assert not re.search(r"=\?[^ ]+\?[bq]\?", shown, re.IGNORECASE)


@pytest.mark.parametrize(
    "recipient",
    [
        "reader@example.com\r\nBcc: evil@example.com",
        "reader@example.com, evil@example.com",
        "Reader <reader@example.com>",
        "reader@@example.com",
        "reader@EXAMPLE.com",
        "读者@example.com",
        "",
    ],
)
def test_only_a_mailable_address_is_written_to(recipient: str) -> None:
    """One recipient, in the form that sign-up stores."""
    with pytest.raises(MessageError):
        message(envelope(recipient=recipient), BODY)


@pytest.mark.parametrize(
    "changes",
    [
        {"unsubscribe_url": "https://x/\r\nBcc: e@example.com"},
        {"unsubscribe_url": "https://x/论文"},
        {"unsubscribe_url": "https://x/" + "y" * 1000},
        {"tags": (("issue", "daily, kind=x"),)},
        {"tags": (("issue", ""),)},
        {"tags": (("is sue", "a"),)},
        {"list_name": "daily\r\nX: y"},
    ],
)
def test_headers_for_machines_are_plain_or_the_message_is_refused(
    changes: dict[str, object],
) -> None:
    """Nothing is written that SES would drop or read differently."""
    with pytest.raises(MessageError):
        message(envelope(**changes), BODY)


def test_trouble_with_the_sender_is_not_the_recipients() -> None:
    """It concerns every letter, so it is another error."""
    with pytest.raises(InvalidInputError):
        message(envelope(sender="nobody"), BODY)


def test_a_message_that_reads_back_differently_is_not_sent() -> None:
    """A piece whose encoding does not fit its text is found before SES is."""
    torn = Piece("<p>a</p>\n", "text\n", b"<p>b</p>\r\n", b"text\r\n", 9)

    with pytest.raises(MessageError, match="parts"):
        message(envelope(), (torn,))
