"""One page of every kind and one letter of every form, from the invented sample day."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from paperpost.data import taxonomy
from paperpost.deliver.confirming import confirmation
from paperpost.deliver.morningletter import morning_letter
from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.breaker import Breaker
from paperpost.domain.deliveries import IssueState
from paperpost.domain.mailed import Mailed
from paperpost.domain.morning import Morning, Readers
from paperpost.domain.namedfeeds import named_feeds
from paperpost.domain.papers import AnnounceType
from paperpost.domain.quotas import Quota
from paperpost.domain.records import Record
from paperpost.domain.rules import parse_rules
from paperpost.domain.spending import Spend, Tokens
from paperpost.domain.statusfile import from_bytes
from paperpost.publish.costs import Cap, Costs
from paperpost.publish.days import CategoryView, counts
from paperpost.publish.pages import (
    assets,
    category_page,
    front_page,
    named_page,
    not_found_page,
    quiet_page,
)
from paperpost.publish.status import Status, Views, reconcile, status_json, status_page
from paperpost_cli.proofs.reading_days import (
    CATEGORY,
    FACTS,
    IMPRINT,
    day_of,
    letter_of,
    page_of,
)

_STYLE = re.compile(rb"<style>.*?</style>|<meta name=\"[a-z-]*color-scheme\"[^>]*>", re.DOTALL)
_DAY, _TIMES = timedelta(days=1), 20
LANGUAGES, LENGTHS = ("both", "zh", "en"), ("brief", "full")
_NAMED = {
    "vision-and-language": {
        "title": "Vision and language",
        "title_zh": "视觉与语言",
        "categories": ["cs.CV", "cs.CL"],
        "include": ["vision language", "title: multimodal", "author: Ada Example"],
        "exclude": ["abstract: survey"],
    },
    "optimal-control": {"title": "Optimal control", "categories": ["math.OC", "eess.SY"]},
}
# What the other categories of the front page and the receipts are about that day.
_OTHERS = {
    "cs.CL": AnnouncementState.STALLED,
    "cs.LG": AnnouncementState.PARTIAL,
    "cond-mat.mtrl-sci": AnnouncementState.QUIET,
    "math.OC": AnnouncementState.WAITING,
    "quant-ph": AnnouncementState.FAILED,
    "stat.ML": None,
}


def all_pages(records: Sequence[Record]) -> dict[str, bytes]:
    """Every kind of page that publish makes, by its path, with the files that they ask for."""
    day = day_of(records)
    on, views = day.announced_on, _views(records)
    category, view = views[0]
    feeds = named_feeds(_NAMED, taxonomy())
    sunday = _announcement(CATEGORY, on - timedelta(days=2), AnnouncementState.QUIET)
    return {
        "index.html": front_page(FACTS, views, feeds),
        f"{CATEGORY}/{on}.html": page_of(day, previous=on - timedelta(days=4), following=on + _DAY),
        f"{CATEGORY}/index.html": category_page(FACTS, category, view),
        f"{CATEGORY}/{sunday.announced_on}.html": quiet_page(
            FACTS, category, sunday, previous=on - 4 * _DAY, following=on, has_feed=True
        ),
        "status.html": status_page(FACTS, _status(views, on)),
        "404.html": not_found_page(FACTS),
        **{f"{feed.folder}/index.html": named_page(FACTS, feed, has_feed=True) for feed in feeds},
        "new/index.html": category_page(FACTS, *views[-1]),
        "first.html": front_page(replace(FACTS, mail=False), views[-1:]),
        **assets(),
    }


def all_letters(records: Sequence[Record]) -> Iterator[tuple[str, bytes]]:
    """Every form of a letter, the confirmation and the operator's mail, by a path of its own."""
    many = many_of(records, _TIMES)
    include = parse_rules(["diffusion", "author: Yan Siqi", "abstract: we"])
    for language in LANGUAGES:
        for length in LENGTHS:
            body = letter_of(records, language=language, length=length)
            yield f"mail/{language}-{length}.html", body
        yield (
            f"mail/{language}-rules.html",
            letter_of(
                records, language=language, include=include, announce_types=tuple(AnnounceType)
            ),
        )
        # QQ and 163 drop what is in the head: a letter has to stand without.
        yield f"mail/{language}-bare.html", _STYLE.sub(b"", body)
        yield f"mail/{language}-many.html", letter_of(many, language=language)
        asked = confirmation(language, f"{FACTS.site_url}/api/confirm/example", IMPRINT)
        yield f"mail/{language}-confirm.html", asked.html.encode()
    told = morning_letter(_morning(records), IMPRINT, stack="paperpost", zone="Asia/Shanghai")
    yield "mail/morning.html", told.html.encode()


