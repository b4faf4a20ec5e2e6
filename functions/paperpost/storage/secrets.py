"""Secrets and the switch for mail in SSM Parameter Store, kept in memory for some minutes."""

from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from paperpost.domain.tokens import TokenKeys
from paperpost.observe import logger

if TYPE_CHECKING:
    from mypy_boto3_ssm.client import SSMClient

_KEPT_S = 300  # so long a rotated key may stay unseen
_SWITCH_KEPT_S = 30  # and so long mail may go out after the operator has switched it off


class Sending(StrEnum):
    """What the operator lets go out."""

    ON = "on"
    CONFIRMATIONS = "confirmations"  # nothing else
    OFF = "off"


def token_keys(client: "SSMClient", parameter: str, *, now: datetime) -> TokenKeys:
    """
    Return the token keys in the SecureString *parameter*.

    Raises: InvalidInputError: If they do not have the documented form.
    """
    return _token_keys(client, parameter, int(now.timestamp()) // _KEPT_S)


def api_key(client: "SSMClient", parameter: str, *, now: datetime) -> str:
    """Return the key in the SecureString *parameter*, without the space around it."""
    return _read(client, parameter, int(now.timestamp()) // _KEPT_S).strip()


def sending(client: "SSMClient", parameter: str, *, now: datetime) -> Sending:
    """What may go out, by the word in *parameter*; one that we do not know lets nothing out."""
    word = _read(client, parameter, int(now.timestamp()) // _SWITCH_KEPT_S).strip()
    try:
        return Sending(word)
    except ValueError:
        logger.error("the switch for mail has no known position: nothing is sent")
        return Sending.OFF


@lru_cache(maxsize=2)
def _token_keys(client: "SSMClient", parameter: str, slot: int) -> TokenKeys:
    return TokenKeys.from_json(_read(client, parameter, slot))


@lru_cache(maxsize=4)
def _read(client: "SSMClient", parameter: str, _slot: int) -> str:
    return client.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"]
