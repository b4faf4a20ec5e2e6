"""Who may still send near the end of a day's quota."""

import pytest

from paperpost.domain.quotas import Quota, why_letters_wait, why_nothing_goes


def quota(used: float, limit: float, *, is_sending: bool = True) -> Quota:
    """An account of which so much of the day is used."""
    return Quota(used=used, limit=limit, rate=14, is_sending=is_sending, enforcement="HEALTHY")


@pytest.mark.parametrize(
    ("told", "letters", "confirmations"),
    [
        (quota(0, 50_000), True, True),
        (quota(47_499, 50_000), True, True),
        (quota(47_500, 50_000), False, True),
        (quota(49_999, 50_000), False, True),
        (quota(50_000, 50_000), False, False),
        (quota(60_000, 50_000), False, False),
        (quota(189, 200), True, True),
        (quota(190, 200), False, True),
        (quota(0, 5), False, True),
        (quota(10**9, -1), True, True),
        (quota(0, 0), False, False),
        (quota(0, 50_000, is_sending=False), False, False),
    ],
)
def test_letters_leave_a_twentieth_to_confirmations(
    told: Quota, letters: object, confirmations: object
) -> None:
    """Of a sandbox's 200 at least ten; without a limit nobody waits."""
    assert (why_letters_wait(told) == "", why_nothing_goes(told) == "") == (letters, confirmations)
