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
