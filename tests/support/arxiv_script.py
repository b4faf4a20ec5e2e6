"""What a made-up arXiv announces, day by day: the script that a test's server plays and knows."""

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
LICENCE = "http://creativecommons.org/licenses/by/4.0/"
TYPES = ("new", "cross", "replace", "replace-cross")
_DEADLINE = time(14)
_LAST_IN_FEEDS = 5
_WORDS = ("sparse", "robust", "neural", "causal", "quantum", "graph", "kernel", "latent", "convex")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedPaper:
    """
    One version of a paper, announced in all its categories (the primary first).

    `late_cross_in`: it is no new version, but a cross-list that is added later, in these alone.
    `submitted_at`: seconds before the day's deadline unless given.
    """

    arxiv_id: str
    version: int = 1
    title: str = "A Made-Up Title"
    abstract: str = "We propose nothing. It works."
    authors: tuple[str, ...] = ("Ada Example", "Bo Sample")
    categories: tuple[str, ...] = ("cs.AI",)
    submitted_at: datetime | None = None
    comment: str = ""
    doi: str = ""
    journal_ref: str = ""
    licence: str = LICENCE
    withdrawn: bool = False
    late_cross_in: tuple[str, ...] = ()

    @property
    def at(self) -> datetime:
        """When arXiv received it."""
        assert self.submitted_at is not None
        return self.submitted_at

    def type_in(self, asked: Collection[str]) -> str:
        """What a feed of the categories *asked* calls it; '' if it does not list it."""
        if self.version > _LAST_IN_FEEDS or not set(self.late_cross_in or self.categories) & {
            *asked
        }:
            return ""
        if self.late_cross_in:
            return "cross"
        is_primary = self.categories[0] in asked
        if self.version == 1:
            return "new" if is_primary else "cross"
        return "replace" if is_primary else "replace-cross"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedDay:
    """One announcement: `on` is the Eastern date of its feed; `deleted` ids vanish on it."""

    on: date
    papers: tuple[ScriptedPaper, ...] = ()
    deleted: tuple[str, ...] = ()

    def listed(self, asked: Collection[str]) -> list[tuple[ScriptedPaper, str]]:
        """What a feed of *asked* lists, each with its type, in arXiv's order."""
        found = [(paper, told) for paper in self.papers if (told := paper.type_in(asked))]
        return sorted(found, key=lambda each: (TYPES.index(each[1]), each[0].arxiv_id))

    def completed(self) -> "ScriptedDay":
        """The same with every date of submission filled in."""
        end = deadline_of(self.on)
        papers = [
            replace(paper, submitted_at=paper.submitted_at or end - timedelta(seconds=7 * n))
            for n, paper in enumerate(self.papers, start=1)
        ]
        return replace(self, papers=tuple(papers))


def truth(
    days: Sequence[ScriptedDay], categories: Sequence[str]
) -> dict[tuple[date, str], dict[str, tuple[int, str]]]:
    """What each category announced on each date: id → version and type. The judge's own answer."""
    return {
        (day.on, category): {
            paper.arxiv_id: (paper.version, told) for paper, told in day.listed([category])
        }
        for day in days
        for category in categories
    }


def deadline_of(on: date) -> datetime:
    """Until when (UTC) what the feed of *on* announces had to come in: 14:00 a weekday before."""
    day = on - timedelta(days=1)
    while day.weekday() > 4:
        day -= timedelta(days=1)
    return datetime.combine(day, _DEADLINE, EASTERN).astimezone(UTC)


def write_script(
    *,
    first: date,
    days: int,
    categories: Sequence[str],
    quiet: Collection[date] = (),
    seed: int = 0,
    most: int = 12,
) -> list[ScriptedDay]:
    """A script of *days* calendar days: new papers, cross-lists, replacements, withdrawals."""
    chance = random.Random(seed)
    known: list[ScriptedPaper] = []
    written: list[ScriptedDay] = []
    for on in _due(first, days, quiet):
        begin = deadline_of(written[-1].on) if written else deadline_of(on) - timedelta(hours=23)
        seconds = int((deadline_of(on) - begin).total_seconds())
        new = [
            _new(f"{on:%y%m}.{90000 + len(known) + n:05}", categories, chance)
            for n in range(chance.randint(1, most))
        ]
        old = chance.sample(known, min(len(known), chance.randint(0, most // 2)))
        replaced = [_replaced(paper, chance) for paper in old]
        papers = [
            replace(p, submitted_at=begin + timedelta(seconds=chance.randrange(1, seconds)))
            for p in (*new, *replaced)
        ]
        latest = {paper.arxiv_id: paper for paper in (*known, *papers)}
        known = list(latest.values())
        written.append(ScriptedDay(on=on, papers=tuple(papers)))
    return written


def _due(first: date, days: int, quiet: Collection[date]) -> Iterator[date]:
    for number in range(days):
        on = first + timedelta(days=number)
        if on.weekday() < 5 and on not in quiet:
            yield on


def _new(arxiv_id: str, categories: Sequence[str], chance: random.Random) -> ScriptedPaper:
    listed = chance.sample(list(categories), chance.randint(1, min(3, len(categories))))
    words = " ".join(chance.sample(_WORDS, 4))
    return ScriptedPaper(
        arxiv_id=arxiv_id,
        title=f"On {words.title()}",
        abstract=f"We study {words}. It works in {chance.randint(2, 99)} cases.",
        categories=tuple(listed),
        comment=f"{chance.randint(4, 40)} pages",
    )


def _replaced(paper: ScriptedPaper, chance: random.Random) -> ScriptedPaper:
    withdrawn = chance.random() < 0.05 or paper.withdrawn
    said = "This paper has been withdrawn by the author due to an error." if withdrawn else ""
    return replace(
        paper,
        version=paper.version + 1,
        abstract=f"{paper.abstract} Revised." if not withdrawn else paper.abstract,
        comment=said or paper.comment,
        withdrawn=withdrawn,
    )
