"""
Days of a made-up arXiv, polled as template.yaml schedules it and published once a day.

Usage: python -m support.arxiv_replay --out OUT [--days N | --series FOLDER]. OUT then holds what
tests/oracle/fetch_check.py judges: script.json (what arXiv announced), tables.jsonl (the Papers
table), site/, requests.jsonl, polls.jsonl and faults.json.
"""

import argparse
import json
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from paperpost import clients
from paperpost.domain.errors import FeedError, PaperpostError
from paperpost.observe import logger, metrics
from paperpost.publish.handler import Order, _press, publish
from paperpost.settings import PublishSettings
from paperpost_cli.cloud.schedules import Schedule, due_between
from support.arxiv_scenarios import DAYS, Scenario, daily_series, sixty_days
from support.arxiv_script import EASTERN, truth
from support.aws import Cloud, moto_cloud
from support.nights import Night
from support.template import source_template

_PUBLISHED_AT = time(13, 30)
# Lambda tries a failed event again after 1 and after 2 minutes, as often as template.yaml says.
# Source: Lambda developer guide, 'Error handling for asynchronous invocation', read 2026-11-26.
_RETRIES = (timedelta(minutes=1), timedelta(minutes=2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One poll and what came of it; `problem` is empty if it went well."""

    at: datetime
    problem: str = ""


class Replay:
    """The days, one after the other, on tables in process and a server on loopback."""

    def __init__(self, cloud: Cloud, scenario: Scenario) -> None:
        start = datetime.combine(scenario.dates[0], time(), EASTERN).astimezone(UTC)
        self.scenario = scenario
        self.night = Night(cloud, scenario.categories, at=start)
        faults = [fault for some in scenario.faults.values() for fault in some]
        self.server = self.night.serving(scenario.script, *faults, oai_page_size=200)
        self.polls = list[Poll]()
        self.alarms = list[str]()
        self._settings = PublishSettings(
            papers_table=cloud.papers,
            site_bucket=cloud.bucket,
            site_url="https://paperpost.example",
            categories=scenario.categories,
            contact_mail="ops@example.org",
        )

    def run(self) -> None:
        """Every poll of every day, and what is published of it."""
        with self.server.over_loopback():
            for on in self.scenario.dates:
                self._polls_of(on)
                self.night.wait_until(on, _PUBLISHED_AT)
                self._publish()
                metrics.clear_metrics()  # each invocation has its own

    def _polls_of(self, on: date) -> None:
        if on == self.scenario.lease_left:
            self.night.wait_until(on, time(0, 20))
            until = self.night.at + timedelta(minutes=10)
            assert self.night.notes.take_lease("dead", until=until, now=self.night.at) is not None
        for at in due_on(on):
            self.night.at = max(self.night.at, at)
            if on in self.scenario.asked_until_whole:
                self._until_whole()
            elif on.weekday() == self.scenario.two_at_once:
                self._two_at_once()
            else:
                self._poll()

    def _poll(self) -> bool:
        """Poll as the schedule does; Lambda tries a failed event again."""
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
        while self._problem():
            self.night.at += timedelta(minutes=1)

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


def leave(replay: Replay, out: Path, cloud: Cloud) -> None:
    """Write what is judged into *out*."""
    _write(out / "script.json", _told(replay.scenario))
    _write_lines(out / "tables.jsonl", replay.night.items().values())
    _write_lines(out / "requests.jsonl", map(asdict, replay.server.log))
    _write_lines(out / "polls.jsonl", map(asdict, replay.polls))
    _write(out / "faults.json", {"faults": list(_faults(replay)), "alarms": replay.alarms})
    leave_site(out, cloud)


def leave_site(out: Path, cloud: Cloud) -> None:
    """Write the bucket's files below OUT/site."""
    s3 = clients.s3()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=cloud.bucket):
        for found in page.get("Contents", ()):
            path = out / "site" / found["Key"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(s3.get_object(Bucket=cloud.bucket, Key=found["Key"])["Body"].read())


def _told(played: Scenario) -> dict[str, Any]:
    days = [day for day in played.script if day.on in played.dates]
    written = [p for day in days for p in day.papers if not p.late_cross_in]
    newest = {p.arxiv_id: p for p in written if p.type_in(p.categories)}
    beyond = {p.arxiv_id: p.version for p in written}  # in no feed, but OAI-PMH tells it
    return {
        "categories": played.categories,
        "dates": played.dates,
        "listings": [
            {"on": on, "category": category, "id": arxiv_id, "version": version, "type": told}
            for (on, category), papers in truth(days, played.categories).items()
            for arxiv_id, (version, told) in papers.items()
        ],
        "papers": {
            i: {
                "version": p.version,
                "versions": sorted({p.version, beyond[i]}),
                "title": p.title,
                "comment": None if played.recorded else p.comment,
                "withdrawn": None if played.recorded else p.withdrawn,  # words alone tell it
            }
            for i, p in newest.items()
        },
        "quiet": {str(on): reason for on, reason in played.quiet.items()},
        "put_off": sorted(played.put_off),
        "recorded": {str(on): counts for on, counts in played.recorded.items()},
    }


def _faults(replay: Replay) -> Iterator[dict[str, Any]]:
    """Each fault by its name, and how many answers had it."""
    for name, faults in replay.scenario.faults.items():
        struck = [replay.server.struck(fault) for fault in faults]
        yield {"name": name, "on": faults[0].on, "struck": sum(struck), "never": struck.count(0)}
    for name, on in replay.scenario.cut_on.items():
        yield {"name": name, "on": on, "struck": replay.server.cut[on], "never": 0}


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, default=_plain_json), encoding="utf-8")


def _write_lines(path: Path, values: Iterable[Any]) -> None:
    lines = (json.dumps(value, default=_plain_json, ensure_ascii=False) for value in values)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _plain_json(value: object) -> Any:
    return int(value) if isinstance(value, Decimal) else str(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the days and leave what is judged."""
    parser = argparse.ArgumentParser(description="Play days of a made-up arXiv.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--days", type=int, default=DAYS, help="the first of sixty days")
    parser.add_argument("--series", type=Path, help="recorded days of one category instead")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    logger.setLevel("CRITICAL")
    scenario = daily_series(given.series) if given.series else sixty_days(given.days)
    with moto_cloud() as cloud:
        replay = Replay(cloud, scenario)
        replay.run()
        leave(replay, given.out, cloud)
    return 0


if __name__ == "__main__":
    sys.exit(main())
