"""The morning letter: what the operator is told of a day, and what to do first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from paperpost.domain.announcements import eastern_date
from paperpost.domain.breaker import Breaker
from paperpost.domain.deliveries import IssueState
from paperpost.domain.mailed import Mailed
from paperpost.domain.quotas import Quota
from paperpost.domain.spending import Spend
from paperpost.domain.statusfile import StatusFile, ToldDate

# What the letter tells of.
SPAN = timedelta(hours=24)
# Behind the hour at which a batch is due: fetch polls often, and calls it stalled long before.
_NEWS_LATE_AFTER = timedelta(hours=12)
# From here on the next issue may not fit any more into what SES takes in a day.
_QUOTA_NEAR = 0.8
_LATEST_HOUR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """How many are confirmed, and of a span of time how many joined and how each of them left."""

    confirmed: int
    joined: int
    left: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """
    Everything that is known on a morning; None for what could not be read.

    `on`: the letter's date, in the operator's zone. `locked`: why no letter may go out. `switch`:
    the position of the switch for mail, which is turned in the SSM parameter `switch_name`.
    `dead_letters`: queue → messages. `breakers`: model → what is known of it. `alarms`: names of
    those that ring. `unread`: what could not be read.
    """

    on: date
    now: datetime
    status: StatusFile | None
    issues: tuple[Mailed, ...] | None
    spends: tuple[Spend, ...] | None
    breakers: Mapping[str, Breaker] | None
    quota: Quota | None
    readers: Readers | None
    locked: str | None
    switch: str | None
    switch_name: str
    dead_letters: Mapping[str, int] | None
    alarms: tuple[str, ...] | None
    unread: tuple[str, ...] = ()

    def dates(self) -> tuple[ToldDate, ...]:
        """The announcements of the last 24 hours, the newest first."""
        first = eastern_date(self.now - SPAN)
        told = self.status.dates if self.status else ()
        return tuple(d for d in told if d.announced_on >= first)

    def mailings(self) -> tuple[Mailed, ...]:
        """The issues of these dates, and older ones that are not closed, the newest first."""
        first = eastern_date(self.now - SPAN)
        shown = [
            one
            for one in self.issues or ()
            if one.announced_on >= first or one.state is not IssueState.CLOSED
        ]
        return tuple(sorted(shown, key=lambda one: (one.announced_on, one.issue), reverse=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that is wrong, in a sentence, and what to do about it."""

    what: str
    first: str


def local_day(now: datetime, zone: str) -> date | None:
    """
    The date whose letter is due at *now*, None from noon on.

    A letter that comes so late would tell of another day than the one before it.
    """
    local = now.astimezone(ZoneInfo(zone))
    return local.date() if local.hour < _LATEST_HOUR else None


def troubles(morning: Morning) -> list[Trouble]:
    """What is wrong, the worst first."""
    return [
        *_account(morning),
        *_stopped(morning),
        *_unprocessed(morning),
        *_unequal(morning),
        *_model(morning),
        *_others(morning),
    ]


def _account(morning: Morning) -> Iterator[Trouble]:
    """Whether mail may go out at all."""
    quota = morning.quota
    if quota is not None and not quota.is_sending:
        yield Trouble(
            what="SES lets this account send nothing.",
            first="Read why in the SES console under Account dashboard, and answer AWS there.",
        )
    elif quota is not None and quota.enforcement not in {"", "HEALTHY"}:
        yield Trouble(
            what=f"SES has put this account under review ({quota.enforcement}).",
            first="Read why in the SES console under Reputation metrics: bounces or complaints.",
        )
    if quota is not None and quota.share >= _QUOTA_NEAR:
        yield Trouble(
            what=f"{quota.used:,.0f} of the {quota.limit:,.0f} mails a day that SES takes are "
            "used; further letters wait.",
            first="Ask for a higher quota in the SES console under Account dashboard.",
        )
    if morning.switch not in {None, "on"}:
        yield Trouble(
            what=f"The switch for mail stands at {morning.switch}: no issue goes out.",
            first=f"When mail may go again, set the SSM parameter {morning.switch_name} to on.",
        )


def _stopped(morning: Morning) -> Iterator[Trouble]:
    """Issues that wait for somebody."""
    if morning.locked:
        yield Trouble(
            what=f"No letter goes out. {morning.locked[0].upper()}{morning.locked[1:]}.",
            first="Read After a restore in docs/deploy.md before you run paperpost issue unlock.",
        )
        return
    for one in morning.issues or ():
        if one.overdue:
            yield Trouble(
                what=f"{_letters(one.overdue)} of {one.issue} are more than 36 hours late and do "
                "not go without your word.",
                first=f"Run paperpost issue show {one.issue}, then resume or skip.",
            )
        if one.stopped:
            yield Trouble(
                what=f"{one.issue} is stopped: {one.stopped}.",
                first="It goes on by itself when that is over.",
            )


def _unprocessed(morning: Morning) -> Iterator[Trouble]:
    for queue, messages in sorted((morning.dead_letters or {}).items()):
        if messages:
            yield Trouble(
                what=f"{messages:,} message{'s' * (messages > 1)} that nobody could handle: "
                f"{queue}.",
                first="Find the error in the function's log, mend it, then start a redrive of the "
                "queue in the SQS console.",
            )


def _unequal(morning: Morning) -> Iterator[Trouble]:
    """Counts that do not add up, and news that did not come."""
    status = morning.status
    if status is None:
        return
    for fault in status.faults:
        yield Trouble(
            what=f"{fault.subject}, {fault.announced_on.isoformat()}: {fault.en}.",
            first="Run paperpost status; the log of the stage that falls short says why.",
        )
    if status.next_at is not None and morning.now > status.next_at + _NEWS_LATE_AFTER:
        yield Trouble(
            what="Nothing is known of the announcement that was due on "
            f"{eastern_date(status.next_at).isoformat()}.",
            first="Look for errors in the log of fetch, then run paperpost backfill.",
        )


def _model(morning: Morning) -> Iterator[Trouble]:
    for model, breaker in sorted((morning.breakers or {}).items()):
        if breaker.until is not None:
            yield Trouble(
                what=f"{model} failed {breaker.failures:,} times in a row and is left alone; "
                "papers appear untranslated.",
                first="Check its key, quota and prices; each hour one paper tries it again.",
            )
    for spend in morning.spends or ():
        if spend.capped_at is not None:
            yield Trouble(
                what=f"The cap on translation was reached on {spend.on.isoformat()} (UTC).",
                first="Raise EnrichTokensADay or EnrichUsdADay, or leave it: the next days "
                "translate what is left.",
            )


def _others(morning: Morning) -> Iterator[Trouble]:
    for alarm in morning.alarms or ():
        yield Trouble(
            what=f"The alarm {alarm} rings.", first="Its description in CloudWatch says why."
        )
    for source in morning.unread:
        yield Trouble(what=f"Not to be read: {source}.", first="Look into the log of deliver.")


def _letters(count: int) -> str:
    return f"{count:,} letter{'s' * (count != 1)}"
