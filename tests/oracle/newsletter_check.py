"""
Judge what `support.newsletter_replay` left: who got which paper, against what everybody asked for.

It imports nothing of the service: a second opinion, written from the specification. Usage: python
tests/oracle/newsletter_check.py --out OUT. Its last check puts faults into the mailbox that it
has just judged, one at a time, and fails unless each is found.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

# As a script this file is not in a package: `oracle` lies one folder up.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oracle.checklist import check_forms
from oracle.findings import Finding, finding
from oracle.letters import read_mails
from oracle.newsletter_letters import Letter, end_of, faults_in, read_letters
from oracle.owed import Issue, Owed, Reader, World, read_people, read_world
from oracle.wishes import Wishes

# A thousand letters take some minutes from when compose looks for what is due.
_WITHIN = timedelta(minutes=20)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was owed and what came, in papers to readers, and what is wrong, by check."""

    expected: int = 0
    got: int = 0
    late: int = 0
    again: int = 0
    withdrawn: int = 0
    swapped: int = 0
    capped: int = 0
    hours: Counter[str] = field(default_factory=Counter)
    letters: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    misplaced: list[str] = field(default_factory=list)
    untimely: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was left. `looks`: when compose ran; `statuses`: how each address ended."""

    world: World
    readers: Sequence[Reader]
    letters: Sequence[Letter]
    statuses: Mapping[str, str]
    looks: Sequence[datetime]


def judge(run: Run) -> list[Finding]:
    """One finding a check."""
    world, readers, letters, statuses = run.world, run.readers, run.letters, run.statuses
    tally = Tally()
    by_key = defaultdict[tuple[str, str], list[Letter]](list)
    for letter in letters:
        by_key[letter.to, letter.issue].append(letter)
    for reader in readers:
        _judge_reader(reader, run, by_key, tally)
    tally.letters += (
        f"{one.name} goes to {one.to or 'nobody'}, who has no such letter to get"
        for rest in by_key.values()
        for one in rest
    )
    named = ", ".join(f"{issue.name} {_count(letters, issue)}" for issue in world.issues)
    papers = len(world.papers)
    figure = (
        f"{papers} papers × {len(readers)} subscribers: {tally.expected:,} expected, "
        f"{tally.got:,} got, {len(tally.lost)} lost, {len(tally.repeated)} repeated, "
        f"{len(tally.strange)} not asked for ({tally.swapped} again to who gave up a wish)"
    )
    wrong = (*tally.lost, *tally.repeated, *tally.strange)
    late = (
        f"{tally.late:,} told late in the next issue, {tally.again:,} replacements, "
        f"{tally.withdrawn:,} withdrawals, {tally.capped} letters cut short"
    )
    hours = ", ".join(f"{zone} {n}" for zone, n in sorted(tally.hours.items())) or "none"
    ends = list(_wrong_ends(readers, statuses))
    ended = Counter(s for a, s in statuses.items() if a.endswith("simulator.amazonses.com"))
    gone = f"{ended['bounced']} bounced, {ended['complained']} complained, {len(tally.after)} mails"
    return [
        finding("letters", f"{len(letters)} ({named})", tally.letters),
        finding("each matching paper exactly once", figure, wrong),
        finding("sections of the letters", late, tally.misplaced),
        finding("letters at their hour", hours, tally.untimely),
        finding("suppressed", f"{gone} behind that", (*ends, *tally.after)),
    ]


def _judge_reader(
    reader: Reader,
    run: Run,
    by_key: dict[tuple[str, str], list[Letter]],
    tally: Tally,
) -> None:
    """Take the reader's letters out of *by_key*, and note what is wrong with them."""
    seen: dict[str, Wishes] = {}
    is_gone = False
    for issue in sorted(run.world.issues, key=lambda each: each.frozen_at):
        wishes = reader.gets(issue)
        owed = run.world.owed(issue, wishes) if wishes else Owed()
        found = by_key.pop((reader.address, issue.name), [])
        if is_gone and found:
            tally.after += (f"{reader.address} has {one.name}" for one in found)
            continue
        if is_gone or not owed.all:
            by_key[reader.address, issue.name] = found  # told as letters nobody was to get
            continue
        is_gone = bool(end_of(reader.address))
        if len(found) != 1:
            tally.letters.append(f"{reader.address} has {len(found)} letters of {issue.name}")
        assert wishes is not None
        where = f"{reader.address} {issue.name}"
        _compare(where, owed, found, tally)
        held = {i for x in found for part in ("new", "late") for i in x.papers.get(part, ())}
        again = sorted(held & seen.keys())
        told = [i for i in again if not _may_come_again(seen[i], wishes)]
        tally.repeated += (f"{where} holds {i} once more" for i in told)
        tally.swapped += len(again) - len(told)
        seen |= dict.fromkeys(held, wishes)
        for letter in found:
            due = wishes.due(issue.frozen_at)
            tally.hours[wishes.zone if due > issue.frozen_at else "at once"] += 1
            look = min(at for at in run.looks if at >= due)
            if not due <= look <= letter.at < look + _WITHIN:
                tally.untimely.append(f"{letter.name} ({issue.name}) of {due} goes {letter.at}")


