"""Day pages, quiet days, the front page, status: what a reader finds, and nothing that acts."""

import gzip
import json
import random
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import html5lib
import pytest
from lxml import etree

from paperpost.data import calendar, holidays_in_chinese, taxonomy
from paperpost.domain.announcements import AnnouncementState
from paperpost.domain.deliveries import IssueState
from paperpost.domain.mailed import Mailed
from paperpost.domain.namedfeeds import named_feeds
from paperpost.domain.papers import AnnounceType
from paperpost.domain.records import Record
from paperpost.domain.spending import Spend, Tokens
from paperpost.publish.costs import Cap, Costs
from paperpost.publish.days import CategoryView, Day, counts, is_held, make_day, sections
from paperpost.publish.pages import (
    SiteFacts,
    category_page,
    day_page,
    front_page,
    not_found_page,
    opml,
    quiet_page,
)
from paperpost.publish.records import records_json
from paperpost.publish.status import Status, reconcile, status_json, status_page
from support.records import (
    DAY,
    make_announcement,
    make_enrichment,
    make_listing,
    make_paper,
    make_record,
    stored_at,
)

CV = taxonomy().categories["cs.CV"]
LANGUAGES = ("zh", "en")


def made_day(records: list[Record], **late: frozenset[str]) -> Day:
    return make_day(make_announcement(len(records)), records, **late)


@pytest.fixture
def day() -> Day:
    """One paper for each section."""
    withdrawn = make_paper("2604.99004", version=3, withdrawn=True)
    return made_day(
        [
            make_record("2604.99001"),
            make_record("2604.99002", announce_type=AnnounceType.CROSS, enriched=False),
            make_record("2604.99003", announce_type=AnnounceType.REPLACE),
            make_record(paper=withdrawn, announce_type=AnnounceType.REPLACE_CROSS),
            make_record("2604.99005"),
        ],
        late=frozenset({"2604.99005"}),
    )


def page(facts: SiteFacts, day: Day, **beside: date | None) -> etree._Element:
    body = day_page(
        facts,
        CV,
        day,
        previous=beside.get("previous"),
        following=beside.get("following"),
        has_feed=True,
    ).body
    return parse(body)


def parse(body: bytes) -> etree._Element:
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("lxml"), namespaceHTMLElements=False)
    return parser.parse(body.decode()).getroot()


def text(element: etree._Element) -> str:
    return " ".join(" ".join(map(str, element.itertext())).split())


def as_seen(element: etree._Element, *hidden: str) -> etree._Element:
    """A copy without what the stylesheet hides by one of the classes *hidden*."""
    copy = deepcopy(element)
    for e in list(copy.iter()):
        if set(str(e.get("class")).split()) & set(hidden):
            e.clear(keep_tail=True)
    return copy


def test_each_listing_is_in_one_section_in_the_order_of_the_page(day: Day) -> None:
    assert [(s.id, [r.arxiv_id for r in s.records], s.closed) for s in sections(day)] == [
        ("new", ["2604.99001"], False),
        ("cross", ["2604.99002"], False),
        ("late", ["2604.99005"], False),
        ("replacements", ["2604.99003"], True),
        ("withdrawn", ["2604.99004"], False),
    ]


def test_every_paper_has_its_anchor_once(facts: SiteFacts, day: Day) -> None:
    root = page(facts, day)

    anchors = [e.get("id") for e in root.iterfind(".//article")]
    assert sorted(map(str, anchors)) == [f"2604.9900{n}" for n in range(1, 6)]
    assert [e.get("href") for e in root.iterfind(".//article//a[@class='anchor']")] == [
        f"#{anchor}" for anchor in anchors
    ]


def test_a_block_has_the_order_that_readers_learn(facts: SiteFacts, day: Day) -> None:
    article = text(page(facts, day).find(".//article[@id='2604.99001']"))

    order = ["虚构的标题", "A Made-Up Title", "什么也没提出。", "Ada Example", "cs.CV ← cs.LG"]
    order += ["摘要页", "PDF", "HTML", "BibTeX", "摘要 Abstract", "本文什么也没有提出", "It works."]
    order += ["机器翻译：test-model", "译文有误？"]
    places = [article.index(words) for words in order]
    assert places == sorted(places)


