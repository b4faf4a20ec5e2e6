"""Turns: workers together keep to SES's rate, and a turn that is too far away is not waited for."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from paperpost import clients
from paperpost.deliver import pace as module
from paperpost.deliver.pace import Pace, sending_rate
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


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    module._sending_rate.cache_clear()
    yield
    module._sending_rate.cache_clear()


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
    events = source_template()["Resources"]["DeliverFunction"]["Properties"]["Events"]
    number = events["Letters"]["Properties"]["ScalingConfig"]["MaximumConcurrency"]
    workers, confirmer = Workers(turns, number, rate=rate), Clock()
    asked_at = confirmer.at + letters / rate
    sent = workers.send_until(asked_at)
    confirmer.at = asked_at

    assert workers.pace(confirmer).wait(MINUTE)

    assert sent >= letters
    assert confirmer.at - asked_at <= min(30, (number + 1) / rate + 0.01)


def stubbed(answer: dict[str, Any] | None) -> Any:
    """A client of SES that is asked once, and fails if *answer* is None."""
    client = clients.ses()
    stub = Stubber(client)
    if answer is None:
        stub.add_client_error("get_account", "TooManyRequestsException")
    else:
        stub.add_response("get_account", answer)
    stub.activate()
    return client, stub


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    ("answer", "rate"),
    [
        ({"SendQuota": {"MaxSendRate": 14.0}}, 12.6),
        ({"SendQuota": {"MaxSendRate": 0.0}}, 0.9),
        ({}, 0.9),
        (None, 0.9),
    ],
)
def test_the_rate_is_asked_for_once_in_five_minutes(
    answer: dict[str, Any] | None, rate: float
) -> None:
    """And slow where SES does not tell."""
    client, stub = stubbed(answer)
    with stub:
        told = [sending_rate(client, clock=lambda s=s: 600.0 + s) for s in (0, 299)]  # type: ignore[misc]

    assert told == pytest.approx([rate, rate])