def _may_come_again(before: Wishes, now: Wishes) -> bool:
    """Whether who wanted *before* may meet a paper a second time: what was wanted was given up."""
    return (
        before.cadence != now.cadence
        or not {*before.categories} <= {*now.categories}
        or not before.types <= now.types
    )


def _compare(where: str, owed: Owed, found: Sequence[Letter], tally: Tally) -> None:
    held = sum((letter.ids for letter in found), Counter[str]())
    allowed = _allowed(owed, held)
    tally.expected += len(allowed)
    tally.got += held.total()
    tally.late += len(owed.late & allowed)
    tally.again += len(owed.replaced & allowed)
    tally.withdrawn += len(owed.withdrawn & allowed)
    tally.capped += allowed != owed.all
    tally.lost += (f"{where} lacks {i}" for i in sorted(allowed - held.keys()))
    tally.strange += (f"{where} holds {i}" for i in sorted(held.keys() - allowed))
    tally.repeated += (f"{where} holds {i} {n} times" for i, n in held.items() if n > 1)
    for letter in found:
        for section, ids in letter.papers.items():
            wrong = sorted({*ids} & allowed - getattr(owed, section))
            tally.misplaced += (f"{where} has {i} under {section}" for i in wrong)


def _allowed(owed: Owed, held: Mapping[str, int]) -> frozenset[str]:
    """
    What a letter must hold: all that is owed, or what a limit leaves of it.

    A tier is told before the next one; which of one tier stand in a letter is the letter's choice.
    """
    if owed.most is None:
        return owed.all
    left, kept = owed.most, frozenset[str]()
    for tier in owed.tiers:
        chosen = sorted(tier, key=lambda i: (i not in held, i))[:left]
        kept |= {*chosen}
        left -= len(chosen)
    return kept | owed.withdrawn


def _wrong_ends(readers: Sequence[Reader], statuses: Mapping[str, str]) -> Iterator[str]:
    for reader in readers:
        wanted = end_of(reader.address) or ("unsubscribed" if reader.left_at else "confirmed")
        if statuses.get(reader.address) != wanted:
            yield f"{reader.address} is {statuses.get(reader.address)}, not {wanted}"


def _count(letters: Sequence[Letter], issue: Issue) -> int:
    return sum(letter.issue == issue.name for letter in letters)


def controls(run: Run) -> Finding:
    """Faults in the mailbox, one at a time: each must be found by the check that is for it."""
    faults = faults_in(run.letters)
    missed = list[str]()
    for name, (check, letters, ends) in faults.items():
        spoilt = replace(run, letters=letters, statuses={**run.statuses, **ends})
        if check not in {one.name for one in judge(spoilt) if not one.ok}:
            missed.append(f"{name} is not found")
    return finding("faults put into the mailbox", f"{len(faults)}, {len(missed)} not found", missed)


def check(out: Path) -> list[Finding]:
    """One finding a check."""

    def left(name: str) -> Any:
        return json.loads((out / f"{name}.json").read_text(encoding="utf-8"))

    run = Run(
        world=read_world(out / "feeds", left("announced")),
        readers=read_people(left("people")),
        letters=read_letters(list(read_mails(out / "mail"))),
        statuses=left("status"),
        looks=list(map(datetime.fromisoformat, left("looks"))),
    )
    dead = left("dead_letters")
    return [
        finding("what was asked for", _asked(run.readers, left("people")["seed"]), []),
        *judge(run),
        check_forms(out / "mail"),
        finding("messages nobody could handle", str(sum(dead.values())), sorted(dead)),
        controls(run),
    ]


def _asked(readers: Sequence[Reader], seed: int) -> str:
    wishes = [wishes for reader in readers for _, wishes in reader.wishes]
    combined = len({frozenset(each.categories) for each in wishes})
    rules = len({rule for each in wishes for rule in (*each.include, *each.exclude)})
    weekly = sum(each.cadence == "weekly" for each in wishes)
    paused = sum(each.paused_until is not None for each in wishes)
    left = sum(reader.left_at is not None for reader in readers)
    changed = sum(len(reader.wishes) > 1 for reader in readers)
    return (
        f"{len(readers)} subscribers (seed {seed}), {combined} combinations of categories, {rules} "
        f"rules, {weekly} weekly, {paused} paused, {left} left, {changed} changed their wishes"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line a check and return the exit status."""
    parser = argparse.ArgumentParser(description="Judge issues from feeds and forms.")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    findings = check(given.out)
    sys.stdout.write("".join(f"{found.line}\n" for found in findings))
    return 0 if all(found.ok for found in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
