"""Text as a reader may take it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.domain.lookalikes import squeezed, undisguised, unhidden


@pytest.mark.parametrize(
    "text",
    [
        "evil.example",
        "ｅｖｉｌ．ｅｘａｍｐｌｅ",
        "еvіl.ехаmрlе",
        "e v i l . e x a m p l e",
        "ev\u200bil.exam\u00adple",
        "evil[.]example",
        "evil (dot) example",
        "evil dot example",
        "evil点example",
        "evil . example",
        "ⓔⓥⓘⓛ.example",
        "𝐞𝐯𝐢𝐥.example",
        "ᴇᴠɪʟ.example",
    ],
)
def test_a_disguised_address_is_seen_through(text: str) -> None:
    assert undisguised(text) == "evil.example"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("h t t p s : / / evil.example", "https://evil.example"),
        ("win [at] evil.example", "win@evil.example"),
        ("evil。com", "evil.com"),
        ("P-W-N-E-D", "PWNED"),
    ],
)
def test_other_disguises_are_seen_through(text: str, seen: str) -> None:
    assert undisguised(text) == seen


@pytest.mark.parametrize(
    "text", ["我们提出CLIP。Transformer是", "It works. The end", "A B 测试", "10点开始", "两点"]
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert undisguised(text) == text


@pytest.mark.parametrize(
    ("text", "letters"),
    [("Schrödinger-Brücke 2", "schrodingerbrucke2"), ("Erdős & Łoś, Bø", "erdoslosbo"), ("空", "")],
)
def test_squeezed_text_has_plain_letters_alone(text: str, letters: str) -> None:
    assert squeezed(text) == letters


@given(st.text())
def test_what_is_unhidden_hides_nothing(text: str) -> None:
    assert unhidden(unhidden(text)) == unhidden(text)
    assert undisguised(text) is not None
