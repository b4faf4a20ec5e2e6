"""fetch: the schedule's entry, and the operator's for days long past."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import requests
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from paperpost import clients, data, settings
from paperpost.domain.announcements import Calendar, eastern_date
from paperpost.domain.errors import InvalidInputError
from paperpost.fetch.collect import Polled, collect
from paperpost.fetch.completing import Metadata, complete, remember
from paperpost.fetch.healing import Healed, Healer
from paperpost.fetch.pace import Pace
from paperpost.fetch.sources import FolderSource, HttpSource, Source, folder_of
from paperpost.fetch.transport import polite_session
from paperpost.observe import logger, metrics
from paperpost.settings import FetchSettings
from paperpost.storage.fetchnotes import FetchNotes
from paperpost.storage.papers import PaperTable
from paperpost.storage.queues import Queue

# Of the function's time: requests leave in the first part alone. The rest is for the last answer,
# which may take 125 s (transport.py), and for storing.
_FOR_REQUESTS = 0.75
LEASE_MARGIN = timedelta(seconds=10)  # beyond the function's end, when it is surely dead
_END_WARNED = timedelta(days=30)  # before the calendar's end
_TASKS = ("poll", "backfill")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """
    Poll once, or fill a range of days, and return the counts; `busy` if another fetcher is at it.

    Raises: FeedError: The first feed that was bad or late, when all that came is stored; Lambda
        tries the event again (after 1 and 2 minutes), and the next poll goes on from there.
    """
    metrics.add_metric("FetchPolls", MetricUnit.Count, 1)
    remaining = timedelta(milliseconds=context.get_remaining_time_in_millis())
    return run(
        event, FetchSettings.from_env(), clock=settings.now, sleep=time.sleep, remaining=remaining
    )


def run(
    event: dict[str, Any],
    chosen: FetchSettings,
    *,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    remaining: timedelta,
) -> dict[str, int]:
    """What the handler does; *clock* and *sleep* can be virtual."""
    task = event.get("task")
    if task not in _TASKS:
        raise InvalidInputError(f"fetch knows no task {task!r}")
    stage = _Stage(chosen=chosen, clock=clock)
    folder = folder_of(chosen.feed_source)
    if folder is not None:
        if task != "poll":
            raise InvalidInputError("a replay fills no days")
        return _told(stage.poll(FolderSource(folder)))
    with _only_fetcher(stage.notes, clock, sleep, remaining) as pace:
        if pace is None:
            metrics.add_metric("FetchBusy", MetricUnit.Count, 1)
            logger.info("another fetcher is at it")
            return {"busy": 1}
        session = polite_session(chosen.contact_mail, pace)
        until = clock() + remaining * _FOR_REQUESTS
        if task == "backfill":
            return _told_filled(stage.backfill(event, session, until))
        _warn_of_the_end(data.calendar(), eastern_date(clock()))
        source = HttpSource(chosen.feed_source, session, stage.notes, data.taxonomy())
        polled = stage.poll(source)
        metadata, on = _metadata(chosen, session), eastern_date(clock())
        owed = (
            remember(polled.ids, on=on, papers=stage.papers, notes=stage.notes) if metadata else {}
        )
        healed = stage.healer(session, until).heal(chosen.categories)
        # Last: the API may take all the time that is left, and no paper waits for it.
        incomplete = None
        if metadata is not None:
            incomplete = complete(owed, papers=stage.papers, notes=stage.notes, metadata=metadata)
        return _told(polled, healed, incomplete)


@contextmanager
def _only_fetcher(
    notes: FetchNotes,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    remaining: timedelta,
) -> Iterator[Pace | None]:
    """The pace to keep to while no other fetcher of the stack asks arXiv; None if one does."""
    owner, now = uuid4().hex, clock()
    waits = notes.take_lease(owner, until=now + remaining + LEASE_MARGIN, now=now)
    if waits is None:
        yield None
        return
    pace = Pace(now=clock, sleep=sleep, waits=waits, until=now + remaining * _FOR_REQUESTS)
    try:
        yield pace
    finally:
        if not notes.release_lease(owner, pace.waits):
            logger.warning("the lease was lost before the end")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """The tables, the queue and the settings of this invocation."""

    chosen: FetchSettings
    clock: Callable[[], datetime]

    @property
    def papers(self) -> PaperTable:
        return PaperTable(clients.table(self.chosen.papers_table))

    @property
    def queue(self) -> Queue:
        return Queue(clients.sqs(), self.chosen.enrichment_queue_url)

    @property
    def notes(self) -> FetchNotes:
        return FetchNotes(clients.table(self.chosen.papers_table))

    def poll(self, source: Source) -> Polled:
        return collect(
            source,
            papers=self.papers,
            queue=self.queue,
            taxonomy=data.taxonomy(),
            calendar=data.calendar(),
            categories=self.chosen.categories,
            languages=self.chosen.languages,
            now=self.clock(),
        )

    def healer(self, session: requests.Session, until: datetime) -> Healer:
        # Only here: a replay loads neither `arxiv` nor what reads OAI-PMH.
        from paperpost.fetch.past import ArxivPast  # noqa: PLC0415
        from paperpost.fetch.search import ApiSearch  # noqa: PLC0415

        return Healer(
            past=ArxivPast(session, ApiSearch(session)),
            papers=self.papers,
            queue=self.queue,
            calendar=data.calendar(),
            languages=self.chosen.languages,
            now=self.clock(),
            has_time=lambda: self.clock() < until,
        )

    def backfill(self, event: dict[str, Any], session: requests.Session, until: datetime) -> Healed:
        category, first, last = _range(event, self.chosen, eastern_date(self.clock()))
        return self.healer(session, until).backfill(category, first, last)


def _range(event: dict[str, Any], chosen: FetchSettings, today: date) -> tuple[str, date, date]:
    try:
        category = data.taxonomy().canonical(str(event["category"]))
        first, last = (date.fromisoformat(str(event[key])) for key in ("from", "to"))
    except (KeyError, ValueError) as exc:
        raise InvalidInputError(
            f"backfill needs category, from and to (YYYY-MM-DD): {exc}"
        ) from exc
    if category not in chosen.categories:
        raise InvalidInputError(f"{category} is not among the configured categories")
    if not first <= last < today:
        raise InvalidInputError(f"backfill is for days before today, {today}, in their order")
    return category, first, last


def _warn_of_the_end(calendar: Calendar, today: date) -> None:
    """Holidays that are not known raise an alarm, and are told as days without papers."""
    if calendar.until and today > calendar.until - _END_WARNED:
        logger.warning("data/calendar.toml knows no holidays after", extra={"date": calendar.until})


def _metadata(chosen: FetchSettings, session: requests.Session) -> Metadata | None:
    if not chosen.api_metadata:
        return None
    # Only here: `arxiv` is not loaded by a function that does not ask the API.
    from paperpost.fetch.metadata import ArxivMetadata  # noqa: PLC0415
    from paperpost.fetch.search import ApiSearch  # noqa: PLC0415

    return ArxivMetadata(ApiSearch(session))


def _told(
    polled: Polled, healed: Healed | None = None, incomplete: int | None = None
) -> dict[str, int]:
    """Tell the poll to logs and metrics; raise its first problem."""
    counts = {
        "feeds": polled.feeds,
        "papers": polled.papers,
        "listings": polled.listings,
        "queued": polled.queued,
        "partial": polled.partial,
        **({} if incomplete is None else {"incomplete": incomplete}),
        **({} if healed is None else {"backfilled": healed.days, "missing": healed.left}),
    }
    problems = (*polled.problems, *(healed.problems if healed else ()))
    for name, count in counts.items():
        metrics.add_metric(f"Fetch{name.title()}", MetricUnit.Count, count)
    metrics.add_metric("FetchProblems", MetricUnit.Count, len(problems))
    said = [f"{problem} {problem.said!r}".removesuffix(" ''") for problem in problems]
    logger.info("poll done", extra={**counts, "problems": said})
    if problems:
        raise problems[0]
    return counts


def _told_filled(healed: Healed) -> dict[str, int]:
    counts = {"backfilled": healed.days, "papers": healed.papers, "missing": healed.left}
    logger.info("backfill done", extra=counts)
    return counts
