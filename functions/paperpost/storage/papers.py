"""The Papers table: papers, listings, announcements, enrichments and what was published."""

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.enrichments import Enrichment, EnrichmentState
from paperpost.domain.errors import BusyError, ConflictError
from paperpost.domain.papers import (
    AnnounceType,
    Author,
    FirstListing,
    Listing,
    Paper,
    merge_papers,
)
from paperpost.storage import keys
from paperpost.storage.items import (
    Item,
    chunks,
    number,
    optional_time,
    parsed_time,
    present,
    query_pages,
    time_text,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_BATCH_GET = 100  # DynamoDB's limit for BatchGetItem
_ATTEMPTS = 5
_BATCH_ATTEMPTS, _BACKOFF_S = 9, 0.05  # 12 s in the worst case


class PaperTable:
    """Reads and writes the Papers table; one writer an item (docs/data-model.md)."""

    def __init__(self, table: "Table") -> None:
        self._table = table
        self._conflict = table.meta.client.exceptions.ConditionalCheckFailedException

    # papers (fetch writes)

    def put_papers(
        self, papers: Iterable[Paper], *, known: Mapping[str, Paper] | None = None
    ) -> int:
        """
        Merge each sighting into what is stored and return how many items changed.

        The newest version wins and `listed` only ever gains (see merge_papers). *known* is what
        get_papers has just returned, if the caller asked already.
        Raises: ConflictError: If another writer kept changing a paper; nothing of it was lost.
        """
        seen = list(papers)
        stored = self.get_papers(p.arxiv_id for p in seen) if known is None else known
        return sum(self._put_merged(stored.get(paper.arxiv_id), paper) for paper in seen)

    def _put_merged(self, stored: Paper | None, seen: Paper) -> bool:
        for _ in range(_ATTEMPTS):
            merged = merge_papers(stored, seen)
            if merged == stored:
                return False
            condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
            if stored is not None:
                condition = {
                    "ConditionExpression": "#body = :body",
                    "ExpressionAttributeNames": {"#body": "body"},
                    "ExpressionAttributeValues": {":body": _paper_item(stored)["body"]},
                }
            try:
                self._table.put_item(Item=_paper_item(merged), **condition)
            except self._conflict:
                stored = self.get_papers([seen.arxiv_id]).get(seen.arxiv_id)
            else:
                return True
        raise ConflictError(f"paper {seen.arxiv_id} is being changed by another writer")

    def get_papers(self, arxiv_ids: Iterable[str]) -> dict[str, Paper]:
        """The stored papers of *arxiv_ids*, strongly consistent, by id; unknown ones are absent."""
        wanted = [{"pk": keys.paper_pk(i), "sk": keys.PAPER_SK} for i in dict.fromkeys(arxiv_ids)]
        return {paper.arxiv_id: paper for paper in map(_paper, self._batch_get(wanted))}

    # listings (fetch writes)

    def put_listings(self, listings: Iterable[Listing]) -> int:
        """Store each listing that is not stored yet and return how many were new."""
        return sum(self._put_if_absent(_listing_item(listing)) for listing in listings)

    def list_listings(self, category: str, announced_on: date) -> list[Listing]:
        """All listings of one announcement, strongly consistent, in arXiv's order of types."""
        items = query_pages(
            self._table, "pk = :pk", {":pk": keys.listings_pk(category, announced_on)}
        )
        return [_listing(item) for item in items]

    def listed_versions(self, paper: Paper, category: str, *, before: date) -> frozenset[int]:
        """The versions of *paper* that *category* has listed on dates before *before*."""
        return frozenset(
            listing.version
            for on in sorted(paper.dates_in(category))
            if on < before
            for listing in self.list_listings(category, on)
            if listing.arxiv_id == paper.arxiv_id
        )

    # announcements (fetch writes)

    def put_announcement(self, announcement: Announcement) -> bool:
        """
        Store *announcement* unless the same is stored, or one that is complete would go back.

        Returns whether something was written.
        """
        stored = self.get_announcement(announcement.category, announcement.announced_on)
        if stored is not None and not _goes_forward(stored, announcement):
            return False
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if stored is not None:
            condition = {
                "ConditionExpression": "#state = :was AND announced = :announced AND #stored = :n",
                "ExpressionAttributeNames": {"#state": "state", "#stored": "stored"},
                "ExpressionAttributeValues": {
                    ":was": stored.state.value,
                    ":announced": stored.announced,
                    ":n": stored.stored,
                },
            }
        try:
            self._table.put_item(Item=_announcement_item(announcement), **condition)
        except self._conflict as exc:
            raise ConflictError(
                f"announcement {announcement.category} {announcement.announced_on} "
                "is being changed by another writer"
            ) from exc
        return True

    def get_announcement(self, category: str, announced_on: date) -> Announcement | None:
        """One announcement, strongly consistent, or None."""
        answer = self._table.get_item(
            Key={"pk": keys.announcements_pk(category), "sk": announced_on.isoformat()},
            ConsistentRead=True,
        )
        return _announcement(answer["Item"]) if "Item" in answer else None

    def list_announcements(
        self, category: str, *, last: date, limit: int | None = None
    ) -> list[Announcement]:
        """A category's announcements up to and including the date *last*, newest first."""
        items = query_pages(
            self._table,
            "pk = :pk AND sk <= :last",
            {":pk": keys.announcements_pk(category), ":last": last.isoformat()},
            newest_first=True,
            limit=limit,
        )
        return [_announcement(item) for item in items]

    # enrichments (enrich writes)

    def put_enrichment(self, enrichment: Enrichment) -> bool:
        """
        Store *enrichment* unless a success for the same text is there, or one of a newer version.

        Returns whether it was written.
        """
        try:
            self._table.put_item(
                Item=_enrichment_item(enrichment),
                ConditionExpression=(
                    "attribute_not_exists(pk) OR (#version <= :version"
                    " AND (#state <> :ok OR text_hash <> :hash))"
                ),
                ExpressionAttributeNames={"#state": "state", "#version": "version"},
                ExpressionAttributeValues={
                    ":version": enrichment.version,
                    ":ok": EnrichmentState.OK.value,
                    ":hash": enrichment.text_hash,
                },
            )
        except self._conflict:
            return False
        return True

    def get_enrichments(
        self, arxiv_ids: Iterable[str], languages: Sequence[str]
    ) -> dict[str, dict[str, Enrichment]]:
        """Stored enrichments of any state, strongly consistent: id → language → enrichment."""
        wanted = [
            {"pk": keys.paper_pk(i), "sk": keys.enrichment_sk(language)}
            for i in dict.fromkeys(arxiv_ids)
            for language in languages
        ]
        found: dict[str, dict[str, Enrichment]] = {}
        for enrichment in map(_enrichment, self._batch_get(wanted)):
            found.setdefault(enrichment.arxiv_id, {})[enrichment.language] = enrichment
        return found

    # what was published (publish writes)

    def get_published(self, category: str) -> dict[str, Mapping[str, Any]]:
        """What publish noted of a category: sort key → values, strongly consistent."""
        items = query_pages(self._table, "pk = :pk", {":pk": keys.published_pk(category)})
        return {item["sk"]: item["note"] for item in items}

    def put_published(self, category: str, key: str, note: Mapping[str, Any]) -> None:
        """Note what was published under *key* (a date, or a file's name)."""
        self._table.put_item(
            Item={"pk": keys.published_pk(category), "sk": key, "note": dict(note)}
        )

    # what fetch remembers (fetch writes)

    def get_fetch_note(self, key: str) -> Mapping[str, Any]:
        """A watermark, lease or validator of fetch, or an empty mapping."""
        answer = self._table.get_item(Key={"pk": keys.FETCH_PK, "sk": key}, ConsistentRead=True)
        return answer.get("Item", {})

    def put_watermark(self, category: str, announced_on: date) -> bool:
        """Move the category's watermark forward to *announced_on*; it never goes back."""
        try:
            self._table.put_item(
                Item={"pk": keys.FETCH_PK, "sk": category, "until": announced_on.isoformat()},
                ConditionExpression="attribute_not_exists(pk) OR #until < :until",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={":until": announced_on.isoformat()},
            )
        except self._conflict:
            return False
        return True

    def _put_if_absent(self, item: Item) -> bool:
        try:
            self._table.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")
        except self._conflict:
            return False
        return True

    def _batch_get(self, wanted: Sequence[Item]) -> Iterator[Item]:
        """
        The items of *wanted* that exist; what DynamoDB leaves unprocessed is asked for again.

        Not at once: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
        (read 2026-11-26).

        Raises: BusyError: If it stays unprocessed.
        """
        resource_batch_get = self._table.meta.client.batch_get_item
        for part in chunks(wanted, _BATCH_GET):
            request: Any = {self._table.name: {"Keys": list(part), "ConsistentRead": True}}
            for attempt in range(_BATCH_ATTEMPTS):
                answer = resource_batch_get(RequestItems=request)
                yield from answer["Responses"].get(self._table.name, ())
                request = answer.get("UnprocessedKeys")
                if not request:
                    break
                time.sleep(random.uniform(0.0, _BACKOFF_S * 2**attempt))  # noqa: S311  no secret
            else:
                raise BusyError(f"{self._table.name} left reads unprocessed, again and again")


def _goes_forward(stored: Announcement, new: Announcement) -> bool:
    if stored.state is AnnouncementState.COMPLETE:
        grew = (new.announced, new.stored) > (stored.announced, stored.stored)
        return new.state is AnnouncementState.COMPLETE and grew
    return (stored.state, stored.announced, stored.stored, stored.reason) != (
        new.state,
        new.announced,
        new.stored,
        new.reason,
    )


def _paper_item(paper: Paper) -> Item:
    body = present(
        {
            "version": paper.version,
            "title": paper.title,
            "abstract": paper.abstract,
            "authors": [
                present({"name": a.name, "affiliations": list(a.affiliations)})
                for a in paper.authors
            ],
            "categories": list(paper.categories),
            "licence": paper.licence,
            "doi": paper.doi,
            "journal_ref": paper.journal_ref,
            "comment": paper.comment,
            "submitted_at": paper.submitted_at and time_text(paper.submitted_at),
            "updated_at": paper.updated_at and time_text(paper.updated_at),
            "withdrawn": paper.withdrawn or None,
            "earlier_abstract": paper.earlier_abstract or None,
            "listed": {
                category: f"{first.announced_on.isoformat()} {first.announce_type.value}"
                for category, first in paper.listed.items()
            },
            "replaced": {
                category: [on.isoformat() for on in dates]
                for category, dates in paper.replaced.items()
            },
        }
    )
    return {"pk": keys.paper_pk(paper.arxiv_id), "sk": keys.PAPER_SK, "body": body}


def _paper(item: Mapping[str, Any]) -> Paper:
    body = item["body"]
    return Paper(
        arxiv_id=item["pk"].removeprefix(keys.paper_pk("")),
        version=number(body["version"]),
        title=body.get("title", ""),
        abstract=body.get("abstract", ""),
        authors=tuple(
            Author(name=a.get("name", ""), affiliations=tuple(a.get("affiliations", ())))
            for a in body.get("authors", ())
        ),
        categories=tuple(body["categories"]),
        licence=body.get("licence"),
        doi=body.get("doi"),
        journal_ref=body.get("journal_ref"),
        comment=body.get("comment"),
        submitted_at=optional_time(body.get("submitted_at")),
        updated_at=optional_time(body.get("updated_at")),
        withdrawn=body.get("withdrawn", False),
        earlier_abstract=body.get("earlier_abstract", ""),
        listed={category: _first(text) for category, text in body.get("listed", {}).items()},
        replaced={
            category: tuple(map(date.fromisoformat, dates))
            for category, dates in body.get("replaced", {}).items()
        },
    )


def _first(text: str) -> FirstListing:
    announced_on, announce_type = text.split(" ")
    return FirstListing(
        announced_on=date.fromisoformat(announced_on), announce_type=AnnounceType(announce_type)
    )


def _listing_item(listing: Listing) -> Item:
    return {
        "pk": keys.listings_pk(listing.category, listing.announced_on),
        "sk": keys.listing_sk(listing.announce_type, listing.arxiv_id),
        "category": listing.category,
        "announced_on": listing.announced_on.isoformat(),
        "arxiv_id": listing.arxiv_id,
        "version": listing.version,
        "announce_type": listing.announce_type.value,
        "stored_at": time_text(listing.stored_at),
    }


def _listing(item: Mapping[str, Any]) -> Listing:
    return Listing(
        category=item["category"],
        announced_on=date.fromisoformat(item["announced_on"]),
        arxiv_id=item["arxiv_id"],
        version=number(item["version"]),
        announce_type=AnnounceType(item["announce_type"]),
        stored_at=parsed_time(item["stored_at"]),
    )


def _announcement_item(announcement: Announcement) -> Item:
    return present(
        {
            "pk": keys.announcements_pk(announcement.category),
            "sk": announcement.announced_on.isoformat(),
            "category": announcement.category,
            "state": announcement.state.value,
            "announced": announcement.announced,
            "stored": announcement.stored,
            "updated_at": time_text(announcement.updated_at),
            "completed_at": announcement.completed_at and time_text(announcement.completed_at),
            "reason": announcement.reason,
        }
    )


def _announcement(item: Mapping[str, Any]) -> Announcement:
    return Announcement(
        category=item["category"],
        announced_on=date.fromisoformat(item["sk"]),
        state=AnnouncementState(item["state"]),
        announced=number(item["announced"]),
        stored=number(item["stored"]),
        updated_at=parsed_time(item["updated_at"]),
        completed_at=optional_time(item.get("completed_at")),
        reason=item.get("reason", ""),
    )


def _enrichment_item(enrichment: Enrichment) -> Item:
    return present(
        {
            "pk": keys.paper_pk(enrichment.arxiv_id),
            "sk": keys.enrichment_sk(enrichment.language),
            "language": enrichment.language,
            "state": enrichment.state.value,
            "title": enrichment.title,
            "abstract": enrichment.abstract,
            "tldr": enrichment.tldr,
            "model": enrichment.model,
            "prompt_version": enrichment.prompt_version,
            "text_hash": enrichment.text_hash,
            "reason": enrichment.reason,
            "version": enrichment.version,
            "updated_at": time_text(enrichment.updated_at),
        }
    )


def _enrichment(item: Mapping[str, Any]) -> Enrichment:
    return Enrichment(
        arxiv_id=item["pk"].removeprefix(keys.paper_pk("")),
        language=item["language"],
        state=EnrichmentState(item["state"]),
        title=item.get("title", ""),
        abstract=item.get("abstract", ""),
        tldr=item.get("tldr", ""),
        model=item.get("model", ""),
        prompt_version=item.get("prompt_version", ""),
        text_hash=item["text_hash"],
        reason=item.get("reason", ""),
        version=number(item.get("version", 0)),
        updated_at=parsed_time(item["updated_at"]),
    )
