"""The operator's subscribers command on a table in process."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paperpost import clients
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.subscribers import Preferences, SubscriberStatus
from paperpost.domain.tokens import mailbox_hash
from paperpost.storage.queues import Queue
from paperpost.storage.signuplimits import SignUpLimits
from paperpost.storage.subscribers import SubscriberTable
from paperpost_cli.subscribers import Office, erased, exported, imported, listed, read_rows
from support.aws import Cloud
from support.readers import ADDRESS, EPOCH_S, make_keys, make_subscriber, store
from support.signup import dump, queued, times_to_live

CSV = (
    f"address,categories,language\n{ADDRESS},cs.CV math.ST,en\nnot an address,cs.CV,\n"
    "b@example.com,cs.AI,\n"
)


@pytest.fixture
def office(cloud: Cloud, table: SubscriberTable) -> Office:
    """An operator's table and queue."""
    queue = Queue(clients.sqs(), cloud.queues["confirmation"])
    return Office(
        table=table,
        limits=SignUpLimits(clients.table(cloud.subscribers)),
        keys=make_keys(),
        queue=queue,
        now=datetime(2026, 4, 21, tzinfo=UTC),
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to import: two good rows, and one that cannot be mailed."""
    path = tmp_path / "readers.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def test_an_import_asks_every_new_address_to_confirm(
    cloud: Cloud, office: Office, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row at fault is told by its line, without the address; again, all are known."""
    rows = read_rows(file)

    first = imported(office, rows, consent_source=None, dry_run=False, is_quiet=True)
    again = imported(office, rows, consent_source=None, dry_run=False, is_quiet=True)

    assert first == {"asked to confirm": 2, "known": 0, "refused": 1}
    assert again == {"asked to confirm": 0, "known": 2, "refused": 1}
    assert len(queued(cloud)) == 2
    said = capsys.readouterr().err
    assert "line 3" in said
    assert "not an address" not in said


def test_confirmed_addresses_need_a_source_of_their_consent(
    cloud: Cloud, office: Office, file: Path
) -> None:
    """It is kept in their record, and nobody is mailed."""
    rows = read_rows(file)

    with pytest.raises(InvalidInputError, match="consent"):
        imported(office, rows, consent_source=" ", dry_run=False, is_quiet=True)
    imported(office, rows, consent_source="paper form, May 2025", dry_run=False, is_quiet=True)

    (reader,) = [one for one in office.table.list_profiles() if one.address == ADDRESS]
    assert reader.status is SubscriberStatus.CONFIRMED
    assert reader.consent["source"] == "paper form, May 2025"
    assert reader.preferences == Preferences(categories=("cs.CV", "math.ST"), language="en")
    assert queued(cloud) == []


def test_a_dry_run_counts_and_changes_nothing(cloud: Cloud, office: Office, file: Path) -> None:
    """Of an import and of an erasure."""
    store(office.table)
    before = dump()

    counts = imported(office, read_rows(file), consent_source="x", dry_run=True, is_quiet=True)
    to_erase = erased(office, ADDRESS, dry_run=True)

    assert counts == {"confirmed": 2, "known": 0, "refused": 1}
    assert to_erase == {"to be erased": 1}
    assert dump() == before
    assert queued(cloud) == []


@pytest.mark.parametrize("status", [s for s in SubscriberStatus if s != "unconfirmed"])
def test_an_import_leaves_a_known_address_as_it_is(
    office: Office, file: Path, status: SubscriberStatus
) -> None:
    """Whatever consent the operator states: who left has the last word."""
    stored = store(office.table, status=status)

    counts = imported(office, read_rows(file), consent_source="x", dry_run=False, is_quiet=True)

    assert counts["known"] == 1
    assert office.table.get("a1") == stored


def test_a_reader_who_lost_every_confirmation_is_confirmed_by_a_stated_consent(
    cloud: Cloud, office: Office, file: Path
) -> None:
    """And may sign up again, should they leave."""
    store(office.table)
    mailbox = mailbox_hash(ADDRESS, office.keys)
    for day in range(3):
        at = office.now + timedelta(days=day)
        assert office.limits.claim_confirmation(mailbox, now=at, expires_at=EPOCH_S)
    rows = read_rows(file)

    asked = imported(office, rows, consent_source=None, dry_run=False, is_quiet=True)
    counts = imported(office, rows, consent_source="their mail", dry_run=False, is_quiet=True)

    stored = office.table.get("a1")
    assert (asked["known"], counts["confirmed"]) == (1, 2)
    assert stored is not None
    assert (stored.status, stored.consent["source"]) == (SubscriberStatus.CONFIRMED, "their mail")
    later = office.now + timedelta(days=9)
    assert office.limits.claim_confirmation(mailbox, now=later, expires_at=EPOCH_S)
    assert [message for message in queued(cloud) if message["subscriber"] == "a1"] == []


def test_an_imported_address_that_never_confirms_is_forgotten(office: Office, file: Path) -> None:
    """As one from the form is; a confirmed one is not."""
    rows = read_rows(file)

    imported(office, rows[:1], consent_source=None, dry_run=False, is_quiet=True)
    asked = times_to_live()
    imported(office, rows[:1], consent_source="x", dry_run=False, is_quiet=True)

    in_30_days = int((office.now + timedelta(days=30)).timestamp())
    assert asked == {"PROFILE": in_30_days, "EMAIL": in_30_days}
    assert times_to_live() == {}


def test_an_exported_file_can_be_imported(office: Office, tmp_path: Path) -> None:
    """What was kept from being a formula is an address again."""
    store(office.table, make_subscriber(address="+plus@example.com"))
    path = tmp_path / "all.csv"
    exported(office, path)

    (row,) = read_rows(path)

    assert row.address == "+plus@example.com"


def test_an_erased_address_cannot_be_imported_again(office: Office, file: Path) -> None:
    """The tombstone outlives the operator's file."""
    store(office.table)

    first, again = erased(office, ADDRESS, dry_run=False), erased(office, "a1", dry_run=False)
    counts = imported(office, read_rows(file), consent_source="x", dry_run=False, is_quiet=True)

    assert (first, again) == ({"erased": 1}, {"erased before": 1})
    assert counts["known"] == 1
    assert ADDRESS not in str(dump())


def test_an_export_holds_everybody_but_the_erased_and_is_its_owners(
    office: Office, tmp_path: Path
) -> None:
    """What begins like a formula is none in a spreadsheet."""
    store(office.table)
    store(office.table, make_subscriber("b2", address="=1+1@example.com"))
    store(
        office.table,
        make_subscriber("c3", address="gone@example.com"),
        status=SubscriberStatus.ERASED,
    )
    path = tmp_path / "all.csv"

    counts = exported(office, path)

    rows = {row["id"]: row for row in csv.DictReader(path.read_text().splitlines())}
    assert counts == {"exported": 2}
    assert rows["a1"]["address"] == ADDRESS
    assert rows["b2"]["address"] == "'=1+1@example.com"
    assert path.stat().st_mode & 0o077 == 0


def test_a_list_counts_by_status_and_shows_no_address(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """Terminals end in logs."""
    store(office.table, status=SubscriberStatus.CONFIRMED)
    store(office.table, make_subscriber("b2", address="b@example.com"))

    counts = listed(office, is_quiet=False)

    shown = capsys.readouterr().out
    assert counts == {"confirmed": 1, "unconfirmed": 1}
    assert "a1" in shown
    assert "@" not in shown + json.dumps(counts)


def test_a_file_without_its_columns_is_refused(tmp_path: Path) -> None:
    """In one line that names them."""
    path = tmp_path / "x.csv"
    path.write_text("mail\na@example.com\n", encoding="utf-8")

    with pytest.raises(InvalidInputError, match="address and categories"):
        read_rows(path)
