"""RSS, Atom and JSON Feed: valid, alike, deterministic, safe whatever arXiv or a model writes."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import feedparser
import html5lib
import jsonschema
import pytest
from lxml import etree

from paperpost.domain.papers import AnnounceType
from paperpost.domain.records import Record
from paperpost.domain.text import clean
from paperpost.domain.windows import MOST_BYTES
from paperpost.publish.entries import tag_of
from paperpost.publish.feeds import FeedFiles
from support.records import DAY, make_enrichment, make_paper, make_record

MakeFeeds = Callable[[Sequence[Record]], FeedFiles]
VARIANTS = ("", ".zh", ".en")
PATHS = {
    f"cs.CV/{stem}{variant}.{ending}"
    for stem, ending in (("rss", "xml"), ("atom", "xml"), ("feed", "json"))
    for variant in VARIANTS
}
ACTIVE = {"script", "iframe", "object", "embed", "svg", "math", "style", "form", "img", "link"}


@pytest.fixture
def records() -> list[Record]:
    """Two days, a cross-list, a replacement, a paper that is not translated."""
    return [
        make_record("2604.99001"),
        make_record("2604.99002", announce_type=AnnounceType.CROSS),
        make_record("2604.99003", on=DAY + timedelta(days=1), enriched=False),
        make_record("2604.99000", announce_type=AnnounceType.REPLACE),
    ]


@pytest.fixture
def feeds(make_feeds: MakeFeeds, records: list[Record]) -> FeedFiles:
    return make_feeds(records)


def parsed(body: bytes) -> tuple[list[str], list[str]]:
    """Ids and titles as feedparser, or json, reads them."""
    if body.startswith(b"{"):
        items = json.loads(body)["items"]
        return [i["id"] for i in items], [i["title"] for i in items]
    feed = feedparser.parse(body)
    assert not feed.bozo, feed.bozo_exception
    return [e.id for e in feed.entries], [e.title for e in feed.entries]


def bodies(body: bytes) -> list[str]:
    """Every piece of HTML in a feed."""
    if body.startswith(b"{"):
        return [i["content_html"] for i in json.loads(body)["items"]]
    root = etree.fromstring(body)
    found = root.iterfind(".//{http://purl.org/rss/1.0/modules/content/}encoded")
    atom = root.iterfind(".//{http://www.w3.org/2005/Atom}content")
    descriptions = root.iterfind(".//item/description")
    return [str(e.text or "") for e in (*found, *atom, *descriptions)]


def test_three_formats_in_three_languages(feeds: FeedFiles) -> None:
    assert set(feeds.files) == PATHS


def test_ids_and_order_are_the_same_everywhere(feeds: FeedFiles) -> None:
    wanted = [tag_of(i) for i in ("2604.99003", "2604.99001", "2604.99002")]

    assert [parsed(body)[0] for body in feeds.files.values()] == [wanted] * 9


@pytest.mark.parametrize("stem", ["rss{}.xml", "atom{}.xml", "feed{}.json"])
def test_titles_follow_the_language(feeds: FeedFiles, stem: str) -> None:
    bilingual, chinese, english = (
        parsed(feeds.files[f"cs.CV/{stem.format(variant)}"])[1] for variant in VARIANTS
    )

    assert bilingual == chinese == ["A Made-Up Title", "虚构的标题", "虚构的标题"]
    assert english == ["A Made-Up Title"] * 3


def test_the_same_records_in_any_order_give_the_same_bytes(
    make_feeds: MakeFeeds, records: list[Record], feeds: FeedFiles
) -> None:
    assert make_feeds(records[::-1]).files == feeds.files


def test_a_category_without_an_entry_has_no_feed(make_feeds: MakeFeeds) -> None:
    assert make_feeds([make_record(announce_type=AnnounceType.REPLACE)]).files == {}
    assert make_feeds([]).files == {}


def test_rss_says_what_readers_need(feeds: FeedFiles) -> None:
    """The traps of feedgen: channel link, build date, authors, guid, order, encoded content."""
    channel = etree.fromstring(feeds.files["cs.CV/rss.xml"]).find("channel")
    assert channel is not None
    item = channel.findall("item")[1]
    dc = "{http://purl.org/dc/elements/1.1/}creator"

    assert channel.findtext("link") == "https://paperpost.example/cs.CV/index.html"
    self_link = channel.find("{http://www.w3.org/2005/Atom}link")
    assert self_link is not None
    assert self_link.get("href") == "https://paperpost.example/cs.CV/rss.xml"
    assert self_link.get("rel") == "self"
    assert channel.findtext("language") == "zh-Hans"
    assert channel.findtext("lastBuildDate") == "Wed, 22 Apr 2026 04:00:00 +0000"
    assert [day.text for day in channel.iterfind("skipDays/day")] == ["Saturday", "Sunday"]
    assert channel.findtext("ttl") == "60"
    assert "公告 2 = 收录 2 · 译 1 · 待补 1" in channel.findtext("description", "")
    assert "Thank you to arXiv" in channel.findtext("description", "")
    assert item.findtext("link") == "https://arxiv.org/abs/2604.99001"
    guid = item.find("guid")
    assert guid is not None
    assert (guid.text, guid.get("isPermaLink")) == ("tag:paperpost,2026:2604.99001", "false")
    assert [e.text for e in item.iterfind(dc)] == ["Ada Example", "Bo Sample"]
    assert [e.text for e in item.iterfind("category")] == ["cs.CV", "cs.LG"]
    assert item.findtext("pubDate") == "Tue, 21 Apr 2026 04:00:00 GMT"
    assert item.findtext("description") == "什么也没提出。"


def test_atom_keeps_rel_and_type_of_its_links(feeds: FeedFiles) -> None:
    atom = "{http://www.w3.org/2005/Atom}"
    entry = etree.fromstring(feeds.files["cs.CV/atom.xml"]).findall(f"{atom}entry")[1]

    links = [(e.get("rel"), e.get("type"), e.get("href")) for e in entry.iterfind(f"{atom}link")]
    assert links == [
        ("alternate", "text/html", "https://arxiv.org/abs/2604.99001"),
        ("related", "application/pdf", "https://arxiv.org/pdf/2604.99001"),
    ]
    content = entry.find(f"{atom}content")
    assert content is not None
    assert content.get("type") == "html"
    assert [e.text for e in entry.iterfind(f"{atom}author/{atom}name")] == [
        "Ada Example",
        "Bo Sample",
    ]
    assert entry.findtext(f"{atom}updated") == "2026-04-21T04:28:00Z"


def test_atom_is_valid(feeds: FeedFiles, shared_data: Path) -> None:
    schema = etree.RelaxNG(etree.parse(shared_data / "schemas" / "atom.rng"))

    for variant in VARIANTS:
        schema.assertValid(etree.fromstring(feeds.files[f"cs.CV/atom{variant}.xml"]))


def test_json_feed_is_valid(feeds: FeedFiles, shared_data: Path) -> None:
    schema = json.loads((shared_data / "schemas" / "jsonfeed-1.1.schema.json").read_text())

    for variant in VARIANTS:
        jsonschema.validate(json.loads(feeds.files[f"cs.CV/feed{variant}.json"]), schema)


def test_no_feed_exceeds_its_size_when_shrinking_can_help(make_feeds: MakeFeeds) -> None:
    """Two days of 300 long papers: nothing is dropped, and every file stays below 500 kB."""
    long = "A long sentence about nothing in particular. " * 40
    records = [
        make_record(
            on=DAY + timedelta(days=n % 2), paper=make_paper(f"2604.{10000 + n}", abstract=long)
        )
        for n in range(300)
    ]

    feeds = make_feeds(records)

    assert len(feeds.shown) == 300
    assert 0 < feeds.shrunk < 300
    assert max(map(len, feeds.files.values())) <= MOST_BYTES
    assert max(map(len, feeds.files.values())) > MOST_BYTES * 0.9


def test_one_bad_paper_never_fails_the_feed(make_feeds: MakeFeeds, records: list[Record]) -> None:
    """It becomes a minimal entry; the others keep their bodies."""
    broken = make_record(paper=make_paper("2604.99004", categories=()))

    feeds = make_feeds([*records, broken])

    assert set(feeds.minimal) == {"2604.99004"}
    ids, titles = parsed(feeds.files["cs.CV/rss.xml"])
    assert titles[ids.index(tag_of("2604.99004"))] == "A Made-Up Title"
    assert "虚构的标题" in titles


@pytest.mark.parametrize(
    "text", ["a\x08b", "a\x00b", "a\uffffb", "a\ud800b", "]]>", "<b>&amp;</b>", "\u202eabc"]
)
def test_text_that_xml_forbids_is_left_out(make_feeds: MakeFeeds, text: str) -> None:
    """Feedgen alone fails the whole feed on the first four."""
    paper = make_paper(title=text, abstract=text, authors=(text,))
    record = make_record(paper=paper, enriched=False)
    enriched = replace(
        record, enrichments={"zh": make_enrichment(paper, title=text, abstract=text, tldr=text)}
    )

    feeds = make_feeds([enriched])

    assert feeds.minimal == {}
    for body in feeds.files.values():
        assert parsed(body)[1] == [clean(text)]


def test_hostile_text_goes_in_and_out_of_every_feed(
    make_feeds: MakeFeeds, hostile: list[Record], shared_data: Path
) -> None:
    """Ids and titles come out as they went in; Atom stays valid; no body has active markup."""
    feeds = make_feeds(hostile)
    titles = {tag_of(r.arxiv_id): clean(r.paper.title) or r.arxiv_id for r in hostile}
    schema = etree.RelaxNG(etree.parse(shared_data / "schemas" / "atom.rng"))

    assert feeds.minimal == {}
    for path, body in feeds.files.items():
        ids, found = parsed_exactly(body)
        assert dict(zip(ids, found, strict=True)) == titles, path
        for html in bodies(body):
            assert not active(html), path
    schema.assertValid(etree.fromstring(feeds.files["cs.CV/atom.xml"]))


def parsed_exactly(body: bytes) -> tuple[list[str], list[str]]:
    """Ids and titles by an XML reader, which takes no title for HTML as feedparser may."""
    if body.startswith(b"{"):
        return parsed(body)
    assert not feedparser.parse(body).bozo
    root = etree.fromstring(body)
    atom = "{http://www.w3.org/2005/Atom}"
    if root.tag == "rss":
        items = root.findall("channel/item")
        return [i.findtext("guid", "") for i in items], [i.findtext("title", "") for i in items]
    entries = root.findall(f"{atom}entry")
    return (
        [e.findtext(f"{atom}id", "") for e in entries],
        [e.findtext(f"{atom}title", "") for e in entries],
    )


def active(html: str) -> list[str]:
    """Elements and attributes of *html* that could do something."""
    tree = html5lib.parseFragment(html, treebuilder="lxml", namespaceHTMLElements=False)
    elements = [e for part in tree if not isinstance(part, str) for e in part.iter()]
    tags = [e.tag for e in elements if e.tag in ACTIVE]
    events = [name for e in elements for name in e.attrib if name.startswith("on")]
    schemes = ("https://arxiv.org/", "mailto:help@paperpost.example")
    links = [h for e in elements if (h := e.get("href")) and not h.startswith(schemes)]
    return [*tags, *events, *links]
