"""What enrichment cost, as the receipts tell it: a UTC day each, and whether today's cap is met."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from paperpost.domain.spending import Spend, resets_at, utc_day
from paperpost.storage.enrichnotes import EnrichNotes

_BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """A cap of today that holds back calls; `resets_at` in Beijing's time."""

    reached_at: datetime
    resets_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What each UTC day cost; an announcement's is that of its own date."""

    days: Mapping[date, Spend] = field(default_factory=dict)
    cap: Cap | None = None


def read_costs(notes: EnrichNotes, dates: Collection[date], *, now: datetime) -> Costs:
    """What enrich noted of the days from the first to the last of *dates*, and of today's cap."""
    spends = notes.list_spends(min(dates), max(dates)) if dates else []
    days = {spend.on: spend for spend in spends}
    today = utc_day(now)
    reached_at = notes.get_spend(today).capped_at
    cap = (
        Cap(reached_at=reached_at, resets_at=resets_at(today).astimezone(_BEIJING))
        if reached_at
        else None
    )
    return Costs(days=days, cap=cap)


def cost_json(spend: Spend | None) -> dict[str, Any] | None:
    """A day's cost in status.json; null where nobody was asked."""
    if spend is None or not spend.calls:
        return None
    return {
        "calls": spend.calls,
        "input_tokens": spend.tokens.input,
        "output_tokens": spend.tokens.output,
        "usd": spend.usd,
    }


def cap_json(cap: Cap | None) -> dict[str, str] | None:
    """The cap in status.json; null while there is room."""
    if cap is None:
        return None
    return {"reached_at": cap.reached_at.isoformat(), "resets_at": cap.resets_at.isoformat()}
