"""A stored paper, a provider that answers as told, and the table they meet in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from paperpost import clients
from paperpost.domain.enrichments import Enrichment
from paperpost.domain.glossary import Glossary
from paperpost.domain.papers import Author, Paper
from paperpost.domain.spending import Budget, Tokens
from paperpost.enrich.answers import Answer, Skip
from paperpost.enrich.guard import Guard
from paperpost.enrich.prompt import Request
from paperpost.enrich.work import Enricher, Provider
from paperpost.storage.enrichnotes import EnrichNotes
from paperpost.storage.papers import PaperTable
from support.aws import Cloud

NOW = datetime(2026, 4, 21, 5, 0, tzinfo=UTC)
PAPER = Paper(
    arxiv_id="2604.99001",
    version=1,
    title="Nothing Is All You Need",
    abstract="We propose nothing for $n < 12$. Code: https://example.org/nothing.",
    authors=(Author(name="Ada Example"),),
    categories=("cs.AI",),
)
CHINESE = {
    "title": "只需要空无一物",
    "abstract": "我们针对$n < 12$提出空无一物的方法。代码：https://example.org/nothing。",
    "tldr": "本文提出空无一物的方法。",
}
ENGLISH = {"tldr": "The paper proposes nothing."}
TERMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "zh": {"nothing": ("空无一物",), "tensor": ("张量",)},
    "en": {},
}


class FakeProvider:
    """
    Answers by language; an exception in place of an answer is raised. `asked` remembers.

    A list is answered in its order, its last member for ever.
    """

    translates = True
    model = "fake.model-1"

    def __init__(self, answers: Mapping[str, object] | None = None) -> None:
        self.answers = dict(answers or {"zh": CHINESE, "en": ENGLISH})
        self.asked: list[tuple[str, str]] = []
        self.objections: list[str] = []
        self.terms: list[Mapping[str, tuple[str, ...]]] = []

    def enrich(self, request: Request) -> Answer | Skip:
        self.asked.append((request.paper.arxiv_id, request.language))
        self.objections.append(request.objection)
        self.terms.append(request.terms)
        told = self.answers[request.language]
        if isinstance(told, list):
            told = told.pop(0) if len(told) > 1 else told[0]
        if isinstance(told, Exception):
            raise told
        assert isinstance(told, Mapping)
        return Answer(fields=told, tokens=Tokens(input=10, output=5))


def make_enricher(
    papers: PaperTable,
    provider: Provider,
    *,
    now: datetime = NOW,
    owner: str = "one",
    budget: Budget | None = None,
) -> Enricher:
    """A worker on the table."""
    return Enricher(
        papers=papers,
        guard=Guard(
            notes=EnrichNotes(papers._table),
            model=provider.model,
            budget=budget or Budget(),
            now=now,
        ),
        provider=provider,
        glossary=lambda language: Glossary(renderings=TERMS[language]),
        owner=owner,
        now=now,
        expires_at=int(now.timestamp()) + 86_400,
        counts=Counter(),
    )


def enrich(
    papers: PaperTable,
    provider: Provider,
    *,
    languages: Sequence[str] = ("zh", "en"),
    paper: str = PAPER.arxiv_id,
    now: datetime = NOW,
    budget: Budget | None = None,
) -> list[Enrichment]:
    """Work on a paper as its message would."""
    return make_enricher(papers, provider, now=now, budget=budget).enrich(paper, languages)


@pytest.fixture
def papers(cloud: Cloud) -> PaperTable:
    """The Papers table with one paper in it."""
    table = PaperTable(clients.table(cloud.papers))
    table.put_papers([PAPER])
    return table
