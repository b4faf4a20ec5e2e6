"""
A tiny run, right in every point, written out by hand to show that the checks can fail.

All papers are invented. Nothing here is computed by the checks' own code.
"""

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import NamedTuple

MONDAY, TUESDAY = "2030-01-07", "2030-01-08"


class Item(NamedTuple):
    """One item of a source feed."""

    arxiv_id: str
    announce_type: str
    title: str
    categories: tuple[str, ...]
    abstract: str = "We show it."


RULES = "On rules that learn"
TEA = "Tea leaves & forests <3"
STAT = (
    Item("3001.00001", "new", RULES, ("stat.ML", "cs.LG")),
    Item("3001.00002", "new", "Limits of limits", ("math.ST", "stat.TH", "stat.ME")),
    Item("3001.00003", "cross", TEA, ("cs.LG", "stat.ML")),
    Item("2901.00004", "replace", "An old thing, mended", ("stat.ML",)),
    Item("2901.00005", "replace-cross", "Seen before", ("cs.CV", "stat.AP")),
)
LEARNING = (
    Item("3001.00003", "new", TEA, ("cs.LG", "stat.ML")),
    Item("3001.00006", "new", "Über neural nets", ("cs.LG",)),
    Item(
        "3001.00007",
        "cross",
        "A reply",
        ("cs.CV", "cs.LG"),
        "This answers https://arxiv.org/abs/3001.00001.",
    ),
)
TITLES = {item.arxiv_id: item.title for item in (*STAT, *LEARNING)}

LISTINGS = {
    ("stat.ML", MONDAY): [
        ("3001.00001", "new"),
        ("3001.00003", "cross"),
        ("2901.00004", "replace"),
    ],
    ("stat.ME", MONDAY): [("3001.00002", "cross")],
    ("math.ST", MONDAY): [("3001.00002", "new")],
    ("stat.AP", MONDAY): [("2901.00005", "replace-cross")],
    ("cs.LG", TUESDAY): [("3001.00003", "new"), ("3001.00006", "new"), ("3001.00007", "cross")],
}
ENTRIES = {
    "stat.ML": (MONDAY, ["3001.00003", "3001.00001"]),
    "stat.ME": (MONDAY, ["3001.00002"]),
    "math.ST": (MONDAY, ["3001.00002"]),
    "cs.LG": (TUESDAY, ["3001.00007", "3001.00006", "3001.00003"]),
}
BOUNCING = "bounce+1@simulator.amazonses.com"
SUBSCRIBERS = [
    {
        "address": "ada@example.org",
        "status": "confirmed",
        "preferences": {"categories": ["stat.ML", "cs.LG"], "cadence": "daily"},
        "id": "a1",
    },
    {
        "address": "bo@example.org",
        "status": "confirmed",
        "preferences": {"categories": ["stat.TH"], "announce_types": ["new", "cross"]},
    },
    {
        "address": "cy@example.org",
        "status": "confirmed",
        "preferences": {"categories": ["stat.ML"], "announce_types": ["new", "cross", "replace"]},
    },
    {
        "address": "dee@Example.org",
        "status": "confirmed",
        "preferences": {"categories": ["cs.LG"], "include": [], "exclude": []},
    },
    {
        "address": "eve@example.org",
        "status": "unconfirmed",
        "preferences": {"categories": ["stat.ML", "cs.LG"]},
    },
    {
        "address": "fay@example.org",
        "status": "confirmed",
        "preferences": {
            "categories": ["stat.ML"],
            "exclude": [{"field": "title", "phrase": "tea"}],
        },
    },
    {
        "address": "gus@example.org",
        "status": "confirmed",
        "preferences": {"categories": ["stat.AP"]},
    },
    {
        "address": BOUNCING,
        "status": "bounced",
        "preferences": {"categories": ["stat.ML", "cs.LG"]},
    },
]
LETTERS = [
    ("ada@example.org", MONDAY, ["3001.00001", "3001.00003"]),
    ("ada@example.org", TUESDAY, ["3001.00006", "3001.00007"]),
    ("bo@example.org", MONDAY, ["3001.00002"]),
    ("cy@example.org", MONDAY, ["3001.00001", "3001.00003", "2901.00004"]),
    ("dee@Example.org", TUESDAY, ["3001.00003", "3001.00006", "3001.00007"]),
    ("fay@example.org", MONDAY, ["3001.00001"]),
    (BOUNCING, MONDAY, ["3001.00001", "3001.00003"]),
]

# A folded address would become encoded words, which nobody decodes in List-Unsubscribe.
_LONG_LINES = policy.default.clone(max_line_length=900)


