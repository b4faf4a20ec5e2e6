"""What a made-up arXiv plays: sixty days with every fault, and the recorded series of real days."""

import gzip
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from support.arxiv_script import EASTERN, ScriptedDay, ScriptedPaper, deadline_of, write_script
from support.arxiv_server import ArxivServer, Fault, FaultKind

CATEGORIES = ("cs.AI", "cs.CV", "cs.LG", "math.ST", "stat.ML")
FIRST, DAYS = date(2026, 10, 30), 60  # two days before clocks change; Thanksgiving, Christmas
# A holiday empties its own feed or that of the next due day; both forms are played.
_QUIET = {date(2026, 11, 26): "Thanksgiving", date(2026, 12, 28): "Christmas Day"}
_PUT_OFF = date(2026, 12, 14)  # arXiv's mailing does not go out: its papers come with the next
# Days with more papers than one feed holds: in all categories together, and in one alone.
_MANY_TOGETHER, _MANY_IN_ONE = date(2026, 11, 17), date(2026, 12, 9)
_TRUNCATED, _EVERY = date(2026, 11, 11), 500
_OUTAGE = (date(2026, 11, 30), date(2026, 12, 4))
# Papers that moderation held back by two days, one of them until a day without a feed (6 November).
_HELD = tuple(
    date(2026, m, d) for m, d in ((11, 4), (11, 6), (11, 11), (11, 18), (12, 9), (12, 16))
)
# Papers whose versions came on these dates: the sixth is in no feed, and ids before 2007 differ.
_SERIES = {
    "2610.80001": tuple(
        date(2026, m, d) for m, d in ((10, 30), (11, 2), (11, 3), (11, 5), (11, 9), (11, 10))
    ),
    "math/0601001": (date(2026, 11, 2), date(2026, 11, 6), date(2026, 12, 2)),
    "2610.80002": (date(2026, 11, 2),),
}
_DELETED = {"2610.80002": date(2026, 11, 12)}  # from arXiv; what was announced stays announced


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """
    What happens. `quiet`: dates without a batch, and why; `put_off`: due dates without one.

    `asked_until_whole`: dates on which polls go on until one is answered well; `lease_left`: a date
    on which a fetcher has died and left its lease; `two_at_once`: the weekday (Monday is 0) on
    which every poll is two; `recorded`: of real days, the files' own counts by type.
    """

    categories: tuple[str, ...]
    dates: Sequence[date]
    script: Sequence[ScriptedDay]
    faults: Mapping[str, Sequence[Fault]] = field(default_factory=dict)
    quiet: Mapping[date, str] = field(default_factory=dict)
    put_off: frozenset[date] = frozenset()
    asked_until_whole: frozenset[date] = frozenset()
    lease_left: date | None = None
    two_at_once: int | None = None
    cut_on: Mapping[str, date] = field(default_factory=dict)
    recorded: Mapping[date, Mapping[str, int]] = field(default_factory=dict)


def sixty_days(days: int = DAYS) -> Scenario:
    """The first *days* of sixty, with the faults of these."""
    dates = [FIRST + timedelta(days=n) for n in range(days)]
    written = _script(days)
    truncated = _truncations(written)
    faults = {
        **{name: [fault] for name, fault in FAULTS.items()},
        f"truncated at {len(truncated)} multiples of {_EVERY} bytes": truncated,
    }
    cuts = {"2,000 cut": _MANY_TOGETHER, "2,000 cut in one category": _MANY_IN_ONE}
    return Scenario(
        categories=CATEGORIES,
        dates=dates,
        script=written,
        faults={n: f for n, f in faults.items() if f[0].on is not None and f[0].on <= dates[-1]},
        quiet={on: reason for on, reason in _QUIET.items() if on in dates},
        put_off=frozenset({_PUT_OFF} & {*dates}),
        asked_until_whole=frozenset({_TRUNCATED}),
        lease_left=date(2026, 12, 16),
        two_at_once=1,
        cut_on={name: on for name, on in cuts.items() if on in dates},
    )


