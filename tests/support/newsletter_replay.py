"""
Days of real announcements to subscribers of every kind, on the laptop cloud with its own clock.

Usage: python -m support.newsletter_replay --series DIR --out OUT [--subscribers N] [--seed N]
[--category CAT …] [--short]. OUT then holds what tests/oracle/newsletter_check.py judges:
people.json (what each asked for, in the form's own fields, and when they came, changed and went),
feeds/ and announced.json (which file could be read from when), looks.json (when compose ran), mail/
(what was handed to SES), status.json (how each address ended).
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from paperpost_cli.laptop import LaptopCloud
from paperpost_cli.mailbox import list_mails
from paperpost_cli.readers import Reader, confirm, post, sign_up
from support.laptop_runs import bring_along, eastern, fire, laptop
from support.newsletter_feeds import LATE, LOST, MONDAY, NEXT, write_feeds
from support.newsletter_people import Person, invent

CATEGORIES = ("cs.AI", "cs.CL", "cs.CV", "cs.GR", "cs.LG", "cs.MM", "cs.RO", "eess.IV")
LATE_CATEGORY = "cs.LG"
_SATURDAY, _FRIDAYS = date(2026, 4, 25), (date(2026, 4, 24), date(2026, 5, 1))
# Shortly before and behind readers' hours in the zones of newsletter_people.
_LOOKS = ((0, "07:20"), (0, "21:55"), (0, "22:05"), (1, "01:35"), (1, "04:05"))
_LOOKS_ON_SATURDAY = ((1, "00:05"), (1, "01:35"), (1, "04:05"), (1, "07:20"), (1, "22:05"))
_AT_ONCE = 4
_LINK = re.compile(r"https?://\S+?(/api/(?:unsubscribe|preferences)/[\w.~-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """At a moment: files that can be read from then on, and what else happens."""

    at: datetime
    files: tuple[str, ...] = ()
    act: str = "announce"  # fetch and compose fire, or compose alone; or people do something


@dataclass(slots=True, kw_only=True)
class Play:
    """The laptop cloud while the days pass."""

    cloud: LaptopCloud
    out: Path
    people: Sequence[Person]
    announced: list[dict[str, str]] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def step(self, step: Step) -> None:
        """Let it be *step*'s time."""
        self.cloud.set_clock(step.at)
        if step.files:
            self.cloud.announce([self.out / "feeds" / name for name in step.files])
            self.announced += [{"file": name, "at": _stamp(step.at)} for name in step.files]
        match step.act:
            case "announce":
                fire(self.cloud, "fetch")
                self._look()
            case "compose":
                self._look()
            case "first":
                self._join("first")
                self._import()
            case "people":
                self._join("later")
                self._leave_or_change()

    def _look(self) -> None:
        self.looks.append(_stamp(self.cloud.now()))
        fire(self.cloud, "compose")

    def _join(self, comes: str) -> None:
        joining = [
            Reader(address=person.address, preferences=person.wishes)
            for person in self.people
            if person.comes == comes
        ]
        parts = [joining[n::_AT_ONCE] for n in range(_AT_ONCE)]
        with ThreadPoolExecutor(_AT_ONCE) as workers:
            list(workers.map(lambda part: sign_up(part, api=self.cloud.api()), parts))
        self.cloud.settle()
        confirm(joining, api=self.cloud.api(), mails=self.out / "mail")
        self.cloud.settle()
        for person in self.people:
            if person.comes == comes:
                self._note(person, "joined", wishes=person.wishes)

    def _import(self) -> None:
        """Who cannot confirm by mail is on a list that the operator brings along."""
        listed = [person for person in self.people if person.comes == "import"]
        bring_along(self.cloud, self.out, [(person.address, person.wishes) for person in listed])
        for person in listed:
            self._note(person, "joined", wishes=person.wishes)

    def _leave_or_change(self) -> None:
        """By the links of their last letter; who has none yet stays as they are."""
        newest = {mail.to: mail for mail in list_mails(self.out / "mail") if mail.issue}
        for person in self.people:
            mail = newest.get(person.address)
            if mail is None or not person.then:
                continue
            links = {p.split("/")[2]: p for p in _LINK.findall(mail.source + mail.text)}
            if person.then == "leaves":
                body, kind = "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"
                self._press(links["unsubscribe"], body, kind)
                self._note(person, "left")
            else:
                self._press(links["preferences"], json.dumps(person.changed), "application/json")
                self._note(person, "changed", wishes=person.changed)
        self.cloud.settle()

    def _press(self, path: str, body: str, kind: str) -> None:
        status, answer = post(f"{self.cloud.api()}{path}", body, kind)
        assert status == HTTPStatus.OK, f"{path.split('/')[2]}: {status} {answer[:200]}"

    def _note(self, person: Person, what: str, **more: Any) -> None:
        event = {"at": _stamp(self.cloud.now()), "what": what, **more}
        self.events.setdefault(person.address, []).append(event)


