"""Feeds: valid, the same to every reader, whole on the heaviest days, never bad, nothing active."""

import json
import os
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import html5lib
from lxml import etree

from paperpost.data import taxonomy
from paperpost.domain.receipts import Receipt
from paperpost.domain.records import Record
from paperpost.domain.windows import MOST_BYTES
from paperpost.publish.entries import feed_days, tag_of
from paperpost.publish.feedmeta import about
from paperpost.publish.feeds import FeedFiles, category_metas, feed_files
from paperpost_cli.proofs import feed_records
from paperpost_cli.proofs.feed_readers import READERS, Seen, check_schemas
from paperpost_cli.proofs.judging import run_python
from paperpost_cli.proofs.proof import Proof, ProofError

Batch = tuple[str, list[Record], FeedFiles]
_SERIES = feed_records.DATA / "arxiv-rss" / "daily-series"
_HEAVIEST = ("cs.CV_2026-04-22.json.gz", "cs.CV_2026-04-21.json.gz")
_PAYLOADS, _PUBLISHES = 5_000, 5_000
_QUICK_PAYLOADS, _QUICK_PUBLISHES = 100, 25
_MOST = 0.9  # of the payloads do something by themselves; the others only where they are pasted in
_BUSY = 300  # papers of two made-up days, more than fit whole
_IN_A_FEED = 100  # whole with their abstracts, whatever each repeats
_PLAIN = {"p": {"lang"}, "i": set(), "small": set(), "br": set(), "a": {"href"}}
_HARMLESS = ("https://arxiv.org/", "mailto:help@paperpost.example?subject=")
_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_BODIES = (
    ".//{http://purl.org/rss/1.0/modules/content/}encoded",
    ".//item/description",
    ".//{http://www.w3.org/2005/Atom}content",
)


def proofs(folder: Path, quick: bool) -> Iterator[Proof]:  # noqa: FBT001  one switch for all topics
    """The topic's proofs; the short form takes the sample and hostile strings, and fewer runs."""
    batches = _batches(quick=quick)
    yield Proof(name="feeds valid by schema", carry_out=partial(_valid, batches))
    for reader, (_, programs) in READERS.items():
        place = folder / reader
        place.mkdir()
        proof = partial(_read_alike, reader, programs, place, batches)
        yield Proof(name=f"ids and titles through {reader}", carry_out=proof)
    days = partial(_heaviest, partial(feed_records.busy, _BUSY) if quick else _recorded)
    yield Proof(name="the two heaviest days", carry_out=days)
    payloads, publishes = (_QUICK_PAYLOADS, _QUICK_PUBLISHES) if quick else (_PAYLOADS, _PUBLISHES)
    yield Proof(name="payloads in feeds", carry_out=partial(_harmless, payloads))
    yield Proof(name="publishing under faults", carry_out=partial(_never_bad, publishes))


def _batches(*, quick: bool) -> list[Batch]:
    """Sets of records, and the files of their feed."""
    found = [("the sample", feed_records.sample())]
    if feed_records.DATA.is_dir():
        found.append(("hostile strings", feed_records.hostile()))
        found += [] if quick else feed_records.recorded()
    elif not quick:
        raise ProofError("the recorded papers (../shared/data) are not here")
    return [(name, records, _made(records)) for name, records in found if records]


def _made(records: Sequence[Record]) -> FeedFiles:
    newest = max(r.listing.announced_on for r in records)
    said = about(
        newest,
        receipt=Receipt(announced=1, stored=1, enriched=1, pending=0),
        next_at=datetime.fromisoformat("2026-04-29T12:20+08:00"),
    )
    metas = category_metas(
        taxonomy().categories["cs.CV"], site_url="https://paperpost.example", said=said
    )
    days = feed_days(records, replacements=True)
    return feed_files(days, metas, contact_mail="help@paperpost.example")


def _valid(batches: Sequence[Batch]) -> str:
    files = 0
    for name, _, feeds in batches:
        if feeds.minimal:
            raise ProofError(f"{name}: not rendered: {feeds.minimal}")
        check_schemas(feeds.files)
        files += len(feeds.files)
    return (
        f"{files} files of {sum(len(records) for _, records, _ in batches)} papers, Atom and JSON"
    )


