"""The same tables twice: under moto, as most tests have them, and in the emulator."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from paperpost import clients
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.enrichnotes import EnrichNotes
from paperpost.storage.fetchnotes import FetchNotes
from paperpost.storage.papers import PaperTable
from paperpost.storage.queues import Queue
from paperpost.storage.signuplimits import SignUpLimits
from paperpost.storage.site import SiteBucket
from paperpost.storage.subscribers import SubscriberTable
from paperpost_cli.cloud.emulator import Emulator
from support.aws import Cloud, make_cloud, moto_cloud

_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """All of storage on one backend."""

    papers: PaperTable
    fetch: FetchNotes
    enrich: EnrichNotes
    subscribers: SubscriberTable
    limits: SignUpLimits
    deliveries: DeliveryTable
    site: SiteBucket
    queue: Queue


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator without a stack; it ends with the tests."""
    started = Emulator(state_dir=tmp_path_factory.mktemp("contract"))
    try:
        yield started.start()
    finally:
        started.stop()


@pytest.fixture
def real(emulator: Emulator) -> Storage:
    """Fresh tables in the emulator, whose conditional writes are atomic between threads."""
    made = make_cloud(emulator.client, suffix=f"-{next(_numbers)}")
    resource: Any = emulator.session().resource("dynamodb", endpoint_url=emulator.endpoint)
    return Storage(
        papers=PaperTable(resource.Table(made.papers)),
        fetch=FetchNotes(resource.Table(made.papers)),
        enrich=EnrichNotes(resource.Table(made.papers)),
        subscribers=SubscriberTable(resource.Table(made.subscribers)),
        limits=SignUpLimits(resource.Table(made.subscribers)),
        deliveries=DeliveryTable(resource.Table(made.deliveries)),
        site=SiteBucket(emulator.client("s3"), made.bucket),
        queue=Queue(emulator.client("sqs"), made.queues["enrichment"]),
    )


@pytest.fixture(params=["moto", pytest.param("emulator", marks=pytest.mark.emulator)])
def storage(request: pytest.FixtureRequest) -> Iterator[Storage]:
    """Storage on either backend."""
    if request.param == "emulator":
        yield request.getfixturevalue("real")
        return
    with moto_cloud() as cloud:
        yield _under_moto(cloud)


def _under_moto(cloud: Cloud) -> Storage:
    return Storage(
        papers=PaperTable(clients.table(cloud.papers)),
        fetch=FetchNotes(clients.table(cloud.papers)),
        enrich=EnrichNotes(clients.table(cloud.papers)),
        subscribers=SubscriberTable(clients.table(cloud.subscribers)),
        limits=SignUpLimits(clients.table(cloud.subscribers)),
        deliveries=DeliveryTable(clients.table(cloud.deliveries)),
        site=SiteBucket(clients.s3(), cloud.bucket),
        queue=Queue(clients.sqs(), cloud.queues["enrichment"]),
    )
