"""The plugin that holds every mail of the suite against the checklist."""

import pytest

from support import mailcheck

pytest_plugins = ["pytester"]

_MADE = """
from datetime import UTC, datetime

from paperpost.deliver import morning
from paperpost.deliver.mime import Envelope
from paperpost.deliver.pieces import Piece


def test_it():
    envelope = Envelope(
        sender="paperpost@p.example",
        recipient="reader@example.com",
        subject="S",
        tags=(("kind", "morning"),),
        date=datetime(2024, 3, 26, tzinfo=UTC),
        kind="morning",
    )
    morning.message(envelope, [Piece.of("<p>no title</p>\\n", "text\\n")])
"""


def test_a_faulty_mail_fails_the_test_that_made_it(pytester: pytest.Pytester) -> None:
    """At its end: deliver swallows whatever is raised before SES is asked."""
    pytester.makepyfile(_MADE)

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", plugins=[mailcheck])

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*a mail with *HTML without a title*"])


def test_a_test_without_mails_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", plugins=[mailcheck])

    result.assert_outcomes(passed=1)
