"""fetch's handler: a folder of recorded feeds to tables and queue."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paperpost import clients
from paperpost.domain.errors import FeedError, InvalidInputError
from paperpost.fetch.handler import handler
from paperpost.storage.papers import PaperTable
from support.api import FakeContext
from support.aws import Cloud
from support.feeds import DAY, Item, rss

POLL = {"task": "poll"}
FUNCTIONS = Path(__file__).parents[2] / "functions"


@pytest.fixture
def folder(tmp_path: Path, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that fetch reads, at 00:20 Eastern of the feeds' date."""
    night = datetime(2026, 4, 21, 4, 20, tzinfo=UTC)
    offset_s = (night - datetime.now(UTC)).total_seconds()
    monkeypatch.setenv("CLOCK_OFFSET_S", str(offset_s))
    monkeypatch.setenv("PAPERS_TABLE", cloud.papers)
    monkeypatch.setenv("ENRICHMENT_QUEUE_URL", cloud.queues["enrichment"])
    monkeypatch.setenv("CATEGORIES", "cs.AI,stat.TH")
    monkeypatch.setenv("CONTACT_MAIL", "ops@example.org")
    monkeypatch.setenv("FEED_SOURCE", tmp_path.as_uri())
    monkeypatch.setenv("API_METADATA", "off")
    return tmp_path


def queued(cloud: Cloud) -> int:
    """How many messages wait in the enrichment queue."""
    attributes = clients.sqs().get_queue_attributes(
        QueueUrl=cloud.queues["enrichment"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


def test_a_poll_stores_what_lies_in_the_folder(folder: Path, cloud: Cloud) -> None:
    """Categories may be configured by an alias; the counts come back."""
    (folder / "a.xml").write_bytes(rss([Item()]))
    other = Item(arxiv_id="2604.99002", categories=("math.ST", "stat.TH"))
    (folder / "b.xml").write_bytes(rss([other], names="stat"))

    counts = handler(POLL, FakeContext())  # type: ignore[arg-type]

    assert counts == {"feeds": 2, "papers": 2, "listings": 2, "queued": 2, "partial": 0}
    assert queued(cloud) == 2
    papers = PaperTable(clients.table(cloud.papers))
    assert [li.arxiv_id for li in papers.list_listings("math.ST", DAY)] == ["2604.99002"]


def test_a_second_poll_changes_and_queues_nothing(folder: Path, cloud: Cloud) -> None:
    """The schedule fires several times a night, and retries."""
    (folder / "a.xml").write_bytes(rss([Item()]))
    handler(POLL, FakeContext())  # type: ignore[arg-type]

    counts = handler(POLL, FakeContext())  # type: ignore[arg-type]

    assert (counts["papers"], counts["listings"], counts["queued"]) == (0, 0, 0)
    assert queued(cloud) == 1


def test_a_bad_file_fails_the_run_and_stores_nothing(folder: Path, cloud: Cloud) -> None:
    """The error names the file in one line."""
    (folder / "a.xml").write_bytes(rss([Item()]))
    (folder / "b.xml").write_bytes(b"<html>Busy</html>")

    with pytest.raises(FeedError, match=r"b\.xml: an HTML page instead of a feed"):
        handler(POLL, FakeContext())  # type: ignore[arg-type]

    assert clients.table(cloud.papers).scan()["Count"] == 0
    assert queued(cloud) == 0


def test_an_unknown_task_is_an_error(folder: Path) -> None:
    """A schedule with a wrong input must not look like a quiet poll."""
    (folder / "a.xml").write_bytes(rss([Item()]))

    with pytest.raises(InvalidInputError, match="'sweep'"):
        handler({"task": "sweep"}, FakeContext())  # type: ignore[arg-type]


def test_the_api_package_is_loaded_only_where_it_is_asked() -> None:
    """Cold start follows imports: a replay never loads `arxiv`."""
    code = "import sys, paperpost.fetch.handler; print('arxiv' in sys.modules)"

    told = subprocess.run(
        [sys.executable, "-c", code], cwd=FUNCTIONS, capture_output=True, text=True, check=True
    )

    assert told.stdout.strip() == "False"
