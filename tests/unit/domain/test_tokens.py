"""Tokens prove what they were made for and nothing else."""

import base64
import json
import string
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from paperpost.domain.errors import InvalidInputError
from paperpost.domain.tokens import (
    Purpose,
    TokenError,
    TokenKeys,
    address_hash,
    make_token,
    new_keys,
    new_subscriber_id,
    verify_token,
)
from support.readers import NOW, keys_json, make_keys

KEYS = make_keys()
ids = st.text(string.hexdigits.lower()[:16], min_size=1, max_size=32)
purposes = st.sampled_from(Purpose)
URL_SAFE = set(string.ascii_letters + string.digits + "-_.")


@given(purposes, ids)
def test_a_fresh_token_proves_its_subscriber(purpose: Purpose, subscriber_id: str) -> None:
    """What was signed verifies, and needs no escaping in an address."""
    token = make_token(purpose, subscriber_id, KEYS, now=NOW)

    assert verify_token(token, purpose, KEYS, now=NOW) == subscriber_id
    assert set(token) <= URL_SAFE
    assert token[-1].isalnum()


@given(purposes, ids, st.data())
def test_a_token_with_any_bit_flipped_proves_nothing(
    purpose: Purpose, subscriber_id: str, data: st.DataObject
) -> None:
    """Not one of the bits can be changed, the unused ones of the last base64 digit included."""
    token = make_token(purpose, subscriber_id, KEYS, now=NOW)
    at = data.draw(st.integers(0, len(token) - 1))
    bit = data.draw(st.integers(0, 6))

    flipped = token[:at] + chr(ord(token[at]) ^ (1 << bit)) + token[at + 1 :]

    with pytest.raises(TokenError):
        verify_token(flipped, purpose, KEYS, now=NOW)


@given(purposes, purposes, ids)
def test_a_token_of_one_purpose_is_worth_nothing_for_another(
    made_for: Purpose, used_for: Purpose, subscriber_id: str
) -> None:
    """An unsubscribe link, which lies in many mails, opens no preferences."""
    assume(made_for is not used_for)
    token = make_token(made_for, subscriber_id, KEYS, now=NOW)

    with pytest.raises(TokenError):
        verify_token(token, used_for, KEYS, now=NOW)


@given(purposes, ids, ids)
def test_a_signature_cannot_be_moved_to_another_subscriber(
    purpose: Purpose, owner: str, victim: str
) -> None:
    """The subscriber id is signed too."""
    assume(owner != victim)
    key_id, _, *rest = make_token(purpose, owner, KEYS, now=NOW).split(".")

    with pytest.raises(TokenError):
        verify_token(".".join((key_id, victim, *rest)), purpose, KEYS, now=NOW)


@given(st.text(max_size=300))
def test_any_text_at_all_is_refused_with_a_token_error(text: str) -> None:
    """Nothing that a stranger types ends in another kind of error."""
    for purpose in Purpose:
        with pytest.raises(TokenError):
            verify_token(text, purpose, KEYS, now=NOW)


def test_a_confirmation_expires_after_48_hours() -> None:
    """At 48 hours it still counts, a second later it does not, and the reason says so."""
    token = make_token(Purpose.CONFIRM, "a1", KEYS, now=NOW)
    last = NOW + timedelta(hours=48)

    assert verify_token(token, Purpose.CONFIRM, KEYS, now=last) == "a1"
    with pytest.raises(TokenError) as refused:
        verify_token(token, Purpose.CONFIRM, KEYS, now=last + timedelta(seconds=1))
    assert refused.value.reason == "expired"


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.PREFERENCES])
def test_links_in_letters_never_expire(purpose: Purpose) -> None:
    """A mail of twenty years ago still lets its reader leave; all mails hold the same link."""
    token = make_token(purpose, "a1", KEYS, now=NOW)

    later = NOW + timedelta(days=7300)

    assert verify_token(token, purpose, KEYS, now=later) == "a1"
    assert make_token(purpose, "a1", KEYS, now=later) == token


