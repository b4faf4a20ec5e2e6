"""
Judge what tests/support/arxiv_replay.py left: the tables against the script that arXiv played.

It imports nothing of the service: a second opinion, written from the specification.
Usage: python tests/oracle/fetch_check.py --out OUT
"""

import argparse
import json
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

# As a script this file is not in a package: `oracle` lies one folder up.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oracle.findings import Finding, finding

EASTERN = ZoneInfo("America/New_York")
# arXiv's terms of use: one request in three seconds, over all its endpoints together.
# https://info.arxiv.org/help/api/tou.html, read 2026-11-23.
LEAST_GAP_S = 3.0
_FIRST_SIGHT = frozenset({"new", "cross"})
_RANKS = {"new": "0", "cross": "1", "replace": "2", "replace-cross": "3"}

Key = tuple[str, str]  # category, date


@dataclass(frozen=True)
class Played:
    """What a replay left, as it lies in its files."""

    script: Mapping[str, Any]
    items: Sequence[Mapping[str, Any]]
    requests: Sequence[Mapping[str, Any]]
    polls: Sequence[Mapping[str, Any]]
    faults: Mapping[str, Any]
    site: Path

    @cached_property
    def announced(self) -> dict[Key, dict[str, tuple[int, str]]]:
        """Category and date → id → version and type, as the script has it."""
        found: dict[Key, dict[str, tuple[int, str]]] = {
            (category, on): {} for category in self.categories for on in self.due
        }
        for row in self.script["listings"]:
            found[row["category"], row["on"]][row["id"]] = (row["version"], row["type"])
        return found

    @cached_property
    def listed(self) -> dict[Key, dict[str, tuple[int, str]]]:
        """The same as the table has it."""
        found: dict[Key, dict[str, tuple[int, str]]] = defaultdict(dict)
        for item in self.rows("LIST#"):
            _, category, on = item["pk"].split("#")
            found[category, on][item["arxiv_id"]] = (item["version"], item["announce_type"])
        return found

    @cached_property
    def announcements(self) -> dict[Key, Mapping[str, Any]]:
        """Category and date → the announcement."""
        found = self.rows("CATEGORY#")
        return {(item["pk"].removeprefix("CATEGORY#"), item["sk"]): item for item in found}

    @cached_property
    def papers(self) -> dict[str, Mapping[str, Any]]:
        """Id → the stored paper."""
        return {
            item["pk"].removeprefix("PAPER#"): item["body"]
            for item in self.rows("PAPER#")
            if item["sk"] == "PAPER"
        }

    @property
    def categories(self) -> Sequence[str]:
        """The configured categories."""
        return list(self.script["categories"])

    @property
    def due(self) -> list[str]:
        """The dates on which arXiv announced something."""
        quiet = {*self.script["quiet"], *self.script["put_off"]}
        days = [date.fromisoformat(on) for on in self.script["dates"]]
        return [f"{on}" for on in days if on.weekday() < 5 and f"{on}" not in quiet]

    def rows(self, prefix: str) -> list[Mapping[str, Any]]:
        """The items whose partition begins so."""
        return [item for item in self.items if item["pk"].startswith(prefix)]


def check_played(played: Played) -> list[Finding]:
    """One finding a check; the replay went well if all of them are ok."""
    return [
        _listings(played, "lost", _lost),
        _listings(played, "repeated", _repeated),
        _listings(played, "misdated", _misdated),
        _listings(played, "told wrongly", _told_wrongly),
        _keys(played),
        _states(played),
        _papers(played),
        _metadata(played),
        _watermarks(played),
        _receipts(played),
        _pages(played),
        _pace(played),
        *_faults(played),
        *_days(played),
    ]


def _days(played: Played) -> Iterator[Finding]:
    """For recorded days, the file's own counts by type beside the table's."""
    for on, counts in played.script["recorded"].items():
        stored = Counter(
            kind
            for (_, day), found in played.listed.items()
            if day == on
            for _, kind in found.values()
        )
        told = "; ".join(f"{kind} {counts.get(kind, 0)} = {stored[kind]}" for kind in _RANKS)
        wrong = [kind for kind in _RANKS if counts.get(kind, 0) != stored[kind]]
        yield finding(on, told if counts else "no announcement", wrong)


def _listings(played: Played, name: str, problems: Any) -> Finding:
    found = list(problems(played))
    total = sum(map(len, played.announced.values()))
    return finding(name, f"{len(found)} of {total} listings", found)


def _lost(played: Played) -> Iterator[str]:
    """What was announced in a category, and that version is listed there on no day."""
    anywhere = {
        (category, arxiv_id, version)
        for (category, _), found in played.listed.items()
        for arxiv_id, (version, _) in found.items()
    }
    for (category, on), papers in played.announced.items():
        for arxiv_id, (version, _) in papers.items():
            if (category, arxiv_id, version) not in anywhere:
                yield f"{arxiv_id}v{version} of {category} {on}"


