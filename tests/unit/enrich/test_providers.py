"""Choosing a provider."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paperpost import clients
from paperpost.enrich.answers import Skip, TransientProviderError
from paperpost.enrich.prompt import Request
from paperpost.enrich.providers import provider
from paperpost.enrich.providers.openai import OpenAi
from paperpost.settings import EnrichSettings, SettingsError
from unit.enrich.conftest import NOW, PAPER


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
    chosen = provider(settings(name), now=NOW)

    assert not chosen.translates
    assert chosen.enrich(Request(paper=PAPER, language="zh")) == Skip(name)


@pytest.mark.usefixtures("cloud")
def test_bedrock_takes_its_model_from_the_settings() -> None:
    """Readers are told which it was."""
    chosen = provider(settings("bedrock", "fake.model-1"), now=NOW)

    assert chosen.translates
    assert chosen.model == "fake.model-1"


def openai_settings(**changed: str) -> EnrichSettings:
    """Settings of a server that needs a key."""
    made = replace(
        settings("openai"), open_ai_model="fake-1", open_ai_key_parameter="/paperpost/model-key"
    )
    return replace(made, **changed)  # type: ignore[arg-type]  # all of them are texts


@pytest.mark.usefixtures("cloud")
def test_a_key_is_read_from_its_parameter_once() -> None:
    """Not for every paper; some minutes later again, since keys change."""
    ssm = clients.ssm()
    ssm.put_parameter(Name="/paperpost/model-key", Value="sk-1\n", Type="SecureString")
    chosen = provider(openai_settings(), now=NOW)
    assert isinstance(chosen, OpenAi)
    assert chosen._headers()["Authorization"] == "Bearer sk-1"

    ssm.put_parameter(
        Name="/paperpost/model-key", Value="sk-2", Type="SecureString", Overwrite=True
    )

    assert chosen._headers()["Authorization"] == "Bearer sk-1"
    later = provider(openai_settings(), now=NOW + timedelta(minutes=10))
    assert isinstance(later, OpenAi)
    assert later._headers()["Authorization"] == "Bearer sk-2"


@pytest.mark.usefixtures("cloud")
def test_a_key_that_cannot_be_read_is_a_provider_that_does_not_answer() -> None:
    """The breaker takes care of that, for all papers at once."""
    chosen = provider(openai_settings(open_ai_key_parameter="/paperpost/absent"), now=NOW)

    with pytest.raises(TransientProviderError, match="ParameterNotFound"):
        chosen.enrich(Request(paper=PAPER, language="zh"))


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (settings("magic"), "'magic' is not one of bedrock"),
        (settings("bedrock"), "BEDROCK_MODEL"),
        (openai_settings(open_ai_model=""), "OPEN_AI_MODEL"),
        (openai_settings(open_ai_url="http://example.org/v1"), "OPEN_AI_URL"),
        (openai_settings(open_ai_form="xml"), "OPEN_AI_FORM"),
    ],
)
def test_a_choice_that_cannot_work_stops_the_function(chosen: EnrichSettings, said: str) -> None:
    """At once and by name, not paper by paper."""
    with pytest.raises(SettingsError, match=said):
        provider(chosen, now=NOW)
