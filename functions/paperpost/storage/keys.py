"""Every key format of the three tables; docs/data-model.md lists the access patterns."""

from datetime import date

from paperpost.domain.papers import AnnounceType

PAPER_SK = "PAPER"
PROFILE_SK = "PROFILE"
EMAIL_SK = "EMAIL"
ISSUE_SK = "ISSUE"
PACE_KEY = "PACE"
MORNING_PK = "MORNING"
MAILS_SK = "MAILS"
FETCH_PK = "FETCH"
LEASE_SK = "LEASE"
INCOMPLETE_SK = "INCOMPLETE"
ENRICH_PK = "ENRICH"
ENRICHMENT_PREFIX = "ENRICHMENT#"
AUDIENCE_INDEX = "audience"


def paper_pk(arxiv_id: str) -> str:
    """A paper and its enrichments."""
    return f"PAPER#{arxiv_id}"


def enrichment_sk(language: str) -> str:
    """One enrichment of a paper."""
    return f"{ENRICHMENT_PREFIX}{language}"


def claim_pk(arxiv_id: str) -> str:
    """Claims of whoever asks for a paper's enrichments; the sort key is the language."""
    return f"CLAIM#{arxiv_id}"


def breaker_sk(model: str) -> str:
    """What enrich knows of a model that fails."""
    return f"BREAKER#{model}"


def spend_sk(on: date) -> str:
    """What enrichment cost on a UTC day."""
    return f"SPEND#{on.isoformat()}"


def listings_pk(category: str, announced_on: date) -> str:
    """All listings of one announcement."""
    return f"LIST#{category}#{announced_on.isoformat()}"


def listing_sk(announce_type: AnnounceType, arxiv_id: str) -> str:
    """A listing, in arXiv's order of types."""
    return f"{announce_type.rank}#{arxiv_id}"


def announcements_pk(category: str) -> str:
    """All announcements of a category; the sort key is the date."""
    return f"CATEGORY#{category}"


def published_pk(category: str) -> str:
    """What publish has published of a category; the sort key is the date, or a file's path."""
    return f"PUBLISHED#{category}"


def etag_sk(url: str) -> str:
    """Validators of one arXiv address."""
    return f"ETAG#{url}"


def subscriber_pk(subscriber_id: str) -> str:
    """A subscriber's profile."""
    return f"SUB#{subscriber_id}"


def email_pk(address_hash: str) -> str:
    """The uniqueness row of an address, by its keyed hash."""
    return f"EMAIL#{address_hash}"


def audience_key(cadence: str, shard: int) -> str:
    """Confirmed subscribers of one cadence and shard, in the audience index."""
    return f"{cadence}#{shard}"


def limit_pk(kind: str, value_hash: str) -> str:
    """A sign-up limit's counter; the sort key is its window."""
    return f"LIMIT#{kind}#{value_hash}"


def issue_pk(issue: str) -> str:
    """An issue's own row."""
    return f"ISSUE#{issue}"


def morning_sk(on: date) -> str:
    """The morning letter of a date."""
    return on.isoformat()


def deliveries_pk(issue: str, shard: int) -> str:
    """One shard of an issue's deliveries."""
    return f"ISSUE#{issue}#{shard}"


def delivery_sk(subscriber_id: str) -> str:
    """One subscriber's delivery."""
    return f"SUB#{subscriber_id}"