def test_the_filter_finds_the_authors_that_a_block_has_no_room_for(facts: SiteFacts) -> None:
    """Only those, so that no name weighs twice."""
    names = ("Ada Example", "Bo Sample", "Cy Model", 'Di "Quote" <Bracket>', "Eve Other")
    crowd = make_record(paper=make_paper("2604.99001", authors=names))
    few = make_record(paper=make_paper("2604.99002", authors=names[:3]))

    root = page(facts, made_day([crowd, few]))

    more = {e.get("id"): e.get("data-authors") for e in root.iterfind(".//article")}
    assert more == {"2604.99001": 'Di "Quote" <Bracket>, Eve Other', "2604.99002": None}


def test_each_passage_carries_its_language(facts: SiteFacts, day: Day) -> None:
    article = page(facts, day).find(".//article[@id='2604.99001']")

    languages = {text(e): e.get("lang") for e in article.iter() if e.get("lang")}
    assert languages["虚构的标题"] == "zh-Hans"
    assert languages["A Made-Up Title"] == "en"
    assert languages["本文什么也没有提出，但很有效。"] == "zh-Hans"
    assert languages["Nothing was proposed."] == "en"


def test_a_pending_paper_leads_with_its_own_title_and_says_so(facts: SiteFacts, day: Day) -> None:
    article = page(facts, day).find(".//article[@id='2604.99002']")

    assert article.get("class") == "paper pending"
    assert text(article.find("h3")) == "A Made-Up Title"
    assert "翻译待补" in text(article)
    assert "摘自原文" in text(article)
    assert "机器翻译" not in text(article)


@pytest.mark.parametrize(
    ("enriched", "in_chinese", "in_english"),
    [
        (("zh", "en"), "机器翻译：model-zh · 译文有误？", "Summary by model-en · Something wrong?"),
        (("zh",), "机器翻译：model-zh · 译文有误？", ""),
        (("en",), "", "Summary by model-en · Something wrong?"),
        ((), "", ""),
    ],
)
def test_a_language_names_the_model_that_wrote_its_text_and_no_other(
    facts: SiteFacts, enriched: tuple[str, ...], in_chinese: str, in_english: str
) -> None:
    """Where the author's own sentence and abstract stand, no model is named."""
    paper = make_paper()
    made = {
        language: replace(make_enrichment(paper, language), model=f"model-{language}")
        for language in enriched
    }
    record = Record(paper=paper, listing=make_listing(paper), enrichments=made)

    article = page(facts, made_day([record])).find(".//article")

    assert note(as_seen(article, "only-en")) == in_chinese
    assert note(as_seen(article, "not-en", "zh")) == in_english


def note(article: etree._Element) -> str:
    """What stands below the abstracts."""
    return " ".join(text(e) for e in article.iterfind("details/p") if "note" in str(e.get("class")))


def test_the_head_tells_counts_receipt_and_neighbours(facts: SiteFacts, day: Day) -> None:
    root = page(facts, day, previous=date(2026, 4, 20), following=date(2026, 4, 22))

    assert "已发布：新论文 2 · 交叉 1 · 更新 1 · 撤稿 1" in text(root)
    assert "Published: 2 new · 1 cross-list · 1 replaced · 1 withdrawn" in text(root)
    assert "公告 5 = 收录 5 · 译 4 · 待补 1" in text(root)
    assert [e.get("href") for e in root.iterfind(".//nav[@class='days']/a")] == [
        "2026-04-20.html",
        "2026-04-22.html",
    ]
    assert "下次公告：4月22日 星期三，北京时间约 12:20" in text(root)
    assert "Thank you to arXiv for use of its open access interoperability." in text(root)


def test_a_reader_of_english_meets_no_chinese_on_a_day_page(facts: SiteFacts, day: Day) -> None:
    """But for the site's name and the labels of the language switch."""
    root = page(facts, day, previous=date(2026, 4, 20), following=date(2026, 4, 22))

    seen = as_seen(root, "not-en", "zh", "brand", "switch")

    words = [*seen.itertext(), *(v for e in seen.iter() for v in e.attrib.values())]
    assert not [w for w in words if re.search("[\u4e00-\u9fff]", w.replace("论文早报", ""))]
    assert "← 20 Apr Tue 21 Apr 2026" in text(seen)
    assert "Next: Wed 22 Apr, about 12:20 Beijing" in text(seen)


