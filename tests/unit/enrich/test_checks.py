"""What an answer must be before anybody sees it."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from paperpost.domain.papers import Paper
from paperpost.enrich.checks import failed_check, han_share
from unit.enrich.conftest import CHINESE, ENGLISH, PAPER


def test_a_good_answer_passes() -> None:
    """A link and a formula of the abstract may stand in its translation."""
    assert failed_check(CHINESE, PAPER, "zh") == ""
    assert failed_check(ENGLISH, PAPER, "en") == ""


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"title": None}, "fields"),
        ({"title": 7}, "fields"),
        ({"abstract": " \n"}, "fields"),
        ({"note": "多余"}, "fields"),
        ({"tldr": "见 https://evil.example/x。"}, "link"),
        ({"tldr": "见 www.evil.example 网站"}, "link"),
        ({"abstract": "代码：https://example.org/nothing.evil 在此。"}, "link"),
        ({"abstract": "代码：https://example.org/noth 在此。"}, "link"),
        ({"abstract": "代码：HTTPS://EVIL.example/kiss 在此。"}, "link"),
        ({"tldr": "点击 javascript:alert(1) 这里"}, "link"),
        ({"title": "只需要<b>空无一物</b>"}, "markup"),
        ({"tldr": "本文<script>提出空无一物的方法"}, "markup"),
        ({"tldr": "本文提出[空无](x)一物的方法。"}, "markup"),
        ({"tldr": "```本文提出空无一物的方法```"}, "markup"),
        ({"tldr": "本文提出&lt;空无一物的方法"}, "markup"),
        ({"tldr": "本文提出空无\x08一物的方法。"}, "control characters"),
        ({"tldr": "本文提出空无\u200b一物的方法。"}, "control characters"),
        ({"tldr": "本文提出空无\u202e一物的方法。"}, "control characters"),
        ({"tldr": "本文提出空无\ud800一物的方法。"}, "control characters"),
        ({"title": "空" * 501}, "length"),
        ({"abstract": "空" * 8001}, "length"),
        ({"tldr": "空" * 801}, "length"),
        ({"title": PAPER.title}, "script"),
        ({"abstract": PAPER.abstract}, "script"),
        ({"tldr": "I am sorry, I cannot help with that."}, "script"),
        ({"tldr": "$一二三四五六七八九十$ only in a formula"}, "script"),
    ],
)
def test_a_bad_chinese_answer_fails_by_name(changes: dict[str, object], check: str) -> None:
    """One fault, one name."""
    assert failed_check(CHINESE | changes, PAPER, "zh") == check


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        ({}, "fields"),
        (CHINESE, "fields"),
        ({"tldr": CHINESE["tldr"]}, "script"),
        ({"tldr": "See https://evil.example/."}, "link"),
    ],
)
def test_a_bad_english_answer_fails_by_name(answer: dict[str, object], check: str) -> None:
    """English has a TL;DR alone, in English."""
    assert failed_check(answer, PAPER, "en") == check


@pytest.mark.parametrize(
    ("text", "share"), [("", 0.0), ("12 % $", 0.0), ("abc", 0.0), ("空ab", 1 / 3), ("空无", 1.0)]
)
def test_the_share_of_han_counts_letters_alone(text: str, share: float) -> None:
    """Digits and signs belong to no script."""
    assert han_share(text) == pytest.approx(share)


def test_real_translations_pass_and_those_that_fail_are_faulty(shared_data: Path) -> None:
    """Of 2,000, 19 lack a field and 3 have the title untranslated (looked at by eye)."""
    with gzip.open(shared_data / "papers" / "papers-2000.jsonl.gz", "rt", encoding="utf-8") as file:
        stored = [json.loads(line) for line in file]

    failed = Counter(
        failed_check(
            {
                "title": one["translated_title"],
                "abstract": one["translated_abstract"],
                "tldr": one["tldr"],
            },
            Paper(
                arxiv_id=one["id"],
                version=1,
                title=one["title"],
                abstract=one["abstract"],
                authors=(),
                categories=("cs.LG",),
            ),
            "zh",
        )
        for one in stored
    )

    assert failed == {"": 1978, "fields": 19, "script": 3}
