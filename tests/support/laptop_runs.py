"""The laptop cloud as long runs need it: at a time of its own, with many confirmed readers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from paperpost.domain.announcements import EASTERN
from paperpost.domain.tokens import TokenKeys
from paperpost.storage.queues import Queue
from paperpost.storage.signuplimits import SignUpLimits
from paperpost.storage.subscribers import SubscriberTable
from paperpost_cli.cloud.standin import ReplayModel, Standin
from paperpost_cli.laptop import ROOT, SENDER_DOMAIN, Folders, LaptopCloud
from paperpost_cli.local import SAMPLE, Plan, stack_parameters
from paperpost_cli.replay import Replay
from paperpost_cli.subscribers import Office, imported, read_rows

_A_SECOND = 200.0  # what SES lets an account of this size send


@contextmanager
def laptop(
    out: Path, categories: Sequence[str], *, at: datetime, a_second: float = _A_SECOND
) -> Iterator[LaptopCloud]:
    """The laptop cloud with the real template, as it stands at *at*."""
    plan = Plan(
        replay=Replay(days={}, categories=tuple(categories)),
        categories=tuple(categories),
        out=out,
        readers=0,
        template=ROOT / "template.yaml",
        port=8000,
    )
    folders = Folders.of(out)
    standin = Standin(
        mail_dir=folders.mail,
        model=ReplayModel.from_file(SAMPLE / "answers.jsonl"),
        verified_domain=SENDER_DOMAIN,
        mails_a_second=a_second,
    )
    cloud = LaptopCloud(folders, standin=standin, template=plan.template)
    try:
        cloud.start(stack_parameters(plan) | {"EnrichProvider": "extractive"}, at=at)
        yield cloud
    finally:
        cloud.stop()


def fire(cloud: LaptopCloud, stage: str) -> None:
    """Fire the schedules of *stage*, and let what follows from them happen."""
    for schedule in cloud.schedules():
        if cloud.stage_of(schedule.function) == stage:
            cloud.fire(schedule)
            cloud.settle()


def bring_along(
    cloud: LaptopCloud, out: Path, readers: Sequence[tuple[str, Mapping[str, Any]]]
) -> None:
    """Import confirmed readers, an address and wishes each, as an operator does with a list."""
    columns = ("categories", "cadence", "language", "length")
    rows = [
        (address, " ".join(wishes["categories"]), *(wishes[name] for name in columns[1:]))
        for address, wishes in readers
    ]
    lines = [",".join(row) for row in (("address", *columns), *rows)]
    path = out / "list.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    keys = cloud.emulator.client("ssm").get_parameter(
        Name="/paperpost/token-keys", WithDecryption=True
    )
    office = Office(
        table=SubscriberTable(cloud.table("SubscribersTable")),
        limits=SignUpLimits(cloud.table("SubscribersTable")),
        keys=TokenKeys.from_json(keys["Parameter"]["Value"]),
        queue=Queue(cloud.emulator.client("sqs"), "nobody is asked to confirm"),
        now=cloud.now(),
    )
    counts = imported(
        office, read_rows(path), consent_source="a list", dry_run=False, is_quiet=True
    )
    assert counts["confirmed"] == len(rows), counts


def eastern(on: date, at: str) -> datetime:
    return datetime.combine(on, time.fromisoformat(at), EASTERN).astimezone(UTC)
