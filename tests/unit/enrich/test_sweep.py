"""The sweep: what the queue lost is queued again, and nothing else."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from paperpost import clients
from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.papers import AnnounceType, Listing
from paperpost.domain.spending import Budget
from paperpost.enrich.answers import RefusedByProviderError
from paperpost.enrich.providers.extractive import Extractive
from paperpost.enrich.sweep import sweep
from paperpost.enrich.work import Provider
from paperpost.storage.papers import PaperTable
from unit.enrich.conftest import CHINESE, NOW, PAPER, FakeProvider, enrich

TODAY = date(2026, 4, 21)
DEAD = RefusedByProviderError("dead")


class FakeQueue:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, object]] = []

    def send(self, messages: object) -> int:
        new = list(messages)  # type: ignore[call-overload]
        self.sent += new
        return len(new)


@pytest.fixture
def listed(papers: PaperTable) -> PaperTable:
    """The table with the paper listed today in two categories."""
    for category in ("cs.AI", "cs.LG"):
        list_in(papers, category, TODAY)
    return papers


def list_in(papers: PaperTable, category: str, on: date, *, paper: str = PAPER.arxiv_id) -> None:
    """List a paper in *category* on the date *on*."""
    listing = Listing(
        category=category,
        announced_on=on,
        arxiv_id=paper,
        version=1,
        announce_type=AnnounceType.NEW,
        stored_at=NOW,
    )
    papers.put_listings([listing])
    papers.put_announcement(
        Announcement(
            category=category,
            announced_on=on,
            state=AnnouncementState.COMPLETE,
            announced=1,
            stored=1,
            updated_at=NOW,
        )
    )


def swept(
    papers: PaperTable, provider: Provider | None = None, *, spare: int | None = None
) -> list[dict[str, object]]:
    """What a sweep queues."""
    queue = FakeQueue()
    told = sweep(
        papers=papers,
        queue=queue,  # type: ignore[arg-type]
        provider=provider or FakeProvider(),
        categories=("cs.AI", "cs.LG"),
        languages=("zh", "en"),
        now=NOW,
        spare=spare,
    )
    assert told == len(queue.sent)
    return queue.sent


def test_a_paper_whose_message_was_lost_is_queued_again_once(listed: PaperTable) -> None:
    """However many categories list it."""
    assert swept(listed) == [{"arxiv_id": PAPER.arxiv_id, "languages": ["zh", "en"]}]


def test_an_enriched_paper_is_left_alone(listed: PaperTable) -> None:
    """A healthy day costs no message."""
    enrich(listed, FakeProvider())

    assert swept(listed) == []


def test_only_the_language_that_is_missing_is_queued(listed: PaperTable) -> None:
    """And a stale text counts as missing."""
    enrich(listed, FakeProvider({"zh": CHINESE, "en": RefusedByProviderError("x")}))
    assert swept(listed) == [{"arxiv_id": PAPER.arxiv_id, "languages": ["en"]}]

    table = clients.table(listed._table.name)
    table.update_item(
        Key={"pk": f"PAPER#{PAPER.arxiv_id}", "sk": "ENRICHMENT#zh"},
        UpdateExpression="SET text_hash = :other",
        ExpressionAttributeValues={":other": "of another text"},
    )
    assert swept(listed) == [{"arxiv_id": PAPER.arxiv_id, "languages": ["zh", "en"]}]


def test_what_was_skipped_is_taken_up_once_the_provider_translates(listed: PaperTable) -> None:
    """As long as it does not, nothing is queued in vain."""
    enrich(listed, Extractive())

    assert swept(listed, Extractive()) == []
    assert swept(listed) == [{"arxiv_id": PAPER.arxiv_id, "languages": ["zh", "en"]}]


def test_what_failed_is_taken_up_and_what_was_rejected_is_not(listed: PaperTable) -> None:
    """The same model would say the same again, and be paid for it."""
    enrich(listed, FakeProvider({"zh": {}, "en": RefusedByProviderError("x")}))

    assert swept(listed) == [{"arxiv_id": PAPER.arxiv_id, "languages": ["en"]}]
    assert swept(listed, Extractive()) == []


def test_a_dead_provider_is_probed_with_one_paper_until_it_succeeds_again(
    listed: PaperTable,
) -> None:
    """Else every sweep would ask it for everything it failed at; then all is queued at once."""
    others = [replace(PAPER, arxiv_id=f"2604.9900{n}") for n in (2, 3, 4)]
    listed.put_papers(others)
    for other in others:
        list_in(listed, "cs.AI", TODAY, paper=other.arxiv_id)
        enrich(listed, FakeProvider({"zh": DEAD, "en": DEAD}), paper=other.arxiv_id)
    enrich(listed, FakeProvider({"zh": DEAD, "en": DEAD}))

    probes = swept(listed)
    enrich(listed, FakeProvider(), paper=str(probes[0]["arxiv_id"]), now=NOW + timedelta(hours=1))
    recovered = swept(listed)

    assert len(probes) == 1
    assert len(recovered) == 3
    assert probes[0] not in recovered


def test_the_probe_is_the_paper_that_was_tried_longest_ago(listed: PaperTable) -> None:
    """One that no model will ever answer must not stand before all the others for ever."""
    other = replace(PAPER, arxiv_id="2604.99002")
    listed.put_papers([other])
    list_in(listed, "cs.AI", TODAY, paper=other.arxiv_id)
    dead = FakeProvider({"zh": DEAD, "en": DEAD})
    probed = []
    for hours, paper in enumerate([PAPER.arxiv_id, other.arxiv_id]):
        enrich(listed, dead, paper=paper, now=NOW + timedelta(hours=hours))

    for hours in (2, 3):
        (probe,) = swept(listed)
        probed.append(str(probe["arxiv_id"]))
        enrich(listed, dead, paper=probed[-1], now=NOW + timedelta(hours=hours))

    assert probed == [PAPER.arxiv_id, other.arxiv_id]


@pytest.mark.parametrize(("days", "queued"), [(45, 1), (46, 0)])
def test_the_sweep_looks_back_45_days(papers: PaperTable, days: int, queued: int) -> None:
    """Older papers are for an operator to queue."""
    list_in(papers, "cs.AI", TODAY - timedelta(days=days))

    assert len(swept(papers)) == queued


def test_a_category_that_is_not_configured_is_not_swept(papers: PaperTable) -> None:
    """Its papers were imported, or its operator dropped it."""
    list_in(papers, "math.CO", TODAY)

    assert swept(papers) == []


def test_english_tldrs_count_as_enrichments_too(listed: PaperTable) -> None:
    """Without one, the paper is not settled."""
    enrich(listed, FakeProvider(), languages=("zh",))

    assert swept(listed) == [{"arxiv_id": PAPER.arxiv_id, "languages": ["en"]}]


def test_what_a_cap_held_back_comes_as_far_as_there_is_room_and_new_papers_always(
    listed: PaperTable,
) -> None:
    """Else what was skipped before would use up the day before its announcement is there."""
    others = [replace(PAPER, arxiv_id=f"2604.9900{n}") for n in (2, 3, 4)]
    listed.put_papers(others)
    for other in others:
        list_in(listed, "cs.AI", TODAY, paper=other.arxiv_id)
    for skipped in (PAPER, *others[:2]):
        enrich(listed, FakeProvider(), paper=skipped.arxiv_id, budget=Budget(most_tokens=1))

    assert [m["arxiv_id"] for m in swept(listed, spare=0)] == [others[2].arxiv_id]
    assert len(swept(listed, spare=2)) == 3
    assert len(swept(listed)) == 4


def test_an_answer_that_was_rejected_shows_that_the_provider_works_again(
    listed: PaperTable,
) -> None:
    """What it failed at before need not wait for a success."""
    others = [replace(PAPER, arxiv_id=f"2604.9900{n}") for n in (2, 3)]
    listed.put_papers(others)
    for other in others:
        list_in(listed, "cs.AI", TODAY, paper=other.arxiv_id)
    for failed in (PAPER, others[0]):
        enrich(listed, FakeProvider({"zh": DEAD, "en": DEAD}), paper=failed.arxiv_id)
    assert len(swept(listed)) == 2  # a probe, and what is new

    later = NOW + timedelta(minutes=1)
    enrich(listed, FakeProvider({"zh": {}, "en": {}}), paper=others[1].arxiv_id, now=later)

    assert {m["arxiv_id"] for m in swept(listed)} == {PAPER.arxiv_id, others[0].arxiv_id}
