"""The Markdown digest: whatever a paper says is read on GitHub as it was written."""

import gzip
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice
from pathlib import Path

from paperpost.domain.enrichments import Enrichment, EnrichmentState, text_hash
from paperpost.domain.papers import AnnounceType, Author, Listing, Paper
from paperpost.domain.records import Record
from paperpost.domain.text import clean
from paperpost.publish.markdown import digest, render_archive
from paperpost_cli.laptop import ROOT
from paperpost_cli.proofs.gfm import TOKENS, differences, shown
from paperpost_cli.proofs.proof import Proof, ProofError

_DATA = ROOT.parent / "shared" / "data"
_HOSTILE = _DATA / "hostile" / "hostile.jsonl"
_PAPERS = _DATA / "papers" / "papers-2000.jsonl.gz"
_ON = date(2026, 4, 21)
_AT = datetime(2026, 4, 21, 5, tzinfo=UTC)
_RANDOM_TEXTS, _RANDOM_TEXTS_QUICK = 20_000, 2_000
_QUICK_PAPERS = 300
_LONGEST = 9
_A_DAY = 50

_Fields = Mapping[str, str]


def proofs(_folder: Path, quick: bool) -> Iterator[Proof]:  # noqa: FBT001  one switch for all topics
    """The topic's proofs; the short form takes fewer papers and random texts."""
    yield Proof(name="hostile text in Markdown", carry_out=_hostile)
    yield Proof(
        name="real papers in Markdown",
        carry_out=partial(_papers, _QUICK_PAPERS if quick else None),
    )
    yield Proof(
        name="random marks in Markdown",
        carry_out=partial(_random_marks, _RANDOM_TEXTS_QUICK if quick else _RANDOM_TEXTS),
    )


def _hostile() -> str:
    """Each string in every field that takes text."""
    texts = [json.loads(line)["text"] for line in _lines(_HOSTILE)]
    records = [_record(n, _everywhere(text)) for n, text in enumerate(texts)]
    _compare(records, each=1)
    unescaped = sum(_fails_unescaped(_everywhere(text)) for text in texts)
    return f"{len(texts)} strings as written; unescaped, {unescaped} would not be"


def _papers(most: int | None) -> str:
    """Titles, abstracts and a model's translations; without a translation the paper is pending."""
    papers = [json.loads(line) for line in islice(_lines(_PAPERS), most)]
    records = [_record(n, paper) for n, paper in enumerate(papers)]
    _compare(records, each=_A_DAY)
    pending = sum(record.enrichment("zh") is None for record in records)
    unescaped = sum(_fails_unescaped(paper) for paper in papers)
    return (
        f"{len(papers)} papers as written, {pending} of them pending; "
        f"unescaped, {unescaped} would not be"
    )


def _random_marks(count: int) -> str:
    """Marks and what is built of them, in any order, the same on each run."""
    dice = random.Random(count)  # noqa: S311  the same texts again, no secret
    texts = ["".join(dice.choices(TOKENS, k=dice.randint(1, _LONGEST))) for _ in range(count)]
    _compare([_record(n, _everywhere(text)) for n, text in enumerate(texts)], each=_A_DAY)
    return f"{count} texts as written"


def _compare(records: Sequence[Record], *, each: int) -> None:
    """Render *each* so many records at once; all must be seen as they are written."""
    for start in range(0, len(records), each):
        part = sorted(records[start : start + each], key=lambda r: r.arxiv_id, reverse=True)
        wrong = differences(digest(part), part)
        if wrong:
            raise ProofError(f"{len(wrong)} differences, such as {wrong[0]}")


def _fails_unescaped(paper: _Fields) -> bool:
    """Whether the layout without escaping shows anything but the words."""
    fields = {**paper, "link": "https://arxiv.org/abs/2604.00001"}
    seen = shown(render_archive([fields]))
    rows = ((clean(paper["title"]), clean(paper["tldr"])),)
    return bool(seen.rows) and (bool(seen.faults) or seen.rows != rows)


def _everywhere(text: str) -> _Fields:
    names = ("title", "abstract", "translated_title", "translated_abstract", "tldr", "en_tldr")
    return dict.fromkeys(names, text)


def _record(number: int, fields: _Fields) -> Record:
    """A record with the texts of *fields*; each tenth is a withdrawal, each third a cross-list."""
    paper = Paper(
        arxiv_id=f"2604.{10_000 + number % 90_000:05}",
        version=2 if number % 10 == 0 else 1,
        title=fields["title"],
        abstract=fields["abstract"],
        authors=(Author(name=fields["title"]),),
        categories=("cs.CV",),
        withdrawn=number % 10 == 0,
    )
    listing = Listing(
        category="cs.CV",
        announced_on=_ON,
        arxiv_id=paper.arxiv_id,
        version=paper.version,
        announce_type=AnnounceType.CROSS if number % 3 == 0 else AnnounceType.NEW,
        stored_at=_AT,
    )
    return Record(paper=paper, listing=listing, enrichments=_enrichments(paper, fields))


def _enrichments(paper: Paper, fields: _Fields) -> dict[str, Enrichment]:
    english = Enrichment(
        arxiv_id=paper.arxiv_id,
        language="en",
        state=EnrichmentState.OK,
        text_hash=text_hash(paper),
        model=fields["title"],
        prompt_version="1",
        updated_at=_AT,
        tldr=fields["en_tldr"],
    )
    chinese = replace(
        english,
        language="zh",
        title=fields["translated_title"],
        abstract=fields["translated_abstract"],
        tldr=fields["tldr"],
    )
    found = {"en": english} if english.tldr else {}
    return {**found, "zh": chinese} if chinese.title and chinese.abstract else found


def _lines(path: Path) -> Iterator[str]:
    if not path.exists():
        raise ProofError(f"the recorded data ({path.name}) is not here")
    body = path.read_bytes()
    text = gzip.decompress(body) if path.suffix == ".gz" else body
    yield from text.decode().split("\n")[:-1]
