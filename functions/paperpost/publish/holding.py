"""Holding: what waits for translations, so that readers see a text and its translation at once."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from paperpost.domain.records import Record
from paperpost.publish.days import Day, is_held, progress
from paperpost.publish.known import Known
from paperpost.publish.press import Press


def held_days(press: Press, known: Known, read: Iterable[Day], *, now: datetime) -> list[Day]:
    """Those of *read* that were never published and still wait for their translations."""
    hold = timedelta(minutes=press.settings.publish_hold_minutes)
    return [
        day
        for day in read
        if known.counted(day.announced_on) is None
        and is_held(day, languages=press.settings.languages, hold=hold, now=now)
    ]


def would_lose(press: Press, shown: Iterable[Record], held: Sequence[Day]) -> bool:
    """Whether an entry of *shown* lost its translation now: a *held* day replaces its paper."""
    there = {record.arxiv_id for record in shown}
    again = (record for day in held for record in day.records if record.arxiv_id in there)
    return progress(again, press.settings.languages).open > 0
