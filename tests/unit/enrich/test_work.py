"""Enriching one paper: states, the cache, and what goes back to the queue."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from paperpost.domain.breaker import FAILURES, Breaker
from paperpost.domain.enrichments import Enrichment, EnrichmentState, text_hash
from paperpost.domain.spending import Budget, Tokens
from paperpost.enrich.answers import Answer, RefusedByProviderError, Skip, TransientProviderError
from paperpost.enrich.prompt import MAX_TOKENS, PROMPT_VERSION, Request, most_tokens
from paperpost.enrich.providers.extractive import Extractive
from paperpost.enrich.providers.off import Off
from paperpost.enrich.work import Provider, UnknownPaperError
from paperpost.storage.enrichnotes import Claim, EnrichNotes
from paperpost.storage.papers import PaperTable
from unit.enrich.conftest import (
    CHINESE,
    ENGLISH,
    NOW,
    PAPER,
    TERMS,
    FakeProvider,
    enrich,
    make_enricher,
)

LANGUAGES = ("zh", "en")
ASKED = Request(paper=PAPER, language="zh", terms={"nothing": TERMS["zh"]["nothing"]})


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


def test_the_glossarys_terms_of_this_paper_are_told(papers: PaperTable) -> None:
    """Those of its text and language alone."""
    provider = FakeProvider()

    enrich(papers, provider)

    assert provider.terms == [{"nothing": ("空无一物",)}, {}]


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

    assert states(papers) == {"zh": ("rejected", "untranslated"), "en": ("ok", "")}
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


# ------------------------------------------------------------------ the second try


def test_a_rejected_answer_is_asked_for_once_more_with_the_reason(papers: PaperTable) -> None:
    """And what comes then is what counts; both calls are."""
    provider = FakeProvider({"zh": [CHINESE | {"title": PAPER.title}, CHINESE], "en": ENGLISH})

    enrich(papers, provider)

    assert states(papers) == {"zh": ("ok", ""), "en": ("ok", "")}
    assert provider.objections == ["", "untranslated", ""]
    spend = EnrichNotes(papers._table).get_spend(NOW.date())
    assert (spend.calls, spend.tokens) == (3, Tokens(input=30, output=15))


def test_the_reason_that_is_stored_is_the_last_ones(papers: PaperTable) -> None:
    """Two calls, no third."""
    provider = FakeProvider({"zh": [CHINESE | {"title": PAPER.title}, {}], "en": ENGLISH})

    enrich(papers, provider)

    assert states(papers)["zh"] == ("rejected", "fields")
    assert len(provider.asked) == 3


@pytest.mark.parametrize(
    "second", [TransientProviderError("down"), RefusedByProviderError("stopped: length")]
)
def test_a_second_try_that_brings_no_answer_leaves_the_first_rejection(
    papers: PaperTable, second: Exception
) -> None:
    """The paper is settled; asking a third time would be paid again."""
    provider = FakeProvider({"zh": [CHINESE | {"title": PAPER.title}, second], "en": ENGLISH})

    enrich(papers, provider)

    assert states(papers) == {"zh": ("rejected", "untranslated"), "en": ("ok", "")}


def test_what_happened_is_counted_by_the_name_of_the_check(papers: PaperTable) -> None:
    worker = make_enricher(papers, FakeProvider({"zh": {}, "en": ENGLISH}))

    worker.enrich(PAPER.arxiv_id, LANGUAGES)

    assert worker.counts == {
        "asked twice": 1, "rejected": 1, "rejected fields": 1, "ok": 1,
    }  # fmt: skip


# ------------------------------------------------------------------ claims


def claimed_by_another(papers: PaperTable, *, until: datetime) -> None:
    """Another worker asks for the Chinese at this moment, for the same text, prompt and model."""
    key = f"{text_hash(PAPER)} {PROMPT_VERSION} {FakeProvider.model}"
    made = Claim(
        arxiv_id=PAPER.arxiv_id,
        language="zh",
        cache_key=key,
        owner="other",
        until=until,
        expires_at=0,
    )
    assert EnrichNotes(papers._table).claim(made, now=NOW)


def test_what_another_worker_asks_for_is_left_to_it(papers: PaperTable) -> None:
    """No error: its own message, or the sweep, brings it."""
    claimed_by_another(papers, until=NOW + timedelta(seconds=1))
    provider = FakeProvider()

    enrich(papers, provider)

    assert provider.asked == [(PAPER.arxiv_id, "en")]
    assert set(states(papers)) == {"en"}


def test_a_worker_that_died_delays_by_its_lease_alone(papers: PaperTable) -> None:
    claimed_by_another(papers, until=NOW)

    enrich(papers, FakeProvider())

    assert states(papers)["zh"] == ("ok", "")


def test_a_claim_is_given_back_whatever_happened(papers: PaperTable) -> None:
    """A retry a moment later must not find it."""
    with pytest.raises(TransientProviderError):
        enrich(papers, FakeProvider({"zh": TransientProviderError("down"), "en": ENGLISH}))

    enrich(papers, FakeProvider())

    assert states(papers)["zh"] == ("ok", "")
    items = papers._table.scan()["Items"]
    assert not [item for item in items if item["pk"].startswith("CLAIM#")]


def test_an_answer_that_came_before_the_claim_is_not_paid_again(papers: PaperTable) -> None:
    """Between the first look and the claim another worker may have done all of it."""
    worker = make_enricher(papers, FakeProvider())
    looked: list[str] = []

    class Overtaken(EnrichNotes):
        def claim(self, claim: Claim, *, now: datetime) -> bool:
            looked.append(claim.language)
            enrich(papers, FakeProvider())
            return super().claim(claim, now=now)

    slow = replace(worker, guard=replace(worker.guard, notes=Overtaken(papers._table)))
    assert slow.enrich(PAPER.arxiv_id, ["zh"]) == []

    assert looked == ["zh"]
    assert isinstance(slow.provider, FakeProvider)
    assert slow.provider.asked == []


# ------------------------------------------------------------------ a dead provider


def test_after_five_failures_in_a_row_papers_get_their_row_at_once(papers: PaperTable) -> None:
    """It ends publish's hold, and the message need not come back."""
    dead = FakeProvider({"zh": TransientProviderError("down")})
    for _ in range(FAILURES - 1):
        with pytest.raises(TransientProviderError):
            enrich(papers, dead, languages=["zh"])

    enrich(papers, dead, languages=["zh"])
    assert states(papers) == {"zh": ("failed", "provider down")}
    enrich(papers, dead, languages=["zh"])

    assert len(dead.asked) == FAILURES


