"""How long a confirmation waits while an issue goes out, on the laptop cloud."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from paperpost.domain.subscribers import Preferences, Subscriber, SubscriberStatus
from paperpost.domain.tokens import new_subscriber_id
from paperpost.storage.subscribers import SubscriberTable
from paperpost_cli.cloud.emulator import free_port
from paperpost_cli.laptop import ROOT, LaptopCloud
from paperpost_cli.local import Plan, running
from paperpost_cli.proofs.proof import ProofError
from paperpost_cli.readers import Reader, sign_up
from paperpost_cli.replay import plan_replay, stops

_FEED = ROOT / "events" / "sample" / "feeds" / "quant-ph.rss.xml"
_CATEGORY, _QUEUE = "quant-ph", "DeliveryQueue"
_WITHIN_S = 30
_SIGN_UPS = 5
_IDS_A_MESSAGE = 25
# The audience of a full form is planned in several ticks.
_MOST_TICKS = 20


def waits(folder: Path, letters: int) -> str:
    """The longest wait of five sign-ups, one after another, while *letters* letters are queued."""
    plan = _plan(folder)
    mails = plan.out / "mail"
    with running(plan) as cloud:
        _store_readers(cloud, letters)
        _make_ready(cloud, plan)
        # Before letters go, which also starts the functions: what a start takes is not the queue's.
        alone = _wait(cloud, mails, "alone")
        with cloud.paused(_QUEUE):
            messages = _queued(cloud, letters)
        _until(lambda: _sent(mails) > 1, "no letter is sent")
        began, before = time.monotonic(), _sent(mails)
        seconds = [_wait(cloud, mails, f"waits{n}") for n in range(_SIGN_UPS)]
        took, sent = time.monotonic() - began, _sent(mails) - before - _SIGN_UPS
        left = letters - (_sent(mails) - _SIGN_UPS - 1)
        cloud.emulator.kill()  # else it would wait for the letters that are being sent
    told = ", ".join(f"{s:.1f}" for s in seconds)
    figure = (
        f"{letters} letters in {messages} messages; confirmations left after {told} s "
        f"({alone:.1f} s before), meanwhile {sent} letters in {took:.0f} s, {left} still waiting"
    )
    if max(seconds) > _WITHIN_S:
        raise ProofError(f"a confirmation waited longer than {_WITHIN_S} s", figure=figure)
    if sent < 1 or left < 1:
        raise ProofError("no issue was going out meanwhile", figure=figure)
    return figure


def _plan(folder: Path) -> Plan:
    replay = plan_replay([_FEED], [_CATEGORY])
    return Plan(
        replay=replay,
        categories=replay.categories,
        out=folder / "waits",
        readers=0,
        template=ROOT / "template.yaml",
        port=free_port(),
        stays=False,
    )


def _store_readers(cloud: LaptopCloud, number: int) -> None:
    """Confirmed readers; not through the API, which is not what is measured."""
    table, since = SubscriberTable(cloud.table("SubscribersTable")), cloud.now() - timedelta(days=1)
    for n in range(number):
        subscriber_id = new_subscriber_id()
        table.create(
            Subscriber(
                subscriber_id=subscriber_id,
                address=f"reader{n}@example.org",
                status=SubscriberStatus.CONFIRMED,
                preferences=Preferences(categories=(_CATEGORY,)),
                created_at=since,
                confirmed_at=since,
            ),
            # The table asks for a name that is its own; here the id is as good as an address' hash.
            subscriber_id,
        )


def _make_ready(cloud: LaptopCloud, plan: Plan) -> None:
    """Let the announcement come and be published, up to where its issue may be frozen."""
    assert plan.replay is not None
    (on,) = plan.replay.days
    poll, hold_is_over, *_ = stops(on)
    cloud.announce([_FEED])
    cloud.set_clock(poll)
    _fire(cloud, "fetch")
    cloud.set_clock(hold_is_over)
    _fire(cloud, "publish")


def _fire(cloud: LaptopCloud, stage: str) -> None:
    for schedule in cloud.schedules():
        if cloud.stage_of(schedule.function) == stage:
            cloud.fire(schedule)
    cloud.settle()


def _queued(cloud: LaptopCloud, letters: int) -> int:
    """Tick until every letter stands in the queue; returns the number of messages."""
    (tick,) = (s for s in cloud.schedules() if cloud.stage_of(s.function) == "compose")
    wanted = -(-letters // _IDS_A_MESSAGE)
    for _ in range(_MOST_TICKS):
        cloud.fire(tick)
        messages = cloud.waiting().get(_QUEUE, 0)
        if messages >= wanted:
            return messages
    raise ProofError(f"{messages} messages are queued, not {wanted}")


def _wait(cloud: LaptopCloud, mails: Path, name: str) -> float:
    """Seconds from the form to the moment when the confirmation is handed to SES."""
    address = f"{name}@example.net"
    seen = {*mails.glob("*.eml")}
    began = time.monotonic()
    sign_up([Reader(address=address, preferences={"categories": [_CATEGORY]})], api=cloud.api())

    def is_there() -> bool:
        fresh = {*mails.glob("*.eml")} - seen
        seen.update(fresh)
        return any(f"To: {address}".encode() in path.read_bytes() for path in fresh)

    _until(is_there, "the confirmation does not come")
    return time.monotonic() - began


def _sent(mails: Path) -> int:
    return sum(1 for _ in mails.glob("*.eml"))


def _until(is_so: Callable[[], bool], problem: str) -> None:
    for _ in _ticks(2 * _WITHIN_S):
        if is_so():
            return
    raise ProofError(problem)


def _ticks(seconds: float) -> Iterator[None]:
    """Twenty times a second for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield
        time.sleep(0.05)
