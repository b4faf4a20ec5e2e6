"""What enrich's workers rely on when they meet in the table, on moto and on the emulator alike."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Lock

import pytest

from contract.conftest import Storage
from paperpost.domain.breaker import FAILURES, Breaker
from paperpost.domain.papers import Paper
from paperpost.domain.spending import Budget, Spend, Tokens
from paperpost.enrich.answers import Answer, TransientProviderError
from paperpost.enrich.guard import Guard
from paperpost.enrich.prompt import MAX_TOKENS, Request, most_tokens
from paperpost.enrich.work import Enricher
from paperpost.storage.enrichnotes import Claim
from support.records import make_paper
from support.together import at_once

NOW = datetime(2026, 4, 21, 5, 0, tzinfo=UTC)
DAY = date(2026, 4, 21)
CLAIM = Claim(
    arxiv_id="2604.99001",
    language="zh",
    cache_key="hash 2 model",
    owner="one",
    until=NOW + timedelta(minutes=6),
    expires_at=1_800_000_000,
)
PRICES = Budget(input_price=Decimal("0.06"), output_price=Decimal("0.24"))
CHINESE = {
    "title": "虚构的标题",
    "abstract": "我们什么也没有提出，但它很有效。",
    "tldr": "本文什么也没有提出。",
}


def test_a_claim_is_taken_once_until_its_lease_is_over(storage: Storage) -> None:
    other = replace(CLAIM, owner="two")

    assert storage.enrich.claim(CLAIM, now=NOW)
    assert not storage.enrich.claim(other, now=CLAIM.until - timedelta(seconds=1))
    assert storage.enrich.claim(replace(other, language="en"), now=NOW)
    assert storage.enrich.claim(other, now=CLAIM.until)


def test_a_claim_on_another_text_prompt_or_model_is_in_nobodys_way(storage: Storage) -> None:
    """What is paid for is something else."""
    storage.enrich.claim(CLAIM, now=NOW)

    assert storage.enrich.claim(replace(CLAIM, owner="two", cache_key="other 2 model"), now=NOW)


def test_only_its_owner_gives_a_claim_back(storage: Storage) -> None:
    other = replace(CLAIM, owner="two")
    storage.enrich.claim(CLAIM, now=NOW)

    assert not storage.enrich.release(other)
    assert storage.enrich.release(CLAIM)
    assert not storage.enrich.release(CLAIM)
    assert storage.enrich.claim(other, now=NOW)


def test_a_breaker_is_written_by_whoever_read_it_last(storage: Storage) -> None:
    """The loser reads again."""
    assert storage.enrich.get_breaker("m") == Breaker()
    opened = Breaker(failures=5, opened=1, until=NOW)

    assert storage.enrich.put_breaker("m", opened)
    assert not storage.enrich.put_breaker("m", Breaker(failures=1))
    assert storage.enrich.get_breaker("m") == replace(opened, version=1)
    assert storage.enrich.put_breaker("m", Breaker(version=1))
    assert storage.enrich.get_breaker("m") == Breaker(version=2)
    assert storage.enrich.get_breaker("another") == Breaker()


def test_a_day_adds_up_what_calls_cost(storage: Storage) -> None:
    """Held while they run, then replaced by what they really cost, in whole micro-dollars."""
    worst, real = Tokens(input=1000, output=4000), Tokens(input=700, output=301)

    assert storage.enrich.reserve(DAY, worst, PRICES)
    assert storage.enrich.get_spend(DAY) == Spend(on=DAY, held_tokens=5000, held_micro_usd=1020)
    storage.enrich.settle(DAY, worst, real, PRICES)

    assert storage.enrich.get_spend(DAY) == Spend(
        on=DAY, calls=1, tokens=real, micro_usd=115, held_tokens=1001, held_micro_usd=115
    )


@pytest.mark.parametrize(
    "budget",
    [replace(PRICES, most_tokens=7000), replace(PRICES, most_usd=Decimal("0.0015"))],
)
def test_a_call_that_does_not_fit_under_a_cap_is_not_held(storage: Storage, budget: Budget) -> None:
    """Until what another call really cost makes room."""
    worst = Tokens(input=1000, output=4000)
    assert storage.enrich.reserve(DAY, worst, budget)

    assert not storage.enrich.reserve(DAY, worst, budget)
    storage.enrich.settle(DAY, worst, Tokens(input=1000, output=100), budget)
    assert storage.enrich.reserve(DAY, worst, budget)
    assert storage.enrich.reserve(DAY + timedelta(days=1), worst, budget)


def test_a_call_larger_than_the_cap_never_fits(storage: Storage) -> None:
    small = replace(PRICES, most_tokens=4999)

    assert not storage.enrich.reserve(DAY, Tokens(input=1000, output=4000), small)


def test_a_cap_that_was_met_is_noted_until_a_call_fits_again(storage: Storage) -> None:
    storage.enrich.note_capped(DAY, NOW)
    storage.enrich.note_capped(DAY, NOW + timedelta(hours=1))
    assert storage.enrich.get_spend(DAY).capped_at == NOW

    storage.enrich.reserve(DAY, Tokens(input=1), PRICES)

    assert storage.enrich.get_spend(DAY).capped_at is None


def test_days_are_listed_by_date(storage: Storage) -> None:
    days = [DAY + timedelta(days=n) for n in range(4)]
    for on in days:
        storage.enrich.reserve(on, Tokens(input=1), PRICES)
    storage.enrich.put_breaker("m", Breaker(failures=1))

    assert [spend.on for spend in storage.enrich.list_spends(days[1], days[2])] == days[1:3]


# ------------------------------------------------------------------ workers at the same time


class CountingProvider:
    """Answers every request well, or never; remembers which papers were asked for."""

    translates = True
    model = "fake.model-1"

    def __init__(self, *, dead: bool = False) -> None:
        self.asked: Counter[str] = Counter()
        self.dead = dead
        self._lock = Lock()

    def enrich(self, request: Request) -> Answer:
        with self._lock:
            self.asked[request.paper.arxiv_id] += 1
        if self.dead:
            raise TransientProviderError("down")
        return Answer(fields=CHINESE, tokens=Tokens(input=700, output=300))


class NoTerms:
    """A glossary that an operator has emptied."""

    def terms_in(self, _text: str) -> dict[str, tuple[str, ...]]:
        return {}


def worker(
    storage: Storage, provider: CountingProvider, n: int, *, budget: Budget = PRICES
) -> Enricher:
    """One of several workers on the same table."""
    return Enricher(
        papers=storage.papers,
        guard=Guard(notes=storage.enrich, model=provider.model, budget=budget, now=NOW),
        provider=provider,
        glossary=lambda _language: NoTerms(),
        owner=f"worker{n}",
        now=NOW,
        expires_at=1_800_000_000,
    )


def store(storage: Storage, number: int) -> list[Paper]:
    """Many papers."""
    made = [make_paper(f"2604.{n:05}", title="Nothing") for n in range(number)]
    storage.papers.put_papers(made)
    return made


@pytest.mark.emulator
def test_two_workers_with_the_same_batch_of_100_papers_make_exactly_100_calls(
    real: Storage,
) -> None:
    """Both begin with the same paper at the same moment, over and over."""
    papers, provider = store(real, 100), CountingProvider()

    def work(n: int) -> None:
        mine = worker(real, provider, n)
        for paper in papers:
            mine.enrich(paper.arxiv_id, ["zh"])

    at_once(2, work)

    assert provider.asked == Counter(paper.arxiv_id for paper in papers)
    states = real.papers.get_enrichments((p.arxiv_id for p in papers), ["zh"]).values()
    assert Counter(by["zh"].state.value for by in states) == {"ok": 100}
    assert real.enrich.get_spend(DAY).calls == 100


@pytest.mark.emulator
def test_no_call_leaves_once_the_cap_is_reached_in_the_middle_of_a_batch(real: Storage) -> None:
    """Four workers, each with papers of its own: what they cost together stays below the cap."""
    papers, provider = store(real, 60), CountingProvider()
    read, _ = most_tokens(Request(paper=papers[-1], language="zh"))
    budget = replace(PRICES, most_tokens=20 * 1000 + read + MAX_TOKENS)

    def work(n: int) -> None:
        mine = worker(real, provider, n, budget=budget)
        for paper in papers[n::4]:
            mine.enrich(paper.arxiv_id, ["zh"])

    at_once(4, work)

    spend = real.enrich.get_spend(DAY)
    states = real.papers.get_enrichments((p.arxiv_id for p in papers), ["zh"]).values()
    told = Counter((by["zh"].state.value, by["zh"].reason) for by in states)
    assert 1 <= provider.asked.total() <= 21
    assert told == {
        ("ok", ""): provider.asked.total(),
        ("skipped", "cap"): 60 - provider.asked.total(),
    }
    assert spend.tokens.total == spend.held_tokens == provider.asked.total() * 1000
    assert spend.held_tokens <= budget.most_tokens
    assert spend.capped_at == NOW


@pytest.mark.emulator
def test_a_dead_provider_is_asked_a_few_times_by_all_workers_together(real: Storage) -> None:
    """Then every paper has its row, and its message need not come back."""
    papers, provider = store(real, 40), CountingProvider(dead=True)
    left: list[str] = []

    def work(n: int) -> None:
        mine = worker(real, provider, n)
        for paper in papers[n::4]:
            try:
                mine.enrich(paper.arxiv_id, ["zh"])
            except TransientProviderError:
                left.append(paper.arxiv_id)

    at_once(4, work)

    states = real.papers.get_enrichments((p.arxiv_id for p in papers), ["zh"])
    told = Counter((by["zh"].state.value, by["zh"].reason) for by in states.values())
    assert FAILURES <= provider.asked.total() < FAILURES + 4
    assert set(states) == {p.arxiv_id for p in papers} - set(left)
    assert told == {("failed", "provider down"): 40 - len(left)}
    assert len(left) < FAILURES
    assert real.enrich.get_spend(DAY).held_tokens == 0


@pytest.mark.emulator
def test_of_many_workers_one_probes(real: Storage) -> None:
    """The others wait for what it finds."""
    real.enrich.put_breaker("m", Breaker(failures=5, opened=1, until=NOW))
    permits: list[object] = []

    def ask(_: int) -> None:
        guard = Guard(notes=real.enrich, model="m", budget=PRICES, now=NOW)
        permits.append(guard.permit())

    at_once(8, ask)

    assert sum(permit is not None for permit in permits) == 1
