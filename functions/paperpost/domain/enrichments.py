"""What a model adds to a paper in one language, and when it is there to be shown."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from paperpost.domain.papers import Paper


class EnrichmentState(StrEnum):
    """How far a paper's enrichment in one language has come; without a row it is pending."""

    PENDING = "pending"
    OK = "ok"
    REJECTED = "rejected"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def is_final(self) -> bool:
        """Whether publish need not hold the announcement for it any longer."""
        return self is not EnrichmentState.PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrichment:
    """
    One language's title, abstract and TL;DR of a paper, or why there is none.

    For the paper's own language (English) only `tldr` is filled. The cache key is
    (arxiv_id, text_hash, language, prompt_version, model). `version` is the paper's that was read.
    """

    arxiv_id: str
    language: str
    state: EnrichmentState
    text_hash: str
    model: str
    prompt_version: str
    updated_at: datetime
    title: str = ""
    abstract: str = ""
    tldr: str = ""
    reason: str = ""
    version: int = 0


def text_hash(paper: Paper) -> str:
    """Sixteen hex digits that change when the title or the abstract does."""
    text = f"{paper.title}\n{paper.abstract}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def is_current(enrichment: Enrichment | None, paper: Paper) -> bool:
    """Whether *enrichment* is of this text and can be shown."""
    return (
        enrichment is not None
        and enrichment.state is EnrichmentState.OK
        and enrichment.text_hash == text_hash(paper)
    )
