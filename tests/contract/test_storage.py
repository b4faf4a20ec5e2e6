"""What the stages rely on in their tables and bucket, on moto and on the emulator alike."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from contract.conftest import Storage
from paperpost.deliver.pace import Pace
from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.deliveries import Delivery, DeliveryState
from paperpost.domain.enrichments import Enrichment, EnrichmentState
from paperpost.domain.errors import ConflictError
from paperpost.domain.papers import AnnounceType, Author, FirstListing, Listing, Paper
from paperpost.domain.subscribers import Cadence, SubscriberStatus
from paperpost.storage.fetchnotes import Waits
from support.readers import make_subscriber
from support.readers import store as store_reader
from support.together import at_once

NOW = datetime(2026, 4, 21, 4, 30, tzinfo=UTC)
ON = date(2026, 4, 21)
PAPER = Paper(
    arxiv_id="2604.99001",
    version=1,
    title="Ein Titel mit ü und 漢字",
    abstract="We propose nothing.",
    authors=(Author(name="Ada Example", affiliations=("Nowhere",)),),
    categories=("cs.CV", "cs.LG"),
    submitted_at=NOW,
    listed={"cs.CV": FirstListing(announced_on=ON, announce_type=AnnounceType.NEW)},
    replaced={"cs.CV": (date(2026, 4, 23), date(2026, 5, 4))},
)
LISTING = Listing(
    category="cs.CV",
    announced_on=ON,
    arxiv_id=PAPER.arxiv_id,
    version=1,
    announce_type=AnnounceType.NEW,
    stored_at=NOW,
)
ANNOUNCEMENT = Announcement(
    category="cs.CV",
    announced_on=ON,
    state=AnnouncementState.PARTIAL,
    announced=2,
    stored=1,
    updated_at=NOW,
)
ENRICHMENT = Enrichment(
    arxiv_id=PAPER.arxiv_id,
    language="zh",
    state=EnrichmentState.OK,
    text_hash="a" * 16,
    model="m",
    prompt_version="1",
    updated_at=NOW,
    title="题",
    abstract="文",
    tldr="句",
)
DELIVERY = Delivery(
    issue="daily-2026-04-21",
    shard=0,
    subscriber_id="a1",
    state=DeliveryState.PLANNED,
    due_at=NOW,
    updated_at=NOW,
)
EXPIRES = 2_000_000_000


def test_a_paper_comes_back_as_it_was_put(storage: Storage) -> None:
    """Every field, over the table and back; a second sighting writes nothing."""
    assert storage.papers.put_papers([PAPER]) == 1

    assert storage.papers.get_papers([PAPER.arxiv_id, "2604.99002"]) == {PAPER.arxiv_id: PAPER}
    assert storage.papers.put_papers([PAPER]) == 0


def test_a_newer_version_stays_when_an_older_one_is_seen_again(storage: Storage) -> None:
    """Versions are monotone, and first listings are only ever added."""
    second = replace(
        PAPER,
        version=2,
        title="Second",
        listed={"cs.LG": FirstListing(announced_on=ON, announce_type=AnnounceType.REPLACE_CROSS)},
        replaced={"cs.CV": (date(2026, 4, 24),)},
    )
    storage.papers.put_papers([PAPER])
    storage.papers.put_papers([second])
    storage.papers.put_papers([PAPER])

    kept = storage.papers.get_papers([PAPER.arxiv_id])[PAPER.arxiv_id]
    assert [on.day for on in kept.replaced["cs.CV"]] == [23, 24, 4]
    assert (kept.version, kept.title, set(kept.listed)) == (2, "Second", {"cs.CV", "cs.LG"})


def test_more_papers_than_one_batch_are_read_whole(storage: Storage) -> None:
    """BatchGetItem takes a hundred keys at most."""
    many = [replace(PAPER, arxiv_id=f"2604.9{n:04}") for n in range(130)]
    storage.papers.put_papers(many)

    assert len(storage.papers.get_papers(p.arxiv_id for p in many)) == 130


def test_listings_are_stored_once_and_listed_in_order_of_type(storage: Storage) -> None:
    cross = replace(LISTING, arxiv_id="2604.98000", announce_type=AnnounceType.CROSS)

    assert storage.papers.put_listings([cross, LISTING]) == 2
    assert storage.papers.put_listings([LISTING]) == 0
    assert storage.papers.list_listings("cs.CV", ON) == [LISTING, cross]


def test_a_complete_announcement_never_goes_back_but_may_grow(storage: Storage) -> None:
    complete = replace(ANNOUNCEMENT, state=AnnouncementState.COMPLETE, stored=2)
    grown = replace(complete, announced=3, stored=3)

    written = [
        storage.papers.put_announcement(value)
        for value in (ANNOUNCEMENT, complete, complete, ANNOUNCEMENT, grown)
    ]

    assert written == [True, True, False, False, True]
    assert storage.papers.get_announcement("cs.CV", ON) == grown


def test_announcements_are_listed_newest_first_up_to_a_date(storage: Storage) -> None:
    days = [replace(ANNOUNCEMENT, announced_on=ON + timedelta(days=n)) for n in range(3)]
    for day in days:
        storage.papers.put_announcement(day)

    found = storage.papers.list_announcements("cs.CV", last=days[1].announced_on)

    assert found == [days[1], days[0]]
    assert storage.papers.list_announcements("cs.CV", last=days[2].announced_on, limit=1) == [
        days[2]
    ]


def test_a_success_is_not_replaced_for_the_same_text(storage: Storage) -> None:
    failed = replace(ENRICHMENT, state=EnrichmentState.FAILED)
    other_text = replace(failed, text_hash="b" * 16)

    assert storage.papers.put_enrichment(ENRICHMENT)
    assert not storage.papers.put_enrichment(failed)
    assert storage.papers.get_enrichments([PAPER.arxiv_id], ["zh"]) == {
        PAPER.arxiv_id: {"zh": ENRICHMENT}
    }
    assert storage.papers.put_enrichment(other_text)


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (3, 2, 1)])
def test_a_withdrawn_paper_keeps_what_it_said_before(
    storage: Storage, order: tuple[int, ...]
) -> None:
    """Whichever version is seen first; a second notice does not take its place."""
    notice = "This paper has been withdrawn."
    seen = {
        1: replace(PAPER, version=1, abstract="We propose nothing."),
        2: replace(PAPER, version=2, abstract=notice, withdrawn=True),
        3: replace(PAPER, version=3, abstract=notice, withdrawn=True),
    }

    for version in order:
        storage.papers.put_papers([seen[version]])

    kept = storage.papers.get_papers([PAPER.arxiv_id])[PAPER.arxiv_id]
    assert (kept.version, kept.abstract) == (3, notice)
    assert kept.earlier_abstract == "We propose nothing."


def test_an_enrichment_of_a_newer_version_is_not_replaced(storage: Storage) -> None:
    """Whatever became of it: an answer about an older text comes too late."""
    newer = replace(
        ENRICHMENT, version=2, state=EnrichmentState.FAILED, text_hash="0123456789abcdef"
    )
    assert storage.papers.put_enrichment(newer)

    assert not storage.papers.put_enrichment(replace(ENRICHMENT, version=1))
    assert storage.papers.put_enrichment(replace(newer, state=EnrichmentState.OK))


def test_the_watermark_never_goes_back(storage: Storage) -> None:
    moved = [storage.papers.put_watermark("cs.CV", on) for on in (ON, ON - timedelta(days=1), ON)]

    assert moved == [True, False, False]


def test_one_fetcher_at_a_time_has_the_lease(storage: Storage) -> None:
    """Until it gives it back, with what the next one has to wait for."""
    until = NOW + timedelta(minutes=5)
    told = Waits(asked_at=NOW, hosts={"export.arxiv.org": NOW + timedelta(hours=1)})

    assert storage.fetch.take_lease("one", until=until, now=NOW) == Waits()
    assert storage.fetch.take_lease("two", until=until, now=NOW) is None
    assert not storage.fetch.release_lease("two", Waits())
    assert storage.fetch.release_lease("one", told)
    assert storage.fetch.take_lease("two", until=until, now=NOW) == told


def test_a_lease_that_came_and_went_meanwhile_is_not_taken_with_old_waits(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the other fetcher was asked to wait for must not be lost."""
    until, read = NOW + timedelta(minutes=5), storage.fetch._get
    storage.fetch.take_lease("zero", until=until, now=NOW)
    storage.fetch.release_lease("zero", Waits(asked_at=NOW - timedelta(hours=1)))

    def read_early(key: str) -> Mapping[str, Any]:
        stored = read(key)
        monkeypatch.setattr(storage.fetch, "_get", read)
        storage.fetch.take_lease("one", until=until, now=NOW)
        storage.fetch.release_lease("one", Waits(asked_at=NOW))
        return stored

    monkeypatch.setattr(storage.fetch, "_get", read_early)

    assert storage.fetch.take_lease("two", until=until, now=NOW) is None
    assert storage.fetch.take_lease("two", until=until, now=NOW) == Waits(asked_at=NOW)


