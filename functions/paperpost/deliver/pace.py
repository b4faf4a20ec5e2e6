"""Pace: every worker of the stack takes turns, so that all together keep to SES's sending rate."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from paperpost.domain.quotas import Quota
from paperpost.observe import logger

if TYPE_CHECKING:
    from mypy_boto3_sesv2.client import SESV2Client

# Others may send from the same account, and clocks of workers differ.
_SHARE = 0.9
# What an account may send is asked again after so long: quotas grow by themselves. Near the end of
# a day's quota it is asked more often, but SES answers GetAccount about once a second.
_KEPT_S = 300.0
_KEPT_AT_LEAST_S = 2.0
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


class Account:
    """
    What SES lets this account send.

    Asked for anew after five minutes, and the sooner the less is left of the day: until then all
    workers together can have sent no more than half of it.
    """

    def __init__(self, client: "SESV2Client", *, clock: Callable[[], float] = time.time) -> None:
        self._client, self._clock = client, clock
        self._known: Quota | None = None
        self._asked_at, self._kept_s = float("-inf"), 0.0

    def quota(self) -> Quota | None:
        """The quota as it was told last, None while SES does not tell."""
        now = self._clock()
        if now - self._asked_at >= self._kept_s:
            self._asked_at, self._kept_s = now, _KEPT_S
            try:
                self._known = ask_quota(self._client)
            except (BotoCoreError, ClientError, KeyError) as exc:
                error = type(exc).__name__
                logger.warning("SES does not tell its quota", extra={"error": error})
                self._known = None
            else:
                halved_in_s = self._known.left / max(self._known.rate, _SLOWEST) / 2
                self._kept_s = min(max(halved_in_s, _KEPT_AT_LEAST_S), _KEPT_S)
        return self._known

    def rate(self) -> float:
        """Mails a second that this account may send, less some for others."""
        told = self.quota()
        return max(told.rate if told else _SLOWEST, _SLOWEST) * _SHARE


@lru_cache
def account(client: "SESV2Client") -> Account:
    """The account behind *client*, remembered while this container lives."""
    return Account(client)


def ask_quota(client: "SESV2Client") -> Quota:
    """
    Return what SES tells now.

    Raises: BotoCoreError, ClientError, KeyError: If it does not tell.
    """
    told = client.get_account()
    quota = told["SendQuota"]
    return Quota(
        used=quota.get("SentLast24Hours", 0.0),
        limit=quota.get("Max24HourSend", -1.0),
        rate=quota["MaxSendRate"],
        is_sending=told.get("SendingEnabled", True),
        enforcement=told.get("EnforcementStatus", ""),
    )
