"""Promise 4: a feed never empties, shrinks or goes back; what readers see is valid and whole."""

from collections.abc import Iterator
from pathlib import Path

from paperpost_cli.proofs import reading_feeds, reading_pages
from paperpost_cli.proofs.proof import Proof


def proofs(folder: Path, quick: bool) -> Iterator[Proof]:  # noqa: FBT001  one switch for all topics
    """The topic's proofs."""
    yield from reading_feeds.proofs(folder, quick)
    yield from reading_pages.proofs(folder, quick)