@dataclass(frozen=True, slots=True)
class TinyRun:
    """Where the run lies, and the feeds that it replayed."""

    out: Path
    feeds: tuple[Path, Path]

    @property
    def site(self) -> Path:
        """The bucket's files."""
        return self.out / "site"

    @property
    def mail(self) -> Path:
        """The messages."""
        return self.out / "mail"

    def letter(self, address: str, day: str) -> Path:
        """The file of one reader's letter of one day."""
        return self.mail / f"{day}-{address.partition('@')[0]}.eml"


def write_tiny_run(folder: Path) -> TinyRun:
    """Write the two feeds and a run that is right into *folder*."""
    run = TinyRun(folder / "out", (folder / "stat.rss.xml", folder / "cs.LG.atom.xml"))
    run.feeds[0].write_text(source_rss("stat", MONDAY, STAT), encoding="utf-8")
    run.feeds[1].write_text(_source_atom(), encoding="utf-8")
    for category, (day, ids) in ENTRIES.items():
        write_feeds(run.site / category, day, ids)
    for (category, day), found in LISTINGS.items():
        _write_day(run.site / category, category, day, found)
    _write_issues(run)
    run.mail.mkdir()
    for address, day, ids in LETTERS:
        run.letter(address, day).write_bytes(letter(address, day, ids).as_bytes())
    for subscriber in SUBSCRIBERS:
        address = str(subscriber["address"])
        path = run.mail / f"confirm-{address.partition('@')[0]}.eml"
        path.write_bytes(confirmation(address).as_bytes())
    (run.out / "subscribers.json").write_text(json.dumps(SUBSCRIBERS))
    (run.out / "receipt.json").write_text(json.dumps(_receipt()))
    return run


def letter(address: str, day: str, ids: Sequence[str], *, padding: int = 0) -> EmailMessage:
    """A letter as it should be: text and HTML transfer-encoded in two ways."""
    links = [f"https://arxiv.org/abs/{i}" for i in ids]
    text = "\n".join(f"{TITLES[i]}\n{link}\n" for i, link in zip(ids, links, strict=True))
    if "3001.00007" in ids:
        text += "This answers https://arxiv.org/abs/3001.00001.\n"
    html = "".join(f'<p><a href="{link}">论文</a></p>' for link in links) + " " * padding
    message = EmailMessage(policy=_LONG_LINES)
    message["From"] = "Paperpost 论文早报 <news@paperpost.example>"
    message["To"] = address
    message["Subject"] = f"1月7日 · 新论文 {len(ids)} 篇"
    token = base64.urlsafe_b64encode(address.encode()).decode()
    message["List-Unsubscribe"] = f"<http://127.0.0.1:8080/api/unsubscribe/{token}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["X-SES-MESSAGE-TAGS"] = f"issue=daily-{day}, subscriber={token[:6]}"
    message.set_content(text, cte="base64")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def confirmation(address: str) -> EmailMessage:
    """A confirmation mail as it should be."""
    message = EmailMessage(policy=_LONG_LINES)
    message["From"] = "Paperpost <news@paperpost.example>"
    message["To"] = address
    message["Subject"] = "请确认订阅"
    message.set_content("http://127.0.0.1:8080/api/confirm/abc\n")
    message.add_alternative("<p>http://127.0.0.1:8080/api/confirm/abc</p>", subtype="html")
    return message


def write_feeds(folder: Path, day: str, ids: Sequence[str]) -> None:
    """Write the three feed forms of one category, all entries of one day."""
    write_entries(folder, [(day, i) for i in ids])


def write_entries(folder: Path, entries: Sequence[tuple[str, str]]) -> None:
    """Write the three feed forms of one category: day and id of each entry."""
    folder.mkdir(parents=True, exist_ok=True)
    rss = "".join(
        f"<item><title>{_escaped(TITLES.get(i, i))}</title><link>https://arxiv.org/abs/{i}</link>"
        f'<guid isPermaLink="false">tag:paperpost.example,2030:{i}</guid>'
        f"<pubDate>{_midnight(day)}</pubDate></item>\n"
        for day, i in entries
    )
    (folder / "rss.xml").write_text(
        f'<rss version="2.0"><channel><title>{folder.name}</title>\n{rss}</channel></rss>'
    )
    atom = "".join(
        f'<entry><link rel="related" href="https://arxiv.org/pdf/{i}"/>'
        f'<link href="https://arxiv.org/abs/{i}"/><title>{_escaped(TITLES.get(i, i))}</title>'
        f"<id>tag:paperpost.example,2030:{i}</id><published>{day}T05:00:00Z</published></entry>\n"
        for day, i in entries
    )
    (folder / "atom.xml").write_text(
        f'<feed xmlns="http://www.w3.org/2005/Atom"><title>{folder.name}</title>\n{atom}</feed>'
    )
    items = [
        {
            "id": f"tag:paperpost.example,2030:{i}",
            "url": f"https://arxiv.org/abs/{i}",
            "title": TITLES.get(i, i),
            "date_published": f"{day}T00:00:00-05:00",
        }
        for day, i in entries
    ]
    (folder / "feed.json").write_text(json.dumps({"title": folder.name, "items": items}))