def steps(feeds: Mapping[date, Mapping[str, str]], *, late: str, is_short: bool) -> list[Step]:
    """
    What happens when. *feeds*: date → category → file.

    Wednesday's batch cannot be read until Saturday, one category of Thursday's until six hours
    later; the week's issue is frozen at the cut-off, since nothing comes on Friday. The short form
    has neither hours nor weeks, and what is late comes with next Monday.
    """
    monday, lost, thursday, following = (
        tuple(feeds[on].values()) for on in (MONDAY, LOST, LATE, NEXT)
    )
    late_file = feeds[LATE][late]
    timely = tuple(name for name in thursday if name != late_file)
    found = [
        Step(at=eastern(MONDAY - timedelta(days=1), "12:00"), act="first"),
        Step(at=eastern(MONDAY, "00:21"), files=monday),
        Step(at=eastern(LATE, "00:21"), files=timely),
    ]
    if is_short:
        everything = (*lost, late_file, *following)
        return [*found, Step(at=eastern(NEXT, "00:21"), files=everything)]
    found += [
        Step(at=eastern(LOST, "12:00"), act="people"),
        Step(at=eastern(LATE, "06:21"), files=(late_file,)),
        Step(at=eastern(_SATURDAY, "09:21"), files=lost),
        Step(at=eastern(NEXT, "00:21"), files=following),
        *(Step(at=eastern(friday, "07:31"), act="compose") for friday in _FRIDAYS),
        *(_look(on, at) for on in (MONDAY, LATE, NEXT) for at in _LOOKS),
        *(_look(friday, at) for friday in _FRIDAYS for at in _LOOKS_ON_SATURDAY),
    ]
    return sorted(found, key=lambda step: step.at)


def _look(on: date, at: tuple[int, str]) -> Step:
    """Let compose look for what is due, so many days behind *on* at a time of UTC."""
    moment = datetime.combine(on + timedelta(days=at[0]), time.fromisoformat(at[1]), UTC)
    return Step(at=moment, act="compose")


def leave(play: Play, *, seed: int) -> None:
    """Write what is judged."""
    people = [{"address": address, "events": events} for address, events in play.events.items()]
    profiles = [row for row in play.cloud.rows("SubscribersTable") if row["sk"] == "PROFILE"]
    ledger = [row for row in play.cloud.rows("DeliveriesTable") if row["sk"].startswith("SUB#")]
    for name, value in (
        ("people", {"seed": seed, "people": people}),
        ("announced", play.announced),
        ("looks", play.looks),
        ("status", {row["address"]: row["status"] for row in profiles}),
        ("ledger", Counter(f"{row['issue']} {row['state']}" for row in ledger)),
        ("dead_letters", play.cloud.dead_letters()),
        ("invocations", play.cloud.invocations()),
    ):
        text = json.dumps(value, ensure_ascii=False, indent=1, default=str)
        (play.out / f"{name}.json").write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the days and leave what is judged."""
    parser = argparse.ArgumentParser(description="Days of announcements to readers of every kind.")
    parser.add_argument("--series", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20260420)
    parser.add_argument("--category", action="append")
    parser.add_argument("--short", action="store_true", help="neither hours nor weeks")
    given = parser.parse_args(arguments)
    categories = tuple(given.category or CATEGORIES)
    late = LATE_CATEGORY if LATE_CATEGORY in categories else categories[0]
    feeds = write_feeds(given.series, given.out / "feeds", categories, is_short=given.short)
    people = invent(given.subscribers, categories, seed=given.seed, is_short=given.short)
    planned = steps(feeds, late=late, is_short=given.short)
    with laptop(given.out, categories, at=planned[0].at) as cloud:
        play = Play(cloud=cloud, out=given.out, people=people)
        for step in planned:
            sys.stderr.write(f"{step.at:%a %d %b %H:%M} {step.act}\n")
            play.step(step)
        leave(play, seed=given.seed)
    return 0


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    sys.exit(main())
