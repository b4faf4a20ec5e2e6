"""The Subscribers table keeps one profile an address, and only confirmed ones in the audience."""

import dataclasses
from datetime import date, timedelta

import boto3
import pytest

from paperpost import clients
from paperpost.domain.papers import AnnounceType
from paperpost.domain.subscribers import Cadence, Preferences, Rule, SubscriberStatus
from paperpost.domain.tokens import address_hash
from paperpost.storage.subscribers import SubscriberTable
from support.aws import Cloud
from support.readers import ADDRESS, EPOCH_S, NOW, PATHS, make_keys, make_subscriber, store
from support.signup import dump, times_to_live

HASH = address_hash(ADDRESS, make_keys())
RICH = Preferences(
    categories=("cs.CV", "stat.ML"),
    announce_types=(AnnounceType.NEW, AnnounceType.REPLACE),
    include=(Rule(field="text", phrase="扩散 模型"),),
    exclude=(Rule(field="author", phrase="A. Nonymous"),),
    language="zh",
    cadence=Cadence.WEEKLY,
    length="full",
    hour=7,
    zone="Europe/Berlin",
    most=30,
    paused_until=date(2026, 5, 1),
)


@pytest.fixture
def table(cloud: Cloud) -> SubscriberTable:
    """The table, empty."""
    return SubscriberTable(clients.table(cloud.subscribers))


def audience(table: SubscriberTable, cadence: Cadence = Cadence.DAILY) -> list[str]:
    """The ids in the first shard of a cadence's audience."""
    return [member.subscriber_id for member in table.list_audience(cadence, 0)]


def test_a_subscriber_comes_back_as_it_was_stored(table: SubscriberTable) -> None:
    """Every field of profile and preferences survives."""
    subscriber = make_subscriber(preferences=RICH, consent={"text": "1", "network": "ab"})

    assert table.create(subscriber, HASH)

    assert table.get("a1") == subscriber
    assert table.find(HASH) == "a1"


def test_unknown_ids_and_addresses_are_none(table: SubscriberTable) -> None:
    """Absence is a value here, not an error."""
    assert table.get("nobody") is None
    assert table.find("0" * 64) is None


def test_an_address_has_one_profile(table: SubscriberTable) -> None:
    """A second sign-up of the address stores nothing, neither row nor profile."""
    store(table)

    assert not table.create(make_subscriber("b2"), HASH)

    assert table.get("b2") is None
    assert table.find(HASH) == "a1"


@pytest.mark.parametrize("status", SubscriberStatus)
def test_only_the_confirmed_are_in_the_audience(
    table: SubscriberTable, status: SubscriberStatus
) -> None:
    """Leaving by any way takes a subscriber out of the index at once."""
    stored = store(table, status=status)

    assert stored.status is status
    assert audience(table) == (["a1"] if status is SubscriberStatus.CONFIRMED else [])


def test_an_audience_member_carries_what_planning_needs(table: SubscriberTable) -> None:
    """Zone, hour, pause and the time of confirmation, read through the index alone."""
    store(table, make_subscriber(preferences=RICH), status=SubscriberStatus.CONFIRMED)

    (member,) = table.list_audience(Cadence.WEEKLY, 0)

    assert (member.zone, member.hour) == ("Europe/Berlin", 7)
    assert member.paused_until == date(2026, 5, 1)
    assert member.confirmed_at == NOW


def test_the_audience_comes_in_order_and_goes_on_behind_a_cursor(table: SubscriberTable) -> None:
    """Planning pages through it once and may be cut off anywhere."""
    for subscriber_id in ("c3", "a1", "b2"):
        reader = make_subscriber(subscriber_id, address=f"{subscriber_id}@example.com")
        store(table, reader, status=SubscriberStatus.CONFIRMED)

    behind = [m.subscriber_id for m in table.list_audience("daily", 0, start="a1")]

    assert audience(table) == ["a1", "b2", "c3"]
    assert behind == ["b2", "c3"]


def test_shards_divide_the_audience(cloud: Cloud) -> None:
    """With several shards every confirmed subscriber stands in exactly one of them."""
    table = SubscriberTable(clients.table(cloud.subscribers), shards=3)
    wanted = [f"{n:02x}" for n in range(12)]
    for subscriber_id in wanted:
        reader = make_subscriber(subscriber_id, address=f"{subscriber_id}@example.com")
        store(table, reader, status=SubscriberStatus.CONFIRMED)

    shards = [{m.subscriber_id for m in table.list_audience("daily", n)} for n in range(3)]

    assert sorted(m for shard in shards for m in shard) == wanted
    assert all(shards)


