"""A replay's plan: which recorded feeds announce what, and where the clock stops."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from paperpost.data import taxonomy
from paperpost.domain.announcements import EASTERN
from paperpost.domain.errors import FeedError, InvalidInputError, PaperpostError
from paperpost.fetch.feeds import AnnouncementFeed, read_feed

# Eastern times at which a replayed day stops and fires the schedules that fell due in between: the
# first poll, past publish's hold, past the cut-off, noon, morning in Beijing, the end of the day.
STOPS = (time(0, 21), time(0, 56), time(7, 31), time(20, 16), time(23, 59))


class ReplayError(PaperpostError):
    """The files and categories given do not make a replay; nothing was started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFile:
    """A recorded feed that was read and believed."""

    path: Path
    feed: AnnouncementFeed

    def categories(self) -> tuple[str, ...]:
        """The categories it announces: its own, or those of its archive that occur in it."""
        found: list[str] = []
        for name in self.feed.names:
            if not taxonomy().is_archive(name):
                found.append(taxonomy().canonical(name))
                continue
            members = set(taxonomy().members(name))
            found.extend(c for item in self.feed.items for c in item.categories if c in members)
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Feed files by date, and the categories to configure, sorted."""

    days: dict[date, tuple[FeedFile, ...]]
    categories: tuple[str, ...]

    def announced(self, on: date) -> tuple[str, ...]:
        """The configured categories that some file announces on *on*."""
        named = {c for file in self.days[on] for c in file.categories()}
        return tuple(c for c in self.categories if c in named)


def plan_replay(paths: Sequence[Path], categories: Iterable[str] = ()) -> Replay:
    """
    Return the plan for the feed files *paths*; without *categories* those that the files announce.

    Raises: ReplayError, FeedError: In one line, naming the file, before anything is started.
    """
    files = [_read(path) for path in paths]
    wanted = set(known(categories))
    announced = {c for file in files for c in file.categories()}
    days: dict[date, tuple[FeedFile, ...]] = {}
    for file in files:
        on = file.feed.announced_on
        days[on] = (*days.get(on, ()), file)
    if missing := sorted(wanted - _could_announce(files)):
        raise ReplayError(f"no feed file announces {', '.join(missing)}")
    return Replay(days=dict(sorted(days.items())), categories=tuple(sorted(wanted or announced)))


def known(categories: Iterable[str]) -> tuple[str, ...]:
    """
    The canonical codes of the *categories* that an operator named, sorted.

    Raises: ReplayError: If arXiv has no such category.
    """
    try:
        return tuple(sorted({taxonomy().canonical(c) for c in categories}))
    except InvalidInputError as exc:
        raise ReplayError(f"--category: {exc}") from exc


def stops(on: date) -> list[datetime]:
    """The aware times at which the replay of the Eastern date *on* stops."""
    return [datetime.combine(on, at, EASTERN) for at in STOPS]


def _could_announce(files: Iterable[FeedFile]) -> set[str]:
    """The categories that the files' channels name, and all of the archives that they name."""
    found = set[str]()
    for name in {name for file in files for name in file.feed.names}:
        archive = taxonomy().is_archive(name)
        found.update(taxonomy().members(name) if archive else [taxonomy().canonical(name)])
    return found


def _read(path: Path) -> FeedFile:
    try:
        body = path.read_bytes()
    except OSError as exc:
        raise FeedError(str(path), f"cannot be read: {exc.strerror}") from exc
    feed = read_feed(body, source=str(path))
    if not feed.items:
        raise FeedError(str(path), "announces no paper: nothing to replay")
    file = FeedFile(path=path, feed=feed)
    try:
        file.categories()
    except InvalidInputError as exc:
        raise FeedError(str(path), str(exc)) from exc
    return file
