"""Blocks: what a reader of each language sees of a paper, also where something is missing."""

from dataclasses import replace

import pytest

from paperpost.domain.blocks import block
from support.records import make_paper, make_record


@pytest.mark.parametrize("language", ["zh", "both"])
@pytest.mark.parametrize("title", ["", "\u200b "])
def test_a_translation_without_a_title_stands_under_the_original_one(
    language: str, title: str
) -> None:
    record = make_record()
    enrichments = {"zh": replace(record.enrichments["zh"], title=title)}

    shown = block(replace(record, enrichments=enrichments), language)

    assert (shown.title.text, shown.title.lang) == (record.paper.title, "en")
    assert shown.subtitle is None
    assert shown.tldr.text == "什么也没提出。"


@pytest.mark.parametrize("language", ["zh", "en", "both"])
def test_a_paper_without_a_title_is_called_by_its_id(language: str) -> None:
    shown = block(make_record(paper=make_paper(title=" \x00"), enriched=False), language)

    assert shown.title.text == "2604.99001"
