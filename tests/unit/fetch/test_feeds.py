"""Reading announcement feeds: real ones, made-up ones, and what is no feed at all."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpost.domain.errors import DamagedError, FeedError
from paperpost.domain.papers import AnnounceType, Author
from paperpost.fetch.feeds import read_feed
from paperpost.fetch.tex import readable
from support.feeds import DAY, Item, atom, rss

ITEMS = (
    Item(arxiv_id="2604.99001", title="First & Last: $a<b$ for {\\o}rsted"),
    Item(arxiv_id="hep-th/9901001", version=3, announce_type="replace-cross"),
)


@pytest.mark.parametrize("write", [rss, atom])
def test_rss_and_atom_say_the_same(write: object) -> None:
    """Both forms of one announcement become the same values."""
    feed = read_feed(write(ITEMS), source="made up")  # type: ignore[operator]

    first, second = feed.items
    assert (feed.names, feed.announced_on) == (("cs.AI",), DAY)
    assert (first.arxiv_id, first.version, first.announce_type) == (
        "2604.99001",
        1,
        AnnounceType.NEW,
    )
    assert first.title == "First & Last: $a<b$ for ørsted"
    assert first.abstract == "We propose nothing. It works."
    assert first.authors == (Author(name="Ada Example"), Author(name="Bo Sample"))
    assert first.licence == "http://creativecommons.org/licenses/by/4.0/"
    assert (second.arxiv_id, second.version) == ("hep-th/9901001", 3)
    assert second.announce_type is AnnounceType.REPLACE_CROSS


def test_the_names_of_a_combined_feed_are_all_read() -> None:
    """A channel of several categories names each of them."""
    assert read_feed(rss(names="cs.AI, stat.ML"), source="x").names == ("cs.AI", "stat.ML")


def test_a_channel_with_another_title_is_named_by_its_own_address() -> None:
    """The self link stands in for the title."""
    body = rss(names="cs.AI, stat.ML").replace(b"updates on arXiv.org</title>", b"news</title>")

    assert read_feed(body, source="x").names == ("cs.AI", "stat.ML")


def test_the_date_is_the_eastern_one() -> None:
    """A feed dated in UTC, in the first hours after midnight, belongs to the day before."""
    body = rss().replace(b"Tue, 21 Apr 2026 00:00:00 -0400", b"Wed, 22 Apr 2026 03:59:59 +0000")

    assert read_feed(body, source="x").announced_on == DAY


def test_an_atom_feed_without_entries_is_dated_by_its_update() -> None:
    """On an empty day there is no entry whose date could be read."""
    assert read_feed(atom(), source="x").announced_on == DAY


@pytest.mark.parametrize(
    ("abstract", "withdrawn"),
    [
        ("This paper has been withdrawn by the author due to an error.", True),
        ("This submission has been withdrawn.", True),
        ("The paper is withdrawn because of a gap in Lemma 2.", True),
        ("Withdrawn by the authors.", True),
        ("We study cash withdrawn from machines.", False),
        ("This paper has been written about withdrawn drugs.", False),
    ],
)
def test_a_withdrawal_is_told_by_how_the_abstract_begins(abstract: str, withdrawn: bool) -> None:  # noqa: FBT001
    """The feed has no flag for it."""
    [item] = read_feed(rss([Item(abstract=abstract)]), source="x").items

    assert item.withdrawn is withdrawn


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the file is empty"),
        (b" \n ", "the file is empty"),
        (b"Rate exceeded.", "not XML, but text that starts 'Rate exceeded.'"),
        (b"<!DOCTYPE html>\n<html><body>Busy</body></html>", "an HTML page instead of a feed"),
        (b"<html><head/><p>unclosed</html>", "an HTML page instead of a feed"),
        (b'<x:html xmlns:x="http://www.w3.org/1999/xhtml"/>', "an HTML page instead of a feed"),
        (b"<opml/>", "the root element is opml"),
        (b'<rss version="2.0"/>', "without a channel"),
        (rss().replace(b"<pubDate>", b"<pubDate>no "), "no date of announcement"),
        (rss(names=" ").replace(b"/rss/", b"/"), "does not say which category"),
        (rss([Item(), Item()]), "2604.99001 is announced twice"),
        (rss([Item(announce_type="absonly")]), "2604.99001v1 has the unknown announce type"),
        (rss([Item(announce_type="")]), "2604.99001v1 has no announce type"),
        (rss([Item(categories=())]), "2604.99001v1 has no category"),
        (rss([Item(categories=("53D10, 53D15", "I.2.9"))]), "2604.99001v1 has no category"),
        (rss([Item(arxiv_id="cs.AI/1")]), "not an arXiv identifier"),
        (rss([Item()]).replace(b"9001v1</guid>", b"9001</guid>"), "without its version"),
        (rss([Item()]).replace(b"oai:arXiv.org:2604.99001v1", b""), "an item has no identifier"),
        (atom().replace(b"<updated>", b"<updated>x"), "no date of announcement"),
    ],
)
def test_what_cannot_be_believed_is_refused_in_one_line(body: bytes, said: str) -> None:
    """The line names the source and the fault."""
    with pytest.raises(FeedError, match=said) as refused:
        read_feed(body, source="folder/x.xml")

    assert str(refused.value).startswith("folder/x.xml: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("write", [rss, atom])
@pytest.mark.parametrize("form", [chr, "&#{};".format], ids=["bare", "reference"])
@pytest.mark.parametrize("code", [*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF])
def test_a_character_that_xml_cannot_hold_refuses_the_feed(
    write: Callable[[list[Item]], bytes], form: Callable[[int], str], code: int
) -> None:
    """
    As it stands and as a reference: such a document is damaged, so nothing of it is believed.

    No part is guessed at; later polls ask again, and healing fills the day from OAI-PMH.
    """
    body = write([Item(), Item(arxiv_id="2604.99002", title="TITLE")])

    with pytest.raises(DamagedError, match="not well-formed XML, cut off or damaged at line"):
        read_feed(body.replace(b"TITLE", form(code).encode()), source="x")


def test_a_document_type_is_refused_and_no_entity_is_resolved(tmp_path: Path) -> None:
    """Neither a bomb of entities nor a file of ours gets into a title."""
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    told = rss([Item(title="TITLE")]).replace(b"TITLE", b"&e;")
    head, rest = told.split(b"<rss", 1)
    doctype = f'<!DOCTYPE rss [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'.encode()

    with pytest.raises(FeedError, match="document type"):
        read_feed(head + doctype + b"<rss" + rest, source="x")


def test_text_around_a_comment_is_read_whole() -> None:
    """A comment inside a title does not end it."""
    body = rss([Item(title="TITLE")]).replace(b"TITLE", b"One<!-- x --> and two")

    assert read_feed(body, source="x").items[0].title == "One and two"


@pytest.mark.parametrize("body", [rss(ITEMS), atom(ITEMS)], ids=["rss", "atom"])
def test_a_feed_cut_anywhere_is_refused_or_whole(body: bytes) -> None:
    """No cut ever turns into fewer papers: only the white space at the end may be missing."""
    whole = read_feed(body, source="x")

    for length in range(len(body)):
        if length >= len(body.rstrip()):
            assert read_feed(body[:length], source="x") == whole
        else:
            with pytest.raises(FeedError):
                read_feed(body[:length], source="x")


@given(data=st.data())
def test_a_damaged_feed_is_refused_or_read_but_never_crashes(data: st.DataObject) -> None:
    """Bytes changed anywhere: a feed, or a FeedError."""
    body = bytearray(data.draw(st.sampled_from([rss(ITEMS), atom(ITEMS)])))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body)))
        length = data.draw(st.integers(0, 12))
        body[start : start + length] = data.draw(st.binary(max_size=12))

    with suppress(FeedError):
        assert len(read_feed(bytes(body), source="x").items) <= len(ITEMS)


@given(body=st.binary(max_size=200))
def test_any_bytes_are_refused_without_a_crash(body: bytes) -> None:
    """What is not a feed is a FeedError, whatever it is."""
    with pytest.raises(FeedError):
        read_feed(body, source="x")


@given(
    title=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))),
    abstract=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))),
)
def test_texts_come_back_as_they_were_sent(title: str, abstract: str) -> None:
    """Nothing is escaped, resolved or lost but white space around it and TeX (see test_tex)."""
    sent = Item(title=title.replace("\ufffe", "").replace("\uffff", ""), abstract="A: " + abstract)
    sent_abstract = sent.abstract.replace("\ufffe", "").replace("\uffff", "")
    body = rss([sent]).replace("\ufffe".encode(), b"").replace("\uffff".encode(), b"")

    [item] = read_feed(body, source="x").items

    assert item.title == readable(sent.title.strip())
    assert item.abstract == readable(sent_abstract.strip())
