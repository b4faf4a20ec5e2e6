"""
Sixty days of a made-up arXiv with every fault, polled as template.yaml schedules it.

Usage: python -m support.arxiv_replay --out OUT [--days N]. OUT then holds what tests/oracle judges:
script.json (what arXiv announced), tables.jsonl (the Papers table), site/, requests.jsonl,
polls.jsonl and faults.json.
"""

import argparse
import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from paperpost import clients
from paperpost.domain.errors import FeedError, PaperpostError
from paperpost.observe import logger, metrics
from paperpost.publish.handler import Order, _press, publish
from paperpost.settings import PublishSettings
from paperpost_cli.cloud.schedules import Schedule, due_between
from support.arxiv_script import (
    EASTERN,
    ScriptedDay,
    ScriptedPaper,
    truth,
    write_script,
)
from support.arxiv_server import Fault, FaultKind
from support.aws import Cloud, moto_cloud
from support.nights import Night
from support.template import source_template

CATEGORIES = ("cs.AI", "cs.CV", "cs.LG", "math.ST", "stat.ML")
FIRST, DAYS = date(2026, 10, 30), 60  # two days before clocks change; Thanksgiving, Christmas
# A holiday empties its own feed or that of the next due day; both forms are played.
QUIET = {date(2026, 11, 26): "Thanksgiving", date(2026, 12, 28): "Christmas Day"}
PUT_OFF = date(2026, 12, 14)  # arXiv's mailing does not go out: its papers come with the next
# Days with more papers than one feed holds: in all categories together, and in one alone.
MANY_TOGETHER, MANY_IN_ONE = date(2026, 11, 17), date(2026, 12, 9)
TRUNCATED = date(2026, 11, 11)
LEASE_LEFT = date(2026, 12, 16)  # a fetcher dies and leaves its lease
_TRUNCATED_EVERY, _PUBLISHED_AT = 500, time(13, 30)
_RETRIES = (timedelta(minutes=1), timedelta(minutes=2))  # of the schedule, as template.yaml has it
_OUTAGE = (date(2026, 11, 30), date(2026, 12, 4))


def _on(month: int, day: int, kind: FaultKind, **how: Any) -> Fault:
    return Fault(kind=kind, on=date(2026, month, day), **how)