def many_of(records: Sequence[Record], times: int) -> list[Record]:
    """*records* again and again under other ids, so that a letter has no room for all."""
    return [
        replace(
            record,
            paper=replace(record.paper, arxiv_id=f"2605.{place:05}"),
            listing=replace(record.listing, arxiv_id=f"2605.{place:05}"),
        )
        for place, record in enumerate(list(records) * times)
    ]


def _views(records: Sequence[Record]) -> Views:
    day = day_of(records)
    shown = counts(day, FACTS.languages)
    friday = replace(shown, announced_on=shown.announced_on - timedelta(days=4))
    known = taxonomy().categories
    full = CategoryView(
        announcements=(day.announcement,),
        days=(shown, friday),
        has_feed=True,
        published_on=frozenset({shown.announced_on}),
    )
    others = [
        (known[code], _view(code, shown.announced_on, state)) for code, state in _OTHERS.items()
    ]
    return [(known[CATEGORY], full), *others]


def _view(code: str, on: date, state: AnnouncementState | None) -> CategoryView:
    announced = (_announcement(code, on, state),) if state else ()
    return CategoryView(announcements=announced, days=(), has_feed=False)


def _announcement(code: str, on: date, state: AnnouncementState) -> Announcement:
    some = 1_204 if state is AnnouncementState.PARTIAL else 0
    return Announcement(
        category=code,
        announced_on=on,
        state=state,
        announced=some,
        stored=some // 2,
        updated_at=_at(on),
        reason="weekend" if state is AnnouncementState.QUIET else "",
    )


def _status(views: Views, on: date) -> Status:
    """Receipts with all that they can say: faults, letters, a cost, a cap."""
    cap = Cap(reached_at=_at(on), resets_at=_at(on) + timedelta(hours=20))
    costs = Costs(days={on: _spend(on)}, cap=cap)
    later = _at(on) + timedelta(hours=9)
    return reconcile(FACTS, views, [_mailed(on)], costs, hold=timedelta(minutes=30), now=later)


def _morning(records: Sequence[Record]) -> Morning:
    """What is known on a bad morning, with a trouble of every kind."""
    views = _views(records)
    on = day_of(records).announced_on
    now = _at(on) + timedelta(hours=20)
    return Morning(
        on=on + _DAY,
        now=now,
        status=from_bytes(status_json(_status(views, on))),
        issues=(replace(_mailed(on), overdue=41, stopped="daily quota: 48,000 of 50,000 sent"),),
        spends=(replace(_spend(on), capped_at=now),),
        breakers={"amazon.nova-lite-v1:0": Breaker(failures=7, opened=1, until=now + _DAY)},
        quota=Quota(used=48_000, limit=50_000, rate=14, is_sending=True, enforcement="PROBATION"),
        readers=Readers(confirmed=2_000, joined=12, left={"bounced": 1, "unsubscribed": 2}),
        locked="",
        switch="off",
        switch_name="/paperpost/sending",
        dead_letters={"paperpost-FeedbackDeadLetters-1A2B3C4D5E6F": 3},
        alarms=("paperpost-FeedbackDeadLetters",),
        unread=("the number of weekly readers (AccessDeniedException)",),
    )


def _mailed(on: date) -> Mailed:
    return Mailed(
        issue=f"daily-{on}",
        state=IssueState.SENDING,
        frozen_at=_at(on),
        sent=1_480,
        skipped=12,
        failed=1,
        unknown=2,
        open=505,
    )


def _spend(on: date) -> Spend:
    return Spend(on=on, calls=48, tokens=Tokens(input=31_000, output=17_500), micro_usd=12_345)


def _at(on: date) -> datetime:
    return datetime.combine(on, time(4, 25), UTC)
