"""The morning letter as a mail: the facts of domain/morning.py in words for a telephone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from paperpost.deliver.letters import Imprint, Letter
from paperpost.deliver.pieces import Piece
from paperpost.deliver.plaintext import wrapped
from paperpost.domain.deliveries import IssueState
from paperpost.domain.mailed import Mailed
from paperpost.domain.morning import Morning, Trouble, troubles
from paperpost.domain.statusfile import ToldDate, ToldRow
from paperpost.domain.text import shorten
from paperpost.rendering import date_en, full_date_en, render, time_hm

_UNKNOWN = "not known this morning"
# So much of a subject a telephone shows.
_SUBJECT = 90
_ISSUE_STATES = {
    IssueState.PLANNING: "being planned",
    IssueState.SENDING: "being sent",
    IssueState.CLOSED: "all accounted for",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the letter."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DateRows:
    """The announcements of one date."""

    title: str
    rows: tuple[Row, ...]


def morning_letter(morning: Morning, imprint: Imprint, *, stack: str, zone: str) -> Letter:
    """The letter of *morning* to the operator of *stack*, whose time zone is *zone*."""
    found = troubles(morning)
    dates, mailings = morning.dates(), morning.mailings()
    subject = shorten(
        render(
            "email/morning/subject.txt",
            headline=headline(found),
            on=morning.on,
            troubles=found,
            announced=sum(row.announced for told in dates for row in told.rows),
            sent=sum(one.sent for one in mailings),
        ).strip(),
        characters=_SUBJECT,
    )
    values = {
        "lang": "en",
        "subject": subject,
        "preheader": _preheader(found, morning),
        "headline": headline(found),
        "when": _when(morning.now, zone),
        "dates": [_date_rows(told) for told in dates],
        "no_dates": _UNKNOWN if morning.status is None else "Nothing in the last 24 hours.",
        "mailings": [Row(name=f"{one.issue}:", text=_mailed(one)) for one in mailings],
        "no_mailings": _UNKNOWN if morning.issues is None else "No issue in the last 24 hours.",
        "facts": list(_facts(morning)),
        "status_url": f"{imprint.site_url}/status.html",
        "stack": stack,
        "postal_address": imprint.postal_address,
    }
    html = render("email/morning/body.html", troubles=found, **values)
    text = render("email/morning/body.txt", troubles=found, **values)
    return Letter(subject=subject, pieces=(Piece.of(html, _narrow(text)),))


def headline(found: Sequence[Trouble]) -> str:
    """All well, or how much is not."""
    if not found:
        return "All well"
    return f"{len(found)} thing{'s need' if len(found) > 1 else ' needs'} you"


def _when(now: datetime, zone: str) -> str:
    local = now.astimezone(ZoneInfo(zone))
    return f"{full_date_en(local.date())}, {time_hm(local)} {zone} · the last 24 hours"


def _preheader(found: Sequence[Trouble], morning: Morning) -> str:
    if found:
        return found[0].first
    readers = morning.readers
    return f"{readers.confirmed:,} readers, {readers.joined:,} joined" if readers else ""


def _date_rows(told: ToldDate) -> DateRows:
    rows = [Row(name=row.category, text=_counts(row)) for row in told.rows]
    if len({row.text for row in rows}) == 1 and not any(row.announced for row in told.rows):
        rows = [Row(name="All", text=rows[0].text)]
    return DateRows(title=full_date_en(told.announced_on), rows=tuple(rows))


def _counts(row: ToldRow) -> str:
    """The receipt of one announcement; its state in words where the numbers do not say all."""
    if not row.announced and not row.stored:
        return row.words
    enriched = f"{row.enriched:,} translated, {row.pending:,} pending"
    if not row.pending:
        enriched = "all translated"
    if row.is_even:
        return f"{row.announced:,} announced = stored = listed = published · {enriched}"
    return (
        f"{row.announced:,} announced · {row.stored:,} stored · {row.listed:,} listed · "
        f"{row.published:,} published · {enriched} · {row.words}"
    )


def _mailed(one: Mailed) -> str:
    parts = [f"{one.sent:,} sent"]
    parts += [
        f"{count:,} {name}"
        for name, count in (
            ("skipped", one.skipped),
            ("failed", one.failed),
            ("of unknown fate", one.unknown),
            ("open", one.open),
        )
        if count
    ]
    state = _ISSUE_STATES[one.state]
    told = f"{one.audience:,} reader{'s' * (one.audience != 1)} = {' + '.join(parts)}; {state}"
    if not one.too_late:
        return told
    return f"{told}; {one.too_late:,} listing{'s' * (one.too_late != 1)} too late to mail"


def _facts(morning: Morning) -> Iterator[Row]:
    readers, quota = morning.readers, morning.quota
    text = _UNKNOWN
    if readers is not None:
        left = ", ".join(f"{count:,} {status}" for status, count in readers.left.items())
        text = f"{readers.confirmed:,} confirmed · {readers.joined:,} joined · " + (
            f"{sum(readers.left.values()):,} left ({left})" if left else "0 left"
        )
    yield Row(name="Readers:", text=text)
    text = _UNKNOWN
    if quota is not None:
        limit = f"{quota.limit:,.0f}" if quota.limit >= 0 else "any number of"
        text = f"{quota.used:,.0f} of {limit} mails in 24 hours · {quota.rate:g} a second"
    yield Row(name="SES:", text=text)
    if morning.spends is None:
        yield Row(name="Translation:", text=_UNKNOWN)
        return
    for spend in morning.spends or ():
        cost = f" · ${spend.usd:.4f}" if spend.micro_usd else ""
        yield Row(
            name=f"Translation on {date_en(spend.on)} (UTC):",
            text=f"{spend.calls:,} calls · {spend.tokens.total:,} tokens{cost}",
        )
    if not morning.spends:
        yield Row(name="Translation:", text="no model was asked")


def _narrow(text: str) -> str:
    """*text* with its long lines broken, each continued under its own beginning."""
    lines = []
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip()))
        lines.append(wrapped(line.strip(), indent=indent) if line.strip() else "")
    return "\n".join(lines) + "\n"