# Name → fault. Of the truncations only the first stands here, see truncations().
FAULTS: Mapping[str, Fault] = {
    "429 without Retry-After": _on(11, 3, FaultKind.STATUS, status=429, times=3),
    "429 with Retry-After in seconds": _on(
        11, 4, FaultKind.STATUS, status=429, retry_after_s=3000, times=1
    ),
    "503 with Retry-After as a date": _on(
        11, 5, FaultKind.STATUS, status=503, retry_after_s=60, retry_as_date=True, times=1
    ),
    "503 all day": _on(11, 6, FaultKind.STATUS, status=503, endpoint="feed"),
    "HTML with status 200": _on(11, 9, FaultKind.HTML, times=2),
    "Rate exceeded. with status 200": _on(11, 10, FaultKind.RATE_EXCEEDED, times=5),
    "truncated at byte 500": _on(
        11, 11, FaultKind.TRUNCATED, at_byte=_TRUNCATED_EVERY, times=1, endpoint="feed"
    ),
    "stale batch all day": _on(11, 12, FaultKind.STALE),
    "empty feed on a due day": _on(11, 13, FaultKind.EMPTY, times=2, endpoint="feed"),
    "batch six hours late": _on(11, 16, FaultKind.LATE, hours=6),
    "connection reset": _on(11, 18, FaultKind.RESET, times=6),
    "body shorter than its length": _on(11, 19, FaultKind.SHORT, times=5),
    "slow body": _on(11, 20, FaultKind.SLOW, seconds=40, times=1),
    "decompression bomb": _on(11, 23, FaultKind.BOMB, times=1),
    "empty first page of the API": _on(11, 24, FaultKind.EMPTY_PAGE, times=2, endpoint="api"),
    "error entry of the API": _on(11, 25, FaultKind.ERROR_ENTRY, times=2, endpoint="api"),
    "error feed with status 400": _on(11, 27, FaultKind.ERROR_FEED, times=1, endpoint="feed"),
    "outage of five days": Fault(
        kind=FaultKind.STATUS, status=503, on=_OUTAGE[0], until=_OUTAGE[1]
    ),
    "redirect to another host": _on(12, 7, FaultKind.REDIRECT, times=1),
    "stale batch for five hours": _on(12, 8, FaultKind.STALE, hours=5),
    "feed gone for a day": _on(12, 11, FaultKind.STATUS, status=500, endpoint="feed"),
    "OAI-PMH token expired": _on(12, 12, FaultKind.OAI_ERROR, times=1, endpoint="oai"),
    "OAI-PMH truncated": _on(12, 12, FaultKind.TRUNCATED, times=1, endpoint="oai"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One poll and what came of it; `problem` is empty if it went well."""

    at: datetime
    problem: str = ""


class Replay:
    """The days, one after the other, on tables in process and a server on loopback."""

    def __init__(self, cloud: Cloud, days: int) -> None:
        start = datetime.combine(FIRST, time(), EASTERN).astimezone(UTC)
        self.night = Night(cloud, CATEGORIES, at=start)
        self.dates = [FIRST + timedelta(days=n) for n in range(days)]
        self.script = script(days)
        self.truncations = truncations(self.night, self.script)
        faults = [*FAULTS.values(), *self.truncations[1:]]
        self.server = self.night.serving(self.script, *faults, oai_page_size=200)
        self.polls = list[Poll]()
        self.alarms = list[str]()
        self._settings = PublishSettings(
            papers_table=cloud.papers,
            site_bucket=cloud.bucket,
            site_url="https://paperpost.example",
            categories=CATEGORIES,
            contact_mail="ops@example.org",
        )

    def run(self) -> None:
        """Every poll of every day, and what is published of it."""
        with self.server.over_loopback():
            for on in self.dates:
                self._polls_of(on)
                self.night.wait_until(on, _PUBLISHED_AT)
                self._publish()
                metrics.clear_metrics()  # each invocation has its own

    def _polls_of(self, on: date) -> None:
        if on == LEASE_LEFT:
            self.night.wait_until(on, time(0, 20))
            until = self.night.at + timedelta(minutes=5)
            assert self.night.notes.take_lease("dead", until=until, now=self.night.at) is not None
        for at in due_on(on):
            self.night.at = max(self.night.at, at)
            if on == TRUNCATED:
                self._until_whole()
            elif on.weekday() == 1:
                self._two_at_once()
            else:
                self._poll()

    def _poll(self) -> bool:
        """Poll as the schedule does, which tries a failed invocation again."""
        for wait in (timedelta(), *_RETRIES):
            self.night.at += wait
            if not self._problem():
                return True
        return False

    def _problem(self) -> str:
        began = self.night.at
        try:
            self.night.run(api=True)
        except FeedError as exc:
            self.polls.append(Poll(at=began, problem=str(exc)))
            return str(exc)
        self.polls.append(Poll(at=began))
        return ""

    def _until_whole(self) -> None:
        """Ask as often as an answer is cut, each time a little later."""
        for _ in self.truncations:
            if not self._problem():
                return
            self.night.at += timedelta(minutes=1)
        self._problem()

    def _two_at_once(self) -> None:
        """Two invocations of the schedule at the same moment, as it may happen."""
        both = threading.Barrier(2)

        def fetcher() -> None:
            both.wait()
            self._problem()

        threads = [threading.Thread(target=fetcher) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _publish(self) -> None:
        try:
            publish(_press(self._settings), Order(categories={}, healing=True), now=self.night.at)
        except PaperpostError as exc:
            self.alarms.append(f"{self.night.at:%F}: {exc}")


def due_on(on: date) -> list[datetime]:
    """When template.yaml has fetch poll on the Eastern date *on* (UTC)."""
    declared = source_template()["Resources"]["FetchFunction"]["Properties"]["Events"]["Poll"]
    schedule = Schedule(
        name="fetch",
        expression=declared["Properties"]["ScheduleExpression"],
        zone=declared["Properties"]["ScheduleExpressionTimezone"],
        function="fetch",
        payload="",
    )
    begins = [datetime.combine(on + timedelta(days=n), time(), EASTERN) for n in (0, 1)]
    start, end = (at.astimezone(UTC) - timedelta(seconds=1) for at in begins)
    return due_between(schedule, start, end)


def script(days: int) -> list[ScriptedDay]:
    """What arXiv announces: ordinary days, cross-lists added later, days of thousands."""
    quiet = {*QUIET, PUT_OFF}
    written = write_script(
        first=FIRST, days=days, categories=CATEGORIES, quiet=quiet, seed=60, most=14
    )
    last = {paper.arxiv_id: day.on for day in written for paper in day.papers}
    crossed = {
        day.on: paper
        for before, day in pairwise(written)
        if day.on.weekday() == 3 and day.on < _OUTAGE[0]  # days whose feeds can be read
        for paper in before.papers
        if paper.version == 1 and last[paper.arxiv_id] == before.on
    }
    return [_with_more(day, crossed.get(day.on)) for day in written]


def _with_more(day: ScriptedDay, crossed: ScriptedPaper | None) -> ScriptedDay:
    """*day* with its thousands, and with a cross-list of a paper of the day before."""
    extra = list[ScriptedPaper]()
    if day.on == MANY_TOGETHER:
        extra += (_plain(day.on, n, CATEGORIES[n % 5]) for n in range(2_300))
    if day.on == TRUNCATED:
        extra += (_plain(day.on, n, CATEGORIES[n % 5]) for n in range(25))
    if day.on == MANY_IN_ONE:
        extra += (_plain(day.on, n, "cs.LG") for n in range(2_150))
    if crossed is not None:
        others = [c for c in CATEGORIES if c not in crossed.categories]
        extra.append(replace(crossed, late_cross_in=(others[0],), submitted_at=None))
    return replace(day, papers=(*day.papers, *extra))


def _plain(on: date, number: int, category: str) -> ScriptedPaper:
    # The feed names a category of statistics theory by both its names.
    categories = (category, "stat.TH") if category == "math.ST" else (category,)
    return ScriptedPaper(
        arxiv_id=f"{on:%y%m}.{10_000 + number:05}",
        title=f"One of Many: {number}",
        categories=categories,
    )


def truncations(night: Night, days: Sequence[ScriptedDay]) -> list[Fault]:
    """A fault for every 500th byte of the feed of that day, after the first (see FAULTS)."""
    first = FAULTS["truncated at byte 500"]
    kept, night.at = night.at, datetime.combine(TRUNCATED, time(1), EASTERN).astimezone(UTC)
    path = f"/rss/{'+'.join(CATEGORIES)}"
    size = len(night.serving(days).answer(path, {}).body)
    night.at = kept
    return [replace(first, at_byte=at) for at in range(_TRUNCATED_EVERY, size, _TRUNCATED_EVERY)]


def leave(replay: Replay, out: Path, cloud: Cloud) -> None:
    """Write what is judged into *out*."""
    dates = replay.dates
    announced = truth([day for day in replay.script if day.on in dates], CATEGORIES)
    _write(out / "script.json", _told(replay, announced))
    _write_lines(out / "tables.jsonl", replay.night.items().values())
    _write_lines(out / "requests.jsonl", map(asdict, replay.server.log))
    _write_lines(out / "polls.jsonl", map(asdict, replay.polls))
    _write(out / "faults.json", {"faults": list(_faults(replay)), "alarms": replay.alarms})
    s3 = clients.s3()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=cloud.bucket):
        for found in page.get("Contents", ()):
            path = out / "site" / found["Key"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(s3.get_object(Bucket=cloud.bucket, Key=found["Key"])["Body"].read())


def _told(replay: Replay, announced: Mapping[tuple[date, str], Any]) -> dict[str, Any]:
    newest = {p.arxiv_id: p for day in replay.script for p in day.papers if not p.late_cross_in}
    return {
        "categories": CATEGORIES,
        "dates": replay.dates,
        "listings": [
            {"on": on, "category": category, "id": arxiv_id, "version": version, "type": told}
            for (on, category), papers in announced.items()
            for arxiv_id, (version, told) in papers.items()
        ],
        "papers": {
            i: {"version": p.version, "title": p.title, "withdrawn": p.withdrawn}
            for i, p in newest.items()
        },
        "quiet": {on: reason for on, reason in QUIET.items() if on in replay.dates},
        "put_off": [on for on in [PUT_OFF] if on in replay.dates],
    }


def _faults(replay: Replay) -> Iterator[dict[str, Any]]:
    last = replay.dates[-1]
    for name, fault in FAULTS.items():
        if fault.on is not None and fault.on <= last:
            yield {"name": name, "on": fault.on, "struck": replay.server.struck(fault)}
    if last >= TRUNCATED:
        struck = sum(map(replay.server.struck, replay.truncations))
        said = f"truncated at each of {len(replay.truncations)} multiples of 500 bytes"
        yield {"name": said, "on": TRUNCATED, "struck": struck}
    for name, on in (("2,000 cut", MANY_TOGETHER), ("2,000 cut in one category", MANY_IN_ONE)):
        if on <= last:
            asked = [r for r in replay.server.log if r.endpoint == "feed" and _date(r.at) == on]
            yield {"name": name, "on": on, "struck": len(asked)}


def _date(at: datetime) -> date:
    return at.astimezone(EASTERN).date()


def _write(path: Path, value: Mapping[Any, Any]) -> None:
    keyed = {str(k): v for k, v in value.items()}
    if "quiet" in keyed:
        keyed["quiet"] = {str(k): v for k, v in keyed["quiet"].items()}
    path.write_text(json.dumps(keyed, default=_plain_json), encoding="utf-8")


def _write_lines(path: Path, values: Any) -> None:
    lines = (json.dumps(value, default=_plain_json, ensure_ascii=False) for value in values)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _plain_json(value: object) -> Any:
    return int(value) if isinstance(value, Decimal) else str(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the days and leave what is judged."""
    parser = argparse.ArgumentParser(description="Play sixty days of a made-up arXiv.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--days", type=int, default=DAYS)
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    logger.setLevel("CRITICAL")
    with moto_cloud() as cloud:
        replay = Replay(cloud, given.days)
        replay.run()
        leave(replay, given.out, cloud)
    return 0


if __name__ == "__main__":
    sys.exit(main())
