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


@pytest.mark.parametrize(
    ("language", "title", "subtitle", "abstracts"),
    [
        ("both", "虚构的标题", "A Made-Up Title", ["zh-Hans", "en"]),
        ("zh", "虚构的标题", None, ["zh-Hans"]),
        ("en", "A Made-Up Title", None, ["en"]),
    ],
)
def test_readers_of_one_language_see_no_other(
    language: str, title: str, subtitle: str | None, abstracts: list[str]
) -> None:
    shown = block(make_record(), language)

    assert shown.title.text == title
    assert (shown.subtitle and shown.subtitle.text) == subtitle
    assert [passage.lang for passage in shown.abstracts] == abstracts


@pytest.mark.parametrize("language", ["zh", "both"])
def test_readers_of_chinese_see_the_original_while_a_translation_is_pending(language: str) -> None:
    shown = block(make_record(enriched=False), language)

    assert shown.pending
    assert [shown.title.lang, shown.tldr.lang, shown.abstracts[0].lang] == ["en"] * 3
