"""Which addresses can be written to, and when two of them are the same mailbox."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.domain.addresses import mailable, same_mailbox
from paperpost.domain.errors import InvalidInputError


@pytest.mark.parametrize(
    ("typed", "mailed"),
    [
        ("reader@example.com", "reader@example.com"),
        ("  Reader+cs.AI@Example.COM \n", "Reader+cs.AI@example.com"),
        ("o'neil@mail.example.co.uk", "o'neil@mail.example.co.uk"),
        ("reader@例子.测试", "reader@xn--fsqu00a.xn--0zwm56d"),
        ("reader@BÜCHER.example", "reader@xn--bcher-kva.example"),
        ("r@" + "a" * 63 + ".example", "r@" + "a" * 63 + ".example"),
    ],
)
def test_an_address_is_mailed_as_typed_with_a_lower_case_ascii_domain(
    typed: str, mailed: str
) -> None:
    """Nothing before the @ is changed: some servers tell cases and tags apart."""
    assert mailable(typed) == mailed


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "reader",
        "@example.com",
        "reader@",
        "a@b@example.com",
        "读者@example.com",
        "reader@example",
        "reader@127.0.0.1",
        "reader@[127.0.0.1]",
        "reader@-example.com",
        "reader@exa_mple.com",
        "reader@example..com",
        "reader@.example.com",
        ".reader@example.com",
        "rea..der@example.com",
        '"rea der"@example.com',
        "rea der@example.com",
        "reader@example.com\r\nBcc: other@example.com",
        "reader\x00@example.com",
        "reader\u2028@example.com",
        "reader@exam\u200bple.com",
        "reader@straße.example",
        "reader@STRAẞE.example",
        "reader@ὀδυσσεύς.example",
        "=?utf-8?q?a=40b.example=2C?=@example.com",
        "Reader <reader@example.com>",
        "reader@example.com, other@example.com",
        "x" * 65 + "@example.com",
        "x@" + "a" * 64 + ".example",
        "x@" + ".".join(["a" * 60] * 5),
    ],
)
def test_what_cannot_be_mailed_is_refused_without_repeating_it(typed: str) -> None:
    """The error may be logged, so it names the fault and never the address."""
    with pytest.raises(InvalidInputError) as refused:
        mailable(typed)

    assert "example" not in str(refused.value)


@given(st.text(max_size=400))
def test_any_text_is_either_mailable_or_refused(text: str) -> None:
    """No other error ever, and what is accepted is one line of ASCII that is accepted again."""
    try:
        mailed = mailable(text)
    except InvalidInputError:
        return

    assert mailed.isascii()
    assert mailed.isprintable()
    assert mailable(mailed) == mailed


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Reader@example.com", "Reader@EXAMPLE.com", True),
        ("Wübben <Reader@EXAMPLE.com>", "Reader@example.com", True),
        ("Reader@example.com", "reader@example.com", False),
        ("reader@example.com", "reader@example.org", False),
        ("", "", False),
    ],
)
def test_two_addresses_are_the_same_mailbox_up_to_the_case_of_the_domain(
    one: str, other: str, *, same: bool
) -> None:
    """SES repeats an address sometimes with a name and in other cases."""
    assert same_mailbox(one, other) is same
