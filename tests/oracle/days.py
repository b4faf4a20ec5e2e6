"""Checks of the day pages, and of what else lies in the bucket."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from lxml import etree

from oracle.findings import Finding, finding
from oracle.source import ALIASES, ARCHIVES, BASE_ID, Announced, Key, Truth

_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})\.(html|md|json|bib)")
_CATEGORY = re.compile(r"([a-z]+(?:-[a-z]+)?)(?:\.[A-Za-z]+(?:-[A-Za-z]+)?)?")
_ID = BASE_ID.pattern
_ROW = re.compile(rf"\| \[\^(\d+)\] \| \[.*?\]\(https://arxiv\.org/abs/({_ID})\)[^|]*\|.*")
_NOTE = re.compile(r"\[\^(\d+)\]: .*")
_NOTE_LINK = re.compile(
    rf"\s+(?:\[https://arxiv\.org/abs/({_ID})\]\(https://arxiv\.org/abs/\1\)"
    rf"|<https://arxiv\.org/abs/({_ID})>)\s*"
)
_OTHER_FOLDERS = frozenset({"f", "issues"})


def check_days(site: Path, truth: Truth) -> Iterator[Finding]:
    """Yield a finding for each form of the day pages."""
    yield _check_form(site, truth, "day pages", ".html", _page_problems)
    pages = _check_form(site, truth, "day Markdown", ".md", _markdown_problems)
    yield finding(pages.name, pages.figure, (*pages.problems, *_latest(site, truth)))
    yield _check_form(site, truth, "day JSON", ".json", _json_problems)


def check_folders(site: Path, truth: Truth) -> Finding:
    """Every category with listings has an index, and no other category has files."""
    wrong = [
        f"{category}/index.html is missing"
        for category in truth.categories
        if not (site / category / "index.html").is_file()
    ]
    folders = [p for p in site.glob("*") if p.is_dir() and p.name not in _OTHER_FOLDERS]
    for folder in sorted(folders):
        files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
        if folder.name in truth.categories or not _is_category(folder.name, files):
            continue
        # An alias may lead to the canonical category's page.
        if ALIASES.get(folder.name) in truth.categories and files == ["index.html"]:
            continue
        wrong.extend(
            f"{folder.name}/{name} is of a category that nobody announced" for name in files
        )
    return finding("category folders", f"{len(truth.categories)} categories", wrong)


def check_frozen_issues(site: Path, truth: Truth, issues: Iterable[str]) -> Finding:
    """Every issue that was mailed lies in the bucket, with the papers of its date."""
    wrong, names = [], sorted(set(issues))
    for issue in names:
        path = site / "issues" / f"{issue}.json.gz"
        try:
            text = gzip.decompress(path.read_bytes()).decode()
            json.loads(text)
        except (OSError, EOFError, ValueError) as exc:
            wrong.append(f"issues/{path.name} cannot be read: {exc}")
            continue
        wanted = {
            i
            for key, papers in truth.days.items()
            for i in papers
            if issue == f"daily-{key.announced_on}"
        }
        wrong.extend(f"issues/{path.name} lacks {i}" for i in sorted(wanted) if i not in text)
    return finding("frozen issues", f"{len(names)} issues", wrong)


def check_privacy(site: Path, addresses: Iterable[str]) -> Finding:
    """No file of the bucket holds a subscriber's address."""
    needles = sorted({address.lower().encode() for address in addresses})
    files = sorted(p for p in site.rglob("*") if p.is_file())
    wrong = []
    for path in files:
        body = path.read_bytes().lower()
        if path.suffix == ".gz":
            try:
                body = gzip.decompress(path.read_bytes()).lower()
            except (OSError, EOFError):
                wrong.append(f"{path.relative_to(site)} is no gzip file")
        held = sum(needle in body for needle in needles)
        wrong.extend([f"{path.relative_to(site)} holds {held} addresses"] * bool(held))
    return finding(
        "nothing personal in the bucket", f"{len(files)} files, {len(needles)} addresses", wrong
    )


Day = tuple[Key, dict[str, Announced]]


