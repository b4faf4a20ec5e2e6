"""Pace: every worker of the stack takes turns, so that all together keep to SES's sending rate."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from paperpost.observe import logger

if TYPE_CHECKING:
    from mypy_boto3_sesv2.client import SESV2Client

# Others may send from the same account, and clocks of workers differ.
_SHARE = 0.9
# What an account may send is asked again after so long: quotas grow by themselves.
_KEPT_S = 300
# In the sandbox, and what is kept to when SES does not tell.
# Source: https://docs.aws.amazon.com/ses/latest/dg/quotas.html, read 2026-11-26.
_SLOWEST = 1.0


class Turns(Protocol):
    """Where workers agree on whose turn it is."""

    def take_turn(self, *, now_ms: int, gap_ms: int) -> int:
        """The next free moment, in milliseconds since 1970; the one after lies *gap_ms* later."""
        ...


class Pace:
    """Waits for a mail's turn. *rate*: mails a second that all workers may send together."""

    def __init__(
        self,
        turns: Turns,
        rate: Callable[[], float],
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._turns, self._rate = turns, rate
        self._clock, self._sleep = clock, sleep

    def wait(self, at_most: timedelta) -> bool:
        """Return True when the next mail may go; False, at once, if that takes longer."""
        now_ms = int(self._clock() * 1000)
        turn_ms = self._turns.take_turn(now_ms=now_ms, gap_ms=round(1000 / self._rate()))
        waits = timedelta(milliseconds=max(0, turn_ms - now_ms))
        if waits > at_most:
            return False
        if waits:
            self._sleep(waits.total_seconds())
        return True


def sending_rate(client: "SESV2Client", *, clock: Callable[[], float] = time.time) -> float:
    """Mails a second that this account may send, less some for others."""
    return _sending_rate(client, int(clock()) // _KEPT_S)


@lru_cache(maxsize=2)
def _sending_rate(client: "SESV2Client", _slot: int) -> float:
    try:
        told = client.get_account()["SendQuota"]["MaxSendRate"]
    except (BotoCoreError, ClientError, KeyError) as exc:
        logger.warning("SES does not tell the sending rate", extra={"error": type(exc).__name__})
        told = _SLOWEST
    return max(told, _SLOWEST) * _SHARE
