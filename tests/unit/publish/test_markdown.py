"""The digest in the seed's layout, and the original archive byte for byte."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperpost.domain.errors import RecordError
from paperpost.domain.papers import AnnounceType
from paperpost.domain.records import Record
from paperpost.publish.markdown import digest, read_archive, render_archive
from paperpost_cli.proofs.gfm import TOKENS, differences
from support.records import hostile_record, make_paper, make_record

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "publish"
DIGESTS = (
    "seed",
    "2023-03-14_math",
    "2023-04-25_cs.AI",
    "2023-06-28_cs.AI",
    "2024-02-06_cs.LG",
    "2024-08-26_cs.LG",
    "2025-02-25_cs.AI",
    "2025-03-04_stat.ML",
    "2025-08-27_cs.LG",
    "2026-05-06_q-fin",
    "2026-05-21_cs.LG",
    "2026-08-18_cs.SE",
    "2026-08-22_cs.AI.empty",
)


def archive_of(text: str) -> list[dict[str, str]]:
    """The stored papers that a published digest was made from, read off its footnotes."""
    details = text.split("\n\n# 详细\n\n", 1)[1].removesuffix("\n\n")
    papers = []
    for note in re.split(r"(?m)^\[\^\d+\]: ", details)[1:]:
        zh_title, title, link, tldr, en_tldr, zh_abstract, abstract = note.split("\n\n    ")
        papers.append(
            {
                "title": title,
                "link": link[1:].split("](")[0],
                "tldr": tldr,
                "en_tldr": en_tldr,
                "translated_title": zh_title,
                "translated_abstract": zh_abstract,
                "abstract": abstract.removesuffix("\n").removesuffix("\n    "),
            }
        )
    return papers


@pytest.mark.parametrize("name", DIGESTS)
def test_a_published_digest_is_rebuilt_byte_for_byte(shared_data: Path, name: str) -> None:
    published = (shared_data / "digests" / f"{name}.md").read_bytes()
    papers = archive_of(published.decode())

    # Another order in the archive changes nothing: the digest has its own.
    lines = [json.dumps(paper) for paper in sorted(papers, key=lambda p: p["title"])]

    assert render_archive(read_archive(lines, name="archive")) == published


def test_our_own_archive_renders_as_the_golden_file() -> None:
    """Invented papers: an incomplete one is left out, nothing is escaped, http sorts last."""
    lines = (GOLDEN / "archive.jsonl").read_text(encoding="utf-8").splitlines()

    assert (
        render_archive(read_archive(lines, name="archive.jsonl"))
        == (GOLDEN / "archive.md").read_bytes()
    )


@pytest.mark.parametrize(
    "line", ['{"title": "x"}', "[]", "{", '{"link": 3, "title": "", "abstract": ""}']
)
def test_a_line_that_is_no_paper_is_named(line: str) -> None:
    with pytest.raises(RecordError, match=r"archive\.jsonl, line 2: "):
        read_archive(["", line], name="archive.jsonl")


def test_a_days_digest_is_the_golden_file() -> None:
    """Every listing, newest id first, marked in words, no arXiv prefix, no blank paragraph."""
    records = [
        make_record(paper=make_paper("math/0611800", title="- 5 *Stars* on GitHub: #1")),
        make_record("2604.99001"),
        make_record("2604.99003", enriched=False),
        make_record(
            paper=make_paper("2604.99002", version=2, withdrawn=True),
            announce_type=AnnounceType.REPLACE,
        ),
        make_record(
            paper=make_paper(
                "2604.99004",
                title=r"A | pipe, [brackets](x), `code`, <b> & $\alpha_1$-trees",
                abstract=r"1. It costs $5, so $\{x_i\}$ is *free*: see https://paperpost.example.",
            ),
            announce_type=AnnounceType.CROSS,
        ),
    ]

    assert digest(records) == (GOLDEN / "digest.md").read_bytes()


def test_an_abstract_stands_whole() -> None:
    """The original system cut it at 1,000 characters."""
    abstract = "We propose a sentence that has about fifty letters. " * 60

    text = digest([make_record(paper=make_paper(abstract=abstract))]).decode()

    assert f"\n\n    {abstract.strip()}\n\n" in text


def test_an_empty_digest_keeps_the_layout() -> None:
    assert digest([]) == render_archive([])
    assert len(digest([])) == 70


def test_what_is_not_there_leaves_no_blank_paragraph() -> None:
    """Neither translation nor abstract: the title, the address, and no empty mark of a sentence."""
    bare = make_record(paper=make_paper("2604.99001", abstract=""), enriched=False)

    table, notes = digest([bare]).decode().split("\n\n# 详细\n\n")

    assert table.endswith(
        "| [^1] | [A Made-Up Title](https://arxiv.org/abs/2604.99001) · 翻译待补 |  |"
    )
    assert notes == (
        "[^1]: 翻译待补\n\n    A Made-Up Title\n\n"
        "    [https://arxiv.org/abs/2604.99001](https://arxiv.org/abs/2604.99001)\n    \n\n"
    )


def test_an_english_line_stands_while_the_translation_is_pending() -> None:
    """The table still shows the author's sentence, marked as such."""
    whole = make_record()
    record = replace(whole, enrichments={"en": whole.enrichments["en"]})

    table, notes = digest([record]).decode().split("\n\n# 详细\n\n")

    assert table.endswith(" · 翻译待补 | We propose nothing.（摘自原文） |")
    assert "\n\n    Nothing was proposed.\n\n    We propose nothing. It works.\n\n" in notes


def test_a_title_of_nothing_visible_leaves_the_id_to_click_on() -> None:
    record = make_record(paper=make_paper("2604.99001", title="\u200b \u2066"), enriched=False)

    assert "| [2604.99001](https://arxiv.org/abs/2604.99001) ·" in digest([record]).decode()


def test_a_paper_that_cannot_be_rendered_is_a_row_with_title_and_link() -> None:
    broken = make_record(paper=make_paper("2604.99002", title="Odd *one*", categories=()))

    minimal: dict[str, str] = {}

    written = digest([make_record(), broken], minimal).decode()

    link = "[2604.99002](https://arxiv.org/abs/2604.99002)"
    assert rf"| [^1] | Odd \*one\* · {link} | |" in written
    assert "A Made-Up Title" in written
    assert list(minimal) == ["2604.99002"]
    with pytest.raises(IndexError):
        digest([broken])


def test_each_hostile_string_is_seen_as_it_is_written(hostile: list[Record]) -> None:
    """In every field, beside each other: no cell, note or element more or less than the layout."""
    records = sorted(hostile, key=lambda record: record.arxiv_id, reverse=True)

    assert differences(digest(records), records) == []


@given(texts=st.lists(st.lists(st.sampled_from(TOKENS), max_size=8).map("".join), min_size=1))
@settings(deadline=None)
def test_any_marks_are_seen_as_they_are_written(texts: list[str]) -> None:
    records = [hostile_record(999 - n, text) for n, text in enumerate(texts)]

    assert differences(digest(records), records) == []
