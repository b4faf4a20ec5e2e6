"""Letters: size by construction, a complete text part, the right words for the right reader."""

import dataclasses
import json
import re
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from paperpost.deliver.confirming import confirmation
from paperpost.deliver.letters import HTML_LIMIT, Imprint, Letter, LetterPress, Links
from paperpost.deliver.plaintext import WIDTH, wrapped
from paperpost.deliver.words import CHINESE
from paperpost.domain.issues import Count, FrozenIssue
from paperpost.domain.papers import AnnounceType, Paper
from paperpost.domain.selections import selection
from paperpost.domain.subscribers import Preferences, Rule
from paperpost.domain.text import columns
from support.issues import (
    DAY,
    FROZEN_AT,
    arxiv_id,
    make_issue,
    make_listing,
    make_paper,
)

IMPRINT = Imprint(
    site_url="https://papers.example.org",
    contact_mail="hello@example.org",
    postal_address="1 Example Street, 00000 Example",
)
LINKS = Links(
    unsubscribe="https://papers.example.org/api/unsubscribe/k1.a1.MAC",
    preferences="https://papers.example.org/api/preferences/k1.a1.MAC",
    status="https://papers.example.org/status.html",
)
HREF = re.compile(r'href="([^"]+)"')
URL = re.compile(r"(?:https?://|mailto:)[^\s<>\"]+")
ALL = tuple(AnnounceType)
LONG_RULE = Rule(field="title", phrase="a rather long title " * 5)


def letter(issue: FrozenIssue, *, press: LetterPress | None = None, **wishes: object) -> Letter:
    """The letter of a reader of cs.CV and cs.LG."""
    preferences = Preferences(**{"categories": ("cs.CV", "cs.LG"), **wishes})  # type: ignore[arg-type]
    made = press or LetterPress(issue, IMPRINT)
    return made.letter(selection(issue, preferences), preferences, LINKS, now=FROZEN_AT)


def visible(text: str) -> str:
    """What a mail program shows of HTML, on one line."""
    body = lxml_html.fromstring(text).find("body")
    assert body is not None
    return " ".join(body.text_content().split())


def fits(line: str) -> bool:
    """Whether a line of the text part has at most 78 columns, or is one address that is longer."""
    return columns(line) <= WIDTH or URL.fullmatch(line.strip()) is not None


def decoded_size(made: Letter) -> int:
    """Bytes of the HTML part as a mail program decodes it."""
    return len(made.html.replace("\n", "\r\n").encode())


@lru_cache
def large_issue(kinds: str) -> FrozenIssue:
    """600 papers with long texts, of one kind or of all kinds."""
    papers, listings = [], []
    for n in range(1, 601):
        kind = ["new", "cross", "replace", "late", "withdrawn"][n % 5] if kinds == "all" else kinds
        papers.append(
            make_paper(
                n,
                title=f"{n} " + "A rather long title with many words in it " * 3,
                abstract="We propose something. " * 60,
                withdrawn=kind == "withdrawn",
                version=2 if kind == "withdrawn" else 1,
                listed={"cs.CV": (DAY - timedelta(days=3), "new")} if kind == "withdrawn" else {},
            )
        )
        listings.append(
            make_listing(
                n,
                on=DAY - timedelta(days=1) if kind == "late" else DAY,
                kind={"late": "new", "withdrawn": "replace"}.get(kind, kind),
            )
        )
    return make_issue(listings, papers)


def first_of(issue: FrozenIssue, count: int) -> FrozenIssue:
    """The issue with its first *count* papers."""
    return dataclasses.replace(issue, papers=issue.papers[:count])


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 600),
    kinds=st.sampled_from(["new", "all"]),
    language=st.sampled_from(["zh", "en", "both"]),
    length=st.sampled_from(["brief", "full"]),
    ruled=st.booleans(),
)
def test_a_letter_is_never_cut_off_and_its_text_has_every_paper_and_link(
    count: int, kinds: str, language: str, length: str, *, ruled: bool
) -> None:
    """Whatever the number of papers: at most 90,000 bytes of HTML, and all papers in the text."""
    issue = first_of(large_issue(kinds), count)
    rules = (Rule(field="abstract", phrase="propose"), LONG_RULE) if ruled else ()

    made = letter(issue, language=language, length=length, include=rules, announce_types=ALL)

    assert decoded_size(made) <= HTML_LIMIT
    assert sum(piece.size for piece in made.pieces) == decoded_size(made)
    text_links = URL.findall(made.text)
    assert set(HREF.findall(made.html)) <= set(text_links)
    assert [line for line in made.text.split("\n") if not fits(line)] == []
    shown = [link for link in text_links if link.startswith("https://arxiv.org/abs/")]
    assert sorted(shown) == sorted(
        f"https://arxiv.org/abs/{p.record.arxiv_id}" for p in issue.papers
    )