def _repeated(played: Played) -> Iterator[str]:
    """A version twice in a category, or a paper twice as something never seen."""
    for category in played.categories:
        versions, firsts = Counter[tuple[str, int]](), Counter[str]()
        for (c, _), found in played.listed.items():
            if c == category:
                told = found.items()
                versions.update((i, v) for i, (v, kind) in told if kind not in _FIRST_SIGHT)
                firsts.update(i for i, (_, kind) in told if kind in _FIRST_SIGHT)
        yield from (f"{i}v{v} twice in {category}" for (i, v), n in versions.items() if n > 1)
        yield from (f"{i} new twice in {category}" for i, n in firsts.items() if n > 1)


def _misdated(played: Played) -> Iterator[str]:
    """What the table lists on a date on which arXiv did not."""
    for (category, on), found in played.listed.items():
        announced = played.announced.get((category, on), {})
        yield from (f"{i} on {category} {on}" for i in found if i not in announced)


def _told_wrongly(played: Played) -> Iterator[str]:
    """The right paper on the right date, but another version or type."""
    for (category, on), found in played.listed.items():
        announced = played.announced.get((category, on), {})
        for arxiv_id, told in found.items():
            if arxiv_id in announced and announced[arxiv_id] != told:
                yield f"{arxiv_id} on {category} {on}: {told}, not {announced[arxiv_id]}"


def _keys(played: Played) -> Finding:
    """Every listing lies under the key of its own category, date, type and id."""
    rows = [item for item in played.items if item["pk"].startswith("LIST#")]
    wrong = [
        f"{item['pk']} {item['sk']}"
        for item in rows
        if item["pk"] != f"LIST#{item['category']}#{item['announced_on']}"
        or item["sk"] != f"{_RANKS[item['announce_type']]}#{item['arxiv_id']}"
    ]
    return finding("keys", f"{len(rows)} listings", wrong)


def _states(played: Played) -> Finding:
    """Every due day is complete with arXiv's own count, every other quiet with its reason."""
    return finding(
        "announcements", f"{len(played.announcements)} announcements", _state_problems(played)
    )


def _state_problems(played: Played) -> Iterator[str]:
    for key, papers in played.announced.items():
        found = played.announcements.get(key, {})
        told = (found.get("state"), found.get("announced"), found.get("stored"))
        if told != ("complete", len(papers), len(papers)):
            yield f"{' '.join(key)}: {told}, not complete with {len(papers)}"
    for category in played.categories:
        for on in played.script["dates"]:
            found = played.announcements.get((category, on), {})
            yield from _quiet_problems(played, category, on, found)


def _quiet_problems(
    played: Played, category: str, on: str, found: Mapping[str, Any]
) -> Iterator[str]:
    reason = played.script["quiet"].get(on)
    if date.fromisoformat(on).weekday() > 4:
        reason = "weekend"
    if reason and (found.get("state"), found.get("reason")) != ("quiet", reason):
        yield f"{category} {on} is {found.get('state')}, not quiet because of {reason}"
    told = (found.get("state"), found.get("announced"), found.get("stored"))
    if on in played.script["put_off"] and told != ("complete", 0, 0):
        yield f"{category} {on}: {told}, though arXiv put it off"


def _papers(played: Played) -> Finding:
    """Every announced paper is stored once, at the newest version that arXiv announced."""
    listed = {i for papers in played.announced.values() for i in papers}
    wrong = list[str]()
    for arxiv_id in sorted(listed):
        wanted, found = played.script["papers"][arxiv_id], played.papers.get(arxiv_id)
        if found is None:
            wrong.append(f"{arxiv_id} is not stored")
        elif found["version"] not in wanted["versions"] or not _same(found, wanted, "title"):
            wrong.append(f"{arxiv_id} is stored as v{found['version']}, {found['title']!r}")
        elif wanted["withdrawn"] not in {None, bool(found.get("withdrawn"))}:
            wrong.append(f"{arxiv_id} is withdrawn: {wanted['withdrawn']}, not stored so")
    strangers = sorted(set(played.papers) - listed)
    return finding(
        "papers", f"{len(listed)} papers", [*wrong, *(f"{i} unheard" for i in strangers)]
    )


def _same(found: Mapping[str, Any], wanted: Mapping[str, Any], name: str) -> bool:
    """Whether both tell the same but for what TeX and Unicode write differently."""
    return _letters(found.get(name, "")) == _letters(wanted[name])