def test_the_first_signing_key_signs_and_all_of_them_verify() -> None:
    """Between adding a key and using it everywhere both count."""
    before, after = make_keys(signing=("k1",)), make_keys(signing=("k2", "k1"))

    assert make_token(Purpose.PREFERENCES, "a1", after, now=NOW).startswith("k2.")
    old = make_token(Purpose.PREFERENCES, "a1", before, now=NOW)
    assert verify_token(old, Purpose.PREFERENCES, after, now=NOW) == "a1"


@pytest.mark.parametrize("purpose", [Purpose.CONFIRM, Purpose.PREFERENCES])
def test_a_retired_key_verifies_unsubscribe_and_nothing_else(purpose: Purpose) -> None:
    """After a key leaked its links cannot change anything, but every old mail can still be left."""
    before, after = make_keys(signing=("k0",), retired=()), make_keys()

    leave = make_token(Purpose.UNSUBSCRIBE, "a1", before, now=NOW)
    other = make_token(purpose, "a1", before, now=NOW)

    assert verify_token(leave, Purpose.UNSUBSCRIBE, after, now=NOW) == "a1"
    with pytest.raises(TokenError):
        verify_token(other, purpose, after, now=NOW)


def test_a_key_that_is_neither_signing_nor_retired_verifies_nothing() -> None:
    """Taking a key out of both lists ends it."""
    token = make_token(Purpose.UNSUBSCRIBE, "a1", make_keys(signing=("k0",), retired=()), now=NOW)

    with pytest.raises(TokenError):
        verify_token(token, Purpose.UNSUBSCRIBE, make_keys(retired=()), now=NOW)


def test_an_error_text_never_holds_the_token() -> None:
    """Errors are logged; a token in a log would be a login in a log."""
    token = make_token(Purpose.CONFIRM, "a1", KEYS, now=NOW)

    with pytest.raises(TokenError) as refused:
        verify_token(token, Purpose.PREFERENCES, KEYS, now=NOW)

    assert token not in str(refused.value)
    assert token.rsplit(".", 1)[1] not in repr(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps({"signing": ["k9"], "keys": {}, "pepper": base64.b64encode(bytes(32)).decode()}),
        keys_json(signing=()),
        keys_json(retired=("k9",)),
        keys_json().replace('"pepper": "', '"pepper": "!'),
        json.dumps({"signing": ["k1"], "keys": {"k1": "AAAA"}, "pepper": "AAAA"}),
    ],
)
def test_malformed_keys_are_refused_without_showing_a_secret(text: str) -> None:
    """The operator learns what is wrong; the log learns no key."""
    with pytest.raises(InvalidInputError) as refused:
        TokenKeys.from_json(text)

    assert "AgIC" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_keys_do_not_show_their_secrets() -> None:
    """A logged or printed value of the keys gives nothing away."""
    assert "x02" not in repr(KEYS)
    assert "pepper" not in repr(KEYS)


def test_fresh_keys_are_usable_and_different_each_time() -> None:
    """What the operator's command writes into SSM is what the functions read."""
    keys = TokenKeys.from_json(new_keys())

    token = make_token(Purpose.UNSUBSCRIBE, new_subscriber_id(), keys, now=NOW)

    assert verify_token(token, Purpose.UNSUBSCRIBE, keys, now=NOW)
    assert new_keys() != new_keys()


def test_an_address_has_one_hash_whatever_the_case_of_its_domain() -> None:
    """Reader@EXAMPLE.com is Reader@example.com, but need not be reader@example.com."""
    known = address_hash("Reader@example.com", KEYS)

    assert address_hash("Reader@EXAMPLE.com", KEYS) == known
    assert address_hash("reader@example.com", KEYS) != known


def test_without_the_pepper_the_hash_cannot_be_computed() -> None:
    """Two stacks do not know each other's hashes."""
    other = TokenKeys.from_json(new_keys())

    assert address_hash("reader@example.com", KEYS) != address_hash("reader@example.com", other)
