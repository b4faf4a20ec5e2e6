"""The digest in the seed's layout, and the original archive byte for byte."""

import json
import re
from pathlib import Path

import pytest

from paperpost.domain.errors import RecordError
from paperpost.domain.papers import AnnounceType
from paperpost.domain.records import Record
from paperpost.publish.markdown import digest, escaped, read_archive, render_archive
from support.records import make_paper, make_record

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
    """Every listing, newest id first, pending ones marked, no arXiv prefix, abstracts whole."""
    records = [
        make_record("2604.99001"),
        make_record("2604.99003", enriched=False),
        make_record(
            paper=make_paper("2604.99002", version=2, withdrawn=True),
            announce_type=AnnounceType.REPLACE,
        ),
        make_record(
            paper=make_paper(
                "math/0611800",
                title=r"A | pipe, [brackets](x), `code`, <b> & $\alpha_1$",
                abstract="1. One *star* costs $5. " + "All of it is here. " * 80,
            )
        ),
    ]

    assert digest(records) == (GOLDEN / "digest.md").read_bytes()


def test_an_empty_digest_keeps_the_layout() -> None:
    assert digest([]) == render_archive([])
    assert len(digest([])) == 70


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a|b", r"a\|b"),
        ("[x](y)", r"\[x\](y)"),
        ("`rm`", r"\`rm\`"),
        ("<script>", r"\<script\>"),
        (r"$\alpha$", r"\$\\alpha\$"),
        ("- item", r"\- item"),
        ("2. item", r"2\. item"),
        ("# head", r"\# head"),
        ("a\nb", "a b"),
        ("0", "0"),
    ],
)
def test_text_is_shown_as_it_was_written(text: str, written: str) -> None:
    assert escaped(text) == written


def test_hostile_text_keeps_the_table_and_the_footnotes_whole(hostile: list[Record]) -> None:
    text = digest(hostile).decode()
    table, details = text.split("\n\n# 详细\n\n", 1)
    rows = table.split("\n")[4:]

    assert len(rows) == len(hostile)
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}
    assert len(re.findall(r"(?m)^\[\^\d+\]: ", details)) == len(hostile)
    assert not re.search(r"(?<!\\)(?:\\\\)*<", text)