def test_a_large_issue_shows_blocks_then_lines_then_a_link_to_the_page() -> None:
    """Each tier takes its part; the link says how many are left and where."""
    made = letter(large_issue("new"))

    blocks, lines = made.html.count("<h3"), made.html.count('<p style="margin:0;padding:10px 0"')
    left = int(re.search(r"另有 (\d+) 篇 →", visible(made.html))[1])  # type: ignore[index]
    assert blocks > 15
    assert lines > 15
    assert blocks + lines + left == 600
    assert f'href="https://papers.example.org/cs.CV/{DAY}.html"' in made.html
    assert decoded_size(made) > HTML_LIMIT - 8_000


def test_a_few_papers_are_all_blocks() -> None:
    """No tier of lines where there is room."""
    made = letter(make_issue([make_listing(n) for n in range(1, 31)]))

    assert made.html.count("<h3") == 30
    assert "其余" not in visible(made.html)


def test_a_brief_block_is_small() -> None:
    """At most 1.3 kB for a paper of usual length."""
    press = LetterPress(make_issue([make_listing(1)]), IMPRINT)
    pick = selection(press.issue, Preferences(categories=("cs.CV",))).rest[0]
    made = letter(press.issue, press=press)

    sizes = [piece.size for piece in made.pieces if "abs/2403.00001" in piece.html]
    assert pick.record.arxiv_id == arxiv_id(1)
    assert len(sizes) == 1
    assert sizes[0] <= 1_300


def test_the_head_counts_what_was_announced_in_the_readers_categories() -> None:
    """And links to the status page; a good day has no amber sentence."""
    issue = dataclasses.replace(
        make_issue([make_listing(1)]),
        counts={
            "cs.CV": Count(
                announced=200, stored=200, settled=True, enriched={"zh": 198, "en": 200}
            ),
            "cs.LG": Count(announced=43, stored=43, settled=True, enriched={"zh": 41, "en": 43}),
            "math.AG": Count(announced=9, stored=1, settled=False, enriched={"zh": 0}),
        },
    )

    chinese, english = letter(issue), letter(issue, language="en")

    assert "公告 243 = 收录 243 · 译 239 · 待补 4" in visible(chinese.html)
    assert "announced 243 = listed 243 · enriched 243 · pending 0" in visible(english.html)
    assert "<strong" not in chinese.html
    assert "3月26日 星期二 · cs.CV, cs.LG" in visible(chinese.html)
    assert "Tue 26 Mar · cs.CV, cs.LG" in visible(english.html)


@pytest.mark.parametrize(
    ("counted", "sentence"),
    [
        (
            Count(announced=9, stored=5, settled=False, enriched={"zh": 5}),
            "cs.CV 的公告还没有收全，缺的论文会在下一期补上。",
        ),
        (
            Count(announced=9, stored=9, settled=True, enriched={"zh": 0}),
            "有 9 篇的译文待补，先看原文。",
        ),
    ],
)
def test_a_degraded_day_says_so_in_one_sentence(counted: Count, sentence: str) -> None:
    """Late categories first; missing translations if many."""
    issue = dataclasses.replace(make_issue([make_listing(1)]), counts={"cs.CV": counted})

    made = letter(issue)

    assert sentence in visible(made.html)
    assert sentence in made.text


@pytest.mark.parametrize(
    ("kind", "language", "subject"),
    [
        ("new", "both", "3月26日 · 新论文 2 篇 · 第 2403.00002 篇论文的中文标题"),
        ("new", "en", "26 Mar · 2 new · Paper number 2"),
        ("replace", "zh", "3月26日 · 更新版 2 篇 · 第 2403.00002 篇论文的中文标题"),
    ],
)
def test_the_subject_says_date_count_and_the_first_title(
    kind: str, language: str, subject: str
) -> None:
    """In the reader's language."""
    issue = make_issue([make_listing(n, kind=kind) for n in (1, 2)])

    assert letter(issue, language=language, announce_types=ALL).subject == subject