def test_an_expired_lease_is_taken_over_and_lost_to_its_old_owner(storage: Storage) -> None:
    """Its owner has asked nothing after the end of the lease, which is all the next one knows."""
    until = NOW + timedelta(minutes=5)
    storage.fetch.take_lease("one", until=until, now=NOW)

    taken = storage.fetch.take_lease("two", until=until + timedelta(minutes=5), now=until)

    assert taken == Waits(asked_at=until)
    assert not storage.fetch.release_lease("one", Waits())
    assert storage.fetch.take_lease("three", until=until, now=until) is None


def test_validators_belong_to_one_address(storage: Storage) -> None:
    storage.fetch.put_validators("https://a", {"If-None-Match": '"1"'})

    assert storage.fetch.get_validators("https://a") == {"If-None-Match": '"1"'}
    assert storage.fetch.get_validators("https://b") == {}


def test_an_address_belongs_to_one_subscriber(storage: Storage) -> None:
    """Uniqueness is one transaction."""
    assert storage.subscribers.create(make_subscriber("a1"), "hash")
    assert not storage.subscribers.create(make_subscriber("b2"), "hash")
    assert storage.subscribers.find("hash") == "a1"
    assert storage.subscribers.get("b2") is None


def test_the_audience_holds_the_confirmed_alone(storage: Storage) -> None:
    """And tells no address."""
    storage.subscribers.create(make_subscriber("a1"), "one")
    storage.subscribers.create(make_subscriber("b2"), "two")
    storage.subscribers.set_status("a1", SubscriberStatus.CONFIRMED, now=NOW)
    audience = [m.subscriber_id for m in storage.subscribers.list_audience(Cadence.DAILY, 0)]
    storage.subscribers.set_status("a1", SubscriberStatus.UNSUBSCRIBED, now=NOW)

    assert audience == ["a1"]
    assert list(storage.subscribers.list_audience(Cadence.DAILY, 0)) == []


