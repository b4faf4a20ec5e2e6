"""Publishes a category under faults, again and again, while a reader polls every feed file."""

import argparse
import json
import logging
import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from xml.etree import ElementTree as ET

from paperpost import clients
from paperpost.data import taxonomy
from paperpost.domain.announcements import AnnouncementState
from paperpost.domain.errors import PaperpostError
from paperpost.domain.papers import listed_as
from paperpost.observe import logger
from paperpost.publish.handler import Order, _build, _press
from paperpost.publish.press import Press
from paperpost.settings import PublishSettings
from paperpost.storage.keys import listings_pk
from paperpost.storage.site import SiteBucket, StoredFile
from support.aws import moto_cloud
from support.records import (
    DAY,
    make_announcement,
    make_enrichment,
    make_listing,
    make_paper,
    stored_at,
)

_PUBLISHES_A_WORLD = 25
_ATOM = "{http://www.w3.org/2005/Atom}"


class CrashError(Exception):
    """The function dies in the middle of its puts."""


@dataclass
class Reader:
    """Polls each feed file as soon as it is put, and remembers what it saw: path → id → day."""

    seen: dict[str, dict[str, date]] = field(default_factory=dict)
    bad: list[str] = field(default_factory=list)
    polls: int = 0

    def look(self, path: str, body: bytes) -> None:
        """Judge the file at *path* by what was there before; knows nothing of publish's gate."""
        self.polls += 1
        try:
            entries = _entries(body)
        except (ValueError, KeyError, TypeError, ET.ParseError) as exc:
            self.bad.append(f"{path}: unreadable: {exc}")
            return
        before, now = self.seen.get(path, {}), dict(entries)
        if not now or len(now) != len(entries):
            self.bad.append(f"{path}: {len(now)} of {len(entries)} entries")
        days = sorted({*before.values(), *now.values()}, reverse=True)
        lost = [i for i, on in before.items() if on in days[:2] and i not in now]
        if lost or (before and max(now.values(), default=date.min) < max(before.values())):
            self.bad.append(f"{path}: lost {lost}, newest {max(now.values(), default=None)}")
        self.seen[path] = now


class WatchedBucket(SiteBucket):
    """The bucket, with a reader who polls all the time and faults just before a put."""

    reader: Reader
    before: Callable[[str], None] | None = None

    def put(self, path: str, body: bytes) -> None:
        """Put, and let the reader look."""
        self._fault(path)
        super().put(path, body)
        self._look(path)

    def replace(self, path: str, body: bytes, *, stored: StoredFile | None) -> None:
        """Put on condition, and let the reader look."""
        self._fault(path)
        super().replace(path, body, stored=stored)
        self._look(path)

    def _fault(self, path: str) -> None:
        fault, self.before = self.before, None
        if fault is not None:
            fault(path)

    def _look(self, path: str) -> None:
        if path.startswith("cs.CV/") and path.rsplit("/", 1)[-1].startswith(
            ("rss", "atom", "feed")
        ):
            stored = self.get(path)
            self.reader.look(path, stored.body if stored else b"")


def _entries(body: bytes) -> list[tuple[str, date]]:
    if body.startswith(b"{"):
        items = json.loads(body)["items"]
        return [(i["id"], date.fromisoformat(i["date_published"][:10])) for i in items]
    root = ET.fromstring(body)
    if root.tag == "rss":
        items = root.findall("channel/item")
        return [
            (
                i.findtext("guid", ""),
                datetime.strptime(i.findtext("pubDate", ""), "%a, %d %b %Y %H:%M:%S %Z").date(),  # noqa: DTZ007  the date alone counts
            )
            for i in items
        ]
    return [
        (
            e.findtext(f"{_ATOM}id", ""),
            date.fromisoformat(e.findtext(f"{_ATOM}published", "")[:10]),
        )
        for e in root.findall(f"{_ATOM}entry")
    ]