def test_a_long_title_is_cut_in_the_subject() -> None:
    """At 24 Han characters or as many columns of Latin ones."""
    issue = make_issue([make_listing(1)], [make_paper(1, title="long " * 60)], enriched=False)

    title = letter(issue).subject.rpartition(" · ")[2]

    assert columns(title) <= 48
    assert title.endswith("…")


def test_the_foot_says_why_and_how_to_leave() -> None:
    """In HTML and in text: reason, links, next announcement, address, thanks."""
    made = letter(make_issue([make_listing(1)]))

    for part in (visible(made.html), made.text):
        assert "你订阅了 cs.CV, cs.LG 的论文早报" in part
        assert "下次公告：3月27日 星期三 约 12:20（北京时间）" in part
        assert "1 Example Street, 00000 Example" in part
        assert "Thank you to arXiv for use of its open access interoperability." in part
    assert LINKS.unsubscribe in HREF.findall(made.html)
    assert LINKS.preferences in HREF.findall(made.html)


@pytest.mark.parametrize("language", ["zh", "en", "both"])
def test_a_long_imprint_is_broken_in_letter_and_confirmation(language: str) -> None:
    """The operator's address is as long as it is."""
    long = dataclasses.replace(IMPRINT, postal_address="Some Street 1, " * 8)
    issue = make_issue([make_listing(1)])

    texts = (
        letter(issue, press=LetterPress(issue, long), language=language).text,
        confirmation(language, "https://papers.example.org/api/confirm/" + "x" * 90, long).text,
    )

    assert [line for text in texts for line in text.split("\n") if not fits(line)] == []


def test_rules_are_named_and_their_hits_marked() -> None:
    """In bold, in the title and in the abstract."""
    paper = make_paper(1, title="On Graphs & sets", abstract="We prove graphs exist.")
    made = letter(
        make_issue([make_listing(1)], [paper], enriched=False),
        include=(Rule(field="text", phrase="graphs"),),
        length="full",
        language="en",
    )

    assert 'On <b style="text-decoration:underline">Graphs</b> &amp; sets' in made.html
    assert "We prove <b>graphs</b> exist." in made.html
    assert 'Matches title or abstract "graphs"' in visible(made.html)
    assert "Matches your rules: 1" in made.text


def test_full_letters_have_abstracts_for_the_first_eight_and_brief_ones_none() -> None:
    """Chinese before English for readers of both."""
    issue = make_issue([make_listing(n) for n in range(1, 13)])

    full, brief, chinese = (
        letter(issue, length="full"),
        letter(issue),
        letter(issue, length="full", language="zh"),
    )

    counts = [m.html.count("本文提出一种方法。它很有效。") for m in (full, brief, chinese)]
    assert counts == [8, 0, 8]
    assert full.html.count("We propose a method. It works well.") == 8
    assert "We propose a method. It works well." not in chinese.html


def test_a_pending_paper_is_shown_with_the_authors_own_words() -> None:
    """Marked as such, the English title leading."""
    made = letter(make_issue([make_listing(1)], enriched=False))

    assert "翻译待补 · 摘自原文 We propose a method." in visible(made.html)
    assert "[翻译待补] [摘自原文] We propose a method." in made.text


def test_brief_letters_differ_by_the_languages_of_their_readers() -> None:
    """Both titles for readers of both, else the one that is theirs."""
    issue = make_issue([make_listing(1)])

    both, zh, en = (letter(issue, language=language) for language in ("both", "zh", "en"))

    for part in (lambda made: visible(made.html), lambda made: made.text):
        assert "第 2403.00001 篇论文的中文标题" in part(both)
        assert "Paper number 1" in part(both)
        assert "第 2403.00001 篇论文的中文标题" in part(zh)
        assert "Paper number 1" not in part(zh)
        assert "中文标题" not in part(en)
        assert "Paper number 1" in part(en)


def test_late_arrivals_carry_their_date_and_withdrawals_are_one_line() -> None:
    """Behind the day's own papers."""
    issue = first_of(large_issue("all"), 600)
    few = dataclasses.replace(
        issue, papers=tuple(p for p in issue.papers if int(p.record.arxiv_id[-3:]) <= 5)
    )

    made = visible(letter(few, announce_types=ALL).html)

    order = [made.index(x) for x in ("论文 2 篇", "迟到 1 篇", "更新版 1 篇", "已撤稿 1 篇")]
    assert order == sorted(order)
    assert "迟到，3月25日公告" in made


