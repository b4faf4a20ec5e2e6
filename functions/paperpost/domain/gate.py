"""The gate: what would empty, shrink, repeat or set back what readers see is refused."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from paperpost.domain.errors import RefusedError

_ALWAYS_WHOLE = 2  # the days that a feed always holds whole; see domain/windows.py


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry as a reader of a feed sees it: the paper and its announcement day."""

    arxiv_id: str
    announced_on: date


def check_feed(path: str, *, published: Sequence[Shown], candidate: Sequence[Shown]) -> None:
    """
    Let *candidate* pass if it may replace what is *published* (empty: nothing yet) at *path*.

    Raises: RefusedError: With the reason; the published file has to stay.
    """
    repeated = [i for i, n in Counter(shown.arxiv_id for shown in candidate).items() if n > 1]
    if repeated:
        raise RefusedError(path, f"{_some(repeated)} repeated")
    if not published:
        return
    if not candidate:
        raise RefusedError(path, f"it is empty, {len(published)} entries are published")
    newest, newest_published = _newest(candidate), _newest(published)
    if newest < newest_published:
        raise RefusedError(path, f"it goes back from {newest_published} to {newest}")
    missing = _missing(published, candidate)
    if missing:
        raise RefusedError(path, f"{_some(missing)} missing, published before")


def check_places(path: str, *, published: Sequence[Shown], candidate: Sequence[Shown]) -> None:
    """
    Let *candidate* pass if it sets no entry back to an earlier day.

    There it would leave the feed before its time. Raises: RefusedError: With the reason.
    """
    before = {shown.arxiv_id: shown.announced_on for shown in published}
    back = [s.arxiv_id for s in candidate if s.announced_on < before.get(s.arxiv_id, date.min)]
    if back:
        raise RefusedError(path, f"{_some(back)} set back to an earlier day")


def check_day(path: str, *, published: int, candidate: int) -> None:
    """
    Let a day page of *candidate* papers replace one of *published* papers (0: none yet).

    Raises: RefusedError: If papers would vanish from it.
    """
    if candidate < published:
        raise RefusedError(path, f"it has {candidate} papers, {published} are published")


def _missing(published: Sequence[Shown], candidate: Sequence[Shown]) -> list[str]:
    """
    Return the published ids that the candidate ought to hold and does not.

    It has to hold the days that it reaches back to, and the two newest of all days.
    """
    days = sorted({s.announced_on for s in (*published, *candidate)}, reverse=True)
    oldest_candidate = min(s.announced_on for s in candidate)
    reaches_back_to = min(oldest_candidate, days[:_ALWAYS_WHOLE][-1])
    there = {s.arxiv_id for s in candidate}
    return [
        s.arxiv_id
        for s in published
        if s.announced_on >= reaches_back_to and s.arxiv_id not in there
    ]


def _newest(entries: Iterable[Shown]) -> date:
    return max(shown.announced_on for shown in entries)


def _some(arxiv_ids: Sequence[str]) -> str:
    """The first few of *arxiv_ids*, and how many more."""
    more = len(arxiv_ids) - 3
    return ", ".join(arxiv_ids[:3]) + (f" and {more} more" if more > 0 else "")
