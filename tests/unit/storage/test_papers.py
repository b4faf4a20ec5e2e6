"""What DynamoDB leaves unprocessed: read again after a while, and not for ever."""

from itertools import chain, repeat
from typing import Any

import pytest

from paperpost import clients
from paperpost.domain.errors import BusyError
from paperpost.storage import papers as module
from paperpost.storage.papers import PaperTable
from support.aws import Cloud
from support.records import make_paper


class Busy:
    """A table that leaves the first *times* reads unprocessed; others reach the real one."""

    def __init__(self, table: Any, times: int) -> None:
        self._left, self._real = chain(repeat(True, times), repeat(False)), table.meta.client
        self.name, self.meta, self.client = table.name, self, self
        self.exceptions = table.meta.client.exceptions

    def batch_get_item(self, **request: Any) -> Any:
        if next(self._left):
            return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}
        return self._real.batch_get_item(**request)


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The longest that each wait could have been, in seconds; nothing waits."""
    waits: list[float] = []
    monkeypatch.setattr(module.random, "uniform", lambda _low, high: high)
    monkeypatch.setattr(module.time, "sleep", waits.append)
    return waits


def test_unprocessed_reads_are_tried_again_after_growing_waits(
    cloud: Cloud, waited: list[float]
) -> None:
    table = clients.table(cloud.papers)
    PaperTable(table).put_papers([make_paper("2604.99001")])

    found = PaperTable(Busy(table, 3)).get_papers(["2604.99001"])  # type: ignore[arg-type]

    assert set(found) == {"2604.99001"}
    assert waited == [0.05, 0.1, 0.2]


def test_a_table_that_stays_busy_is_an_error_and_no_missing_paper(
    cloud: Cloud, waited: list[float]
) -> None:
    table = Busy(clients.table(cloud.papers), 1_000)

    with pytest.raises(BusyError, match="left reads unprocessed"):
        PaperTable(table).get_papers(["2604.99001"])  # type: ignore[arg-type]
    assert sum(waited) < 30
