"""A record: one paper with one of its listings and its enrichments; what every renderer reads."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from paperpost.domain.enrichments import Enrichment, EnrichmentState, is_current
from paperpost.domain.errors import RecordError
from paperpost.domain.extractive import extracted_sentence
from paperpost.domain.ids import abs_url, html_url, newest_first, pdf_url
from paperpost.domain.papers import AnnounceType, Author, FirstListing, Listing, Paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """
    A paper as one category's announcement shows it.

    `enrichments` holds whatever is stored by language, of whatever state and text; ask
    `enrichment(language)` for what may be shown.
    """

    paper: Paper
    listing: Listing
    enrichments: Mapping[str, Enrichment] = field(default_factory=dict)

    @property
    def arxiv_id(self) -> str:
        """The paper's base id."""
        return self.paper.arxiv_id

    def enrichment(self, language: str) -> Enrichment | None:
        """The enrichment in *language* if it succeeded for the present text, else None."""
        found = self.enrichments.get(language)
        return found if is_current(found, self.paper) else None

    def title(self, language: str) -> str:
        """The title in *language*, or the original."""
        found = self.enrichment(language)
        return (found and found.title) or self.paper.title

    def tldr(self, language: str) -> str:
        """The TL;DR in *language*, or '' while pending."""
        found = self.enrichment(language)
        return (found and found.tldr) or ""

    @property
    def extract(self) -> str:
        """The author's own sentence that stands in for a TL;DR; to be marked as such."""
        return extracted_sentence(self.paper.abstract)


def reading_order(record: Record) -> tuple[int, tuple[int, int, str]]:
    """A sort key: new, cross, replace, replace-cross; within each the newest id first."""
    year_month, number, arxiv_id = newest_first(record.arxiv_id)
    return record.listing.announce_type.rank, (-year_month, -number, arxiv_id)


def to_json(record: Record) -> dict[str, Any]:
    """The record as plain JSON values, in the form that docs/data-model.md documents."""
    paper, listing = record.paper, record.listing
    return {
        "id": paper.arxiv_id,
        "version": paper.version,
        "category": listing.category,
        "announced_on": listing.announced_on.isoformat(),
        "announce_type": listing.announce_type.value,
        "listed_version": listing.version,
        "stored_at": _time(listing.stored_at),
        "title": paper.title,
        "abstract": paper.abstract,
        "authors": [
            {"name": a.name, **({"affiliations": list(a.affiliations)} if a.affiliations else {})}
            for a in paper.authors
        ],
        "categories": list(paper.categories),
        "listed": {
            category: {
                "announced_on": first.announced_on.isoformat(),
                "announce_type": first.announce_type.value,
            }
            for category, first in sorted(paper.listed.items())
        },
        "licence": paper.licence,
        "doi": paper.doi,
        "journal_ref": paper.journal_ref,
        "comment": paper.comment,
        "submitted_at": _time(paper.submitted_at),
        "updated_at": _time(paper.updated_at),
        "withdrawn": paper.withdrawn,
        **({"earlier_abstract": paper.earlier_abstract} if paper.earlier_abstract else {}),
        "links": {
            "abs": abs_url(paper.arxiv_id),
            "pdf": pdf_url(paper.arxiv_id),
            "html": html_url(paper.arxiv_id),
        },
        "enrichments": {
            language: enrichment_to_json(enrichment)
            for language, enrichment in sorted(record.enrichments.items())
        },
    }


def from_json(value: Mapping[str, Any]) -> Record:
    """
    Return the record that `to_json` wrote.

    Raises: RecordError: If a field is missing or has the wrong form; the text names the field.
    """
    try:
        paper = Paper(
            arxiv_id=value["id"],
            version=int(value["version"]),
            title=value["title"],
            abstract=value["abstract"],
            authors=tuple(
                Author(name=a["name"], affiliations=tuple(a.get("affiliations", ())))
                for a in value["authors"]
            ),
            categories=tuple(value["categories"]),
            licence=value.get("licence"),
            doi=value.get("doi"),
            journal_ref=value.get("journal_ref"),
            comment=value.get("comment"),
            submitted_at=_parsed_time(value.get("submitted_at")),
            updated_at=_parsed_time(value.get("updated_at")),
            withdrawn=bool(value.get("withdrawn", False)),
            earlier_abstract=value.get("earlier_abstract", ""),
            listed={
                category: FirstListing(
                    announced_on=date.fromisoformat(first["announced_on"]),
                    announce_type=AnnounceType(first["announce_type"]),
                )
                for category, first in value.get("listed", {}).items()
            },
        )
        announced_on = date.fromisoformat(value["announced_on"])
        listing = Listing(
            category=value["category"],
            announced_on=announced_on,
            arxiv_id=paper.arxiv_id,
            version=int(value.get("listed_version", paper.version)),
            announce_type=AnnounceType(value["announce_type"]),
            stored_at=_parsed_time(value.get("stored_at"))
            or datetime.combine(announced_on, datetime.min.time(), UTC),
        )
        enrichments = {
            language: enrichment_from_json(paper.arxiv_id, language, e)
            for language, e in value.get("enrichments", {}).items()
        }
    except KeyError as exc:
        raise RecordError(f"field {exc.args[0]!r} is missing") from exc
    except (TypeError, ValueError, AttributeError) as exc:
        raise RecordError(f"a field has the wrong form: {exc}") from exc
    return Record(paper=paper, listing=listing, enrichments=enrichments)


def read_lines(lines: Iterable[str], *, name: str) -> list[Record]:
    """
    Return the records of a JSON-lines file; empty lines are passed over.

    Raises: RecordError: With *name* and the number of the line that is not a record.
    """
    records = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            records.append(from_json(json.loads(line)))
        except (json.JSONDecodeError, RecordError) as exc:
            raise RecordError(f"{name}, line {number}: {exc}") from exc
    return records


def enrichment_to_json(enrichment: Enrichment) -> dict[str, Any]:
    """
    One enrichment as plain JSON values; of one that did not succeed only its state.

    When, why and how often something failed is no data for readers, and would change their files
    with every new try.
    """
    if enrichment.state is not EnrichmentState.OK:
        return {"state": enrichment.state.value}
    return {
        "state": enrichment.state.value,
        "title": enrichment.title,
        "abstract": enrichment.abstract,
        "tldr": enrichment.tldr,
        "model": enrichment.model,
        "prompt_version": enrichment.prompt_version,
        "text_hash": enrichment.text_hash,
        "updated_at": _time(enrichment.updated_at),
    }


def enrichment_from_json(arxiv_id: str, language: str, value: Mapping[str, Any]) -> Enrichment:
    """The enrichment that `enrichment_to_json` wrote."""
    return Enrichment(
        arxiv_id=arxiv_id,
        language=language,
        state=EnrichmentState(value["state"]),
        title=value.get("title", ""),
        abstract=value.get("abstract", ""),
        tldr=value.get("tldr", ""),
        model=value.get("model", ""),
        prompt_version=value.get("prompt_version", ""),
        text_hash=value.get("text_hash", ""),
        updated_at=_parsed_time(value.get("updated_at")) or datetime.min.replace(tzinfo=UTC),
    )


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _parsed_time(text: str | None) -> datetime | None:
    if not text:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"a time without zone: {text!r}")
    return at.astimezone(UTC)
