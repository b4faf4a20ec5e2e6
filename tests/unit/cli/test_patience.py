"""How long the laptop cloud waits while nothing changes."""

import pytest

from paperpost_cli.laptop import _patience_s


@pytest.mark.parametrize(
    ("messages", "idle", "least_s", "most_s"),
    [
        ({"EnrichmentQueue": (19, 0)}, True, 1, 10),  # nobody takes them: soon told
        ({"EnrichmentQueue": (0, 3)}, True, 60, 300),  # they come back after a provider's failure
        ({"EnrichmentQueue": (0, 3)}, False, 300, 600),  # a slow model has the function's time
        ({}, True, 1, 10),
    ],
)
def test_it_waits_as_long_as_something_may_get_on(
    *, messages: dict[str, tuple[int, int]], idle: bool, least_s: int, most_s: int
) -> None:
    """Enrich may run for 300 s; what it puts off is hidden for 30 s, then for 60."""
    assert least_s <= _patience_s(messages, idle=idle) <= most_s