def _read_alike(
    reader: str, programs: Sequence[str], folder: Path, batches: Sequence[Batch]
) -> str:
    """Every id and title that went in comes out, in order, and nothing else."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        if os.environ.get("PAPERPOST_STRICT") == "1":
            raise ProofError(f"{', '.join(missing)} is not here")
        return f"not tried: {', '.join(missing)} is not here"
    read, _ = READERS[reader]
    files = entries = 0
    for name, records, feeds in batches:
        for path, seen in read(feeds.files, folder).items():
            wanted = expected(feeds, records, "en" if ".en." in path else "zh")
            # It takes a title in RSS for HTML where it looks like it; in Atom it is told.
            guesses = reader == "feedparser" and "/rss" in path
            if reader == "newsboat":  # which sorts by its readers' wishes, not by the feed
                wanted, told = sorted(wanted), sorted(seen)
            else:
                told = seen
            problem = difference(wanted, told, without=_TAG if guesses else None)
            if problem:
                raise ProofError(f"{name}, {path}: {problem}", figure=f"{entries} entries")
            files, entries = files + 1, entries + len(seen)
    return f"{entries} entries of {files} files"


def expected(feeds: FeedFiles, records: Sequence[Record], language: str) -> Seen:
    """What a reader has to find: worked out from the records, not from the entries."""
    by_id = {record.arxiv_id: record for record in records}
    titles = {i: r.title(language) if language == "zh" else r.paper.title for i, r in by_id.items()}
    return [(tag_of(s.arxiv_id), titles[s.arxiv_id]) for s in feeds.shown]


def difference(wanted: Seen, seen: Seen, *, without: re.Pattern[str] | None = None) -> str:
    """
    What differs first between two lists of ids and titles, or ''; order counts, space does not.

    *without*: what is left out of titles before they are compared.
    """
    if [i for i, _ in wanted] != [i for i, _ in seen]:
        lost = {i for i, _ in wanted} - {i for i, _ in seen}
        return f"{len(seen)} of {len(wanted)} ids, {len(lost)} lost, or in another order"
    for (arxiv_id, title), (_, told) in zip(wanted, seen, strict=True):
        shown, read = (without.sub("", t) if without else t for t in (title, told))
        if _visible(shown) != _visible(read) and _visible(title):
            return f"{arxiv_id}: {title[:80]!r} is read as {told[:80]!r}"
    return ""


def _visible(text: str) -> str:
    """The characters that can be seen, none of those that hide or control."""
    hidden = {"Cc", "Cf", "Cs", "Cn", "Zs", "Zl", "Zp"}
    return "".join(c for c in text if unicodedata.category(c) not in hidden)


def _recorded() -> list[Record]:
    """The two heaviest days that were recorded."""
    if not _SERIES.is_dir():
        raise ProofError("the recorded days (../shared/data) are not here")
    return [r for name in _HEAVIEST for r in feed_records.day_of_series(_SERIES / name)]


def _heaviest(two_days: Callable[[], list[Record]]) -> str:
    """Both days together: no new or cross-listed paper is missing from any file."""
    records = two_days()
    wanted = {r.arxiv_id for r in records if not r.listing.announce_type.is_replacement}
    feeds = _made([r for r in records if r.arxiv_id in wanted])
    for path, body in feeds.files.items():
        lost = wanted - _ids(body)
        if lost:
            raise ProofError(f"{path} lacks {len(lost)}, such as {min(lost)}")
    biggest = max(len(body) for body in feeds.files.values())
    per_day = Counter(str(shown.announced_on) for shown in feeds.shown)
    shrunk = f"{feeds.shrunk} without abstracts, {feeds.tldr_only} of them with TL;DR alone"
    figure = f"{len(records)} listed, {len(wanted)} entries {dict(per_day)}, {shrunk}"
    if not feeds.shrunk:
        raise ProofError("too few papers to shrink any entry", figure=figure)
    if biggest > MOST_BYTES and feeds.tldr_only < len(wanted):
        raise ProofError("too big, though not all entries shrank", figure=figure)
    return f"{figure}, {biggest:,} bytes at most"


def _ids(body: bytes) -> set[str]:
    prefix = tag_of("")
    if body.startswith(b"{"):
        return {item["id"].removeprefix(prefix) for item in json.loads(body)["items"]}
    root = etree.fromstring(body)
    found = [*root.iterfind(".//guid"), *root.iterfind(".//{*}entry/{*}id")]
    return {str(e.text).removeprefix(prefix) for e in found}


def _harmless(count: int) -> str:
    """No payload becomes anything but text in any body of any feed."""
    texts = feed_records.payloads(count)
    if len(texts) < count or sum(bool(active(text)) for text in texts) < _MOST * count:
        raise ProofError("the payloads are too few or would do nothing")
    bodies = 0
    for start in range(0, len(texts), _IN_A_FEED):
        feeds = _made(feed_records.of_texts(texts[start : start + _IN_A_FEED]))
        for path, body in feeds.files.items():
            for html in _html(body):
                bodies += 1
                if found := active(html):
                    raise ProofError(f"{path}: {found}: {html[:200]}", figure=f"{bodies} bodies")
    return f"{len(texts)} payloads, {bodies} bodies, 0 active"


def active(html: str) -> str:
    """The first element, attribute or address in *html* that no entry's body may have, or ''."""
    tree = html5lib.parseFragment(html, treebuilder="etree", namespaceHTMLElements=False)
    for element in tree.iter():
        if element is tree:
            continue
        if element.tag not in _PLAIN:
            return f"element {element.tag}"
        if unknown := set(element.attrib) - _PLAIN[element.tag]:
            return f"attribute {min(unknown)}"
        if not element.attrib.get("href", _HARMLESS[0]).startswith(_HARMLESS):
            return f"address {element.attrib['href']}"
    return ""


def _html(body: bytes) -> list[str]:
    if body.startswith(b"{"):
        return [item["content_html"] for item in json.loads(body)["items"]]
    root = etree.fromstring(body)
    return [str(e.text or "") for path in _BODIES for e in root.iterfind(path)]


def _never_bad(publishes: int) -> str:
    """A reader who polls after every put never sees a bad feed; the same again puts nothing."""
    ended = run_python(["-m", "support.publish_fuzz", "--publishes", str(publishes)])
    if ended.returncode:
        raise ProofError((ended.stderr.strip().splitlines() or ["said nothing"])[-1])
    told: Mapping[str, object] = json.loads(ended.stdout.splitlines()[-1])
    bad = told["bad"]
    assert isinstance(bad, list)
    figure = f"{told['publishes']} steps {told['counts']}, {told['polls']} polls, {len(bad)} bad"
    if bad or told["twice_put"]:
        raise ProofError(f"{bad[:1]}, {told['twice_put']} files put twice", figure=figure)
    return f"{figure}, 0 files put again"
