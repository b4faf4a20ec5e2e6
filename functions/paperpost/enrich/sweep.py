"""The sweep: what fell through the queue, or failed on a dead provider, is queued again."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from paperpost.domain.announcements import eastern_date
from paperpost.domain.enrichments import Enrichment, EnrichmentState
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

    What the provider failed at is queued again once it has succeeded at something since; until
    then one such paper is its probe. A message for a paper that is still in the queue does no harm:
    the later one finds it settled.
    """
    found = [
        (paper, stored)
        for page in _recent(papers, categories, now)
        for paper, stored in _with_enrichments(page, papers, languages)
    ]
    worked_at = max(
        (e.updated_at for _, stored in found for e in stored.values() if _succeeded(e, provider)),
        default=datetime.min.replace(tzinfo=UTC),
    )
    ready, held = [], []
    for paper, stored in found:
        wanted = [one for one in languages if not is_settled(stored.get(one), paper, provider)]
        again = [one for one in wanted if _failed_since(stored.get(one), worked_at, provider)]
        if fresh := [one for one in wanted if one not in again]:
            ready.append({"arxiv_id": paper.arxiv_id, "languages": fresh})
        if again:
            held.append({"arxiv_id": paper.arxiv_id, "languages": again})
    return queue.send([*ready, *held[:1]])


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


def _with_enrichments(
    page: Sequence[Paper], papers: PaperTable, languages: Sequence[str]
) -> Iterator[tuple[Paper, Mapping[str, Enrichment]]]:
    stored = papers.get_enrichments((p.arxiv_id for p in page), languages)
    for paper in page:
        yield paper, stored.get(paper.arxiv_id, {})


def _succeeded(enrichment: Enrichment, provider: Provider) -> bool:
    return enrichment.state is EnrichmentState.OK and enrichment.model == provider.model


def _failed_since(enrichment: Enrichment | None, worked_at: datetime, provider: Provider) -> bool:
    """Whether this provider failed at it, and has not succeeded at anything afterwards."""
    return (
        enrichment is not None
        and enrichment.state is EnrichmentState.FAILED
        and enrichment.model == provider.model
        and enrichment.updated_at > worked_at
    )
