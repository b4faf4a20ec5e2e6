"""Tokens that let a reader act without a login, and the keyed hash that stands for an address."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from paperpost.domain.addresses import mailbox_of, with_lower_domain
from paperpost.domain.errors import InvalidInputError, PaperpostError

_KEY_BYTES = 32
_KEY_ID = re.compile(r"[A-Za-z0-9]{1,16}")
_SUBSCRIBER_ID = re.compile(r"[A-Za-z0-9]{1,64}")
_LONGEST = 200


class Purpose(StrEnum):
    """What a token allows; a token of one purpose is worth nothing for another."""

    CONFIRM = "confirm"
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"


# Leaving must work for ever, from the oldest mail too; only the invitation to join grows stale.
LIFETIMES: Mapping[Purpose, timedelta] = {Purpose.CONFIRM: timedelta(hours=48)}


class TokenError(PaperpostError):
    """A token proves nothing. `reason`: malformed, forged or expired; never the token itself."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the token is {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKeys:
    """Secret keys by id: the first of `signing` signs, all verify; `retired` only unsubscribe."""

    signing: tuple[str, ...]
    keys: Mapping[str, bytes] = field(repr=False)
    pepper: bytes = field(repr=False)
    retired: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, text: str) -> "TokenKeys":
        """
        Return the keys of `{"signing": ["k1"], "keys": {"k1": S}, "retired": [], "pepper": S}`.

        Each S is the base64 of at least 32 random bytes.
        Raises: InvalidInputError: Naming the part that is wrong, never showing a secret.
        """
        try:
            value = json.loads(text)
            made = cls(
                signing=tuple(value["signing"]),
                keys={key_id: _secret(key_id, part) for key_id, part in value["keys"].items()},
                pepper=_secret("pepper", value["pepper"]),
                retired=tuple(value.get("retired", ())),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            # Not "from": the original error may quote the text, and the text is secret.
            raise InvalidInputError("the token keys are not JSON of the documented form") from None
        if not made.signing:
            raise InvalidInputError("the token keys name no signing key")
        for key_id in (*made.signing, *made.retired):
            if key_id not in made.keys or not _KEY_ID.fullmatch(key_id):
                raise InvalidInputError("the token keys name a key that they do not hold")
        return made

    def verifying(self, purpose: Purpose) -> tuple[str, ...]:
        """The ids of the keys whose tokens of *purpose* count."""
        return self.signing + (self.retired if purpose is Purpose.UNSUBSCRIBE else ())


def make_token(purpose: Purpose, subscriber_id: str, keys: TokenKeys, *, now: datetime) -> str:
    """A url-safe token by which *subscriber_id* may do *purpose*."""
    if not _SUBSCRIBER_ID.fullmatch(subscriber_id):
        raise ValueError("not a subscriber id")
    key_id = keys.signing[0]
    issued = f"{int(now.timestamp()):x}" if purpose in LIFETIMES else ""
    head = [key_id, subscriber_id, *([issued] if issued else [])]
    return ".".join((*head, _mac(keys.keys[key_id], purpose, head)))


def verify_token(token: str, purpose: Purpose, keys: TokenKeys, *, now: datetime) -> str:
    """
    Return the subscriber id that *token* proves for *purpose*.

    Raises: TokenError: If it is malformed, forged (or made for something else) or expired.
    """
    *head, mac = token.split(".") if len(token) <= _LONGEST and token.isascii() else [""]
    if len(head) != (3 if purpose in LIFETIMES else 2):
        raise TokenError("malformed")
    key_id, subscriber_id = head[0], head[1]
    if key_id not in keys.verifying(purpose):
        raise TokenError("forged")
    # Text is compared, not decoded bytes: base64 has several spellings of the same bytes.
    if not hmac.compare_digest(mac, _mac(keys.keys[key_id], purpose, head)):
        raise TokenError("forged")
    if purpose in LIFETIMES and now.timestamp() - int(head[2], 16) > _lifetime_s(purpose):
        raise TokenError("expired")
    return subscriber_id


def issued_at(token: str) -> datetime:
    """When a token that was verified, of a purpose with a lifetime, was made (UTC)."""
    return datetime.fromtimestamp(int(token.split(".")[2], 16), UTC)


def address_hash(address: str, keys: TokenKeys) -> str:
    """The hex that stands for *address* in keys and limits; computing it takes the pepper."""
    return keyed_hash(with_lower_domain(address), keys)


def keyed_hash(text: str, keys: TokenKeys) -> str:
    """Hex of the HMAC of *text* (a network, say) with the pepper."""
    return hmac.new(keys.pepper, text.encode(), hashlib.sha256).hexdigest()


def mailbox_hash(address: str, keys: TokenKeys) -> str:
    """The hex that stands for the mailbox behind *address* in limits."""
    return keyed_hash(f"mailbox:{mailbox_of(address)}", keys)


def new_subscriber_id() -> str:
    """A random id that says nothing about anybody; hex digits, so that it fits a mail tag."""
    return secrets.token_hex(16)


def new_keys() -> str:
    """Fresh keys as the JSON text that `TokenKeys.from_json` reads."""
    first, pepper = (base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode() for _ in range(2))
    return json.dumps({"signing": ["k1"], "keys": {"k1": first}, "retired": [], "pepper": pepper})


def _mac(key: bytes, purpose: Purpose, head: list[str]) -> str:
    # No part can hold a full stop, so no two different tokens have the same signed text.
    signed = ".".join(("paperpost", purpose.value, *head)).encode()
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _lifetime_s(purpose: Purpose) -> float:
    return LIFETIMES[purpose].total_seconds()


def _secret(name: str, value: Any) -> bytes:  # noqa: ANN401  whatever the JSON held
    try:
        secret = base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise InvalidInputError(f"token key {name[:16]!r} is not base64") from None
    if len(secret) < _KEY_BYTES:
        raise InvalidInputError(f"token key {name[:16]!r} has fewer than {_KEY_BYTES} bytes")
    return secret
