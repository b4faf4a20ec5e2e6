"""`paperpost subscribers`: list, import, export or erase them, in AWS or on the laptop cloud."""

import argparse
import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import track
from rich.table import Table

from paperpost import data
from paperpost.domain.addresses import mailable
from paperpost.domain.errors import InvalidInputError, PaperpostError
from paperpost.domain.subscribers import (
    UNCONFIRMED_KEPT,
    Cadence,
    Preferences,
    Subscriber,
    SubscriberStatus,
)
from paperpost.domain.tokens import TokenKeys, address_hash, mailbox_hash, new_subscriber_id
from paperpost.storage.queues import Queue
from paperpost.storage.signuplimits import SignUpLimits
from paperpost.storage.subscribers import SubscriberTable
from paperpost.subscribe.preferences import LANGUAGES, LENGTHS
from paperpost_cli.stacks import Stack

_COLUMNS = ("id", "address", "status", "categories", "language", "cadence", "length", "created_at")
# A spreadsheet takes what begins with these for a formula, unless a quotation mark goes before.
_FORMULA = ("=", "+", "-", "@")


class UnreachableError(PaperpostError):
    """The subscribers of a stack cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What the operator works with."""

    table: SubscriberTable
    limits: SignUpLimits
    keys: TokenKeys
    queue: Queue
    now: datetime


def run_subscribers(options: argparse.Namespace) -> int:
    """Carry out one task and print its counts; 1 if an address could not be taken."""
    try:
        office = _office(options.stack)
        match options.task:
            case "list":
                counts = listed(office, is_quiet=options.json)
            case "export":
                counts = exported(office, options.file)
            case "import":
                counts = imported(
                    office,
                    read_rows(options.file),
                    consent_source=options.consent_source if options.confirmed else None,
                    dry_run=options.dry_run,
                    is_quiet=options.json,
                )
            case _:
                counts = erased(office, options.who, dry_run=options.dry_run)
    except (BotoCoreError, ClientError) as exc:
        said = " ".join(str(exc).split())
        raise UnreachableError(f"the subscribers cannot be reached: {said}") from exc
    told = ", ".join(f"{count} {name}" for name, count in counts.items()) or "nobody"
    print(json.dumps(counts) if options.json else told)
    return 1 if counts.get("refused") else 0


def listed(office: Office, *, is_quiet: bool) -> dict[str, int]:
    """Print every subscriber without address, and return the counts by status."""
    counts, table = Counter[str](), Table()
    for name in ("id", "status", "categories", "cadence", "since"):
        table.add_column(name, overflow="fold")
    for one in office.table.list_profiles():
        counts[one.status.value] += 1
        wanted = one.preferences
        since = f"{one.created_at:%Y-%m-%d}"
        categories = " ".join(wanted.categories)
        table.add_row(one.subscriber_id, one.status.value, categories, wanted.cadence.value, since)
    if not is_quiet:
        Console(highlight=False).print(table)
    return dict(sorted(counts.items()))


def exported(office: Office, path: Path) -> dict[str, int]:
    """Write all that are not erased into *path*, which only its owner can read."""
    count = 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        for one in office.table.list_profiles():
            if one.status is not SubscriberStatus.ERASED:
                writer.writerow(_row(one))
                count += 1
    return {"exported": count}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the file: an address and wishes, or what is `wrong` with it."""

    line: int
    address: str = ""
    preferences: Preferences = field(default_factory=lambda: Preferences(categories=()))
    wrong: str = ""


def read_rows(path: Path) -> list[Row]:
    """
    Return the rows of a CSV file with a head line.

    Raises: InvalidInputError: If it is none, or lacks the columns address and categories.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"address", "categories"} <= {*(reader.fieldnames or ())}:
                raise InvalidInputError(f"{path} has no columns address and categories")
            return [_read(n, row) for n, row in enumerate(reader, 2)]
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise InvalidInputError(f"{path} cannot be read: {exc}") from exc


def imported(
    office: Office,
    rows: Iterable[Row],
    *,
    consent_source: str | None,
    dry_run: bool,
    is_quiet: bool,
) -> dict[str, int]:
    """
    Store the rows whose address nobody has; a known one stays as it is, whatever its status.

    *consent_source* None: they are asked to confirm by mail. Otherwise they count as confirmed, and
    so does a known one that was asked and has not answered.
    Raises: InvalidInputError: If *consent_source* says nothing.
    """
    if consent_source is not None and not consent_source.strip():
        raise InvalidInputError("--confirmed needs --consent-source: where and when they consented")
    done = "confirmed" if consent_source is not None else "asked to confirm"
    counts = Counter({done: 0, "known": 0, "refused": 0})
    for row in track([*rows], "importing", console=Console(stderr=True, quiet=is_quiet)):
        if row.wrong:
            counts["refused"] += 1
            # The line, not the address: what stands on a terminal ends in logs.
            print(f"paperpost: line {row.line}: {row.wrong}", file=sys.stderr)
        elif dry_run:
            counts[done if _is_open(office, row, consent_source) else "known"] += 1
        else:
            counts[done if _stored(office, row, consent_source) else "known"] += 1
    return dict(counts)