@pytest.mark.parametrize(
    ("make", "chinese", "english"),
    [
        ("quiet", "2026年 4月21日 星期二", "Tue 21 Apr 2026"),
        ("category", "4月21日 星期二", "Tue 21 Apr"),
        ("category", "新论文 2 · 交叉 1 · 更新 1 · 撤稿 1", "2 new · 1 cross-list · 1 replaced"),
        ("category", "邮件订阅", "E-mail"),
        ("front", "4月21日 新论文 2 · 交叉 1", "21 Apr · 2 new · 1 cross-list · 1 replaced"),
        ("status", "2026年4月21日 星期二", "Tue 21 Apr 2026"),
    ],
)
def test_a_page_without_a_language_switch_says_the_same_in_both_languages(
    facts: SiteFacts, day: Day, make: str, chinese: str, english: str
) -> None:
    root = parse(all_pages(facts, day)[make])

    body = root.find("body")
    assert "both" in body.get("class")
    assert chinese in text(as_seen(body, "only-en", "quiet"))
    assert english in " ".join(text(e) for e in body.iter() if e.get("lang") == "en")


def test_the_first_page_of_all_has_no_neighbours(facts: SiteFacts, day: Day) -> None:
    assert page(facts, day).findall(".//nav[@class='days']/a") == []


@pytest.mark.parametrize("make", ["day", "quiet", "category", "front", "status", "404"])
def test_no_page_needs_another_server_or_runs_inline_script(
    facts: SiteFacts, day: Day, make: str
) -> None:
    """A strict Content-Security-Policy holds: only our own stylesheet and script are loaded."""
    root = parse(all_pages(facts, day)[make])

    loaded = [e.get("src") or e.get("href") for e in root.iter("script", "link", "img", "iframe")]
    assert all(not str(address).startswith(("http", "//", "data:")) for address in loaded)
    assert [e.text for e in root.iter("script") if e.text] == []
    assert list(root.iter("style")) == []
    assert [e for e in root.iter() if e.get("style") or e.get("onclick")] == []


def status_of(
    facts: SiteFacts, view: CategoryView, *issues: Mailed, costs: Costs | None = None
) -> Status:
    """The receipts of cs.CV, soon after they were stored."""
    now = stored_at(DAY) + timedelta(minutes=1)
    return reconcile(facts, [(CV, view)], issues, costs, hold=timedelta(minutes=30), now=now)


def all_pages(facts: SiteFacts, day: Day) -> dict[str, bytes]:
    view = CategoryView(
        announcements=(day.announcement,),
        days=(counts(day, LANGUAGES),),
        has_feed=True,
        published_on=frozenset({DAY}),
    )
    quiet = make_announcement(0, state=AnnouncementState.QUIET, reason="weekend")
    return {
        "day": day_page(facts, CV, day, previous=None, following=None, has_feed=True).body,
        "quiet": quiet_page(facts, CV, quiet, previous=None, following=None, has_feed=True),
        "category": category_page(facts, CV, view),
        "front": front_page(facts, [(CV, view)]),
        "status": status_page(facts, status_of(facts, view)),
        "404": not_found_page(facts),
    }


def test_without_mail_there_is_no_form_and_no_link_to_it(facts: SiteFacts, day: Day) -> None:
    pages = all_pages(replace(facts, mail=False), day)

    assert not [name for name, body in pages.items() if "邮件订阅".encode() in body]
    assert b"<form" not in pages["front"]


def test_the_form_sends_what_the_api_reads(facts: SiteFacts, day: Day) -> None:
    form = parse(all_pages(facts, day)["front"]).find(".//form")

    assert (form.get("method"), form.get("action")) == ("post", "/api/subscribe")
    names = {e.get("name") for e in form.iter("input")}
    assert names == {"email", "categories", "language", "website"}
    assert {e.get("value") for e in form.iter("input") if e.get("name") == "language"} == {
        "both",
        "zh",
        "en",
    }


