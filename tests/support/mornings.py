"""Made-up mornings: one on which all is well, one on which all is wrong."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from paperpost.domain.announcements import AnnouncementState
from paperpost.domain.breaker import Breaker
from paperpost.domain.deliveries import IssueState
from paperpost.domain.mailed import Mailed
from paperpost.domain.morning import Morning, Readers
from paperpost.domain.quotas import Quota
from paperpost.domain.reconciliation import Fault
from paperpost.domain.spending import Spend, Tokens
from paperpost.domain.statusfile import StatusFile, ToldDate, ToldRow

# Seven in Shanghai on a Wednesday, and still Tuesday, 26 March, in New York.
NOW = datetime(2024, 3, 26, 23, 0, tzinfo=UTC)
DAY = date(2024, 3, 26)


def row(category: str, announced: int, *, pending: int = 0) -> ToldRow:
    """An announcement that adds up."""
    return ToldRow(
        category=category,
        state=AnnouncementState.COMPLETE,
        words="complete",
        announced=announced,
        stored=announced,
        listed=announced,
        enriched=announced - pending,
        pending=pending,
        published=announced,
        adds_up=True,
    )


def quiet(category: str) -> ToldRow:
    """A category without an announcement."""
    return replace(
        row(category, 0), state=AnnouncementState.QUIET, words="no announcement: weekend"
    )


def mailing(on: date = DAY, **counts: Any) -> Mailed:
    """A closed daily issue."""
    return Mailed(
        issue=f"daily-{on.isoformat()}",
        state=IssueState.CLOSED,
        frozen_at=datetime(2024, 3, 26, 5, tzinfo=UTC),
        **counts,
    )


WELL = Morning(
    on=date(2024, 3, 27),
    now=NOW,
    status=StatusFile(
        dates=(
            ToldDate(
                announced_on=DAY,
                rows=(row("cs.CV", 243, pending=4), row("cs.LG", 310), row("stat.ML", 41)),
            ),
            ToldDate(announced_on=DAY - timedelta(days=1), rows=(row("cs.CV", 1999),)),
            ToldDate(announced_on=DAY - timedelta(days=2), rows=(quiet("cs.CV"), quiet("cs.LG"))),
        ),
        faults=(),
        next_at=datetime(2024, 3, 27, 4, 20, tzinfo=UTC),
    ),
    issues=(
        mailing(DAY - timedelta(days=4), sent=7),
        mailing(sent=1240, skipped=12, failed=1),
    ),
    spends=(
        Spend(on=DAY, calls=594, tokens=Tokens(input=386_100, output=160_380), micro_usd=61_657),
    ),
    breakers={"amazon.nova-lite-v1:0": Breaker(failures=2)},
    quota=Quota(used=1253, limit=50_000, rate=14, is_sending=True, enforcement="HEALTHY"),
    readers=Readers(confirmed=1253, joined=12, left={"bounced": 1, "unsubscribed": 2}),
    locked="",
    switch="on",
    switch_name="/paperpost/sending",
    dead_letters={"paperpost-DeliveryDeadLetters-1A": 0},
    alarms=(),
)
WRONG = replace(
    WELL,
    status=StatusFile(
        dates=(
            ToldDate(
                announced_on=DAY,
                rows=(
                    replace(
                        row("cs.CV", 243, pending=243),
                        stored=240,
                        published=0,
                        state=AnnouncementState.PARTIAL,
                        words="not all stored yet",
                        adds_up=False,
                    ),
                    replace(row("cs.LG", 0), state=AnnouncementState.STALLED, words="late"),
                ),
            ),
        ),
        faults=(
            Fault(
                announced_on=DAY,
                subject="cs.CV",
                zh="公告 243 ≠ 入库 240",
                en="announced 243 ≠ stored 240",
            ),
        ),
        next_at=datetime(2024, 3, 26, 4, 20, tzinfo=UTC),
    ),
    issues=(
        replace(
            mailing(sent=900, skipped=12, open=341),
            state=IssueState.SENDING,
            overdue=41,
            stopped="daily quota: 48,000 of 50,000 mails sent, the rest is kept for confirmations",
        ),
    ),
    spends=(replace(WELL.spends[0], capped_at=NOW),) if WELL.spends else (),
    breakers={"amazon.nova-lite-v1:0": Breaker(failures=7, opened=1, until=NOW)},
    quota=Quota(used=48_000, limit=50_000, rate=14, is_sending=True, enforcement="PROBATION"),
    readers=None,
    switch="off",
    dead_letters={"paperpost-FeedbackDeadLetters-1A": 3, "paperpost-PublishDeadLetters-2B": 0},
    alarms=("paperpost-FeedbackDeadLetters",),
    unread=("the number of readers (AccessDeniedException)",),
)
