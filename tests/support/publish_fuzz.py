"""Publishes under faults, again and again, while a reader polls every file that is put."""

import argparse
import json
import logging
import os
import random
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

from paperpost import clients
from paperpost.data import taxonomy
from paperpost.domain.announcements import AnnouncementState
from paperpost.domain.errors import PaperpostError
from paperpost.domain.issuefiles import issue_path, to_bytes
from paperpost.domain.issues import FrozenIssue
from paperpost.domain.namedfeeds import named_feeds
from paperpost.domain.papers import listed_as
from paperpost.observe import logger
from paperpost.publish.entries import tag_of
from paperpost.publish.handler import Order, _press, publish
from paperpost.publish.press import Press
from paperpost.publish.sources import Sources
from paperpost.settings import PublishSettings
from paperpost.storage.keys import listings_pk
from paperpost.storage.papers import PaperTable
from paperpost.storage.site import SiteBucket
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
_PAGE = re.compile(r"\d{4}-\d\d-\d\d\.(html|json)")
_ATOM = "{http://www.w3.org/2005/Atom}"


class CrashError(BaseException):
    """The function dies in the middle of its puts: nothing in it can answer that."""


@dataclass
class Reader:
    """
    Polls each file as soon as it is put, and remembers what it saw.

    `seen`: feed → id → day, and what left it; `papers`: day page → ids; `counts`: date → papers
    published, by the receipts.
    """

    seen: dict[str, dict[str, date]] = field(default_factory=dict)
    left: dict[str, set[str]] = field(default_factory=dict)
    papers: dict[str, set[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    bad: list[str] = field(default_factory=list)
    polls: int = 0

    def look(self, path: str, body: bytes) -> None:
        """Judge the file at *path* by what was there before; knows nothing of publish's gate."""
        name = path.rsplit("/", 1)[-1]
        try:
            if name.startswith(("rss", "atom", "feed.")):
                self._feed(path, _entries(body))
            elif name == "status.json":
                self._receipts(json.loads(body)["dates"])
            elif _PAGE.fullmatch(name):
                self._page(path, _papers(body))
            else:
                return
        except (ValueError, KeyError, TypeError, ET.ParseError) as exc:
            self.bad.append(f"{path}: unreadable: {exc}")
        self.polls += 1

    def _feed(self, path: str, entries: list[tuple[str, date]]) -> None:
        before, now = self.seen.get(path, {}), dict(entries)
        if not now or len(now) != len(entries):
            self.bad.append(f"{path}: {len(now)} of {len(entries)} entries")
        days = sorted({*before.values(), *now.values()}, reverse=True)
        lost = [i for i, on in before.items() if on in days[:2] and i not in now]
        if lost or (before and max(now.values(), default=date.min) < max(before.values())):
            self.bad.append(f"{path}: lost {lost}, newest {max(now.values(), default=None)}")
        if moved := [i for i, on in before.items() if now.get(i, on) != on]:
            self.bad.append(f"{path}: {moved} moved to another day")
        left = self.left.setdefault(path, set())
        if again := left & now.keys():
            self.bad.append(f"{path}: {again} came again")
        left |= before.keys() - now.keys()
        self.seen[path] = now

    def _page(self, path: str, now: set[str]) -> None:
        before = self.papers.get(path, set())
        if before - now:
            self.bad.append(f"{path}: lost {before - now}")
        self.papers[path] = now

    def _receipts(self, dates: list[dict[str, Any]]) -> None:
        now = {one["announced_on"]: one["categories"][0]["published"] for one in dates}
        if back := [on for on, count in now.items() if count < self.counts.get(on, 0)]:
            self.bad.append(f"status.json: {back} went back")
        self.counts |= now


class WatchedBucket(SiteBucket):
    """The bucket, with a reader who polls all the time and faults just before a put."""

    reader: Reader
    before: Callable[[str], None] | None = None

    def put(self, path: str, body: bytes) -> None:
        """Put, and let the reader look."""
        self._fault(path)
        super().put(path, body)
        self._look(path)

    def replace(self, path: str, body: bytes, *, etag: str | None) -> None:
        """Put on condition, and let the reader look."""
        self._fault(path)
        super().replace(path, body, etag=etag)
        self._look(path)

    def _fault(self, path: str) -> None:
        fault, self.before = self.before, None
        if fault is not None:
            fault(path)

    def _look(self, path: str) -> None:
        stored = self.get(path)
        self.reader.look(path, stored.body if stored else b"")


def _papers(body: bytes) -> set[str]:
    """The papers of a day page: its HTML, or the records beside it."""
    if body.startswith(b"{"):
        return {record["id"] for record in json.loads(body)["records"]}
    return set(re.findall(r'<article[^>]* id="([0-9.]+)"', body.decode()))


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
            return publish(self.press, Order(categories={}, healing=True), now=now)["files_put"]
        except PaperpostError as exc:
            self._count(type(exc).__name__)
        except CrashError:
            self._count("crashed")
        return 0

    def announce(self, count: int) -> None:
        """So many more papers on the present day, before its issue is frozen."""
        for _ in range(count):
            self.store(self.on, at=stored_at(self.on))
        issue = f"daily-{self.on}"
        frozen = FrozenIssue(
            issue=issue,
            announced_on=self.on,
            frozen_at=stored_at(self.on) + timedelta(hours=1),
            reason="ready",
            papers=(),
            counts={},
        )
        self.site.put_once(issue_path(issue), to_bytes(frozen))

    def store(self, on: date, *, at: datetime) -> str:
        """One more paper of the day *on*; its id."""
        self.made += 1
        arxiv_id = f"2604.{10000 + self.made}"
        paper = make_paper(arxiv_id, categories=("cs.CV",))
        listing = replace(make_listing(paper, on=on), stored_at=at)
        self.press.papers.put_papers([listed_as(paper, listing)])
        self.press.papers.put_listings([listing])
        self.press.papers.put_enrichment(make_enrichment(paper))
        ids = self.days.setdefault(on, [])
        ids.append(arxiv_id)
        self.press.papers.put_announcement(make_announcement(len(ids), on=on))
        return arxiv_id

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


def _late(world: World) -> None:
    """A paper of a day that may have left the feeds; it has to be in them, nevertheless."""
    world.restore()
    on = world.chance.choice(sorted(world.days))
    arxiv_id = world.store(on, at=stored_at(world.on) + timedelta(hours=2))
    world.run()
    for path, seen in world.site.reader.seen.items():
        if tag_of(arxiv_id) not in seen:
            world.site.reader.bad.append(f"{path}: {arxiv_id} came late and is not there")


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
    "late": _late,
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
            site.reader = Reader(bad=reader.bad, polls=reader.polls)
            config = PublishSettings.from_env()
            press = replace(
                _press(config),
                site=site,
                sources=Sources(PaperTable(clients.table(cloud.papers)), site, config.languages),
                named=named_feeds({"all": {"categories": ["cs.CV"]}}, taxonomy()),
            )
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
