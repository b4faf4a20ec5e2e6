"""
Judge two runs of tests/support/overlay_replay.py: a model that is well, and one that is dead.

It imports nothing of the service. Usage: python tests/oracle/overlay_check.py --well OUT --dead OUT
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from operator import gt
from pathlib import Path
from typing import Any

import yaml

# As a script this file is not in a package: `oracle` lies one folder up.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oracle.findings import Finding, finding

_MONITORING = Path(__file__).resolve().parents[2] / "monitoring.yaml"
# design.md: publish waits 30 minutes for translations, and looks every five.
LONGEST_WAIT = timedelta(minutes=30 + 5)
_NEEDED = "EnrichProviderDownAlarm"
PENDING = "翻译待补"


@dataclass(frozen=True)
class Run:
    """What one run left."""

    script: Mapping[str, Any]
    end: Mapping[str, Any]
    seen: Sequence[Mapping[str, Any]]
    metrics: Sequence[Mapping[str, Any]]
    site: Path

    @cached_property
    def entries(self) -> dict[tuple[str, str], str]:
        """Category and id of every paper that must be an entry → the date of its announcement."""
        found: dict[tuple[str, str], str] = {}
        for row in self.script["listings"]:
            if row["type"] in {"new", "cross"}:
                found.setdefault((row["category"], row["id"]), row["on"])
        return found

    @cached_property
    def first_seen(self) -> dict[tuple[str, str], tuple[datetime, bool]]:
        """Category and id → when a reader first saw it, and whether it was pending then."""
        found: dict[tuple[str, str], tuple[datetime, bool]] = {}
        for look in self.seen:
            for tag in look["ids"]:
                key = (look["category"], _id(tag))
                found.setdefault(key, (_time(look["at"]), tag in look["pending"]))
        return found

    @cached_property
    def days(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """Category and date (UTC) → the last look at its feed on that day."""
        return {(look["category"], look["at"][:10]): look for look in self.seen}


def check_overlay(well: Run, dead: Run, monitoring: Mapping[str, Any]) -> list[Finding]:
    """One finding a check."""
    return [
        _published("well: published", well),
        _pending_first("well: first published untranslated", well, expected=0),
        _published("dead: published, within the hold", dead),
        _pending_first("dead: first published labelled", dead, expected=len(dead.entries)),
        _as_long(well, dead),
        _never_shrinks(dead),
        _alarms("well: alarms raised", well, monitoring, expected=set()),
        _alarms("dead: alarms raised", dead, monitoring, expected={_NEEDED}),
        _calls(well, dead),
        _recovered(dead),
        _same_ids(dead),
    ]


def _published(name: str, run: Run) -> Finding:
    """Every paper stands in its category's feed, at the latest when the hold is over."""
    complete = {(r["category"], r["on"]): _time(r["at"]) for r in run.script["completed_at"]}
    waits, wrong = list[timedelta](), list[str]()
    for (category, arxiv_id), on in run.entries.items():
        if (category, arxiv_id) not in run.first_seen:
            wrong.append(f"{arxiv_id} never stood in {category}")
            continue
        waits.append(run.first_seen[category, arxiv_id][0] - complete[category, on])
        if waits[-1] > LONGEST_WAIT:
            wrong.append(f"{arxiv_id} of {category} waited {waits[-1]}")
    longest = int(max(waits, default=timedelta()).total_seconds() // 60)
    return finding(name, f"{len(waits)} of {len(run.entries)}, after {longest} min at most", wrong)


def _pending_first(name: str, run: Run, *, expected: int) -> Finding:
    pending = sum(is_pending for _, is_pending in run.first_seen.values())
    wrong = [] if pending == expected else [f"{expected} expected"]
    return finding(name, f"{pending} of {len(run.first_seen)}", wrong)


def _as_long(well: Run, dead: Run) -> Finding:
    """Day for day the same entries in the same order."""
    wrong = list[str]()
    for (category, on), look in well.days.items():
        ids = dead.days[category, on]["ids"] if (category, on) in dead.days else []
        wrong += [f"{category} {on}: {ids}, not {look['ids']}"] if ids != look["ids"] else []
    entries = sum(len(look["ids"]) for look in well.days.values())
    figure = f"{len(well.days)} feeds of a day, {entries} entries in each of both runs"
    return finding("feeds as long as with a model that is well", figure, wrong)


def _never_shrinks(run: Run) -> Finding:
    """No look finds less than one of the two newest days that stood there before."""
    wrong = list[str]()
    for category in {look["category"] for look in run.seen}:
        looks = [look for look in run.seen if look["category"] == category]
        empty = [look["at"] for look in looks if not look["ids"]]
        wrong += [f"{category} was empty at {at}" for at in empty]
        wrong += [
            f"{category} lost its newest entry at {after['at']}"
            for before, after in pairwise(looks)
            if before["ids"] and before["ids"][0] not in after["ids"]
        ]
    return finding("dead: feeds never empty or go back", f"{len(run.seen)} looks", wrong)


def _alarms(name: str, run: Run, monitoring: Mapping[str, Any], *, expected: set[str]) -> Finding:
    raised = Counter(_raised(run, monitoring))
    figure = ", ".join(f"{alarm} in {n} periods" for alarm, n in sorted(raised.items())) or "none"
    wrong = [f"{alarm} is silent" for alarm in expected - raised.keys()]
    wrong += [f"{alarm} cries" for alarm in raised.keys() - expected]
    return finding(name, figure, wrong)


def _raised(run: Run, monitoring: Mapping[str, Any]) -> Iterator[str]:
    """The alarms of monitoring.yaml over our own metrics, once for each period that raises them."""
    for name, resource in monitoring["Resources"].items():
        told = resource.get("Properties", {}) if isinstance(resource, dict) else {}
        if told.get("Namespace") != "Paperpost" or told.get("ComparisonOperator") != (
            "GreaterThanThreshold"
        ):
            continue
        periods: dict[int, list[float]] = {}
        for metric in run.metrics:
            if told["MetricName"] in metric:
                period = int(_time(metric["at"]).timestamp() // told["Period"])
                periods.setdefault(period, []).append(metric[told["MetricName"]])
        statistic = {"Maximum": max, "Sum": sum}[told["Statistic"]]
        for values in periods.values():
            if gt(statistic(values), told["Threshold"]):
                yield name


def _calls(well: Run, dead: Run) -> Finding:
    """One call a text; a dead model is left alone, and fills no dead-letter queue."""
    texts = well.script["texts"]
    wrong = [] if well.end["asked"] == texts else [f"{well.end['asked']} calls, not {texts}"]
    wrong += [f"{run.end['dead_letters']} dead letters" for run in (well, dead) if _dead(run)]
    figure = f"{texts} texts, {well.end['asked']} and {dead.end['asked']} calls, 0 dead letters"
    return finding("calls", figure, wrong)


def _dead(run: Run) -> bool:
    return bool(run.end["dead_letters"])


def _recovered(run: Run) -> Finding:
    """Everything is translated in the end: in the table, in every day's data, in every file."""
    left = [s["id"] for s in run.end["states"] if s["state"] != "ok"]
    wrong = [f"{arxiv_id} is not translated" for arxiv_id in left]
    last: dict[str, Mapping[str, Any]] = {look["category"]: look for look in run.seen}
    wrong += [f"{c} still shows {len(look['pending'])}" for c, look in last.items() if _shows(look)]
    pages = 0
    for category, on in {(r["category"], r["on"]) for r in run.script["listings"]}:
        pages += 1
        page = run.site / category / f"{on}.json"
        records = json.loads(page.read_text(encoding="utf-8"))["records"] if page.exists() else []
        wrong += [] if records else [f"{category}/{on} is not there"]
        lacking = [r["id"] for r in records if r["enrichments"].get("zh", {}).get("state") != "ok"]
        wrong += [f"{category}/{on} lacks {arxiv_id}" for arxiv_id in lacking]
    files = [path for path in run.site.rglob("*.*") if path.is_file()]
    labelled = [path for path in files if PENDING in path.read_text(encoding="utf-8")]
    wrong += [f"{path.name} is labelled" for path in labelled]
    figure = f"{len(run.end['states']) - len(left)} of {len(run.end['states'])}, {pages} days' data"
    return finding("dead: upgraded when the model is well again", figure, wrong)


def _shows(look: Mapping[str, Any]) -> bool:
    return bool(look["pending"])


def _same_ids(run: Run) -> Finding:
    """The last feeds hold the ids and the order that they had before the model recovered."""
    before, after = dict[str, Any](), dict[str, Any]()
    for look in run.seen:
        target = before if look["pending"] or look["category"] not in before else after
        target[look["category"]] = look["ids"]
    wrong = [c for c, ids in after.items() if ids != before[c]]
    wrong += [c for c in before if c not in after]
    entries = sum(map(len, after.values()))
    return finding("dead: upgraded under the same ids", f"{entries} entries", wrong)


def _id(tag: str) -> str:
    return tag.rpartition(":")[2]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def read_run(out: Path) -> Run:
    """What lies in *out*."""
    return Run(
        script=json.loads((out / "script.json").read_text(encoding="utf-8")),
        end=json.loads((out / "end.json").read_text(encoding="utf-8")),
        seen=_lines(out / "seen.jsonl"),
        metrics=_lines(out / "metrics.jsonl"),
        site=out / "site",
    )


def read_monitoring(path: Path = _MONITORING) -> Any:
    """monitoring.yaml as plain values; intrinsic functions become None."""

    class Loader(yaml.SafeLoader):
        """Knows no intrinsic function."""

    Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)
    return yaml.load(path.read_text(encoding="utf-8"), Loader)


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line a check and return the exit status."""
    parser = argparse.ArgumentParser(description="Judge a run with a model, and one without.")
    parser.add_argument("--well", type=Path, required=True)
    parser.add_argument("--dead", type=Path, required=True)
    given = parser.parse_args(arguments)
    findings = check_overlay(read_run(given.well), read_run(given.dead), read_monitoring())
    sys.stdout.write("".join(f"{found.line}\n" for found in findings))
    return 0 if all(found.ok for found in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
