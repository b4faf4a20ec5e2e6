"""Harmless faults of an answer that are mended before it is checked."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.enrich.checks import repaired

ANSWERS = st.dictionaries(
    st.sampled_from(["title", "abstract", "tldr", "other"]),
    st.one_of(
        st.text(
            alphabet=st.one_of(
                st.characters(), st.sampled_from("“”\"'《》()（）:： \u200b\ufeff<br/>arXivv1")
            )
        ),
        st.none(),
        st.integers(),
    ),
)


@pytest.mark.parametrize(
    ("name", "text", "mended"),
    [
        ("tldr", "POMDP\u200b\u200b的潜在模型", "POMDP的潜在模型"),
        ("tldr", "\ufeff无法进行UC\ufeffQ重写", "无法进行UCQ重写"),
        ("title", "Lie群分解\b", "Lie群分解"),
        ("title", "识别乳突的特征。</br>", "识别乳突的特征。"),
        ("title", "空无一物 (arXiv:2403.01234v1 [cs.CV])", "空无一物"),
        ("title", "空无一物（arXiv:2403.01234v6 [cs.CL]已更新）", "空无一物"),
        ("title", "空无一物。(arXiv:math/0612345v2 [math.CT] UPDATED)", "空无一物"),
        ("title", "“空无一物”", "空无一物"),
        ("title", "《空无一物》 （arXiv:2403.01234v2 [cs.CL] UPDATED）", "空无一物"),
        ("title", "“空”与“无”", "“空”与“无”"),
        ("title", "标题：空无一物", "空无一物"),
        ("abstract", "arXiv:2403.01234v2 公告类型：替换 摘要：我们提出", "我们提出"),
        ("abstract", "摘要：arXiv:2403.01234v2 公告类型：交叉替换。摘要：我们提出", "我们提出"),
        ("abstract", "arXiv:2403.01234v1 Announce Type: new Abstract: 我们提出", "我们提出"),
        ("abstract", "“空”是我们的方法“无”", "“空”是我们的方法“无”"),
        ("abstract", " 第一段\n第二段 ", "第一段\n第二段"),
        ("tldr", "TL;DR：空无一物", "空无一物"),
        ("tldr", "Nystro\u0308m方法", "Nyström方法"),
        ("tldr", "می\u200cخواهم", "می\u200cخواهم"),
        ("tldr", "空\u3000 无", "空 无"),
    ],
)
def test_a_harmless_fault_is_mended(name: str, text: str, mended: str) -> None:
    assert repaired({name: text}) == {name: mended}


@given(ANSWERS)
def test_mending_twice_changes_nothing(answer: dict[str, object]) -> None:
    """What was mended needs no mending."""
    assert repaired(repaired(answer)) == repaired(answer)


@given(ANSWERS)
def test_mending_adds_nothing(answer: dict[str, object]) -> None:
    """Fields stay the same, and a text only loses characters: spaces aside, none is new to it.

    Compared taken apart (NFD): a mark may join the letter that a lost character kept it from.
    """
    mended = repaired(answer)

    assert mended.keys() == answer.keys()
    for name, text in answer.items():
        if not isinstance(text, str):
            assert mended[name] == text
            continue
        known = set(unicodedata.normalize("NFD", text)) | {" "}
        assert set(unicodedata.normalize("NFD", str(mended[name]))) <= known
