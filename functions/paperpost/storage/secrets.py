"""Secrets in SSM Parameter Store, kept in memory for some minutes."""

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from paperpost.domain.tokens import TokenKeys

if TYPE_CHECKING:
    from mypy_boto3_ssm.client import SSMClient

_KEPT_S = 300  # so long a rotated key may stay unseen


def token_keys(client: "SSMClient", parameter: str, *, now: datetime) -> TokenKeys:
    """
    Return the token keys in the SecureString *parameter*.

    Raises: InvalidInputError: If they do not have the documented form.
    """
    return _token_keys(client, parameter, int(now.timestamp()) // _KEPT_S)


def api_key(client: "SSMClient", parameter: str, *, now: datetime) -> str:
    """Return the key in the SecureString *parameter*, without the space around it."""
    return _read(client, parameter, int(now.timestamp()) // _KEPT_S).strip()


@lru_cache(maxsize=2)
def _token_keys(client: "SSMClient", parameter: str, slot: int) -> TokenKeys:
    return TokenKeys.from_json(_read(client, parameter, slot))


@lru_cache(maxsize=2)
def _read(client: "SSMClient", parameter: str, _slot: int) -> str:
    return client.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"]
