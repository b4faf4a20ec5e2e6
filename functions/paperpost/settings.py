"""Frozen settings per stage; the only reader of os.environ and of the clock."""

import os
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Self

from paperpost.data import taxonomy
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.subscribers import MOST_SHARDS


def now() -> datetime:
    """The present time (UTC), moved by CLOCK_OFFSET_S in replays; for handlers alone."""
    offset_s = float(os.environ.get("CLOCK_OFFSET_S") or 0)
    return datetime.now(UTC) + timedelta(seconds=offset_s)


def epoch_s() -> int:
    """Real seconds since 1970, unmoved: DynamoDB compares TTL attributes with its own clock."""
    return int(datetime.now(UTC).timestamp())


class SettingsError(ValueError):
    """An environment variable is missing or malformed; the function cannot start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    """
    Each field is read from the environment variable of its name in capitals.

    A tuple is a comma-separated list; a field with a default may be absent or empty.
    """

    @classmethod
    def from_env(cls) -> Self:
        """
        Return the settings of the present environment.

        Raises: SettingsError: Naming the variable that is missing or malformed.
        """
        values: dict[str, object] = {}
        for field in fields(cls):
            variable = field.name.upper()
            text = os.environ.get(variable, "").strip()
            if text:
                values[field.name] = _parse(variable, text, field.type)
        if "categories" in values:
            values["categories"] = _expanded(values["categories"])
        if values.get("shards", 1) not in range(1, MOST_SHARDS + 1):
            raise SettingsError(f"SHARDS: not between 1 and {MOST_SHARDS}")
        try:
            return cls(**values)
        except TypeError as exc:
            missing = [f.name.upper() for f in fields(cls) if f.name not in values]
            raise SettingsError(f"not set: one of {', '.join(missing)} ({exc})") from exc


def _expanded(codes: object) -> tuple[str, ...]:
    """Categories by their canonical names, each once, archives taken apart."""
    assert isinstance(codes, tuple)
    try:
        return taxonomy().expanded(codes)
    except InvalidInputError as exc:
        raise SettingsError(f"CATEGORIES: {exc}") from exc


def _parse(variable: str, text: str, kind: object) -> object:
    """*text* as the annotated type *kind*, one of str, int, Decimal, bool and tuple[str, ...]."""
    try:
        if kind is int:
            return int(text)
        if kind is Decimal:
            return Decimal(text)
        if kind is bool:
            return {"on": True, "true": True, "off": False, "false": False}[text.casefold()]
    except (ValueError, ArithmeticError, KeyError) as exc:
        raise SettingsError(f"{variable}: not a valid value: {text[:40]!r}") from exc
    if kind == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings(_Settings):
    """
    fetch. `feed_source`: https base address of the feeds, or a file: address of a folder.

    `api_metadata`: whether to add what arXiv's API knows (off in replays).
    """

    papers_table: str
    enrichment_queue_url: str
    categories: tuple[str, ...]
    contact_mail: str
    languages: tuple[str, ...] = ("zh",)
    feed_source: str = "https://rss.arxiv.org"
    api_metadata: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichSettings(_Settings):
    """
    enrich. `enrich_provider`: bedrock, openai, extractive or off; `en` asks for an English TL;DR.

    The prices are USD for a million tokens; the caps are for a UTC day, 0 is none.
    """

    papers_table: str
    enrichment_queue_url: str
    categories: tuple[str, ...]
    languages: tuple[str, ...] = ("zh",)
    enrich_provider: str = "extractive"
    bedrock_model_id: str = ""
    open_ai_url: str = "https://api.openai.com/v1"
    open_ai_model: str = ""
    open_ai_key_parameter: str = ""
    open_ai_api_version: str = ""
    open_ai_form: str = "json_schema"
    enrich_input_price: Decimal = Decimal(0)
    enrich_output_price: Decimal = Decimal(0)
    enrich_tokens_a_day: int = 0
    enrich_usd_a_day: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishSettings(_Settings):
    """publish. `site_url`: the site's public address without a slash at its end."""

    papers_table: str
    site_bucket: str
    site_url: str
    categories: tuple[str, ...]
    contact_mail: str
    languages: tuple[str, ...] = ("zh",)
    publish_hold_minutes: int = 30
    replacements_in_feeds: bool = False
    mail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeSettings(_Settings):
    """compose. `cutoff`: Eastern hh:mm after which late categories hold no issue back."""

    papers_table: str
    subscribers_table: str
    deliveries_table: str
    site_bucket: str
    delivery_queue_url: str
    categories: tuple[str, ...]
    languages: tuple[str, ...] = ("zh",)
    publish_hold_minutes: int = 30
    shards: int = 1
    cutoff: str = "07:30"
    ambiguous_sends: str = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverSettings(_Settings):
    """
    deliver. `mail_from`, `confirm_from`: addresses; the display name is Paperpost's own.

    `morning_zone`: the operator's time zone. `dead_letter_queues`: addresses of the queues.
    """

    subscribers_table: str
    deliveries_table: str
    site_bucket: str
    site_url: str
    mail_from: str
    confirm_from: str
    contact_mail: str
    postal_address: str
    configuration_set: str
    token_keys_parameter: str
    sending_parameter: str
    confirmation_queue_arn: str
    papers_table: str
    stack_name: str
    morning_zone: str = "Asia/Shanghai"
    dead_letter_queues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribeSettings(_Settings):
    """
    subscribe. The `signup_…` limits count per hour; a replay raises them.

    `origin_secret`: what the CDN proves itself with; without one nothing that it says is believed.
    """

    subscribers_table: str
    confirmation_queue_url: str
    site_url: str
    categories: tuple[str, ...]
    contact_mail: str
    token_keys_parameter: str
    site_bucket: str = ""
    origin_secret: str = ""
    signups_per_network: int = 20
    signups_per_domain: int = 200
    signups_per_hour: int = 500
    shards: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackSettings(_Settings):
    """feedback. `feedback_topic_arn`: the only topic whose events count."""

    subscribers_table: str
    deliveries_table: str
    feedback_topic_arn: str
