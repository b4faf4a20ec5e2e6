"""The providers by the name that an operator chooses."""

from collections.abc import Callable, Mapping

from paperpost import clients
from paperpost.enrich.providers.bedrock import Bedrock
from paperpost.enrich.providers.extractive import Extractive
from paperpost.enrich.providers.off import Off
from paperpost.enrich.work import Provider
from paperpost.settings import EnrichSettings, SettingsError


def _bedrock(settings: EnrichSettings) -> Bedrock:
    if not settings.bedrock_model_id:
        raise SettingsError("not set: BEDROCK_MODEL_ID")
    return Bedrock(clients.bedrock(), settings.bedrock_model_id)


_PROVIDERS: Mapping[str, Callable[[EnrichSettings], Provider]] = {
    "bedrock": _bedrock,
    "extractive": lambda _: Extractive(),
    "off": lambda _: Off(),
}


def provider(settings: EnrichSettings) -> Provider:
    """
    The provider that *settings* choose.

    Raises: SettingsError: If there is none of that name, or it lacks a setting.
    """
    make = _PROVIDERS.get(settings.enrich_provider)
    if make is None:
        known = ", ".join(_PROVIDERS)
        raise SettingsError(f"ENRICH_PROVIDER: {settings.enrich_provider!r} is not one of {known}")
    return make(settings)
