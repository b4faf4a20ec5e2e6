"""Enriching one paper: claim, ask, check, store, one language after the other."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from paperpost.domain.enrichments import Enrichment, EnrichmentState, text_hash
from paperpost.domain.errors import PaperpostError
from paperpost.domain.glossary import Glossary
from paperpost.domain.papers import Paper
from paperpost.domain.spending import Tokens
from paperpost.domain.text import clean
from paperpost.enrich.answers import (
    Answer,
    RefusedByProviderError,
    Skip,
    TransientProviderError,
)
from paperpost.enrich.checks import failed_check, hopeless, repaired
from paperpost.enrich.guard import Guard, Permit
from paperpost.enrich.prompt import PROMPT_VERSION, Request, most_tokens
from paperpost.observe import logger
from paperpost.storage.enrichnotes import Claim
from paperpost.storage.papers import PaperTable

# Longer than the function may run, so that a claim ends after its owner; shorter than a message
# stays hidden, so that the owner's own message finds it ended.
LEASE = timedelta(minutes=6)
DOWN, CAP, NO_ANSWER = "provider down", "cap", "no answer"


class Provider(Protocol):
    """Who enriches. `translates`: whether asking again may bring what was skipped or failed."""

    @property
    def translates(self) -> bool:
        """Whether it can answer at all."""

    @property
    def model(self) -> str:
        """What readers are told, and part of the cache key."""

    def enrich(self, request: Request) -> Answer | Skip:
        """Its answer. Raises: TransientProviderError, RefusedByProviderError."""


class UnknownPaperError(PaperpostError):
    """A message names a paper that is not stored; the queue retries it, then keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enricher:
    """
    Works on papers for one owner, who is the only one with this name.

    `glossary`: an operator's terms, by language. `counts`: what happened, in words.
    """

    papers: PaperTable
    guard: Guard
    provider: Provider
    glossary: Callable[[str], Glossary]
    owner: str
    now: datetime
    expires_at: int
    counts: Counter[str] = field(default_factory=Counter)

    def enrich(
        self, arxiv_id: str, languages: Sequence[str], *, last_try: bool = False
    ) -> list[Enrichment]:
        """
        Bring the paper's enrichments up to date and return those that were written.

        What is settled for the present text is neither asked for nor paid for again, nor is what
        another worker asks for at this moment. *last_try*: the queue does not bring it again: a
        failure is a row, with which readers need not wait and which the sweep takes up.

        Raises:
            UnknownPaperError: If the paper is not stored.
            TransientProviderError: If the provider fails and it is no *last_try*; the other
                languages are done.
        """
        paper = self.papers.get_papers([arxiv_id]).get(arxiv_id)
        if paper is None:
            raise UnknownPaperError(f"no paper {arxiv_id[:40]!r} is stored")
        stored = self.papers.get_enrichments([arxiv_id], languages).get(arxiv_id, {})
        written, failures = list[Enrichment](), list[TransientProviderError]()
        for language in languages:
            if is_settled(stored.get(language), paper, self.provider):
                continue
            try:
                written += self._claimed(paper, language)
            except TransientProviderError as exc:
                if last_try:
                    written += self._store(paper, language, _failure(NO_ANSWER))
                else:
                    failures.append(exc)
        if failures:
            raise failures[0]
        return written

    def _claimed(self, paper: Paper, language: str) -> list[Enrichment]:
        """Ask under a claim; nothing while another worker has it, whose work this is then."""
        if not self.provider.translates:
            skipped = self._answered(Request(paper=paper, language=language))
            return self._store(paper, language, skipped)
        claim = Claim(
            arxiv_id=paper.arxiv_id,
            language=language,
            cache_key=f"{text_hash(paper)} {PROMPT_VERSION} {self.provider.model}",
            owner=self.owner,
            until=self.now + LEASE,
            expires_at=self.expires_at,
        )
        if not self.guard.notes.claim(claim, now=self.now):
            self.counts["claimed by another"] += 1
            return []
        try:
            # Whoever had the claim may have stored its answer since we looked.
            stored = self.papers.get_enrichments([paper.arxiv_id], [language])
            found = stored.get(paper.arxiv_id, {}).get(language)
            if is_settled(found, paper, self.provider):
                return []
            return self._store(paper, language, self._ask(paper, language))
        finally:
            self.guard.notes.release(claim)

    def _ask(self, paper: Paper, language: str) -> "_Outcome":
        """What the provider makes of it: one call, and a second one if the answer is rejected."""
        if reason := hopeless(paper):
            return _Outcome(state=EnrichmentState.REJECTED, reason=reason)
        permit = self.guard.permit()
        if permit is None:
            self.counts[DOWN] += 1
            return _failure(DOWN)
        terms = self.glossary(language).terms_in(f"{paper.title}\n{paper.abstract}")
        request = Request(paper=paper, language=language, terms=terms)
        try:
            outcome = self._call(request, permit)
        except TransientProviderError as exc:
            if not self.guard.failed(permit):
                raise
            logger.warning("provider failed", extra={"problem": str(exc)})
            self.counts[DOWN] += 1
            return _failure(DOWN)
        if outcome.state is not EnrichmentState.REJECTED:
            return outcome
        self.counts["asked twice"] += 1
        try:
            again = self._call(replace(request, objection=outcome.reason), permit)
        except TransientProviderError:
            self.guard.failed(permit)
            return outcome
        answered = again.state in (EnrichmentState.OK, EnrichmentState.REJECTED)
        return again if answered else outcome

    def _call(self, request: Request, permit: Permit) -> "_Outcome":
        """One call within the day's caps. Raises: TransientProviderError."""
        read, write = most_tokens(request)
        worst = Tokens(input=read, output=write)
        if not self.guard.reserve(worst):
            self.counts[CAP] += 1
            return _Outcome(state=EnrichmentState.SKIPPED, reason=CAP)
        try:
            outcome = self._answered(request)
        except TransientProviderError as exc:
            self._settle(worst, exc.tokens)
            raise
        self._settle(worst, outcome.tokens)
        self.guard.answered(permit)
        return outcome

    def _settle(self, worst: Tokens, told: Tokens | None) -> None:
        """What nobody counts is counted at its worst."""
        self.guard.settle(worst, worst if told is None else told)

    def _answered(self, request: Request) -> "_Outcome":
        """The checked answer."""
        try:
            answer = self.provider.enrich(request)
        except RefusedByProviderError as exc:
            return replace(_failure(exc.reason), tokens=exc.tokens)
        if isinstance(answer, Skip):
            return _Outcome(state=EnrichmentState.SKIPPED, reason=answer.reason)
        told, language = repaired(answer.fields), request.language
        failed = failed_check(told, request.paper, language, self.glossary(language))
        if failed:
            return _Outcome(state=EnrichmentState.REJECTED, reason=failed, tokens=answer.tokens)
        texts = {name: clean(str(text)) for name, text in told.items()}
        return _Outcome(state=EnrichmentState.OK, texts=texts, tokens=answer.tokens)

    def _store(self, paper: Paper, language: str, outcome: "_Outcome") -> list[Enrichment]:
        logger.info(
            "paper asked for",
            extra={
                "arxiv_id": paper.arxiv_id,
                "language": language,
                "state": outcome.state.value,
                "reason": outcome.reason,
            },
        )
        made = Enrichment(
            arxiv_id=paper.arxiv_id,
            language=language,
            state=outcome.state,
            text_hash=text_hash(paper),
            model=self.provider.model,
            prompt_version=PROMPT_VERSION,
            updated_at=self.now,
            title=outcome.texts.get("title", ""),
            abstract=outcome.texts.get("abstract", ""),
            tldr=outcome.texts.get("tldr", ""),
            reason=outcome.reason,
            version=paper.version,
        )
        if not self.papers.put_enrichment(made):
            return []
        self.counts[made.state.value] += 1
        if made.state is EnrichmentState.REJECTED:
            self.counts[f"rejected {made.reason}"] += 1
        return [made]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    state: EnrichmentState
    reason: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    tokens: Tokens | None = None


def _failure(reason: str) -> _Outcome:
    return _Outcome(state=EnrichmentState.FAILED, reason=reason)
