"""The sweep: what fell through the queue, or failed on a dead provider, is queued again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

from paperpost.domain.announcements import eastern_date
from paperpost.domain.enrichments import Enrichment, EnrichmentState
from paperpost.domain.papers import Paper
from paperpost.enrich.work import Provider, is_settled
from paperpost.storage.papers import PaperTable
from paperpost.storage.queues import Queue

SWEPT_DAYS = 45
_NEVER = datetime.min.replace(tzinfo=UTC)
_ANSWERED = (EnrichmentState.OK, EnrichmentState.REJECTED)
_Message = dict[str, Any]


def sweep(
    *,
    papers: PaperTable,
    queue: Queue,
    provider: Provider,
    categories: Sequence[str],
    languages: Sequence[str],
    now: datetime,
    spare: int | None = None,
) -> int:
    """
    Queue every recently listed paper that is not settled in each language; return how many.

    What the provider failed at is queued again once it has answered something since; until
    then one such paper is its probe, the one that was tried longest ago. Of what was skipped, at
    most *spare* papers a sweep, newest first, so that the day's caps have room for what is new.
    A message for a paper that is still in the queue does no harm: the later one finds it settled.
    """
    worked_at = _NEVER
    # Only these are kept: the papers of 45 days would not fit into memory.
    unsettled: dict[str, dict[str, datetime]] = {}  # id → language → when it failed, or _NEVER
    skipped = 0
    for page in _recent(papers, categories, now):
        for paper, stored in _with_enrichments(page, papers, languages):
            worked_at = max((worked_at, *_answered_at(stored.values(), provider)))
            wanted = {
                language: _failed_at(stored.get(language), provider)
                for language in languages
                if not is_settled(stored.get(language), paper, provider)
            }
            if wanted and _was_skipped(stored, wanted):
                skipped += 1
                if spare is not None and skipped > spare:
                    continue
            if wanted:
                unsettled[paper.arxiv_id] = wanted
    ready, held = list[_Message](), list[tuple[datetime, _Message]]()
    for arxiv_id, wanted in unsettled.items():
        again = [language for language, failed_at in wanted.items() if failed_at > worked_at]
        if fresh := [language for language in wanted if language not in again]:
            ready.append({"arxiv_id": arxiv_id, "languages": fresh})
        if again:
            tried_at = max(wanted[language] for language in again)
            held.append((tried_at, {"arxiv_id": arxiv_id, "languages": again}))
    probe = [message for _, message in sorted(held, key=itemgetter(0))[:1]]
    return queue.send([*ready, *probe])


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


def _was_skipped(stored: Mapping[str, Enrichment], wanted: Iterable[str]) -> bool:
    """Whether all that is *wanted* was skipped before."""
    found = [stored.get(language) for language in wanted]
    return all(e is not None and e.state is EnrichmentState.SKIPPED for e in found)


def _answered_at(stored: Iterable[Enrichment], provider: Provider) -> Iterator[datetime]:
    """When this provider answered about any of them, well or not."""
    for enrichment in stored:
        if enrichment.state in _ANSWERED and enrichment.model == provider.model:
            yield enrichment.updated_at


def _failed_at(enrichment: Enrichment | None, provider: Provider) -> datetime:
    """When this provider failed at it, or _NEVER."""
    if enrichment is None or enrichment.model != provider.model:
        return _NEVER
    return enrichment.updated_at if enrichment.state is EnrichmentState.FAILED else _NEVER
