"""Turns: workers together keep to SES's rate, and a turn that is too far away is not waited for."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from paperpost import clients
from paperpost.deliver.pace import Account, Pace
from paperpost.domain.quotas import why_letters_wait
from paperpost.storage.deliveries import DeliveryTable
from support.aws import Cloud
from support.template import source_template

MINUTE = timedelta(minutes=1)


class Clock:
    """Virtual time; each worker sleeps on its own."""

    def __init__(self) -> None:
        self.at = 1_700_000_000.0

    def sleep(self, seconds: float) -> None:
        """What a lone worker does."""
        self.at += seconds


@pytest.fixture
def turns(cloud: Cloud) -> DeliveryTable:
    """The ledger, which keeps the turns."""
    return DeliveryTable(clients.table(cloud.deliveries))


def test_a_lone_worker_sends_as_fast_as_ses_takes(turns: DeliveryTable) -> None:
    """The first mail goes at once."""
    clock = Clock()
    pace = Pace(turns, lambda: 10.0, clock=lambda: clock.at, sleep=clock.sleep)
    began = clock.at

    for _ in range(21):
        assert pace.wait(MINUTE)

    assert clock.at - began == pytest.approx(2.0, abs=0.01)


def test_after_a_quiet_time_nobody_makes_up_for_it(turns: DeliveryTable) -> None:
    """A burst would be over the rate."""
    clock = Clock()
    pace = Pace(turns, lambda: 1.0, clock=lambda: clock.at, sleep=clock.sleep)
    pace.wait(MINUTE)
    clock.at += 3600
    began = clock.at

    for _ in range(3):
        pace.wait(MINUTE)

    assert clock.at - began == pytest.approx(2.0, abs=0.01)


def test_a_turn_beyond_the_functions_time_is_not_waited_for(turns: DeliveryTable) -> None:
    waited: list[float] = []
    pace = Pace(turns, lambda: 0.5, clock=lambda: 1_700_000_000.0, sleep=waited.append)
    pace.wait(MINUTE)

    assert not pace.wait(timedelta(seconds=1.9))
    assert waited == []


class Workers:
    """Workers that send one letter after another, each by a clock of its own."""

    def __init__(self, turns: DeliveryTable, number: int, *, rate: float) -> None:
        self._turns, self._rate = turns, rate
        self._clocks = [Clock() for _ in range(number)]

    def pace(self, clock: Clock) -> Pace:
        """The pace as the worker of *clock* keeps it."""
        return Pace(self._turns, lambda: self._rate, clock=lambda: clock.at, sleep=clock.sleep)

    def send_until(self, moment: float) -> int:
        """Let whoever is behind send the next letter, until all have passed *moment*."""
        sent = 0
        while (behind := min(self._clocks, key=lambda clock: clock.at)).at <= moment:
            assert self.pace(behind).wait(MINUTE)
            sent += 1
        return sent


@pytest.mark.parametrize("rate", [0.9, 12.6, 50.0])
@pytest.mark.parametrize("letters", [20, 200])
def test_a_confirmation_waits_for_one_letter_of_each_worker_and_no_more(
    turns: DeliveryTable, rate: float, letters: int
) -> None:
    """However many letters wait, at the slowest rate too; turns are never taken ahead."""
    mapping = source_template()["Resources"]["DeliverFunctionLetters"]["Properties"]
    number = mapping["ScalingConfig"]["MaximumConcurrency"]
    workers, confirmer = Workers(turns, number, rate=rate), Clock()
    asked_at = confirmer.at + letters / rate
    sent = workers.send_until(asked_at)
    confirmer.at = asked_at

    assert workers.pace(confirmer).wait(MINUTE)

    assert sent >= letters
    assert confirmer.at - asked_at <= min(30, (number + 1) / rate + 0.01)


class Ses:
    """GetAccount alone: answers what it is told, and counts how often it is asked."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self.answer, self.asked = answer, 0

    def get_account(self) -> dict[str, Any]:
        """The answer, or the error that stands for it."""
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def told(**quota: float) -> dict[str, Any]:
    """An answer of GetAccount."""
    return {
        "SendingEnabled": True,
        "EnforcementStatus": "HEALTHY",
        "SendQuota": {"MaxSendRate": 14.0, "Max24HourSend": 50_000.0, **quota},
    }


THROTTLED = ClientError({"Error": {"Code": "TooManyRequestsException"}}, "GetAccount")


@pytest.mark.parametrize(
    ("answer", "rate"),
    [
        ({"SendQuota": {"MaxSendRate": 14.0}}, 12.6),
        ({"SendQuota": {"MaxSendRate": 0.0}}, 0.9),
        ({}, 0.9),
        (THROTTLED, 0.9),
        (EndpointConnectionError(endpoint_url="https://email"), 0.9),
    ],
)
def test_the_rate_is_asked_for_once_in_five_minutes(
    answer: dict[str, Any] | Exception, rate: float
) -> None:
    """And slow where SES does not tell."""
    clock, ses = Clock(), Ses(answer)
    account = Account(ses, clock=lambda: clock.at)  # type: ignore[arg-type]

    rates = [account.rate()]
    clock.sleep(299)
    rates.append(account.rate())

    assert (rates, ses.asked) == (pytest.approx([rate, rate]), 1)
    clock.sleep(1)
    account.rate()
    assert ses.asked == 2


def test_the_less_is_left_of_the_day_the_sooner_it_is_asked_again() -> None:
    """In between all workers together cannot have sent more than half of what was left."""
    clock, ses = Clock(), Ses(told(SentLast24Hours=50_000.0 - 1_400))
    account = Account(ses, clock=lambda: clock.at)  # type: ignore[arg-type]

    account.quota()
    clock.sleep(49)
    account.quota()
    soon = ses.asked
    clock.sleep(1)
    account.quota()

    assert (soon, ses.asked) == (1, 2)


def test_at_the_end_of_the_quota_ses_is_not_asked_for_every_letter() -> None:
    """GetAccount itself is answered about once a second."""
    clock, ses = Clock(), Ses(told(SentLast24Hours=50_000.0))
    account = Account(ses, clock=lambda: clock.at)  # type: ignore[arg-type]

    for _ in range(100):
        account.quota()
        clock.sleep(0.1)

    assert ses.asked == 5


def test_an_account_without_a_limit_has_any_number_left() -> None:
    """SES says -1."""
    account = Account(Ses(told(Max24HourSend=-1.0)))  # type: ignore[arg-type]

    quota = account.quota()

    assert quota is not None
    assert (quota.left, quota.share) == (float("inf"), 0.0)
    assert why_letters_wait(quota) == ""


def test_what_ses_does_not_tell_is_not_known_from_before() -> None:
    """An old figure would hold letters back, or let them go, without a reason."""
    clock, ses = Clock(), Ses(told(SentLast24Hours=49_999.0))
    account = Account(ses, clock=lambda: clock.at)  # type: ignore[arg-type]
    known = account.quota()
    ses.answer = THROTTLED
    clock.sleep(300)

    assert known is not None
    assert account.quota() is None
