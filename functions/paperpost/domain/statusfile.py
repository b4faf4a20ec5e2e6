"""What publish tells in `status.json`, read back: the newest dates' receipts and their faults."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from paperpost.domain.announcements import AnnouncementState
from paperpost.domain.errors import RecordError
from paperpost.domain.reconciliation import Fault

STATUS_PATH = "status.json"
_COUNTS = ("announced", "stored", "listed", "enriched", "pending", "published")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldRow:
    """The receipt of one announcement; `words`: its state in English."""

    category: str
    state: AnnouncementState
    words: str
    announced: int
    stored: int
    listed: int
    enriched: int
    pending: int
    published: int
    adds_up: bool

    @property
    def is_even(self) -> bool:
        """Whether everything announced was stored, listed and published."""
        return {self.stored, self.listed, self.published} == {self.announced}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldDate:
    """The receipts of one Eastern date, in the site's order."""

    announced_on: date
    rows: tuple[ToldRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFile:
    """The newest dates, the newest first; `next_at`: when the announcement after them is due."""

    dates: tuple[ToldDate, ...]
    faults: tuple[Fault, ...]
    next_at: datetime | None


def from_bytes(body: bytes) -> StatusFile:
    """
    Return what `status.json` tells of announcements.

    Raises: RecordError: If *body* is anything else.
    """
    try:
        value = json.loads(body)
        return StatusFile(
            dates=tuple(map(_date, value["dates"])),
            faults=tuple(map(_fault, value["faults"])),
            next_at=_time(value["next_announcement_at"]),
        )
    except (ValueError, KeyError, TypeError) as exc:
        raise RecordError(f"{STATUS_PATH} cannot be read: {exc}") from exc


def _date(value: Mapping[str, Any]) -> ToldDate:
    return ToldDate(
        announced_on=date.fromisoformat(value["announced_on"]),
        rows=tuple(
            ToldRow(
                category=str(row["category"]),
                state=AnnouncementState(row["state"]),
                words=str(row["state_en"]),
                adds_up=bool(row["adds_up"]),
                **{name: int(row[name]) for name in _COUNTS},
            )
            for row in value["categories"]
        ),
    )


def _fault(value: Mapping[str, Any]) -> Fault:
    return Fault(
        announced_on=date.fromisoformat(value["announced_on"]),
        subject=str(value["subject"]),
        zh=str(value["zh"]),
        en=str(value["en"]),
    )


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