def test_a_delivery_is_planned_once_and_claimed_once(storage: Storage) -> None:
    assert storage.deliveries.put_planned(DELIVERY, expires_at=EXPIRES)
    assert not storage.deliveries.put_planned(DELIVERY, expires_at=EXPIRES)

    first = storage.deliveries.claim(DELIVERY.issue, 0, "a1", owner="one", now=NOW)
    second = storage.deliveries.claim(DELIVERY.issue, 0, "a1", owner="two", now=NOW)

    assert first is not None
    assert second is None


def test_a_file_is_replaced_only_if_it_is_still_the_one_that_was_read(storage: Storage) -> None:
    storage.site.replace("cs.CV/feed.json", b"first", etag=None)
    first = storage.site.etags("cs.CV")["cs.CV/feed.json"]
    storage.site.replace("cs.CV/feed.json", b"second", etag=first)

    for etag in (None, first):
        with pytest.raises(ConflictError, match=r"cs\.CV/feed\.json"):
            storage.site.replace("cs.CV/feed.json", b"third", etag=etag)
    with pytest.raises(ConflictError):
        storage.site.replace("cs.CV/rss.xml", b"third", etag=first)

    assert storage.site.get("cs.CV/feed.json").body == b"second"  # type: ignore[union-attr]


def test_the_etags_of_a_folder_are_those_of_its_own_files_from_a_name_on(storage: Storage) -> None:
    paths = ("index.html", "f/a/rss.xml", "cs.CV/2026-04-20.html", "cs.CV/2026-04-21.html")
    for path in (*paths, "cs.CV/index.html", "cs.CVX/index.html"):
        storage.site.put(path, path.encode())

    found = storage.site.etags("cs.CV", since="2026-04-21")

    assert list(found) == ["cs.CV/2026-04-21.html", "cs.CV/index.html"]
    assert list(storage.site.etags()) == ["index.html"]
    stored = storage.site.get("cs.CV/index.html")
    assert stored is not None
    assert found["cs.CV/index.html"] == stored.etag