def test_the_front_page_says_the_state_in_words(facts: SiteFacts) -> None:
    stalled = make_announcement(0, state=AnnouncementState.STALLED)
    view = CategoryView(announcements=(stalled,), days=(), has_feed=False)

    root = parse(front_page(facts, [(CV, view)]))

    assert "公告迟到 the announcement is late" in text(root)
    assert not root.findall(".//link[@type='application/rss+xml']")


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("weekend", "今日无公告：周末。"),
        ("Juneteenth", "今日无公告：arXiv 放假（六月节）。"),
        ("A day off", "今日无公告：arXiv 放假（A day off）。"),
        ("", "今日无公告。 No announcement on this day."),
        ("replay", "今日无公告：回放不含这一天。"),
    ],
)
def test_a_quiet_day_gives_the_reason_and_the_next_time(
    facts: SiteFacts, reason: str, said: str
) -> None:
    quiet = make_announcement(0, state=AnnouncementState.QUIET, reason=reason, on=date(2026, 4, 25))

    friday = date(2026, 4, 24)
    body = quiet_page(facts, CV, quiet, previous=friday, following=None, has_feed=True)

    root = parse(body)

    assert said in text(root)
    assert "下次公告：4月27日 星期一，北京时间约 12:20" in text(root)


def test_a_quiet_day_without_a_known_reason_gives_none_on_the_front_page(facts: SiteFacts) -> None:
    quiet = make_announcement(0, state=AnnouncementState.QUIET)
    view = CategoryView(announcements=(quiet,), days=(), has_feed=False)

    assert "今日无公告 no announcement today 下次" in text(parse(front_page(facts, [(CV, view)])))


def test_every_holiday_of_the_calendar_has_a_chinese_name() -> None:
    assert set(calendar().holidays.values()) <= holidays_in_chinese().keys()


def test_the_status_page_says_in_words_what_is_in_progress(facts: SiteFacts) -> None:
    partial = replace(make_announcement(12, state=AnnouncementState.PARTIAL), stored=10)
    view = CategoryView(announcements=(partial,), days=(), has_feed=False)

    said = text(parse(status_page(facts, status_of(facts, view))))

    assert "全部相符 Everything adds up." in said
    assert "cs.CV 12 10 – – – 正在收录 being stored" in said


def test_the_status_page_says_what_a_day_cost_and_that_the_cap_is_reached(
    facts: SiteFacts, day: Day
) -> None:
    """The cap with the time when it resets; the cost beside the counts of its date."""
    view = CategoryView(
        announcements=(day.announcement,),
        days=(counts(day, LANGUAGES),),
        has_feed=True,
        published_on=frozenset({DAY}),
    )
    spend = Spend(on=DAY, calls=1200, tokens=Tokens(input=900_000, output=30_000), micro_usd=61_200)
    reached_at = datetime(2026, 4, 21, 5, 0, tzinfo=UTC)
    resets_at = datetime(2026, 4, 22, 8, 0, tzinfo=timezone(timedelta(hours=8)))
    cap = Cap(reached_at=reached_at, resets_at=resets_at)

    status = status_of(facts, view, costs=Costs(days={DAY: spend}, cap=cap))

    said = text(parse(status_page(facts, status)))
    assert "Enrichment: 1,200 calls · 930,000 tokens · $0.0612" in said
    assert "今日翻译额度已用完，北京时间4月22日 08:00 恢复" in said
    told = json.loads(status_json(status))
    assert told["enrichment_cap"]["resets_at"] == "2026-04-22T08:00:00+08:00"
    assert told["dates"][0]["enrichment"] == {
        "calls": 1200, "input_tokens": 900_000, "output_tokens": 30_000, "usd": 0.0612,
    }  # fmt: skip


def test_the_status_page_begins_with_what_does_not_add_up(facts: SiteFacts, day: Day) -> None:
    """In both languages, before the next announcement and the table."""
    lost = replace(counts(day, LANGUAGES), announced=2, stored=2, listed=1, published=1)
    view = CategoryView(announcements=(make_announcement(2),), days=(lost,), has_feed=True)

    said = text(parse(status_page(facts, status_of(facts, view))))

    assert "2 处不相符 2 counts do not add up cs.CV 4月21日" in said
    assert "cs.CV 4月21日 ：入库 2 ≠ 收录 1 21 Apr: stored 2 ≠ listed 1" in said
    assert said.index("≠") < said.index("下次公告") < said.index("2026年4月21日")
    assert "全部相符" not in said


