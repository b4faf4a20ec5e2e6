"""The providers by the name that an operator chooses."""

from collections.abc import Callable, Mapping
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from paperpost import clients
from paperpost.enrich.answers import TransientProviderError
from paperpost.enrich.providers.bedrock import Bedrock
from paperpost.enrich.providers.extractive import Extractive
from paperpost.enrich.providers.off import Off
from paperpost.enrich.providers.openai import FORMS, OpenAi, is_safe
from paperpost.enrich.work import Provider
from paperpost.settings import EnrichSettings, SettingsError
from paperpost.storage.secrets import api_key


def _bedrock(settings: EnrichSettings, _now: datetime) -> Bedrock:
    if not settings.bedrock_model_id:
        raise SettingsError("not set: BEDROCK_MODEL_ID")
    return Bedrock(clients.bedrock(), settings.bedrock_model_id)


def _openai(settings: EnrichSettings, now: datetime) -> OpenAi:
    if not settings.open_ai_model:
        raise SettingsError("not set: OPEN_AI_MODEL")
    if not is_safe(settings.open_ai_url):
        raise SettingsError("OPEN_AI_URL: neither https nor on this machine")
    if settings.open_ai_form not in FORMS:
        raise SettingsError(f"OPEN_AI_FORM: not one of {', '.join(FORMS)}")
    parameter = settings.open_ai_key_parameter

    def key() -> str:
        try:
            return api_key(clients.ssm(), parameter, now=now) if parameter else ""
        except (ClientError, BotoCoreError) as exc:
            # As a provider that denies us: the breaker then takes care, not the dead-letter queue.
            raise TransientProviderError(f"its key cannot be read: {type(exc).__name__}") from exc

    return OpenAi(
        clients.model_http(),
        url=settings.open_ai_url,
        model=settings.open_ai_model,
        key=key,
        api_version=settings.open_ai_api_version,
        form=settings.open_ai_form,
    )


_PROVIDERS: Mapping[str, Callable[[EnrichSettings, datetime], Provider]] = {
    "bedrock": _bedrock,
    "openai": _openai,
    "extractive": lambda *_: Extractive(),
    "off": lambda *_: Off(),
}


def provider(settings: EnrichSettings, *, now: datetime) -> Provider:
    """
    The provider that *settings* choose.

    Raises: SettingsError: If there is none of that name, or it lacks a setting.
    """
    make = _PROVIDERS.get(settings.enrich_provider)
    if make is None:
        known = ", ".join(_PROVIDERS)
        raise SettingsError(f"ENRICH_PROVIDER: {settings.enrich_provider!r} is not one of {known}")
    return make(settings, now)