def test_papers_beyond_the_readers_own_limit_are_counted() -> None:
    """The letter says how many there are besides."""
    made = letter(make_issue([make_listing(n) for n in range(1, 10)]), most=4)

    assert made.html.count("<h3") == 4
    assert "另有 5 篇，超出你设的上限" in visible(made.html)


def test_a_paper_that_cannot_be_rendered_keeps_its_title_and_link() -> None:
    """And takes nobody else's letter with it."""
    odd = dataclasses.replace(make_paper(1), categories=())
    issue = make_issue([make_listing(1), make_listing(2)], [odd])

    made = LetterPress(issue, IMPRINT)
    pick = selection(make_issue([make_listing(1)]), Preferences(categories=("cs.CV",))).rest[0]
    broken = dataclasses.replace(pick, record=dataclasses.replace(pick.record, paper=odd))
    piece = made.piece(broken, "both", "block", CHINESE)

    assert all(f"Paper number {n}" in letter(issue).html for n in (1, 2))
    assert 'href="https://arxiv.org/abs/2403.00001"' in piece.html
    assert "Paper number 1" in piece.text


def test_pieces_are_made_once_for_all_readers_who_see_the_same() -> None:
    """The second letter joins what the first one made."""
    issue = make_issue([make_listing(n) for n in range(1, 6)])
    press = LetterPress(issue, IMPRINT)

    first, second = letter(issue, press=press), letter(issue, press=press)

    assert all(a is b for a, b in zip(first.pieces[1:-1], second.pieces[1:-1], strict=True))


def hostile_texts(shared_data: Path) -> list[str]:
    """Real and made-up strings that break careless renderers."""
    lines = (shared_data / "hostile" / "hostile.jsonl").read_text(encoding="utf-8").splitlines()
    scripts = [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{ 7*7 }} {% raw %}",
        "\x00\x08\u2028\u202e evil",
        "javascript:alert(1)",
    ]
    return [json.loads(line)["text"] for line in lines] + scripts


def test_hostile_text_is_shown_as_text(shared_data: Path) -> None:
    """No element, attribute or scheme but our own, whatever titles, authors and abstracts hold."""
    papers: list[Paper] = [
        make_paper(n, title=text, abstract=text, authors=(text,))
        for n, text in enumerate(hostile_texts(shared_data), 1)
    ]
    issue = make_issue([make_listing(n) for n in range(1, len(papers) + 1)], papers, enriched=False)

    made = [letter(issue, length="full"), letter(first_of(issue, 60), length="full", language="en")]

    for one in made:
        tree = lxml_html.fromstring(one.html)
        assert not tree.xpath("//script | //img | //iframe | //form | //input | //svg")
        assert not tree.xpath("//@*[starts-with(name(), 'on')]")
        schemes = {link.partition(":")[0] for link in tree.xpath("//@href")}
        assert schemes == {"https", "mailto"}
        assert "\x00" not in one.html + one.text


WORDS = (
    "a",
    "word",
    "(b)",
    "f(x)",
    "$x_1$",
    "一",
    "中文，",
    "（注）",
    "《书》。",
    "“引文”",
    "某(x)",
    " ",
)


@given(text=st.lists(st.sampled_from(WORDS), max_size=200).map("".join))
def test_wrapped_lines_fit_and_lose_nothing(text: str) -> None:
    """78 columns, Han counting two; only spaces at the breaks go; no bracket is torn off."""
    lines = wrapped(text).split("\n")

    assert all(columns(line) <= WIDTH or line.isascii() for line in lines)
    assert not [line for line in lines if line.endswith(tuple("（《“("))]
    assert not [line for line in lines if line.startswith(tuple("，。）》”)"))]
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize("opening", "（《「『“‘【〈〔([")
def test_an_opening_bracket_goes_with_what_it_opens(opening: str) -> None:
    first, second = wrapped("一" * 38 + f"{opening}注").split("\n")

    assert (first, second) == ("一" * 38, f"{opening}注")


def test_chinese_text_breaks_anywhere_but_before_punctuation() -> None:
    """A line is full at 39 Han characters."""
    lines = wrapped("一二三四五六七八九十" * 9 + "。").split("\n")

    assert [columns(line) for line in lines] == [78, 78, 26]


def test_a_link_is_never_broken() -> None:
    """A word longer than the line stands alone."""
    link = "https://papers.example.org/api/unsubscribe/" + "x" * 90

    assert link in wrapped(f"退订 {link} end").split("\n")
