"""The sweep: what fell through the queue, or failed on a dead provider, is queued again."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from paperpost.domain.announcements import eastern_date
from paperpost.domain.papers import Paper
from paperpost.enrich.work import Provider, is_settled
from paperpost.storage.papers import PaperTable
from paperpost.storage.queues import Queue

SWEPT_DAYS = 45


def sweep(
    *,
    papers: PaperTable,
    queue: Queue,
    provider: Provider,
    categories: Sequence[str],
    languages: Sequence[str],
    now: datetime,
) -> int:
    """
    Queue every recently listed paper that is not settled in each language; return how many.

    A message for a paper that is still in the queue does no harm: the later one finds it settled.
    """
    return queue.send(
        {"arxiv_id": paper.arxiv_id, "languages": wanted}
        for page in _recent(papers, categories, now)
        for paper, wanted in _unsettled(page, papers, provider, languages)
    )


def _recent(papers: PaperTable, categories: Sequence[str], now: datetime) -> Iterator[list[Paper]]:
    """The papers that *categories* listed lately, each once, an announcement at a time."""
    today = eastern_date(now)
    first, seen = today - timedelta(days=SWEPT_DAYS), set[str]()
    for category in categories:
        for announcement in papers.list_announcements(category, last=today, limit=SWEPT_DAYS + 1):
            if announcement.announced_on < first or not announcement.stored:
                continue
            listings = papers.list_listings(category, announcement.announced_on)
            fresh = [listing.arxiv_id for listing in listings if listing.arxiv_id not in seen]
            seen.update(fresh)
            yield list(papers.get_papers(fresh).values())


def _unsettled(
    page: Sequence[Paper], papers: PaperTable, provider: Provider, languages: Sequence[str]
) -> Iterator[tuple[Paper, list[str]]]:
    stored: dict[str, Any] = papers.get_enrichments((p.arxiv_id for p in page), languages)
    for paper in page:
        has = stored.get(paper.arxiv_id, {})
        wanted = [one for one in languages if not is_settled(has.get(one), paper, provider)]
        if wanted:
            yield paper, wanted