def test_new_preferences_move_a_confirmed_subscriber_in_the_audience(
    table: SubscriberTable,
) -> None:
    """From daily to weekly at an hour, and back to as soon as it is ready."""
    stored = store(table, status=SubscriberStatus.CONFIRMED)

    assert table.put_preferences("a1", RICH)
    weekly = list(table.list_audience("weekly", 0))
    assert table.put_preferences("a1", stored.preferences)
    (daily,) = table.list_audience("daily", 0)

    assert [(m.hour, m.confirmed_at) for m in weekly] == [(7, NOW)]
    assert (daily.hour, daily.paused_until, daily.confirmed_at) == (None, None, NOW)
    assert audience(table, Cadence.WEEKLY) == []


@pytest.mark.parametrize(
    "status", [s for s in SubscriberStatus if s is not SubscriberStatus.CONFIRMED]
)
def test_new_preferences_bring_nobody_into_the_audience(
    table: SubscriberTable, status: SubscriberStatus
) -> None:
    """Only confirming does."""
    store(table, status=status)

    changed = table.put_preferences("a1", RICH)

    assert changed is (status is not SubscriberStatus.ERASED)
    assert audience(table) == audience(table, Cadence.WEEKLY) == []


def test_a_complaint_is_final(table: SubscriberTable) -> None:
    """Nobody who complained is ever confirmed again."""
    store(table, status=SubscriberStatus.COMPLAINED)

    assert not table.set_status("a1", SubscriberStatus.CONFIRMED, now=NOW)

    assert audience(table) == []


def test_setting_the_same_status_twice_changes_nothing(table: SubscriberTable) -> None:
    """Repeats are a normal return value, and the first time stays."""
    store(table, status=SubscriberStatus.UNSUBSCRIBED)

    assert not table.set_status("a1", SubscriberStatus.UNSUBSCRIBED, now=NOW + timedelta(days=1))

    stored = table.get("a1")
    assert stored is not None
    assert stored.ended_at == NOW


def test_coming_back_starts_a_new_confirmation(table: SubscriberTable) -> None:
    """The old end is forgotten, the new confirmation counts for the audience."""
    store(table, status=SubscriberStatus.UNSUBSCRIBED)
    later = NOW + timedelta(days=3)

    assert table.set_status("a1", SubscriberStatus.CONFIRMED, now=later)

    stored = table.get("a1")
    assert stored is not None
    assert (stored.confirmed_at, stored.ended_at) == (later, None)


def test_an_erased_profile_holds_nothing_personal(table: SubscriberTable) -> None:
    """Address, wishes and consent are gone; the hash stays against a new sign-up."""
    store(table, status=SubscriberStatus.CONFIRMED)

    assert table.set_status("a1", SubscriberStatus.ERASED, now=NOW)

    items = clients.table("subscribers").scan()["Items"]
    profile = next(item for item in items if item["sk"] == "PROFILE")
    assert set(profile) == {"pk", "sk", "status", "created_at", "ended_at"}
    assert ADDRESS not in str(items)
    assert table.find(HASH) == "a1"
    assert not table.create(make_subscriber("b2"), HASH)


@pytest.mark.parametrize(
    ("status", "kept"),
    [
        (SubscriberStatus.CONFIRMED, True),
        (SubscriberStatus.COMPLAINED, True),
        (SubscriberStatus.ERASED, True),
        (SubscriberStatus.BOUNCED, False),
        (SubscriberStatus.UNSUBSCRIBED, False),
    ],
)
def test_confirming_complaining_and_erasing_are_remembered(
    table: SubscriberTable, status: SubscriberStatus, *, kept: bool
) -> None:
    """The others who never confirmed are forgotten with profile and address."""
    store(table)

    table.set_status("a1", status, now=NOW)

    assert times_to_live() == ({} if kept else {"PROFILE": EPOCH_S, "EMAIL": EPOCH_S})
    assert ("address_hash" in str(dump())) is not kept


def test_a_complaint_holds_where_the_address_was_forgotten_already(table: SubscriberTable) -> None:
    """DynamoDB removes the two items one by one: the address comes back, so it is not mailed."""
    store(table)
    clients.table("subscribers").delete_item(Key={"pk": f"EMAIL#{HASH}", "sk": "EMAIL"})

    assert table.set_status("a1", SubscriberStatus.COMPLAINED, now=NOW)

    assert table.find(HASH) == "a1"
    assert times_to_live() == {}