@dataclass
class World:
    """One category's tables and site, and what has happened to it so far."""

    press: Press
    site: WatchedBucket
    chance: random.Random
    on: date = DAY
    made: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    lost: list[tuple[date, str]] = field(default_factory=list)
    days: dict[date, list[str]] = field(default_factory=dict)
    twice_put: int = 0

    def step(self) -> None:
        """Something happens, then publish runs."""
        name = self.chance.choice(list(STEPS))
        self.counts[name] = self.counts.get(name, 0) + 1
        STEPS[name](self)

    def run(self, *, on: date | None = None) -> int:
        """Publish at *on* (default: now); how many files were put, 0 if it failed."""
        now = stored_at(on or self.on) + timedelta(minutes=40)
        try:
            order = Order(categories={}, healing=True)
            return _build(self.press, taxonomy().categories["cs.CV"], order, now=now).puts
        except PaperpostError as exc:
            self._count(type(exc).__name__)
        except CrashError:
            self._count("crashed")
        return 0

    def announce(self, count: int) -> None:
        """So many more papers on the present day."""
        ids = self.days.setdefault(self.on, [])
        for _ in range(count):
            self.made += 1
            ids.append(f"2604.{10000 + self.made}")
            paper = make_paper(ids[-1], categories=("cs.CV",))
            listing = make_listing(paper, on=self.on)
            self.press.papers.put_papers([listed_as(paper, listing)])
            self.press.papers.put_listings([listing])
            self.press.papers.put_enrichment(make_enrichment(paper))
        self.press.papers.put_announcement(make_announcement(len(ids), on=self.on))

    def next_day(self) -> None:
        """Midnight."""
        self.on += timedelta(days=1)

    def lose(self) -> None:
        """A listing is gone, as in a torn read or after a careless hand."""
        ids = self.days.get(self.on, [])
        if ids:
            self.lost.append((self.on, self.chance.choice(ids)))
            key = {"pk": listings_pk("cs.CV", self.on), "sk": f"0#{self.lost[-1][1]}"}
            clients.table(self.press.settings.papers_table).delete_item(Key=key)

    def restore(self) -> None:
        """What was lost is there again."""
        for on, arxiv_id in self.lost:
            self.press.papers.put_listings([make_listing(make_paper(arxiv_id), on=on)])
        self.lost.clear()

    def _count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


def _new_day(world: World) -> None:
    world.restore()
    world.next_day()
    world.announce(world.chance.randint(1, 3))
    world.run()


def _more(world: World) -> None:
    world.announce(1)
    world.run()


def _empty(world: World) -> None:
    world.next_day()
    state = world.chance.choice([AnnouncementState.QUIET, AnnouncementState.COMPLETE])
    world.press.papers.put_announcement(make_announcement(0, on=world.on, state=state))
    world.run()


def _shrunken(world: World) -> None:
    world.lose()
    world.announce(1)  # so that something changed
    world.run()


def _older(world: World) -> None:
    """A publisher whose clock is days behind; something about the past changed, too."""
    world.press = replace(
        world.press,
        facts=replace(world.press.facts, contact_mail=f"{world.chance.random()}@a.example"),
    )
    world.announce(1)
    world.run(on=world.on - timedelta(days=world.chance.randint(1, 3)))


def _duplicate(world: World) -> None:
    world.restore()
    world.run()
    world.run()
    world.twice_put += world.run()


def _torn(world: World) -> None:
    def crash(_path: str) -> None:
        raise CrashError

    world.announce(1)
    world.site.before = _after(world.chance.randint(0, 14), crash, world.site)
    world.run()
    world.site.before = None


def _racing(world: World) -> None:
    """Another publisher runs whole in the middle of this one, and knows more."""

    def overtake(_path: str) -> None:
        if world.chance.random() < 0.5:
            world.next_day()
        world.announce(world.chance.randint(1, 2))
        world.run()

    world.announce(1)
    world.site.before = _after(world.chance.randint(0, 14), overtake, world.site)
    world.run()
    world.site.before = None


def _after(puts: int, fault: Callable[[str], None], site: WatchedBucket) -> Callable[[str], None]:
    """*fault* before the put behind *puts* others."""

    def wait(path: str) -> None:
        if puts:
            site.before = _after(puts - 1, fault, site)
        else:
            fault(path)

    return wait


STEPS: dict[str, Callable[[World], None]] = {
    "new": _new_day,
    "more": _more,
    "empty": _empty,
    "shrunken": _shrunken,
    "older": _older,
    "duplicate": _duplicate,
    "torn": _torn,
    "racing": _racing,
}


def play(publishes: int, *, seed: int) -> dict[str, object]:
    """Carry out so many steps, each with a publish or more, and tell what a reader saw of them."""
    logger.setLevel(logging.CRITICAL)
    reader, counts, twice = Reader(), dict[str, int](), 0
    done = 0
    while done < publishes:
        with moto_cloud() as cloud:
            os.environ.update(
                PAPERS_TABLE=cloud.papers,
                SITE_BUCKET=cloud.bucket,
                SITE_URL="https://paperpost.example",
                CATEGORIES="cs.CV",
                CONTACT_MAIL="help@paperpost.example",
                POWERTOOLS_METRICS_NAMESPACE="Paperpost",
            )
            site = WatchedBucket(clients.s3(), cloud.bucket)
            site.reader = replace(reader, seen={})
            press = replace(_press(PublishSettings.from_env()), site=site)
            world = World(press=press, site=site, chance=random.Random(f"{seed} {done}"))
            world.announce(2)
            world.run()
            for _ in range(min(_PUBLISHES_A_WORLD, publishes - done)):
                world.step()
                done += 1
            reader.polls, twice = site.reader.polls, twice + world.twice_put
            for name, n in world.counts.items():
                counts[name] = counts.get(name, 0) + n
    return {
        "publishes": done,
        "polls": reader.polls,
        "bad": reader.bad,
        "twice_put": twice,
        "counts": counts,
    }


def main() -> int:
    """Print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--publishes", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(json.dumps(play(options.publishes, seed=options.seed)))  # noqa: T201  what it is for
    return 0


if __name__ == "__main__":
    sys.exit(main())
