"""Enriching one paper: ask, check, store, one language after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from paperpost.domain.enrichments import Enrichment, EnrichmentState, text_hash
from paperpost.domain.errors import PaperpostError
from paperpost.domain.papers import Paper
from paperpost.domain.text import clean
from paperpost.enrich.answers import Answer, RefusedByProviderError, Skip
from paperpost.enrich.checks import failed_check
from paperpost.enrich.prompt import PROMPT_VERSION
from paperpost.observe import logger
from paperpost.storage.papers import PaperTable


class Provider(Protocol):
    """Who enriches. `translates`: whether asking again may bring what was skipped or failed."""

    @property
    def translates(self) -> bool:
        """Whether it can answer at all."""

    @property
    def model(self) -> str:
        """What readers are told, and part of the cache key."""

    def enrich(self, paper: Paper, language: str) -> Answer | Skip:
        """Its answer. Raises: TransientProviderError, RefusedByProviderError."""


class UnknownPaperError(PaperpostError):
    """A message names a paper that is not stored; the queue retries it, then keeps it."""


def enrich_paper(
    arxiv_id: str,
    languages: Sequence[str],
    *,
    papers: PaperTable,
    provider: Provider,
    now: datetime,
) -> list[Enrichment]:
    """
    Bring the paper's enrichments up to date and return those that were written.

    What is settled for the present text is neither asked for nor paid for again.

    Raises:
        UnknownPaperError: If the paper is not stored.
        TransientProviderError: If the provider is down; the languages before are stored.
    """
    paper = papers.get_papers([arxiv_id]).get(arxiv_id)
    if paper is None:
        raise UnknownPaperError(f"no paper {arxiv_id[:40]!r} is stored")
    stored = papers.get_enrichments([arxiv_id], languages).get(arxiv_id, {})
    written = []
    for language in languages:
        if is_settled(stored.get(language), paper, provider):
            continue
        made = _enrichment(paper, language, provider=provider, now=now)
        if papers.put_enrichment(made):
            written.append(made)
    return written


def is_settled(stored: Enrichment | None, paper: Paper, provider: Provider) -> bool:
    """Whether asking *provider* for the present text of *paper* could not improve on *stored*."""
    if stored is None or stored.text_hash != text_hash(paper):
        return False
    if stored.state is EnrichmentState.OK:
        return True
    if not provider.translates:
        return stored.state.is_final
    asked = (stored.prompt_version, stored.model) == (PROMPT_VERSION, provider.model)
    return stored.state is EnrichmentState.REJECTED and asked


def _enrichment(paper: Paper, language: str, *, provider: Provider, now: datetime) -> Enrichment:
    outcome = _ask(paper, language, provider)
    logger.info(
        "paper asked for",
        extra={
            "arxiv_id": paper.arxiv_id,
            "language": language,
            "state": outcome.state.value,
            "reason": outcome.reason,
            "input_tokens": outcome.input_tokens,
            "output_tokens": outcome.output_tokens,
        },
    )
    return Enrichment(
        arxiv_id=paper.arxiv_id,
        language=language,
        state=outcome.state,
        text_hash=text_hash(paper),
        model=provider.model,
        prompt_version=PROMPT_VERSION,
        updated_at=now,
        title=outcome.title,
        abstract=outcome.abstract,
        tldr=outcome.tldr,
        reason=outcome.reason,
        version=paper.version,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    state: EnrichmentState
    reason: str = ""
    title: str = ""
    abstract: str = ""
    tldr: str = ""
    input_tokens: int = 0
    output_tokens: int = 0


def _ask(paper: Paper, language: str, provider: Provider) -> _Outcome:
    try:
        answer = provider.enrich(paper, language)
    except RefusedByProviderError as exc:
        return _Outcome(state=EnrichmentState.FAILED, reason=exc.reason)
    if isinstance(answer, Skip):
        return _Outcome(state=EnrichmentState.SKIPPED, reason=answer.reason)
    failed = failed_check(answer.fields, paper, language)
    if failed:
        return _Outcome(
            state=EnrichmentState.REJECTED,
            reason=failed,
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
        )
    texts = {name: clean(str(text)) for name, text in answer.fields.items()}
    return _Outcome(
        state=EnrichmentState.OK,
        title=texts.get("title", ""),
        abstract=texts.get("abstract", ""),
        tldr=texts["tldr"],
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
    )
