"""A stored paper, a provider that answers as told, and the table they meet in."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from paperpost import clients
from paperpost.domain.papers import Author, Paper
from paperpost.enrich.answers import Answer, Skip
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


class FakeProvider:
    """Answers by language; an exception in place of an answer is raised. `asked` remembers."""

    translates = True
    model = "fake.model-1"

    def __init__(self, answers: Mapping[str, object] | None = None) -> None:
        self.answers = dict(answers or {"zh": CHINESE, "en": ENGLISH})
        self.asked: list[tuple[str, str]] = []

    def enrich(self, paper: Paper, language: str) -> Answer | Skip:
        self.asked.append((paper.arxiv_id, language))
        told = self.answers[language]
        if isinstance(told, Exception):
            raise told
        assert isinstance(told, Mapping)
        return Answer(fields=told, input_tokens=10, output_tokens=5)


@pytest.fixture
def papers(cloud: Cloud) -> PaperTable:
    """The Papers table with one paper in it."""
    table = PaperTable(clients.table(cloud.papers))
    table.put_papers([PAPER])
    return table