def test_the_status_page_counts_letters_beside_the_date(facts: SiteFacts, day: Day) -> None:
    view = CategoryView(
        announcements=(day.announcement,), days=(counts(day, LANGUAGES),), has_feed=True
    )
    sending = Mailed(
        issue=f"daily-{DAY}",
        state=IssueState.SENDING,
        frozen_at=stored_at(DAY),
        sent=1240,
        skipped=3,
        open=7,
        overdue=2,
        too_late=1_004,
    )
    status = status_of(facts, view, sending)

    (shown,) = json.loads(status_json(status))["dates"]
    said = text(parse(status_page(facts, status)))

    assert shown["issues"] == [
        {
            "issue": f"daily-{DAY}", "state": "sending", "audience": 1250, "sent": 1240,
            "skipped": 3, "failed": 0, "unknown": 0, "open": 7, "held": 2, "too_late": 1004,
            "adds_up": True,
        }
    ]  # fmt: skip
    assert (
        "读者 1,250 = 已发 1,240 · 跳过 3 · 失败 0 · 不明 0 · 待发 7（2 封待人工放行）；正在投递；"
        "太迟未寄 1,004 条" in said
    )
    assert (
        "1,250 readers = sent 1,240 · skipped 3 · failed 0 · unknown 0 · open 7 "
        "(2 held for the operator); being sent; too late to mail: 1,004 listings" in said
    )


@pytest.mark.parametrize("state", IssueState)
@pytest.mark.parametrize(
    "counts_of",
    [
        {},
        {"sent": 1},
        {"sent": 99_000, "skipped": 900, "failed": 60, "unknown": 40},
        {"sent": 5, "skipped": 4, "failed": 3, "unknown": 2, "open": 1_000, "overdue": 999},
        {"sent": 5, "too_late": 7},
    ],
)
def test_what_a_reader_of_the_page_adds_up_is_the_audience(
    facts: SiteFacts, day: Day, state: IssueState, counts_of: dict[str, int]
) -> None:
    """In both languages, and in the data: planned are as many as sent, suppressed, and so on."""
    view = CategoryView(
        announcements=(day.announcement,), days=(counts(day, LANGUAGES),), has_feed=True
    )
    issue = Mailed(issue=f"daily-{DAY}", state=state, frozen_at=stored_at(DAY), **counts_of)
    status = status_of(facts, view, issue)

    said = text(parse(status_page(facts, status))).replace(",", "")
    ((told,),) = (d["issues"] for d in json.loads(status_json(status))["dates"])
    zh = re.search(r"读者 (\d+) = ([^；]*)；", said)
    en = re.search(r"(\d+) readers = ([^;]*);", said)

    parts = ("sent", "skipped", "failed", "unknown", "open")
    assert told["audience"] == sum(told[name] for name in parts)
    assert told["held"] == counts_of.get("overdue", 0)
    for found in (zh, en):
        assert found is not None
        shown = [int(n) for n in re.findall(r"\d+", re.sub("[（(].*?[）)]", "", found[2]))]
        assert int(found[1]) == sum(shown) == told["audience"]


def test_the_data_says_whether_all_adds_up_and_when_it_goes_on(facts: SiteFacts, day: Day) -> None:
    view = CategoryView(
        announcements=(day.announcement,), days=(counts(day, LANGUAGES),), has_feed=True
    )

    value = json.loads(status_json(status_of(facts, view)))

    assert (value["adds_up"], value["faults"]) == (True, [])
    assert value["next_announcement_at"] == "2026-04-22T12:20:00+08:00"
    (row,) = value["dates"][0]["categories"]
    total = len(day.records)
    assert [row[name] for name in ("announced", "stored", "listed", "published")] == [total] * 4
    assert row["enriched"] + row["pending"] == total
    assert (row["state_zh"], row["state_en"], row["adds_up"]) == ("已发布", "published", True)


def test_the_receipts_show_fourteen_dates_the_newest_first(facts: SiteFacts) -> None:
    quiet = [
        make_announcement(0, on=DAY - timedelta(days=n), state=AnnouncementState.QUIET)
        for n in range(20)
    ]
    view = CategoryView(announcements=tuple(quiet), days=(), has_feed=False)

    shown = [d["announced_on"] for d in json.loads(status_json(status_of(facts, view)))["dates"]]

    assert shown == [str(DAY - timedelta(days=n)) for n in range(14)]