def _check_form(
    site: Path, truth: Truth, name: str, suffix: str, judge: Callable[[bytes, Day], Iterator[str]]
) -> Finding:
    wrong: list[str] = []
    for key, papers in sorted(truth.days.items()):
        path = site / key.category / f"{key.announced_on}{suffix}"
        if path.is_file():
            wrong += _told(path, judge, (key, dict(papers)))
        else:
            wrong.append(f"{_where(path)} is missing with {len(papers)} listings")
    # A quiet day is a page too, but it lists nothing.
    for category in truth.categories:
        for path in sorted((site / category).glob(f"*{suffix}")):
            match = _DAY.fullmatch(path.name)
            if match and Key(category, date.fromisoformat(match[1])) not in truth.days:
                key = Key(category, date.fromisoformat(match[1]))
                wrong += _told(path, judge, (key, {}))
    return finding(name, f"{truth.listings} listings on {len(truth.days)} days", wrong)


def _told(path: Path, judge: Callable[[bytes, Day], Iterator[str]], day: Day) -> list[str]:
    try:
        return [f"{_where(path)} {problem}" for problem in judge(path.read_bytes(), day)]
    except (ValueError, etree.LxmlError) as exc:
        return [f"{_where(path)} cannot be read: {exc}"]


def _where(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _once_each(found: Iterable[str], day: Day, what: str) -> Iterator[str]:
    counts, wanted = Counter(found), day[1]
    yield from (f"lacks {what} {i}" for i in sorted(wanted) if i not in counts)
    yield from (f"has {what} {i} {n} times" for i, n in counts.items() if n > 1)
    yield from (f"has {what} {i}, not announced then" for i in counts if i not in wanted)


def _page_problems(body: bytes, day: Day) -> Iterator[str]:
    root = etree.fromstring(body, etree.HTMLParser(encoding="utf-8"))
    if root is None:
        raise ValueError("an empty page")
    ids = (str(e.get("id")) for e in root.iter() if isinstance(e.tag, str) and e.get("id"))
    yield from _once_each((i for i in ids if BASE_ID.fullmatch(i)), day, "the element")


def _markdown_problems(body: bytes, day: Day) -> Iterator[str]:
    """Both parts of the seed's layout, and that their numbers mean the same papers."""
    rows, notes, number = [], [], ""
    for line in body.decode().split("\n"):
        row, note, link = _ROW.fullmatch(line), _NOTE.fullmatch(line), _NOTE_LINK.fullmatch(line)
        if row:
            rows.append((row[1], row[2]))
        elif note:
            number = note[1]
        elif link and number:
            notes.append((number, link[1] or link[2]))
            number = ""
    yield from _once_each((i for _, i in rows), day, "the row")
    yield from _once_each((i for _, i in notes), day, "the note")
    numbered = dict(notes)
    for mark, arxiv_id in rows:
        if mark in numbered and numbered[mark] != arxiv_id:
            yield f"has {arxiv_id} in row {mark} and {numbered[mark]} in note {mark}"
    yield from (
        f"has the mark {m} {n} times" for m, n in Counter(m for m, _ in rows).items() if n > 1
    )


def _json_problems(body: bytes, day: Day) -> Iterator[str]:
    key, papers = day
    found = list(_objects(json.loads(body)))
    yield from _once_each((i for i, _ in found), day, "the record")
    for arxiv_id, record in found:
        if arxiv_id not in papers:
            continue
        truth = {
            "announce_type": papers[arxiv_id].type_in(key.category),
            "announced_on": str(key.announced_on),
            "category": key.category,
        }
        for field, value in truth.items():
            if record.get(field, value) != value:
                yield f"says {field} {record[field]!r} of {arxiv_id}, not {value!r}"


def _objects(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The outermost objects that name themselves by an arXiv id."""
    if isinstance(value, dict):
        own = value.get("id") or value.get("arxiv_id")
        if isinstance(own, str) and BASE_ID.fullmatch(own):
            yield own, value
            return
    for child in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from _objects(child)


def _latest(site: Path, truth: Truth) -> Iterator[str]:
    """`latest.md`, where there is one, is the newest day's file."""
    for category in truth.categories:
        latest = site / category / "latest.md"
        newest = max(k.announced_on for k in truth.days if k.category == category)
        day = site / category / f"{newest}.md"
        if latest.is_file() and day.is_file() and latest.read_bytes() != day.read_bytes():
            yield f"{category}/latest.md is not {newest}.md"


def _is_category(name: str, files: list[str]) -> bool:
    match = _CATEGORY.fullmatch(name)
    if match and match[1] in ARCHIVES:
        return bool(files)
    return any(f in {"rss.xml", "atom.xml", "feed.json"} or _DAY.fullmatch(f) for f in files)
