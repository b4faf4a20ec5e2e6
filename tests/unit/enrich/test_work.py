"""Enriching one paper: states, the cache, and what goes back to the queue."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paperpost.domain.enrichments import Enrichment, EnrichmentState, text_hash
from paperpost.enrich.answers import Answer, RefusedByProviderError, Skip, TransientProviderError
from paperpost.enrich.prompt import PROMPT_VERSION, Request
from paperpost.enrich.providers.extractive import Extractive
from paperpost.enrich.providers.off import Off
from paperpost.enrich.work import Provider, UnknownPaperError
from paperpost.storage.papers import PaperTable
from unit.enrich.conftest import CHINESE, ENGLISH, NOW, PAPER, FakeProvider, enrich

LANGUAGES = ("zh", "en")


def stored(papers: PaperTable) -> dict[str, Enrichment]:
    """Its enrichments by language."""
    return papers.get_enrichments([PAPER.arxiv_id], LANGUAGES).get(PAPER.arxiv_id, {})


def states(papers: PaperTable) -> dict[str, tuple[str, str]]:
    """State and reason by language."""
    return {lang: (e.state.value, e.reason) for lang, e in stored(papers).items()}


def test_each_language_is_asked_checked_and_stored(papers: PaperTable) -> None:
    """With everything that the cache key is made of."""
    enrich(papers, FakeProvider())

    found = stored(papers)
    assert found["zh"] == Enrichment(
        arxiv_id=PAPER.arxiv_id,
        language="zh",
        state=EnrichmentState.OK,
        text_hash=text_hash(PAPER),
        model="fake.model-1",
        prompt_version=PROMPT_VERSION,
        updated_at=NOW,
        version=1,
        **CHINESE,
    )
    assert (found["en"].tldr, found["en"].title, found["en"].abstract) == (ENGLISH["tldr"], "", "")


def test_a_message_that_comes_twice_is_paid_once(papers: PaperTable) -> None:
    """Queues deliver at least once."""
    provider = FakeProvider()
    enrich(papers, provider)

    assert enrich(papers, provider) == []
    assert len(provider.asked) == 2


def test_a_changed_text_is_asked_for_again_and_an_unchanged_version_is_not(
    papers: PaperTable,
) -> None:
    """The key is the text, not the version."""
    provider = FakeProvider()
    enrich(papers, provider)
    papers.put_papers([replace(PAPER, version=2)])
    enrich(papers, provider)
    assert len(provider.asked) == 2

    changed = f"{PAPER.abstract} It is now proven."
    papers.put_papers([replace(PAPER, version=3, abstract=changed)])
    enrich(papers, provider)
    assert len(provider.asked) == 4


def test_a_failed_check_is_stored_as_rejected_without_the_text(papers: PaperTable) -> None:
    """Its name is the reason; nothing of the answer is kept; it is not paid for again."""
    provider = FakeProvider({"zh": CHINESE | {"title": PAPER.title}, "en": ENGLISH})
    enrich(papers, provider)

    assert states(papers) == {"zh": ("rejected", "script"), "en": ("ok", "")}
    assert (stored(papers)["zh"].title, stored(papers)["zh"].abstract) == ("", "")
    enrich(papers, provider)
    assert [language for _, language in provider.asked] == ["zh", "zh", "en"]


def test_another_model_may_answer_what_was_rejected(papers: PaperTable) -> None:
    """The rejection belongs to the model and the prompt that were asked."""
    enrich(papers, FakeProvider({"zh": {}, "en": {}}))
    other = FakeProvider()
    other.model = "fake.model-2"

    enrich(papers, other)

    assert states(papers) == {"zh": ("ok", ""), "en": ("ok", "")}


def test_a_refusal_is_stored_as_failed_and_tried_when_the_message_comes_again(
    papers: PaperTable,
) -> None:
    """The sweep sends it."""
    enrich(
        papers, FakeProvider({"zh": RefusedByProviderError("ValidationException"), "en": ENGLISH})
    )
    assert states(papers)["zh"] == ("failed", "ValidationException")

    enrich(papers, FakeProvider())
    assert states(papers)["zh"] == ("ok", "")


def test_a_dead_provider_gives_the_message_back_and_keeps_what_is_done(papers: PaperTable) -> None:
    """The retry asks for the rest alone."""
    with pytest.raises(TransientProviderError):
        enrich(papers, FakeProvider({"zh": CHINESE, "en": TransientProviderError("down")}))
    assert states(papers) == {"zh": ("ok", "")}

    provider = FakeProvider()
    enrich(papers, provider)
    assert provider.asked == [(PAPER.arxiv_id, "en")]


def test_a_paper_that_is_not_stored_is_an_error(papers: PaperTable) -> None:
    """The message is retried, then kept for a person."""
    with pytest.raises(UnknownPaperError):
        enrich(papers, FakeProvider(), paper="2604.99999")


@pytest.mark.parametrize(("provider", "reason"), [(Extractive(), "extractive"), (Off(), "off")])
def test_without_a_model_a_paper_is_skipped_at_once(
    papers: PaperTable, provider: Provider, reason: str
) -> None:
    """A final state without text, written once, so that publish need not wait."""
    assert len(enrich(papers, provider)) == 2
    assert enrich(papers, provider) == []

    assert states(papers) == {"zh": ("skipped", reason), "en": ("skipped", reason)}
    assert all((e.title, e.abstract, e.tldr) == ("", "", "") for e in stored(papers).values())


def test_a_provider_that_was_switched_on_takes_up_what_was_skipped(papers: PaperTable) -> None:
    """And one that is switched off takes nothing away."""
    enrich(papers, Off())
    enrich(papers, FakeProvider())
    enrich(papers, Off())

    assert states(papers) == {"zh": ("ok", ""), "en": ("ok", "")}


def test_line_breaks_of_an_answer_become_spaces(papers: PaperTable) -> None:
    """Titles are one line everywhere."""
    enrich(papers, FakeProvider({"zh": CHINESE | {"title": "只需要\n空无一物 "}, "en": ENGLISH}))

    assert stored(papers)["zh"].title == "只需要 空无一物"


class SlowTable(PaperTable):
    """Another worker stores its success while we wait for our answer."""

    def put_enrichment(self, enrichment: Enrichment) -> bool:
        super().put_enrichment(
            replace(
                enrichment,
                state=EnrichmentState.OK,
                tldr="The other's.",
                updated_at=enrichment.updated_at - timedelta(seconds=1),
            )
        )
        return super().put_enrichment(enrichment)


def test_a_success_for_the_same_text_is_never_overwritten(papers: PaperTable) -> None:
    """Whoever comes second finds it and writes nothing."""
    slow = SlowTable(papers._table)

    assert enrich(slow, FakeProvider({"zh": {}, "en": {}})) == []
    assert {e.tldr for e in stored(papers).values()} == {"The other's."}


class OvertakenProvider(FakeProvider):
    """A new version is stored and enriched by another worker while this one thinks."""

    def __init__(self, papers: PaperTable) -> None:
        super().__init__()
        self.papers = papers

    def enrich(self, request: Request) -> Answer | Skip:
        if request.paper.version == 1:
            self.papers.put_papers([replace(PAPER, version=2, abstract="We now prove nothing.")])
            enrich(self.papers, FakeProvider())
        return super().enrich(request)


def test_an_answer_about_an_older_version_never_replaces_that_of_a_newer_one(
    papers: PaperTable,
) -> None:
    """Else readers would lose a translation that they have seen."""
    assert enrich(papers, OvertakenProvider(papers)) == []

    newest = papers.get_papers([PAPER.arxiv_id])[PAPER.arxiv_id]
    assert {e.text_hash for e in stored(papers).values()} == {text_hash(newest)}
