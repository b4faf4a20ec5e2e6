"""A day page that would be too heavy leaves out abstracts, in one order, no more than needed."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from paperpost.domain.pageroom import Abstracts, PagePaper, abstracts_shown

ORDER = ("new", "cross", "late", "replacements", "withdrawn")
papers_of_a_page = st.lists(
    st.builds(PagePaper, section=st.sampled_from(ORDER), bilingual=st.booleans()), max_size=40
).map(lambda papers: sorted(papers, key=lambda paper: ORDER.index(paper.section)))


def size(shown: Sequence[Abstracts]) -> int:
    """Ten bytes a paper, five for each abstract."""
    return sum(10 + 5 * (Abstracts.NONE - left) for left in shown)


@given(papers=papers_of_a_page, room=st.integers(0, 900))
def test_a_page_fits_or_has_no_abstract(papers: list[PagePaper], room: int) -> None:
    shown = abstracts_shown(papers, size, room=room)

    assert len(shown) == len(papers)
    assert size(shown) <= room or set(shown) == {Abstracts.NONE}


@given(papers=papers_of_a_page, room=st.integers(0, 900))
def test_more_room_never_shows_less(papers: list[PagePaper], room: int) -> None:
    narrow = abstracts_shown(papers, size, room=room)
    wide = abstracts_shown(papers, size, room=room + 7)

    assert all(more <= less for more, less in zip(wide, narrow, strict=True))


@given(papers=papers_of_a_page, room=st.integers(0, 900))
def test_new_papers_keep_theirs_while_a_replacement_or_cross_list_has_one(
    papers: list[PagePaper], room: int
) -> None:
    shown = list(zip(papers, abstracts_shown(papers, size, room=room), strict=True))

    main = {left for paper, left in shown if paper.section in ("new", "late")}
    cross = {left for paper, left in shown if paper.section == "cross"}
    rest = {left for paper, left in shown if paper.section in ("replacements", "withdrawn")}
    assert main <= {Abstracts.ALL} or cross | rest <= {Abstracts.NONE}
    assert cross <= {Abstracts.ALL} or rest <= {Abstracts.NONE}


@given(papers=papers_of_a_page, room=st.integers(0, 900))
def test_an_english_abstract_goes_alone_only_beside_a_chinese_one(
    papers: list[PagePaper], room: int
) -> None:
    shown = zip(papers, abstracts_shown(papers, size, room=room), strict=True)

    assert all(paper.bilingual for paper, left in shown if left is Abstracts.CHINESE)


def test_no_more_is_left_out_than_needed() -> None:
    papers = [PagePaper(section="new", bilingual=True)] * 3

    shown = abstracts_shown(papers, size, room=50)

    assert shown == (Abstracts.ALL, Abstracts.CHINESE, Abstracts.CHINESE)
