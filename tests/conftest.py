"""Fixtures that every layer of tests shares."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from paperpost.observe import logger
from support.aws import Cloud, moto_cloud
from support.canary import pytest_runtest_makereport  # noqa: F401  a hook, by its name
from support.mailcheck import _every_mail_is_checked, _no_mail_is_faulty  # noqa: F401  fixtures, by names

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

# The suite draws the same examples on every run, so that the same tree passes or fails everywhere,
# also on a machine that is busy. New ones: pytest --hypothesis-profile=default.
settings.register_profile(
    "suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def _service_logs() -> Iterator[None]:
    """The command line turns the service's log down for its process; not for the next test."""
    yield
    logger.setLevel("INFO")


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """The tables, bucket and queues in process."""
    with moto_cloud() as made:
        yield made


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded real data beside the repository; its tests skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the recorded data (../shared/data) is not here")
    return SHARED_DATA