def test_an_answer_in_between_starts_the_count_again(papers: PaperTable) -> None:
    """A throttled provider is not a dead one."""
    flaky = [TransientProviderError("busy")] * (FAILURES - 1)
    provider = FakeProvider({"zh": [*flaky, CHINESE], "en": [*flaky, ENGLISH]})
    for language in ("zh", "en"):
        for _ in flaky:
            with pytest.raises(TransientProviderError):
                enrich(papers, provider, languages=[language])
        enrich(papers, provider, languages=[language])

    assert states(papers) == {"zh": ("ok", ""), "en": ("ok", "")}


def test_after_the_pause_one_paper_probes_and_its_answer_ends_it(papers: PaperTable) -> None:
    dead = FakeProvider({"zh": TransientProviderError("down")})
    for _ in range(FAILURES):
        with suppress(TransientProviderError):
            enrich(papers, dead, languages=["zh"])

    enrich(papers, FakeProvider(), now=NOW + timedelta(minutes=4))
    assert states(papers)["zh"] == ("failed", "provider down")
    enrich(papers, FakeProvider(), now=NOW + timedelta(minutes=5))

    assert states(papers) == {"zh": ("ok", ""), "en": ("ok", "")}


def test_another_model_is_not_left_alone_for_the_failures_of_one(papers: PaperTable) -> None:
    """An operator who changes the model need not wait."""
    EnrichNotes(papers._table).put_breaker(
        FakeProvider.model, Breaker(failures=5, opened=1, until=NOW + timedelta(hours=1))
    )
    other = FakeProvider()
    other.model = "fake.model-2"

    enrich(papers, other)

    assert states(papers)["zh"] == ("ok", "")


def test_the_last_try_of_a_message_ends_the_waiting(papers: PaperTable) -> None:
    """The paper has its row, which the sweep takes up: the message is no dead letter."""
    worker = make_enricher(papers, FakeProvider({"zh": TransientProviderError("slow")}))

    worker.enrich(PAPER.arxiv_id, ["zh"], last_try=True)

    assert states(papers) == {"zh": ("failed", "no answer")}


# ------------------------------------------------------------------ the caps


def test_at_the_cap_a_paper_is_skipped_and_nobody_is_asked(papers: PaperTable) -> None:
    provider = FakeProvider()

    enrich(papers, provider, budget=Budget(most_tokens=100))

    assert states(papers) == {"zh": ("skipped", "cap"), "en": ("skipped", "cap")}
    assert provider.asked == []
    assert EnrichNotes(papers._table).get_spend(NOW.date()).capped_at == NOW


def test_the_next_day_has_room_again(papers: PaperTable) -> None:
    """The caps are for a UTC day."""
    notes = EnrichNotes(papers._table)
    budget = Budget(most_tokens=10_000)
    notes.reserve(NOW.date(), Tokens(input=9_000), budget)
    enrich(papers, FakeProvider(), budget=budget)
    assert states(papers)["zh"] == ("skipped", "cap")

    enrich(papers, FakeProvider(), budget=budget, now=NOW + timedelta(days=1))

    assert states(papers) == {"zh": ("ok", ""), "en": ("ok", "")}


def test_a_second_try_that_no_longer_fits_leaves_the_rejection(papers: PaperTable) -> None:
    read, _ = most_tokens(ASKED)
    budget = Budget(most_tokens=read + MAX_TOKENS)
    provider = FakeProvider({"zh": {}})

    enrich(papers, provider, languages=["zh"], budget=budget)

    assert states(papers)["zh"] == ("rejected", "fields")
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        (TransientProviderError("down"), 0),
        (TransientProviderError("given up", tokens=None), -1),
        (RefusedByProviderError("HTTP 400", tokens=Tokens()), 0),
        (RefusedByProviderError("stopped: length", tokens=Tokens(input=7, output=4)), 11),
        (RefusedByProviderError("no chat completion"), -1),
    ],
)
def test_what_a_call_without_an_answer_cost_is_counted_as_it_is_known(
    papers: PaperTable, told: Exception, counted: int
) -> None:
    """Nothing if nothing was made; the worst (here -1) if nobody says."""
    with suppress(TransientProviderError):
        enrich(papers, FakeProvider({"zh": told}), languages=["zh"])

    spend = EnrichNotes(papers._table).get_spend(NOW.date())
    worst = sum(most_tokens(ASKED))
    assert spend.tokens.total == spend.held_tokens == (counted if counted >= 0 else worst)