def test_a_file_is_put_once_and_the_first_bytes_stay(storage: Storage) -> None:
    """How an issue is frozen: whoever comes second uses what is there."""
    assert storage.site.put_once("issues/x.json.gz", b"first") == b"first"
    assert storage.site.put_once("issues/x.json.gz", b"second") == b"first"


def test_a_missing_file_is_none(storage: Storage) -> None:
    assert storage.site.get("nothing.html") is None


@pytest.mark.emulator
def test_of_many_workers_one_has_the_claim(real: Storage) -> None:
    """All start at the same moment; moto's writes are not atomic between threads."""
    real.deliveries.put_planned(DELIVERY, expires_at=EXPIRES)
    won: list[int] = []

    def claim(n: int) -> None:
        if real.deliveries.claim(DELIVERY.issue, 0, "a1", owner=f"owner{n}", now=NOW):
            won.append(n)

    at_once(8, claim)

    stored = real.deliveries.get_delivery(DELIVERY.issue, 0, "a1")
    assert stored is not None
    assert [f"owner{n}" for n in won] == [stored.owner]


@pytest.mark.emulator
@pytest.mark.parametrize("before", ["nobody", "released", "expired"])
def test_of_many_fetchers_one_has_the_lease(real: Storage, before: str) -> None:
    """Whatever the lease was before, at the first poll of all too."""
    later = NOW + timedelta(minutes=10)
    if before != "nobody":
        real.fetch.take_lease("old", until=NOW + timedelta(minutes=5), now=NOW)
    if before == "released":
        real.fetch.release_lease("old", Waits(asked_at=NOW))
    won: list[int] = []

    def take(n: int) -> None:
        until = later + timedelta(minutes=5)
        if real.fetch.take_lease(f"owner{n}", until=until, now=later) is not None:
            won.append(n)

    at_once(8, take)

    assert len(won) == 1
    assert real.fetch.release_lease(f"owner{won[0]}", Waits())


@pytest.mark.emulator
def test_of_many_sign_ups_with_one_address_one_makes_the_subscriber(real: Storage) -> None:
    made: list[str] = []

    def sign_up(n: int) -> None:
        if real.subscribers.create(make_subscriber(f"s{n}"), "hash"):
            made.append(f"s{n}")

    at_once(8, sign_up)

    assert made == [real.subscribers.find("hash")]


@pytest.mark.emulator
def test_of_many_freezers_all_use_the_same_bytes(real: Storage) -> None:
    seen: list[bytes] = []

    at_once(6, lambda n: seen.append(real.site.put_once("issues/x.json.gz", b"%d" % n)))

    assert len(seen) == 6
    assert len(set(seen)) == 1


@pytest.mark.emulator
def test_of_publishers_that_replace_one_file_at_once_one_comes_first(real: Storage) -> None:
    real.site.put("cs.CV/index.html", b"old")
    etag = real.site.etags("cs.CV")["cs.CV/index.html"]
    won: list[int] = []

    def put(n: int) -> None:
        with suppress(ConflictError):
            real.site.replace("cs.CV/index.html", b"%d" % n, etag=etag)
            won.append(n)

    at_once(6, put)

    stored = real.site.get("cs.CV/index.html")
    assert stored is not None
    assert [b"%d" % n for n in won] == [stored.body]


@pytest.mark.emulator
def test_workers_at_once_never_exceed_the_sending_rate_together(real: Storage) -> None:
    """Each turn is somebody's alone, and none is left out."""
    taken: list[float] = []

    def work(_: int) -> None:
        pace = Pace(real.deliveries, lambda: 10.0, clock=lambda: 1_700_000_000, sleep=taken.append)
        for _ in range(10):
            assert pace.wait(timedelta(minutes=1))

    at_once(4, work)

    assert sorted([0.0, *taken]) == pytest.approx([n / 10 for n in range(40)])


@pytest.mark.emulator
def test_bounces_at_once_are_all_noted(real: Storage) -> None:
    """Each worker writes on condition of what it read."""
    store_reader(real.subscribers, status=SubscriberStatus.CONFIRMED)

    at_once(4, lambda n: real.subscribers.note_bounce("a1", f"m{n}", at=NOW))

    assert real.subscribers.note_bounce("a1", "m4", at=NOW)