def erased(office: Office, who: str, *, dry_run: bool) -> dict[str, int]:
    """
    Erase the subscriber of an address or id; the address' hash stays as a tombstone.

    Raises: InvalidInputError: If there is no such subscriber.
    """
    found = office.table.find(address_hash(mailable(who), office.keys)) if "@" in who else who
    subscriber = office.table.get(found) if found else None
    if found is None or subscriber is None:
        raise InvalidInputError("there is no such subscriber")
    if subscriber.status is SubscriberStatus.ERASED:
        return {"erased before": 1}
    if dry_run:
        return {"to be erased": 1}
    office.table.set_status(found, SubscriberStatus.ERASED, now=office.now)
    return {"erased": 1}


def _is_open(office: Office, row: Row, consent_source: str | None) -> bool:
    """Whether nobody has the address, or only a sign-up that the stated consent would confirm."""
    found = _known(office, row)[1]
    waits = found is not None and found.status is SubscriberStatus.UNCONFIRMED
    return found is None or (waits and consent_source is not None)


def _known(office: Office, row: Row) -> tuple[str, Subscriber | None]:
    """The id that the row's address has or had, and the profile, unless that is forgotten."""
    found = office.table.find(address_hash(row.address, office.keys)) or ""
    return found, office.table.get(found) if found else None


def _stored(office: Office, row: Row, consent_source: str | None) -> bool:
    """Store one row; False if the address is known, or another writer is faster."""
    if not _is_open(office, row, consent_source):
        return False
    hashed = address_hash(row.address, office.keys)
    known, found = _known(office, row)
    subscriber = Subscriber(
        subscriber_id=found.subscriber_id if found else new_subscriber_id(),
        address=row.address,
        status=SubscriberStatus.UNCONFIRMED,
        preferences=row.preferences,
        created_at=office.now,
        consent={
            "text": "operator's import",
            "requested_at": office.now.isoformat(),
            "source": consent_source or "import",
        },
    )
    expires_at = int((office.now + UNCONFIRMED_KEPT).timestamp())
    if found:
        is_stored = office.table.renew(subscriber, hashed, expires_at=expires_at)
    else:
        is_stored = office.table.create(subscriber, hashed, expires_at=expires_at, instead_of=known)
    if is_stored and consent_source is None:
        office.queue.send([{"subscriber": subscriber.subscriber_id, "kind": "confirm"}])
    elif is_stored:
        office.table.set_status(
            subscriber.subscriber_id, SubscriberStatus.CONFIRMED, now=office.now
        )
        office.limits.forget_confirmations(mailbox_hash(row.address, office.keys))
    return is_stored


def _read(line: int, row: Mapping[str, str]) -> Row:
    try:
        address = mailable(_as_typed(row.get("address") or ""))
        codes = (row.get("categories") or "").replace(",", " ").split()
        preferences = Preferences(
            categories=data.taxonomy().expanded(codes),
            language=_one_of(row, "language", LANGUAGES, "both"),
            cadence=Cadence(_one_of(row, "cadence", [*Cadence], "daily")),
            length=_one_of(row, "length", LENGTHS, "brief"),
        )
    except InvalidInputError as exc:
        return Row(line=line, wrong=str(exc))
    if not preferences.categories:
        return Row(line=line, wrong="no categories")
    return Row(line=line, address=address, preferences=preferences)


def _as_typed(address: str) -> str:
    """*address* as it was before `export` kept it from being a formula."""
    return address[1:] if address.startswith(tuple(f"'{sign}" for sign in _FORMULA)) else address


def _one_of(row: Mapping[str, str], name: str, allowed: Iterable[str], default: str) -> str:
    value = (row.get(name) or "").strip() or default
    if value not in (names := [*allowed]):
        raise InvalidInputError(f"{name} is none of {', '.join(names)}")
    return value


def _row(one: Subscriber) -> dict[str, str]:
    wanted = one.preferences
    values = (
        one.subscriber_id,
        f"'{one.address}" if one.address.startswith(_FORMULA) else one.address,
        one.status.value,
        " ".join(wanted.categories),
        wanted.language,
        wanted.cadence.value,
        wanted.length,
        one.created_at.isoformat(),
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _office(name: str | None) -> Office:
    """The table, keys and queue of a stack in AWS, or of the laptop cloud that runs here."""
    stack = Stack.of(name)
    own = stack.settings("Subscribe")
    secret = stack.client("ssm").get_parameter(
        Name=own["TOKEN_KEYS_PARAMETER"], WithDecryption=True
    )
    return Office(
        table=stack.subscribers,
        limits=stack.signup_limits,
        keys=TokenKeys.from_json(secret["Parameter"]["Value"]),
        queue=Queue(stack.client("sqs"), own["CONFIRMATION_QUEUE_URL"]),
        now=stack.now(),
    )
