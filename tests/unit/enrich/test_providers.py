"""Choosing a provider."""

import pytest

from paperpost.enrich.answers import Skip
from paperpost.enrich.providers import provider
from paperpost.settings import EnrichSettings, SettingsError
from unit.enrich.conftest import PAPER


def settings(name: str, model: str = "") -> EnrichSettings:
    """Settings that choose *name*."""
    return EnrichSettings(
        papers_table="papers",
        enrichment_queue_url="https://sqs.example/enrichment",
        categories=("cs.AI",),
        enrich_provider=name,
        bedrock_model_id=model,
    )


@pytest.mark.parametrize("name", ["extractive", "off"])
def test_a_provider_without_a_model_skips_and_says_so(name: str) -> None:
    """No network, no translation, nothing that could be taken for one."""
    chosen = provider(settings(name))

    assert not chosen.translates
    assert chosen.enrich(PAPER, "zh") == Skip(name)


@pytest.mark.usefixtures("cloud")
def test_bedrock_takes_its_model_from_the_settings() -> None:
    """Readers are told which it was."""
    chosen = provider(settings("bedrock", "fake.model-1"))

    assert chosen.translates
    assert chosen.model == "fake.model-1"


@pytest.mark.parametrize(
    ("chosen", "said"),
    [(settings("magic"), "'magic' is not one of bedrock"), (settings("bedrock"), "BEDROCK_MODEL")],
)
def test_a_choice_that_cannot_work_stops_the_function(chosen: EnrichSettings, said: str) -> None:
    """At once and by name, not paper by paper."""
    with pytest.raises(SettingsError, match=said):
        provider(chosen)
