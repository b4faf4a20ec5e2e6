"""Freeze: an issue is put together once, stored, and entered in the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from aws_lambda_powertools.metrics import MetricUnit

from paperpost.domain.announcements import Announcement, eastern_date
from paperpost.domain.deliveries import IssueRow
from paperpost.domain.issuefiles import content_hash, from_bytes, issue_path, to_bytes
from paperpost.domain.issues import (
    Count,
    Decision,
    FrozenIssue,
    Settled,
    candidate_dates,
    count,
    cutoff_at,
    decide,
    first_complete_on,
    freeze,
    has_final_enrichments,
    issue_id,
    on_hold,
    own_dates,
    settled_by_lost,
    span,
)
from paperpost.domain.records import Record
from paperpost.domain.subscribers import Cadence
from paperpost.observe import logger, metrics
from paperpost.settings import ComposeSettings
from paperpost.storage.deliveries import DeliveryTable
from paperpost.storage.papers import PaperTable
from paperpost.storage.site import SiteBucket

# The newest announcements of a category that the candidate dates and a weekly span can touch.
_RECENT = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Freezer:
    """Freezes whatever issue is ready, oldest first; it reads no subscriber."""

    settings: ComposeSettings
    papers: PaperTable
    deliveries: DeliveryTable
    site: SiteBucket

    def freeze_due(self, *, now: datetime, expires_at: int) -> list[IssueRow]:
        """Freeze every issue that is ready and return the rows of the new ones."""
        today = eastern_date(now)
        recent = {
            category: {
                a.announced_on: a
                for a in self.papers.list_announcements(category, last=today, limit=_RECENT)
            }
            for category in self.settings.categories
        }
        new: list[IssueRow] = []
        for cadence in Cadence:
            previous, dates = self._unfrozen(cadence, today, recent)
            for on in dates:
                decision = self._decide(on, recent, now=now)
                if not decision.freeze:
                    # A newer issue waits for an older one: issues freeze in the order of their
                    # names, so the smallest that holds a paper is also the first.
                    logger.info(
                        "issue waits",
                        extra={"issue": issue_id(cadence, on), "waits_for": decision.reason},
                    )
                    break
                frozen = self._frozen(
                    cadence,
                    on,
                    recent,
                    previous=previous,
                    today=today,
                    now=now,
                    reason=decision.reason,
                )
                if frozen.papers:
                    previous = self._enter(frozen, expires_at=expires_at)
                    new.append(previous)
        return new

    def _unfrozen(
        self, cadence: Cadence, today: date, recent: dict[str, dict[date, Announcement]]
    ) -> tuple[IssueRow | None, list[date]]:
        """
        The newest frozen issue, and the dates with listings behind it, oldest first.

        Where there is none mail begins, and with the newest date alone, so that nobody is flooded;
        or with the oldest one whose file was put when a crash kept its row from being entered.
        """
        found: list[date] = []
        for on in reversed(candidate_dates(cadence, today)):
            own = own_dates(cadence, on)
            announced = [a for by_date in recent.values() for d in own if (a := by_date.get(d))]
            if not any(a.stored for a in announced):
                continue
            row = self.deliveries.get_issue(issue_id(cadence, on))
            if row is not None:
                return row, found[::-1]
            found.append(on)
        put = [n for n, on in enumerate(found) if self.site.get(issue_path(issue_id(cadence, on)))]
        return None, found[max(put, default=0) :: -1]

    def _decide(
        self, on: date, recent: dict[str, dict[date, Announcement]], *, now: datetime
    ) -> Decision:
        of_date = {c: by_date[on] for c, by_date in recent.items() if on in by_date}
        hold = timedelta(minutes=self.settings.publish_hold_minutes)
        return decide(
            of_date,
            categories=self.settings.categories,
            unenriched=[
                a.category
                for a in on_hold(of_date.values(), now=now, hold=hold)
                if not self._is_enriched(a)
            ],
            now=now,
            cutoff_at=cutoff_at(on, self.settings.cutoff),
        )

    def _enter(self, frozen: FrozenIssue, *, expires_at: int) -> IssueRow:
        """Put the file first, then the row; a crash in between is made good by the next tick."""
        body = self.site.put_once(issue_path(frozen.issue), to_bytes(frozen))
        stored = from_bytes(body)
        row = IssueRow(
            issue=stored.issue,
            content_hash=content_hash(body),
            frozen_at=stored.frozen_at,
            reason=stored.reason,
            papers=len(stored.papers),
            shards=self.settings.shards,
            too_late=stored.too_late,
        )
        if self.deliveries.put_issue(row, expires_at=expires_at):
            logger.info(
                "issue frozen",
                extra={"issue": row.issue, "papers": row.papers, "reason": row.reason},
            )
        return row

    def _is_enriched(self, announcement: Announcement) -> bool:
        """Whether every paper of the announcement has all enrichments that it will get."""
        ids = [
            listing.arxiv_id
            for listing in self.papers.list_listings(
                announcement.category, announcement.announced_on
            )
        ]
        papers = self.papers.get_papers(ids)
        enrichments = self.papers.get_enrichments(ids, self.settings.languages)
        return all(
            has_final_enrichments(paper, enrichments.get(i, {}), self.settings.languages)
            for i, paper in papers.items()
        )

    def _frozen(
        self,
        cadence: Cadence,
        on: date,
        recent: dict[str, dict[date, Announcement]],
        *,
        previous: IssueRow | None,
        today: date,
        now: datetime,
        reason: str,
    ) -> FrozenIssue:
        listings = [
            listing
            for category, by_date in recent.items()
            for announced_on in span(cadence, on)
            if announced_on in by_date
            for listing in self.papers.list_listings(category, announced_on)
        ]
        announced = {
            category: self.papers.list_announcements(category, last=today)
            for category in self.settings.categories
        }
        earlier, settled = self._earlier(cadence, on)
        papers = self.papers.get_papers(listing.arxiv_id for listing in listings)
        enrichments = self.papers.get_enrichments(papers, self.settings.languages)
        records = [
            Record(
                paper=papers[listing.arxiv_id],
                listing=listing,
                enrichments=enrichments.get(listing.arxiv_id, {}),
            )
            for listing in listings
            if listing.arxiv_id in papers
        ]
        return freeze(
            cadence=cadence,
            on=on,
            listings=listings,
            papers=papers,
            enrichments=enrichments,
            earlier=earlier,
            settled=settled,
            is_first=previous is None,
            first_complete={
                category: first_complete_on(found) for category, found in announced.items()
            },
            counts={
                category: self._count(category, own_dates(cadence, on), by_date, records)
                for category, by_date in recent.items()
            },
            frozen_at=now,
            reason=reason,
            too_late=sum(
                self._too_late(found, before=span(cadence, on)[0], since=previous.frozen_at)
                for found in announced.values()
            )
            if previous
            else 0,
        )

    def _too_late(
        self, announcements: Sequence[Announcement], *, before: date, since: datetime
    ) -> int:
        """
        How many listings of one category's dates before *before* were stored since then, unmailed.

        Only announcements that changed are looked into.
        """
        began = first_complete_on(announcements)
        return sum(
            listing.stored_at > since and not listing.announce_type.is_replacement
            for a in announcements
            if began and began <= a.announced_on < before and a.updated_at > since
            for listing in self.papers.list_listings(a.category, a.announced_on)
        )

    def _count(
        self,
        category: str,
        own: Sequence[date],
        announcements: dict[date, Announcement],
        records: Sequence[Record],
    ) -> Count:
        return count(
            [announcements[d] for d in own if d in announcements],
            [
                r
                for r in records
                if r.listing.category == category and r.listing.announced_on in own
            ],
            self.settings.languages,
        )

    def _earlier(self, cadence: Cadence, on: date) -> tuple[list[FrozenIssue], list[Settled]]:
        """
        The frozen issues of the cadence that the span of the date *on* touches.

        Of those that the ledger has and the bucket has no more, what counts as mailed.
        """
        found: list[FrozenIssue] = []
        settled: list[Settled] = []
        ids = {issue_id(cadence, d) for d in span(cadence, on)} - {issue_id(cadence, on)}
        for issue in sorted(ids):
            row, file = self.deliveries.get_issue(issue), self.site.get(issue_path(issue))
            if row and (file is None or content_hash(file.body) != row.content_hash):
                logger.error("frozen issue is lost", extra={"issue": issue})
                settled.append(settled_by_lost(issue, row.frozen_at))
            elif file:
                found.append(from_bytes(file.body))
        metrics.add_metric("FrozenIssuesLost", MetricUnit.Count, len(settled))
        return found, settled
