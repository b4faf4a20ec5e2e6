"""Counts a finished replay on a running laptop cloud, and notes who the readers are."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from paperpost.domain.subscribers import SubscriberStatus
from paperpost.storage import keys
from paperpost.storage.enrichnotes import EnrichNotes
from paperpost_cli.laptop import LaptopCloud
from paperpost_cli.mailbox import Mail, list_mails
from paperpost_cli.receipts import (
    Receipt,
    count_announcement,
    count_cost,
    count_issue,
    find_problems,
    status_problems,
)
from paperpost_cli.replay import Replay

_LANGUAGES = ("zh", "en")


def count_run(cloud: LaptopCloud, replay: Replay, *, out: Path, readers: int) -> Receipt:
    """Return the receipt of a replay, and write subscribers.json."""
    papers, site = cloud.papers(), cloud.site()
    mails = list_mails(out / "mail")
    profiles = [row for row in cloud.rows("SubscribersTable") if row["sk"] == keys.PROFILE_SK]
    _write_subscribers(out / "subscribers.json", profiles)
    ledger = [r for r in cloud.rows("DeliveriesTable") if r["sk"] != keys.ISSUE_SK]
    confirmed = {
        row["pk"].removeprefix(keys.subscriber_pk(""))
        for row in profiles
        if row["status"] == SubscriberStatus.CONFIRMED.value
    }
    counts = Receipt(
        announcements=[
            count_announcement(replay, on, category, papers=papers, site=site, languages=_LANGUAGES)
            for on in replay.days
            for category in replay.announced(on)
        ],
        issues=[
            count_issue(
                f"daily-{on.isoformat()}",
                rows=ledger,
                mails=mails,
                confirmed=confirmed if readers else set(),
            )
            for on in replay.days
        ],
        subscribers=dict(sorted(Counter(str(row["status"]) for row in profiles).items())),
        confirmations=sum(mail.kind == "confirmation" for mail in mails),
        invocations=cloud.invocations(),
        dead_letters=cloud.dead_letters(),
        enrichment=count_cost(EnrichNotes(cloud.table("PapersTable")), replay),
    )
    problems = find_problems(counts, readers=readers, bouncing=count_bouncing(mails))
    told = site.get("status.json")
    problems += status_problems(json.loads(told.body) if told else {}, counts)
    return counts.with_problems(problems)


def count_bouncing(mails: Iterable[Mail]) -> int:
    """Readers at whose address mail bounces; who signed up twice, in two runs, is one."""
    return len({mail.to for mail in mails if "bounce" in mail.to and not mail.issue})


def _write_subscribers(path: Path, profiles: list[dict[str, Any]]) -> None:
    rows = [
        {
            "address": row["address"],
            "preferences": row["preferences"],
            "status": row["status"],
        }
        for row in sorted(profiles, key=lambda row: str(row["address"]))
    ]
    text = json.dumps(rows, ensure_ascii=False, indent=1, default=int)
    path.write_text(text + "\n", encoding="utf-8")
