"""A pytest plugin: whatever a test is about, a mail that it made must pass the whole checklist."""

from collections.abc import Callable, Iterator

import pytest

from oracle.checklist import faults
from paperpost.deliver import confirming, delivering, morning
from paperpost.deliver import preview as previewing

_MAKERS = (confirming, delivering, morning, previewing)
_found: list[str] = []


@pytest.fixture(autouse=True, scope="session")
def _every_mail_is_checked() -> Iterator[None]:
    """
    Look at each mail where it is made, and keep what is wrong.

    What is raised there would be taken for a letter that cannot be made, and its row released.
    """
    with pytest.MonkeyPatch.context() as patch:
        for maker in _MAKERS:
            patch.setattr(maker, "message", _checked(maker.message))
        yield


@pytest.fixture(autouse=True)
def _no_mail_is_faulty() -> Iterator[None]:
    """Fail a test that made a faulty mail, whatever became of it."""
    yield
    found, _found[:] = sorted(set(_found)), []
    assert not found, f"a mail with {'; '.join(found)}"


def _checked(make: Callable[..., bytes]) -> Callable[..., bytes]:
    def made(*told: object, **how: object) -> bytes:
        raw = make(*told, **how)
        _found.extend(faults(raw))
        return raw

    return made