def test_the_front_page_and_opml_offer_the_named_feeds(facts: SiteFacts, day: Day) -> None:
    rows = {"lab": {"title": "Our lab", "title_zh": "本组", "categories": ["cs.CV", "cs.CL"]}}
    named = named_feeds(rows, taxonomy())
    view = CategoryView(announcements=(), days=(counts(day, LANGUAGES),), has_feed=True)

    front = parse(front_page(facts, [(CV, view)], named))
    outlines = etree.fromstring(opml(facts, [(CV, view)], named)).iter("outline")

    section = front.find(".//section[@id='named']")
    assert section is not None
    assert "本组 Our lab" in text(section)
    assert "cs.CV · cs.CL" in text(section)
    assert [e.get("href") for e in section.iter("a")] == [
        "f/lab/index.html",
        "f/lab/rss.xml",
        "f/lab/atom.xml",
        "f/lab/feed.json",
    ]
    assert "f/lab/feed.json" in {e.get("href") for e in front.iter("link")}
    assert "https://paperpost.example/f/lab/rss.xml" in {e.get("xmlUrl") for e in outlines}


def test_a_front_page_without_named_feeds_does_not_speak_of_them(facts: SiteFacts) -> None:
    assert b"named" not in front_page(
        facts, [(CV, CategoryView(announcements=(), days=(), has_feed=False))]
    )


def test_opml_lists_the_feeds_that_exist(facts: SiteFacts, day: Day) -> None:
    there = CategoryView(announcements=(), days=(counts(day, LANGUAGES),), has_feed=True)
    empty = CategoryView(announcements=(), days=(), has_feed=False)

    root = etree.fromstring(opml(facts, [(CV, there), (taxonomy().categories["cs.CL"], empty)]))

    assert [e.get("xmlUrl") for e in root.iter("outline")] == [
        "https://paperpost.example/cs.CV/rss.xml"
    ]


def test_a_paper_that_cannot_be_rendered_is_shown_by_id_title_and_link(facts: SiteFacts) -> None:
    broken = make_record(paper=make_paper("2604.99002", title="<b>Odd", categories=()))
    day = made_day([make_record("2604.99001"), broken])

    made = day_page(facts, CV, day, previous=None, following=None, has_feed=True)

    article = parse(made.body).find(".//article[@id='2604.99002']")
    assert set(made.minimal) == {"2604.99002"}
    assert text(article) == "<b>Odd"
    assert article.find(".//a").get("href") == "https://arxiv.org/abs/2604.99002"


def test_hostile_text_stays_text_on_a_page(facts: SiteFacts, hostile: list[Record]) -> None:
    """No string opens an element, an attribute or a scheme of its own."""
    made = day_page(facts, CV, made_day(hostile), previous=None, following=None, has_feed=True)
    plain = day_page(
        facts,
        CV,
        made_day([make_record(r.arxiv_id) for r in hostile]),
        previous=None,
        following=None,
        has_feed=True,
    )

    root, wanted = parse(made.body), parse(plain.body)
    assert made.minimal == {}
    formulas = {
        "code", "math", "mi", "mn", "mo", "mtext", "mrow", "msub", "msup", "msubsup", "mfrac",
        "msqrt", "mover",
    }  # fmt: skip
    assert {str(e.tag).rpartition("}")[2] for e in root.iter()} - formulas == {
        e.tag for e in wanted.iter()
    }
    assert {n for e in root.iter() for n in e.attrib} - {"accent", "form"} == {
        n for e in wanted.iter() for n in e.attrib
    }
    assert {
        str(e.get("href")).split(":")[0] for e in root.iter("a") if ":" in e.get("href", "")
    } == {
        "https",
        "mailto",
    }
    assert len(root.findall(".//article")) == len(hostile)


def test_hostile_text_goes_in_and_out_of_the_data_beside_the_page(hostile: list[Record]) -> None:
    day = made_day(hostile)

    value = json.loads(records_json(day.announcement, day.records))

    assert {r["id"]: r["title"] for r in value["records"]} == {
        r.arxiv_id: r.paper.title for r in hostile
    }


def test_a_lone_surrogate_is_an_escape_in_the_data() -> None:
    record = make_record(paper=make_paper(title="a\ud800b"))

    body = records_json(make_announcement(1), [record])

    assert json.loads(body)["records"][0]["title"] == "a\ud800b"


Held = Callable[[Record, timedelta], bool]


