"""The sample day's prepared answers against its feeds, as fetch makes their text readable."""

import json
from pathlib import Path

import pytest

from paperpost.data import glossary
from paperpost.domain.papers import Paper
from paperpost.enrich.checks import failed_check
from paperpost.fetch.feeds import read_feed

SAMPLE = Path(__file__).resolve().parents[3] / "events" / "sample"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_prepared_answer_may_be_shown(language: str) -> None:
    """No check objects to an answer because TeX was taken out of the text it answers."""
    items = {
        item.arxiv_id: item
        for path in (SAMPLE / "feeds").glob("*.xml")
        for item in read_feed(path.read_bytes(), source=path.name).items
    }
    answers = [json.loads(a) for a in (SAMPLE / "answers.jsonl").read_text().splitlines()]

    failed = {
        answer["id"]: failed_check(answer[language], paper, language, glossary(language))
        for answer in answers
        for item in [items[answer["id"]]]
        for paper in [
            Paper(
                arxiv_id=item.arxiv_id,
                version=item.version,
                title=item.title,
                abstract=item.abstract,
                authors=item.authors,
                categories=item.categories,
            )
        ]
    }

    assert len(failed) == 46
    assert set(failed.values()) == {""}
