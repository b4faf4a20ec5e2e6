"""Subscribers of every kind: what they fill in on the form, and when they come, change and go."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, combinations, cycle, islice
from typing import Any

# Rules as readers write them: fields in either language, quotes, accents left out or put in.
_WORDS = (
    "diffusion",
    "3D",
    "video",
    "title: segmentation",
    "标题：detection",
    "abstract: benchmark",
    '"language models"',
    "text: gaussian  splatting",
    "Point Cloud",
    "vision-language",
    "robótic",
    "Plucker",
)
_AUTHORS = (
    "author: Wang",
    "author: Yang Li",
    "author: niessner",
    "作者：Ommer Björn",
    "author: Schmalzle",
    "author: Zhang",
)
# Odd zones among them; in Cairo clocks go forward at midnight before 24 April 2026.
HOURS = (
    (7, "Asia/Kolkata"),
    (20, "Pacific/Chatham"),
    (0, "Africa/Cairo"),
    (8, "Asia/Shanghai"),
    (18, "America/New_York"),
    (6, "Europe/Berlin"),
    (5, "Asia/Kathmandu"),
)
_TYPES = ("new", "cross", "replace", "replace-cross")
_PAUSES = ("2026-04-23", "2026-04-27", "2026-05-30")
# What SES's simulator answers to mail at these addresses, with real events.
_SIMULATED = ("bounce", "complaint", "suppressionlist", "ooto", "success")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """
    One subscriber. `wishes`: the fields of the form.

    `comes`: `first` or `later`, by the form, or `import`, by the operator's list. `then`: `leaves`,
    `changes` (to `changed`), or nothing.
    """

    address: str
    wishes: dict[str, Any]
    comes: str = "first"
    then: str = ""
    changed: dict[str, Any] = field(default_factory=dict)


def invent(number: int, categories: Sequence[str], *, seed: int, is_short: bool) -> list[Person]:
    """*number* persons; every combination of categories has its turn. Short: all at once, daily."""
    dice = random.Random(seed)
    combined = cycle(_shuffled(dice, list(_combinations(categories))))
    people = [
        Person(address=f"reader{n:04}@example.org", wishes=_wishes(dice, some, is_short=is_short))
        for n, some in enumerate(islice(combined, number), 1)
    ]
    for n, person in enumerate(people):
        people[n] = _fated(person, n, dice, next(combined), is_short=is_short)
    return people


def _combinations(categories: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(categories, n) for n in range(1, len(categories) + 1))


def _shuffled(dice: random.Random, found: list[tuple[str, ...]]) -> list[list[str]]:
    dice.shuffle(found)
    return [dice.sample(some, len(some)) for some in found]


def _fated(
    person: Person, n: int, dice: random.Random, others: Sequence[str], *, is_short: bool
) -> Person:
    """
    Every fifth has something befall it, in turn.

    Of the simulator's mailboxes one confirms by mail, though that bounces: others are the same
    mailbox, which gets few confirmations, or would end with its confirmation.
    """
    match n % 20:
        case 3:
            kind = _SIMULATED[n // 20 % len(_SIMULATED)]
            address = f"{kind}+{n:04}@simulator.amazonses.com"
            if n == 3:
                return replace(person, address=address, wishes=_without_rules(person.wishes))
            kept = ("categories", "language", "length", "cadence")
            wishes = {name: person.wishes[name] for name in kept}
            return replace(person, address=address, wishes=wishes, comes="import")
        case 8 if not is_short:
            return replace(person, comes="later")
        case 13:
            return replace(person, wishes=_without_rules(person.wishes), then="leaves")
        case 18:
            changed = {
                **_wishes(dice, others, is_short=is_short),
                "cadence": person.wishes["cadence"],
            }
            return replace(
                person,
                wishes=_without_rules(person.wishes),
                then="changes",
                changed={"include": [], "exclude": [], **changed},
            )
    return person


def _without_rules(wishes: dict[str, Any]) -> dict[str, Any]:
    """For persons whose first letter is needed: nothing that could leave it empty or unsent."""
    kept = ("categories", "language", "length", "most")
    return {**{k: v for k, v in wishes.items() if k in kept}, "cadence": "daily"}


def _wishes(dice: random.Random, categories: Sequence[str], *, is_short: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "categories": list(categories),
        "language": dice.choice(("both", "zh", "en")),
        "length": dice.choice(("brief", "brief", "full")),
        "cadence": dice.choice(("daily",) * 4 + ("weekly",) * (not is_short)),
    }
    if dice.random() < 0.4:
        found["announce_types"] = dice.sample(_TYPES, dice.choice((1, 2, 3, 4, 4)))
    if dice.random() < 0.35:
        found["include"] = _rules(dice, 3)
    if dice.random() < 0.15:
        found["exclude"] = _rules(dice, 2)
    if not is_short and dice.random() < 0.55:
        found["hour"], found["zone"] = dice.choice(HOURS)
    if dice.random() < 0.15:
        found["most"] = dice.choice((1, 5, 20))
    if dice.random() < 0.06:
        found["paused_until"] = dice.choice(_PAUSES)
    return found


def _rules(dice: random.Random, most: int) -> list[str]:
    words = dice.sample(_WORDS, dice.randint(1, most))
    return [dice.choice(_AUTHORS) if dice.random() < 0.25 else word for word in words]
