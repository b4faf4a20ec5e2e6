"""Which papers are entries, under which id, place and time."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from paperpost.domain.papers import AnnounceType
from paperpost.domain.records import Record
from paperpost.domain.windows import Detail
from paperpost.publish.entries import FeedDay, FeedPaper, feed_days, make_entry, tag_of
from support.records import DAY, make_enrichment, make_listing, make_paper, make_record

NEXT = DAY + timedelta(days=1)
MIDNIGHT = datetime(2026, 4, 21, 4, tzinfo=UTC)  # Eastern daylight time


def ids(days: Sequence[FeedDay]) -> list[list[str]]:
    return [[paper.record.arxiv_id for paper in day.papers] for day in days]


def only(records: list[Record], *, replacements: bool = False) -> FeedPaper:
    ((paper,),) = [day.papers for day in feed_days(records, replacements=replacements)]
    return paper


def test_the_newest_day_comes_first_and_within_it_new_before_cross_newest_id_first() -> None:
    records = [
        make_record("2604.99001"),
        make_record("2604.99003", announce_type=AnnounceType.CROSS),
        make_record("2604.99002"),
        make_record("2604.99009", on=NEXT),
    ]

    assert ids(feed_days(records)) == [["2604.99009"], ["2604.99002", "2604.99001", "2604.99003"]]


def test_a_replacement_renews_its_entry_in_place() -> None:
    second = make_paper(version=2, title="A Better Title")
    records = [
        make_record("2604.99001"),
        make_record(paper=second, on=NEXT, announce_type=AnnounceType.REPLACE),
    ]

    paper = only(records)

    assert paper.record.paper.title == "A Better Title"
    assert paper.record.listing.announced_on == DAY
    assert paper.published_at == MIDNIGHT
    assert paper.updated_at("both") == MIDNIGHT + timedelta(days=1)


def test_a_replacement_of_an_unknown_paper_is_an_entry_only_where_that_is_asked_for() -> None:
    record = make_record(announce_type=AnnounceType.REPLACE_CROSS)

    assert feed_days([record]) == ()
    assert only([record], replacements=True).record == record


def test_formulas_are_unicode_or_source_in_code() -> None:
    paper = make_paper(abstract=r"We propose $O(n^2)$ steps, with $e^{\eta t}$ & more.")

    shown = only([make_record(paper=paper, enriched=False)])

    entry = make_entry(shown, "en", Detail.FULL, contact_mail="")

    assert entry.summary == r"We propose O(n²) steps, with $e^{\eta t}$ & more."
    assert r"We propose O(n²) steps, with <code>$e^{\eta t}$</code> &amp; more." in entry.html


def test_an_entry_was_updated_when_the_enrichment_that_it_shows_came() -> None:
    """A Chinese translation makes no reader of English look again."""
    late = datetime(2026, 4, 22, 13, tzinfo=UTC)
    paper = make_paper()
    record = Record(
        paper=paper,
        listing=make_listing(paper),
        enrichments={"zh": make_enrichment(paper, at=late)},
    )

    updated = {lang: only([record]).updated_at(lang) for lang in ("zh", "en", "both")}
    assert updated == {"zh": late, "en": MIDNIGHT, "both": late}


def test_an_enrichment_of_an_older_text_neither_shows_nor_counts() -> None:
    stale = make_enrichment(make_paper(title="Before"), at=datetime(2026, 5, 1, tzinfo=UTC))
    paper = make_paper(title="After")
    record = Record(paper=paper, listing=make_listing(paper), enrichments={"zh": stale})

    found = only([record])

    assert found.updated_at("both") == MIDNIGHT
    assert make_entry(found, "both", Detail.FULL, contact_mail="").title == "After"


def test_the_id_names_the_paper_and_nothing_else() -> None:
    assert tag_of("2604.99001") == "tag:paperpost,2026:2604.99001"
    assert tag_of("math/0611800") == "tag:paperpost,2026:math/0611800"


def test_a_bilingual_entry_leads_with_the_chinese_title_and_holds_both_abstracts() -> None:
    entry = make_entry(only([make_record()]), "both", Detail.FULL, contact_mail="a@b.example")

    assert entry.title == "虚构的标题"
    order = ["A Made-Up Title", "什么也没提出。", "Ada Example", "cs.CV ← cs.LG", "摘要页"]
    order += ["PDF", "HTML", "https://arxiv.org/bibtex/2604.99001", "BibTeX"]
    order += ["本文什么也没有提出，但很有效。", "We propose nothing. It works."]
    order += ["机器翻译：test-model"]
    places = [entry.html.index(text) for text in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("detail", "there", "gone"),
    [
        (Detail.FULL, "It works.", "nothing is gone"),
        (Detail.NO_ABSTRACTS, "Ada Example", "It works."),
        (Detail.TLDR_ONLY, "什么也没提出。", "Ada Example"),
    ],
)
def test_each_step_of_detail_leaves_more_out(detail: Detail, there: str, gone: str) -> None:
    entry = make_entry(only([make_record()]), "both", detail, contact_mail="")

    assert there in entry.html
    assert gone not in entry.html


@pytest.mark.parametrize("detail", Detail)
def test_a_pending_translation_is_said_and_the_extract_is_marked(detail: Detail) -> None:
    """However little of the entry is left: the sentence is the author's, not a model's."""
    entry = make_entry(only([make_record(enriched=False)]), "both", detail, contact_mail="")

    assert entry.title == "A Made-Up Title"
    assert "We propose nothing. <small>（翻译待补 · 摘自原文）</small>" in entry.html


def test_a_pending_paper_without_an_abstract_is_said_to_be_pending() -> None:
    empty = make_record(paper=make_paper(abstract=""), enriched=False)

    entry = make_entry(only([empty]), "both", Detail.TLDR_ONLY, contact_mail="")

    assert entry.html == '<p lang="en"><small>（翻译待补）</small></p>'


@pytest.mark.parametrize("detail", Detail)
def test_an_english_entry_marks_the_extract(detail: Detail) -> None:
    entry = make_entry(only([make_record(enriched=False)]), "en", detail, contact_mail="")

    assert "We propose nothing. <small>(from the abstract)</small>" in entry.html


def test_an_english_feed_holds_no_chinese() -> None:
    entry = make_entry(only([make_record()]), "en", Detail.FULL, contact_mail="a@b.example")

    assert entry.title == "A Made-Up Title"
    assert "Nothing was proposed." in entry.html
    assert not [c for c in entry.html if "\u4e00" <= c <= "\u9fff"]


def test_a_paper_that_cannot_be_rendered_becomes_a_minimal_entry() -> None:
    broken = make_paper(title="Fine <b>so far", categories=())

    entry = make_entry(only([make_record(paper=broken)]), "both", Detail.FULL, contact_mail="")

    assert "IndexError" in entry.problem
    assert entry.title == "Fine <b>so far"
    assert entry.html == (
        '<p><a href="https://arxiv.org/abs/2604.99001">Fine &lt;b&gt;so far</a></p>'
    )


def test_the_published_time_is_eastern_midnight_in_winter_too() -> None:
    record = make_record(on=date(2026, 1, 6))

    assert only([record]).published_at == datetime(2026, 1, 6, 5, tzinfo=UTC)


def test_a_title_that_was_not_translated_stands_as_it_was_written() -> None:
    """A record may bring a TL;DR alone; its entry is still named by a title, not by its id."""
    paper = make_paper("2604.99001", title="A Made-Up Title")
    record = Record(
        paper=paper,
        listing=make_listing(paper),
        enrichments={"zh": make_enrichment(paper, title="")},
    )

    entry = make_entry(only([record]), "zh", Detail.FULL, contact_mail="")

    assert entry.title == "A Made-Up Title"
    assert entry.html.count("A Made-Up Title") == 0