def _letters(text: str) -> str:
    """Letters and digits, without dashes, quotes and spaces."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text)))


def _metadata(played: Played) -> Finding:
    """What the API alone tells has come in the end, though it was dead or wrong at times."""
    wrong, told = list[str](), 0
    for arxiv_id, wanted in played.script["papers"].items():
        found = played.papers.get(arxiv_id)
        if found is None or found["version"] != wanted["version"]:
            continue
        told += 1
        if not found.get("submitted_at") or not found.get("updated_at"):
            wrong.append(f"{arxiv_id} has no times")
        # None: a real comment, whose TeX is not what is stored.
        elif wanted["comment"] is not None and not _same(found, wanted, "comment"):
            wrong.append(f"{arxiv_id} has the comment {found.get('comment')!r}")
    return finding("metadata", f"{told} papers", wrong)


def _watermarks(played: Played) -> Finding:
    """Each category's stands on the newest due date: everything of it and before is stored."""
    marks = {item["sk"]: item.get("until") for item in played.rows("FETCH")}
    newest = max(played.due, default=None)
    wrong = [
        f"{c}: {marks.get(c)}, not {newest}" for c in played.categories if marks.get(c) != newest
    ]
    return finding("watermarks", f"{len(played.categories)} at {newest}", wrong)


def _receipts(played: Played) -> Finding:
    """status.json shows arXiv's own counts for the days that it shows, and that they add up."""
    path = played.site / "status.json"
    if not path.exists():
        return finding("receipts", "none", ["status.json is not there"])
    status = json.loads(path.read_text(encoding="utf-8"))
    rows = [(d["announced_on"], row) for d in status["dates"] for row in d["categories"]]
    wrong = [] if rows and status["adds_up"] else ["no receipt, or one that does not add up"]
    for on, row in rows:
        wanted = len(played.announced.get((row["category"], on), {}))
        counts = [row[name] for name in ("announced", "stored", "listed", "published")]
        if counts != [wanted] * len(counts):
            wrong.append(f"{row['category']} {on}: {counts}, not {wanted} each")
    return finding("receipts", f"{len(rows)} shown", wrong)


def _pages(played: Played) -> Finding:
    """Every announcement's data file lists exactly what arXiv announced."""
    wrong, pages = list[str](), 0
    for (category, on), papers in played.announced.items():
        if not papers:
            continue
        path = played.site / category / f"{on}.json"
        if not path.exists():
            wrong.append(f"{category}/{on}.json is not there")
            continue
        pages += 1
        rows = json.loads(path.read_text(encoding="utf-8"))["records"]
        told = {row["id"]: (row["listed_version"], row["announce_type"]) for row in rows}
        if told != papers or len(rows) != len(told):
            wrong.append(f"{category}/{on}.json lists {len(rows)}, not {len(papers)}")
    return finding("published", f"{pages} days", wrong)


def _pace(played: Played) -> Finding:
    """Three seconds between any two requests, by name, to nothing but arXiv's endpoints."""
    times = sorted(_time(request["at"]) for request in played.requests)
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    wrong = [f"a gap of {gap:.3f} s" for gap in gaps if gap < LEAST_GAP_S]
    wrong += [
        f"nobody to write to in {request['user_agent']!r}"
        for request in played.requests
        if "mailto:" not in request["user_agent"]
    ]
    wrong += [f"asked for {r['target']}" for r in played.requests if not r["endpoint"]]
    figure = f"{len(times)} requests, the smallest gap {min(gaps, default=0):.1f} s"
    return finding("pace", figure, wrong)


def _faults(played: Played) -> Iterator[Finding]:
    """Each fault struck, what the first poll after it said, and when the day was whole."""
    for fault in played.faults["faults"]:
        on = date.fromisoformat(fault["on"])
        said = [
            poll["problem"]
            for poll in played.polls
            if poll["problem"] and _time(poll["at"]).astimezone(EASTERN).date() == on
        ]
        whole = [
            _time(found["completed_at"]).astimezone(EASTERN)
            for (_, day), found in played.announcements.items()
            if day == fault["on"] and found.get("completed_at")
        ]
        when = f"whole on {max(whole):%a %d %b, %H:%M}" if whole else "quiet"
        figure = f"{on:%a %d %b}, struck {fault['struck']}×, {len(said)} polls failed, {when}"
        never = [] if fault["struck"] and not fault["never"] else ["not all of it struck"]
        yield finding(fault["name"], figure, never)


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def read_played(out: Path) -> Played:
    """What lies in *out*."""
    return Played(
        script=json.loads((out / "script.json").read_text(encoding="utf-8")),
        items=_lines(out / "tables.jsonl"),
        requests=_lines(out / "requests.jsonl"),
        polls=_lines(out / "polls.jsonl"),
        faults=json.loads((out / "faults.json").read_text(encoding="utf-8")),
        site=out / "site",
    )


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line a check and return the exit status."""
    parser = argparse.ArgumentParser(description="Judge a replay from its script.")
    parser.add_argument("--out", type=Path, required=True)
    findings = check_played(read_played(parser.parse_args(arguments).out))
    sys.stdout.write("".join(f"{found.line}\n" for found in findings))
    return 0 if all(found.ok for found in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
