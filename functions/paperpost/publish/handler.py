"""publish: renders feeds and pages of what changed and puts them on the site."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from paperpost import clients, settings
from paperpost.data import calendar, feeds, taxonomy
from paperpost.domain.categories import Category
from paperpost.domain.errors import ConflictError, PaperpostError, RefusedError
from paperpost.domain.namedfeeds import NamedFeed
from paperpost.observe import logger, metrics
from paperpost.publish.build import Built, build_category, known_of
from paperpost.publish.costs import read_costs
from paperpost.publish.days import CategoryView
from paperpost.publish.known import Known
from paperpost.publish.named import NamedBuilt, build_named
from paperpost.publish.pages import SiteFacts
from paperpost.publish.press import Press
from paperpost.publish.sources import Sources
from paperpost.publish.status import Status, newest_dates, read_mailed, reconcile
from paperpost.publish.website import build_site
from paperpost.settings import PublishSettings
from paperpost.storage import keys
from paperpost.storage.enrichnotes import EnrichNotes
from paperpost.storage.papers import PaperTable
from paperpost.storage.site import SiteBucket

_ATTEMPTS = 3  # at what another publisher is busy with
_Result = TypeVar("_Result")


class NotAllPublishedError(PaperpostError):
    """The gate refused some categories; the others are published, and the run has failed."""


class ReceiptMismatchError(PaperpostError):
    """Everything is published, but some counts differ and no state in progress explains it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to build: category → older dates to look at; `healing` if nobody told of a change."""

    categories: Mapping[str, frozenset[date]]
    healing: bool


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    """
    Publish what a Papers stream event touches, or on a schedule whatever is not published yet.

    Raises, so that the run counts as failed, when all the rest is published:
        NotAllPublishedError: If the gate refused something.
        ReceiptMismatchError: If the receipts do not add up.
    """
    press = _press(PublishSettings.from_env())
    return publish(press, _order(event, press), now=settings.now())


def publish(press: Press, order: Order, *, now: datetime) -> dict[str, int]:
    """Build the categories of *order*, then the site-wide files if anything changed."""
    etags = press.site.etags()  # before anything is read that those files show
    built: dict[str, Built] = {}
    refused: list[RefusedError] = []
    for code in press.settings.categories:
        if order.healing or code in order.categories:
            try:
                built[code] = _build(press, taxonomy().categories[code], order, now=now)
            except RefusedError as exc:
                refused.append(exc)
                _log_refused(exc)
    named: dict[str, NamedBuilt] = {}
    if order.healing or any(b.changed for b in built.values()):
        named = _named(press, refused, now=now)
    puts, status = _site(press, built, named, etags, healing=order.healing, now=now)
    everything: list[Built | NamedBuilt] = [*built.values(), *named.values()]
    result = {
        "categories_changed": sum(b.changed for b in built.values()),
        "files_put": puts + sum(b.puts for b in everything),
        "entries_minimal": sum(len(b.minimal) for b in everything),
        "candidates_refused": len(refused),
        "receipt_mismatches": len(status.faults),
    }
    for arxiv_id, problem in (pair for b in everything for pair in b.minimal.items()):
        logger.error("paper not rendered", extra={"arxiv_id": arxiv_id, "problem": problem})
    for fault in status.faults:
        logger.error(
            "receipt does not add up",
            extra={"date": str(fault.announced_on), "of": fault.subject, "problem": fault.en},
        )
    _report(result, shrunk=sum(b.shrunk for b in everything))
    if refused:
        raise NotAllPublishedError("; ".join(map(str, refused))) from refused[0]
    if status.faults:
        said = (f"{f.subject} {f.announced_on}: {f.en}" for f in status.faults)
        raise ReceiptMismatchError("; ".join(said))
    return result


def _build(press: Press, category: Category, order: Order, *, now: datetime) -> Built:
    """Build *category*. Raises: RefusedError: If the gate refuses it, or others come first."""
    touched = order.categories.get(category.code, frozenset())

    def build(attempt: int) -> Built:
        # What another one noted says nothing of what this run was told of.
        healing = order.healing and not attempt
        return build_category(press, category, now=now, touched=touched, healing=healing)

    return _insisting(category.code, build)


def _named(press: Press, refused: list[RefusedError], *, now: datetime) -> dict[str, NamedBuilt]:
    """Build the named feeds of which something changed; what the gate refuses joins *refused*."""
    built: dict[str, NamedBuilt] = {}
    known: dict[str, Known] = {}
    for feed in press.named:
        followed = [code for code in feed.categories if code in press.settings.categories]

        def build(
            attempt: int, feed: NamedFeed = feed, followed: list[str] = followed
        ) -> NamedBuilt:
            for code in followed:
                if attempt or code not in known:
                    known[code] = known_of(press, taxonomy().categories[code], now=now)
            return build_named(press, feed, {code: known[code] for code in followed}, now=now)

        try:
            built[feed.name] = _insisting(f"{feed.folder}/feed.json", build)
        except RefusedError as exc:
            refused.append(exc)
            _log_refused(exc)
            built[feed.name] = NamedBuilt(has_feed=True)  # the one that stays
    return built


def _insisting(path: str, build: Callable[[int], _Result]) -> _Result:
    """
    Return what *build* (attempt → result) makes; where another came first, from what is there then.

    Raises: RefusedError: If others come first again and again, or if *build* fails for any reason:
        what is wrong with one category or feed keeps no other back.
    """
    problem = ""
    for attempt in range(_ATTEMPTS):
        try:
            return build(attempt)
        except ConflictError as exc:
            problem = str(exc)
        except RefusedError:
            raise
        except Exception as exc:  # the others are built; the run then fails with it, and is retried
            logger.exception("not built", extra={"path": path})
            raise RefusedError(path, f"{type(exc).__name__}: {exc}") from exc
    raise RefusedError(path, problem)


def _log_refused(refused: RefusedError) -> None:
    logger.error("candidate refused", extra={"path": refused.path, "reason": refused.reason})


def _site(
    press: Press,
    built: Mapping[str, Built],
    named: Mapping[str, NamedBuilt],
    etags: Mapping[str, str],
    *,
    healing: bool,
    now: datetime,
) -> tuple[int, Status]:
    """
    Reconcile the receipts, and put the site-wide files if anything changed; how many were put.

    A run that was called for one category and found nothing new looks at that one alone.
    """
    hold = timedelta(minutes=press.settings.publish_hold_minutes)
    if not healing and not any(b.changed for b in built.values()):
        views = [(taxonomy().categories[code], b.view) for code, b in built.items()]
        return 0, reconcile(press.facts, views, (), hold=hold, now=now)
    with_feed = [f for f in press.named if f.name in named and named[f.name].has_feed]

    def build(attempt: int) -> tuple[int, Status]:
        there = press.site.etags() if attempt else etags
        views = _views(press, {} if attempt else built, now)
        costs = read_costs(press.notes, newest_dates(views), now=now)
        status = reconcile(press.facts, views, read_mailed(press), costs, hold=hold, now=now)
        return build_site(press, views, status, with_feed, there), status

    return _insisting("index.html", build)


def _views(
    press: Press, built: Mapping[str, Built], now: datetime
) -> list[tuple[Category, CategoryView]]:
    """What is published of every category: just built, or read from the notes."""
    categories = [taxonomy().categories[code] for code in press.settings.categories]
    return [
        (c, built[c.code].view if c.code in built else known_of(press, c, now=now).view())
        for c in categories
    ]


def _report(result: Mapping[str, int], *, shrunk: int) -> None:
    logger.info("published", extra={**result, "entries_shrunk": shrunk})
    metrics.add_metric("FilesPut", MetricUnit.Count, result["files_put"])
    metrics.add_metric("EntriesMinimal", MetricUnit.Count, result["entries_minimal"])
    metrics.add_metric("CandidatesRefused", MetricUnit.Count, result["candidates_refused"])
    metrics.add_metric("ReceiptMismatch", MetricUnit.Count, result["receipt_mismatches"])


def _press(config: PublishSettings) -> Press:
    table = clients.table(config.papers_table)
    papers = PaperTable(table)
    site = SiteBucket(clients.s3(), config.site_bucket)
    return Press(
        settings=config,
        papers=papers,
        notes=EnrichNotes(table),
        site=site,
        sources=Sources(papers, site, config.languages),
        facts=SiteFacts(
            site_url=config.site_url,
            contact_mail=config.contact_mail,
            mail=config.mail,
            languages=config.languages,
            calendar=calendar(),
        ),
        named=feeds(),
    )


def _order(event: Mapping[str, Any], press: Press) -> Order:
    """One build a category, however many items of it the stream brings."""
    if "Records" not in event:
        return Order(categories={}, healing=True)
    changed = [record["dynamodb"]["Keys"] for record in event["Records"]]
    touched: dict[str, set[date]] = {}
    enriched = set()
    for key in changed:
        pk, sk = key["pk"]["S"], key["sk"]["S"]
        if pk.startswith(keys.announcements_pk("")):
            category = pk.removeprefix(keys.announcements_pk(""))
            touched.setdefault(category, set()).add(date.fromisoformat(sk))
        elif sk.startswith(keys.ENRICHMENT_PREFIX):
            enriched.add(pk.removeprefix(keys.paper_pk("")))
    for paper in press.papers.get_papers(sorted(enriched)).values():
        for category in paper.listed:
            touched.setdefault(category, set()).update(paper.dates_in(category))
    return Order(
        categories={category: frozenset(dates) for category, dates in touched.items()},
        healing=False,
    )