@pytest.fixture
def held() -> Held:
    """Whether the day of one record is held back some time after it was complete."""

    def asked(record: Record, later: timedelta) -> bool:
        return is_held(
            made_day([record]),
            languages=LANGUAGES,
            hold=timedelta(minutes=30),
            now=stored_at(DAY) + later,
        )

    return asked


def test_a_day_is_held_until_every_enrichment_is_final(held: Held) -> None:
    paper = make_paper()
    half = Record(
        paper=paper, listing=make_listing(paper), enrichments={"zh": make_enrichment(paper)}
    )

    assert held(half, timedelta(minutes=29))
    assert not held(half, timedelta(minutes=30))
    assert not held(make_record(), timedelta())


def test_an_enrichment_of_an_older_text_does_not_end_the_hold(held: Held) -> None:
    old = make_paper(title="Before")
    stale = {language: make_enrichment(old, language) for language in LANGUAGES}
    paper = make_paper(title="After")
    record = Record(paper=paper, listing=make_listing(paper), enrichments=stale)

    assert held(record, timedelta(minutes=1))


def test_the_page_depends_on_the_data_alone(facts: SiteFacts, day: Day) -> None:
    again = make_day(day.announcement, day.records[::-1], day.late)

    assert all_pages(facts, day) == all_pages(facts, again)


@pytest.fixture
def heavy() -> Day:
    """Papers whose abstracts no packing makes small: more than a page has room for."""
    chance = random.Random(7)

    def noise() -> str:
        return " ".join(f"{chance.getrandbits(64):x}" for _ in range(80))

    def record(n: int, kind: AnnounceType) -> Record:
        made = make_record(paper=make_paper(f"2604.{n:05}", abstract=noise()), announce_type=kind)
        chinese = replace(made.enrichments["zh"], abstract=noise())
        return replace(made, enrichments={"zh": chinese})

    kinds = (AnnounceType.NEW, AnnounceType.CROSS, AnnounceType.REPLACE)
    return made_day([record(n * 1000 + i, kind) for n, kind in enumerate(kinds) for i in range(70)])


def test_a_heavy_page_fits_and_says_once_where_the_abstracts_are(
    facts: SiteFacts, heavy: Day
) -> None:
    """At its head; what is left out is a link in the fold, and every paper and TL;DR stays."""
    made = day_page(facts, CV, heavy, previous=None, following=None, has_feed=True).body

    root = parse(made)
    links = [e.get("href") for e in root.iterfind(".//details/p[@class='elsewhere']/a")]
    assert len(gzip.compress(made)) <= 250_000
    assert len(links) >= 70
    assert all(str(link).startswith("https://arxiv.org/abs/2604.") for link in links)
    note = root.find(".//p[@class='quiet left-out']")
    assert note is not None
    assert f"{len(links)} 篇的摘要" in text(note)
    assert "To keep this page light" in text(note)
    assert {e.get("href") for e in note.iter("a")} == {f"{DAY}.md"}
    assert len(root.findall(".//article/details")) == len(heavy.records)


def test_a_paper_whose_abstracts_are_left_out_still_names_its_model(
    facts: SiteFacts, heavy: Day
) -> None:
    root = page(facts, heavy)

    (last,) = root.iterfind(".//article[@id='2604.02000']")
    assert last.find(".//p[@class='elsewhere']") is not None
    assert "机器翻译：test-model" in text(last)


def test_an_ordinary_page_leaves_nothing_out(facts: SiteFacts, day: Day) -> None:
    root = page(facts, day)

    assert len(root.findall(".//details[summary]")) == len(day.records) + 1
    assert "To keep this page light" not in text(root)


@pytest.mark.parametrize(("has_feed", "found"), [(True, 3), (False, 0)])
def test_a_page_of_a_day_announces_feeds_that_exist(
    facts: SiteFacts, day: Day, *, has_feed: bool, found: int
) -> None:
    """Whether papers stand on it or not: a reader program is given either address."""
    quiet = make_announcement(0, state=AnnouncementState.QUIET, reason="weekend")
    made = [
        day_page(facts, CV, day, previous=None, following=None, has_feed=has_feed).body,
        quiet_page(facts, CV, quiet, previous=None, following=None, has_feed=has_feed),
    ]

    for body in made:
        links = [e.get("href") for e in parse(body).iter("link") if e.get("rel") == "alternate"]
        assert len([link for link in links if not str(link).endswith(".md")]) == found
