"""The plugin that looks for an address in whatever the suite prints, logs and queues."""

import pytest

from paperpost import clients
from support import canary
from support.aws import moto_cloud
from support.canary import AddressLeakError
from support.readers import ADDRESS

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("line", ["print(ADDRESS)", "sys.stderr.write(ADDRESS)"])
def test_an_address_in_a_test_s_output_fails_it(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    """Whatever way it came there; this test's own output is taken away before it is looked at."""
    pytester.makepyfile(f"import sys\nADDRESS = {ADDRESS!r}\ndef test_it():\n    {line}\n")

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", plugins=[canary])

    capsys.readouterr()
    result.assert_outcomes(failed=1)


def test_another_address_fails_nothing(pytester: pytest.Pytester) -> None:
    """Only the canary's is known to be somebody's."""
    pytester.makepyfile("def test_it():\n    print('hello@example.org')\n")

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", plugins=[canary])

    result.assert_outcomes(passed=1)


def test_an_address_in_a_message_is_stopped_on_its_way() -> None:
    """Before it reaches the queue."""
    with moto_cloud() as cloud, pytest.raises(AddressLeakError):
        clients.sqs().send_message(QueueUrl=cloud.queues["delivery"], MessageBody=ADDRESS)