def test_confirming_gives_way_to_a_faster_writer(table: SubscriberTable) -> None:
    """Status and address are written together or not at all."""
    store(table)
    rival = SubscriberTable(boto3.resource("dynamodb").Table("subscribers"))
    events = clients.table("subscribers").meta.client.meta.events

    def leave_first(**_: object) -> None:
        rival.set_status("a1", SubscriberStatus.ERASED, now=NOW)

    events.register("before-call.dynamodb.TransactWriteItems", leave_first)
    done = table.set_status("a1", SubscriberStatus.CONFIRMED, now=NOW)
    events.unregister("before-call.dynamodb.TransactWriteItems", leave_first)

    stored = table.get("a1")
    assert not done
    assert stored is not None
    assert stored.status is SubscriberStatus.ERASED


def test_a_status_of_nobody_is_not_set(table: SubscriberTable) -> None:
    """No profile is made by the way."""
    assert not table.set_status("nobody", SubscriberStatus.BOUNCED, now=NOW)
    assert not table.put_preferences("nobody", RICH)
    assert clients.table("subscribers").scan()["Count"] == 0


@pytest.mark.parametrize("status", SubscriberStatus)
def test_a_repeated_sign_up_changes_only_who_may_confirm(
    table: SubscriberTable, status: SubscriberStatus
) -> None:
    """A stranger who types a confirmed reader's address changes nothing for that reader."""
    stored = store(table, status=status)

    wish = dataclasses.replace(stored, preferences=RICH, consent={"text": "2"})
    assert table.renew(wish, HASH)

    after = table.get("a1")
    assert after is not None
    open_to = {"unconfirmed", "unsubscribed", "bounced"}
    assert (after.preferences == RICH) is (status.value in open_to)
    assert (after != stored) is (status.value in open_to)


def test_a_repeated_sign_up_gives_way_to_a_faster_writer(table: SubscriberTable) -> None:
    """What was read before someone else confirmed is not written over it."""
    stale = store(table)
    table.set_status("a1", SubscriberStatus.CONFIRMED, now=NOW)

    assert not table.renew(dataclasses.replace(stale, preferences=RICH), HASH)

    after = table.get("a1")
    assert after is not None
    assert after.preferences == stale.preferences


def test_every_status_can_be_reached_by_the_paths_of_the_tests() -> None:
    """A new status without a test of its own fails here."""
    assert set(PATHS) == set(SubscriberStatus)


def bounced(table: SubscriberTable, days: list[int]) -> list[bool]:
    """Letters that bounced for now, so many days after NOW."""
    return [table.note_bounce("a1", f"m{day}", at=NOW + timedelta(days=day)) for day in days]


def test_letters_that_bounce_for_now_pause_a_subscription_and_its_place_in_the_audience(
    table: SubscriberTable,
) -> None:
    """Repeats change nothing; a later one makes the pause longer."""
    store(table, make_subscriber(status=SubscriberStatus.CONFIRMED))

    told = bounced(table, [0, 1, 1, 2, 3, 4, 4, 5])

    assert told == [False, False, False, False, False, True, False, True]
    stored = table.get("a1")
    [member] = table.list_audience("daily", 0)
    assert stored is not None
    until = (NOW + timedelta(days=35)).date()
    assert stored.preferences.paused_until == member.paused_until == until


def test_a_pause_that_the_reader_chose_is_not_cut_short(table: SubscriberTable) -> None:
    chosen = (NOW + timedelta(days=400)).date()
    subscriber = make_subscriber(status=SubscriberStatus.CONFIRMED)
    store(table, subscriber)
    wanted = dataclasses.replace(subscriber.preferences, paused_until=chosen)
    table.put_preferences("a1", wanted)

    told = bounced(table, [0, 1, 2, 3, 4])

    stored = table.get("a1")
    assert stored is not None
    assert (any(told), stored.preferences.paused_until) == (False, chosen)


def test_bounces_of_nobody_and_of_who_was_erased_are_not_noted(table: SubscriberTable) -> None:
    unknown = table.note_bounce("zz", "m1", at=NOW)
    store(table, status=SubscriberStatus.ERASED)

    assert not unknown
    assert bounced(table, [0, 1, 2, 3, 4]) == [False] * 5


def test_bounces_of_who_has_left_are_noted_and_put_nobody_into_the_audience(
    table: SubscriberTable,
) -> None:
    """Events arrive in any order: what ended the subscription may be told first."""
    store(table, status=SubscriberStatus.BOUNCED)

    told = bounced(table, [0, 1, 2, 3, 4])

    stored = table.get("a1")
    assert stored is not None
    assert told == [False] * 5
    assert stored.preferences.paused_until == (NOW + timedelta(days=34)).date()
    assert stored.status is SubscriberStatus.BOUNCED
    assert list(table.list_audience("daily", 0)) == []