def _write_day(folder: Path, category: str, day: str, found: Sequence[tuple[str, str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text("<html><body>days</body></html>")
    blocks = "".join(
        f'<article id="{i}"><h3>{_escaped(TITLES[i])}</h3></article>\n' for i, _ in found
    )
    (folder / f"{day}.html").write_text(f'<html><body id="top">{blocks}</body></html>')
    rows = "\n".join(
        f"| [^{n}] | [{TITLES[i]}](https://arxiv.org/abs/{i}){' · 交叉' * (t == 'cross')} | 一句 |"
        for n, (i, t) in enumerate(found, 1)
    )
    notes = "\n".join(
        f"[^{n}]: 标题\n\n    {TITLES[i]}\n\n"
        f"    [https://arxiv.org/abs/{i}](https://arxiv.org/abs/{i})\n\n    一句话\n\n    \n\n"
        f"    摘要\n\n    An abstract.\n    "
        for n, (i, _) in enumerate(found, 1)
    )
    head = "# 摘要\n\n| Ref | Title | Summary |\n| --- | --- | --- |\n"
    for name in (f"{day}.md", "latest.md"):
        (folder / name).write_text(f"{head}{rows}\n\n# 详细\n\n{notes}\n\n")
    records = [
        {"id": i, "category": category, "announced_on": day, "announce_type": t} for i, t in found
    ]
    (folder / f"{day}.json").write_text(json.dumps({"papers": records}))


def _write_issues(run: TinyRun) -> None:
    folder = run.site / "issues"
    folder.mkdir()
    for day in (MONDAY, TUESDAY):
        papers = [i for (_, on), found in LISTINGS.items() if on == day for i, _ in found]
        body = json.dumps({"papers": papers}).encode()
        (folder / f"daily-{day}.json.gz").write_bytes(gzip.compress(body, mtime=0))


def _receipt() -> dict[str, object]:
    """Counts in several of the places where a receipt may keep them."""
    return {
        "ok": True,
        "announced": {MONDAY: {"stat.ML": 3, "math.ST": 1}, TUESDAY: {"cs.LG": 3}},
        "announcements": [
            {"category": "stat.ML", "announced_on": MONDAY, "announced": 3, "stored": 3},
            {"category": "cs.LG", "announced_on": TUESDAY, "announced": 3, "published": 3},
        ],
        "issues": {f"daily-{MONDAY}": {"mailed": 5}, f"daily-{TUESDAY}": {"mailed": 2}},
        "totals": {"listed": 9, "mailed": 7, "confirmations": 8},
        "invocations": {"fetch": {"announced": 99}},
    }


def source_rss(name: str, day: str, announced: Sequence[Item]) -> str:
    """An announcement feed in the form that arXiv sends."""
    items = "".join(
        f"<item><title>{_escaped(i.title)}</title><link>https://arxiv.org/abs/{i.arxiv_id}</link>"
        f"<description>arXiv:{i.arxiv_id}v1 Announce Type: {i.announce_type} \n"
        f"Abstract: {i.abstract}</description>"
        + "".join(f"<category>{c}</category>" for c in i.categories)
        + f"<arxiv:announce_type>{i.announce_type}</arxiv:announce_type>"
        "<dc:creator>Nobody Real</dc:creator></item>"
        for i in announced
    )
    return (
        '<rss xmlns:arxiv="http://arxiv.org/schemas/atom"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0">'
        f"<channel><title>{name} updates on arXiv.org</title>"
        f"<pubDate>{_midnight(day)}</pubDate>{items}</channel></rss>"
    )


def _source_atom() -> str:
    entries = "".join(
        f"<entry><id>oai:arXiv.org:{i.arxiv_id}v1</id><title>{_escaped(i.title)}</title>"
        f'<link href="https://arxiv.org/abs/{i.arxiv_id}" rel="alternate" type="text/html"/>'
        f"<summary>arXiv:{i.arxiv_id}v1 Announce Type: {i.announce_type} \n"
        f"Abstract: {i.abstract}</summary>"
        + "".join(f'<category term="{c}"/>' for c in i.categories)
        + f"<published>{TUESDAY}T00:00:00-05:00</published>"
        f"<arxiv:announce_type>{i.announce_type}</arxiv:announce_type></entry>"
        for i in LEARNING
    )
    return (
        '<feed xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns="http://www.w3.org/2005/Atom">'
        "<title>cs.LG updates on arXiv.org</title>"
        f"<updated>{TUESDAY}T05:00:19.866337+00:00</updated>{entries}</feed>"
    )


def _midnight(day: str) -> str:
    return format_datetime(datetime.fromisoformat(f"{day}T00:00:00-05:00"))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
