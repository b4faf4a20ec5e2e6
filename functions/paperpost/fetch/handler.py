"""fetch: the schedule's entry."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from paperpost import clients, data, settings
from paperpost.domain.errors import InvalidInputError
from paperpost.fetch.collect import Metadata, Polled, Source, collect
from paperpost.fetch.transport import FolderSource, HttpSource, Pace, folder_of, polite_session
from paperpost.observe import logger, metrics
from paperpost.settings import FetchSettings
from paperpost.storage.papers import PaperTable
from paperpost.storage.queues import Queue


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001
    """
    Poll once and return the counts.

    Raises: FeedError: The first feed that was bad or late, when all that came is stored; the
        schedule retries, then the DLQ keeps the event.
    """
    metrics.add_metric("FetchPolls", MetricUnit.Count, 1)
    if event.get("task") != "poll":
        raise InvalidInputError(f"fetch knows no task {event.get('task')!r}")
    chosen = FetchSettings.from_env()
    source, metadata = _sources(chosen)
    polled = collect(
        source,
        papers=PaperTable(clients.table(chosen.papers_table)),
        queue=Queue(clients.sqs(), chosen.enrichment_queue_url),
        taxonomy=data.taxonomy(),
        calendar=data.calendar(),
        categories=chosen.categories,
        languages=chosen.languages,
        now=settings.now(),
        metadata=metadata,
    )
    return _told(polled)


def _sources(chosen: FetchSettings) -> tuple[Source, Metadata | None]:
    """The feeds and the API, both over one session, so that they share one pace."""
    folder = folder_of(chosen.feed_source)
    session = polite_session(chosen.contact_mail, Pace())
    source: Source = FolderSource(folder) if folder else HttpSource(chosen.feed_source, session)
    if not chosen.api_metadata:
        return source, None
    # Only here: `arxiv` is not loaded by a function that does not ask the API.
    from paperpost.fetch.metadata import ArxivMetadata  # noqa: PLC0415

    return source, ArxivMetadata(session)


def _told(polled: Polled) -> dict[str, int]:
    """Tell the poll to logs and metrics; raise its first problem."""
    counts = {
        "feeds": polled.feeds,
        "papers": polled.papers,
        "listings": polled.listings,
        "queued": polled.queued,
        "partial": polled.partial,
        **({} if polled.incomplete is None else {"incomplete": polled.incomplete}),
    }
    for name, count in counts.items():
        metrics.add_metric(f"Fetch{name.title()}", MetricUnit.Count, count)
    metrics.add_metric("FetchProblems", MetricUnit.Count, len(polled.problems))
    logger.info("poll done", extra={**counts, "problems": [str(p) for p in polled.problems]})
    if polled.problems:
        raise polled.problems[0]
    return counts