def daily_series(folder: Path) -> Scenario:
    """The recorded days of cs.CV below *folder*, written back into what arXiv's feed told."""
    recorded = [json.loads(gzip.decompress(p.read_bytes())) for p in sorted(folder.glob("*.gz"))]
    seen = Counter[str]()
    days = list[ScriptedDay]()
    for day in recorded:
        papers = tuple(_recorded(paper, seen) for paper in day["papers"])
        days.append(ScriptedDay(on=date.fromisoformat(day["date"]), papers=papers))
    return Scenario(
        categories=("cs.CV",),
        dates=[day.on for day in days],
        script=[day for day in days if day.papers],
        recorded={
            date.fromisoformat(day["date"]): Counter(p["announce_type"] for p in day["papers"])
            for day in recorded
        },
    )


def _recorded(paper: Mapping[str, Any], seen: Counter[str]) -> ScriptedPaper:
    """One recorded paper; the files tell no version, so it is counted from what came before."""
    arxiv_id = paper["arxiv_id"]
    seen[arxiv_id] += 1 if paper["announce_type"] in {"new", "cross"} or seen[arxiv_id] else 2
    others = [c for c in paper["categories"] if c != paper["primary_category"]]
    return ScriptedPaper(
        arxiv_id=arxiv_id,
        version=seen[arxiv_id],
        title=paper["title"],
        abstract=paper["abstract"],
        authors=tuple(paper["authors"]),
        categories=(paper["primary_category"], *others),
        comment=paper.get("comment") or "",
    )


def _on(month: int, day: int, kind: FaultKind, **how: Any) -> Fault:
    return Fault(kind=kind, on=date(2026, month, day), **how)


# Name → fault, in the order of their days.
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


def _script(days: int) -> list[ScriptedDay]:
    """What arXiv announces: ordinary days, cross-lists added later, days of thousands."""
    quiet = {*_QUIET, _PUT_OFF}
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
    if day.on == _MANY_TOGETHER:
        extra += (_plain(day.on, n, CATEGORIES[n % 5]) for n in range(100, 2_130))
    if day.on == _TRUNCATED:
        extra += (_plain(day.on, n, CATEGORIES[n % 5]) for n in range(25))
    if day.on == _MANY_IN_ONE:
        extra += (_plain(day.on, n, "cs.LG") for n in range(2_010))
    if crossed is not None:
        others = [c for c in CATEGORIES if c not in crossed.categories]
        extra.append(replace(crossed, late_cross_in=(others[0],), submitted_at=None))
    extra += (
        _version(arxiv_id, on.index(day.on) + 1) for arxiv_id, on in _SERIES.items() if day.on in on
    )
    if day.on in _HELD:
        at = deadline_of(day.on) - timedelta(days=2)
        extra.append(ScriptedPaper(arxiv_id=f"{day.on:%y%m}.8{day.on:%m%d}", submitted_at=at))
    gone = tuple(i for i, on in _DELETED.items() if on == day.on)
    return replace(day, papers=(*day.papers, *extra), deleted=gone)


def _version(arxiv_id: str, version: int) -> ScriptedPaper:
    categories = ("math.ST", "cs.LG") if arxiv_id.startswith("math/") else ("cs.AI", "stat.ML")
    told = f"Version {version} of a made-up paper"
    return ScriptedPaper(arxiv_id=arxiv_id, version=version, comment=told, categories=categories)


def _plain(on: date, number: int, category: str) -> ScriptedPaper:
    # The feed names a category of statistics theory by both its names.
    categories = (category, "stat.TH") if category == "math.ST" else (category,)
    return ScriptedPaper(
        arxiv_id=f"{on:%y%m}.{10_000 + number:05}",
        title=f"One of Many: {number}",
        categories=categories,
    )


def _truncations(days: Sequence[ScriptedDay]) -> list[Fault]:
    """A fault for every 500th byte of the feed of that day."""
    night = datetime.combine(_TRUNCATED, time(1), EASTERN).astimezone(UTC)
    server = ArxivServer(days, clock=lambda: night)
    size = len(server.answer(f"/rss/{'+'.join(CATEGORIES)}", {}).body)
    kind = FaultKind.TRUNCATED
    return [
        Fault(kind=kind, on=_TRUNCATED, at_byte=at, times=1, endpoint="feed")
        for at in range(_EVERY, size, _EVERY)
    ]
