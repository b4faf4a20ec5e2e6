"""The checker passes a run that is right, and names what is wrong in one that is not."""

import ast
import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import oracle
from oracle.run_check import check_run, main, site_fingerprint
from oracle.tiny_run import (
    BOUNCING,
    MONDAY,
    TUESDAY,
    TinyRun,
    confirmation,
    letter,
    write_feeds,
    write_tiny_run,
)

ADA, BO, DEE, EVE = "ada@example.org", "bo@example.org", "dee@Example.org", "eve@example.org"
ORACLE = Path(str(oracle.__file__)).parent


@pytest.fixture
def run(tmp_path: Path) -> TinyRun:
    """A run that is right."""
    return write_tiny_run(tmp_path)


def failed(run: TinyRun, *, least_letters: int = 0) -> set[str]:
    """The names of the checks that fail."""
    found = check_run(run.out, run.feeds, least_letters=least_letters)
    return {finding.name for finding in found if not finding.ok}


def edit(path: Path, old: str, new: str, count: int = 1) -> None:
    """Replace *old*, which must be there, at its first *count* places."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def cut(path: Path, start: str, end: str) -> None:
    """Take out the first stretch from *start* to *end*."""
    text = path.read_text(encoding="utf-8")
    begin = text.index(start)
    path.write_text(text[:begin] + text[text.index(end, begin) + len(end) :], encoding="utf-8")


def edit_json_feed(path: Path, change: Callable[[list[dict[str, str]]], object]) -> None:
    """Change the items of a JSON Feed in place."""
    feed = json.loads(path.read_text())
    change(feed["items"])
    path.write_text(json.dumps(feed))


def rewrite(run: TinyRun, address: str, day: str, ids: list[str], *, padding: int = 0) -> None:
    """Put a letter with other papers in the place of one reader's."""
    message = letter(address, day, ids, padding=padding)
    run.letter(address, day).write_bytes(message.as_bytes())


def without(run: TinyRun, header: str) -> None:
    """Take a header out of Ada's first letter."""
    path = run.letter(ADA, MONDAY)
    lines = path.read_text().split("\n")
    kept = [line for line in lines if not line.startswith(f"{header}:")]
    assert len(kept) == len(lines) - 1
    path.write_text("\n".join(kept))


def put(run: TinyRun, name: str, address: str, day: str, ids: list[str]) -> None:
    """Add one more letter."""
    (run.mail / name).write_bytes(letter(address, day, ids).as_bytes())


def set_status(run: TinyRun, address: str, status: str) -> None:
    """Let the run say that a subscriber ended with another status."""
    path = run.out / "subscribers.json"
    subscribers = json.loads(path.read_text())
    (one,) = (s for s in subscribers if s["address"] == address)
    one["status"] = status
    path.write_text(json.dumps(subscribers))


def in_all(folder: Path, names: Iterable[str], change: Callable[[Path], object]) -> None:
    """Change several files of one folder in the same way."""
    for name in names:
        change(folder / name)


def in_turn(*steps: Callable[[], object]) -> None:
    """Take several steps."""
    for step in steps:
        step()


def swap_lines(path: Path, first: int, second: int) -> None:
    """Exchange two lines, counted from 0."""
    lines = path.read_text().split("\n")
    lines[first], lines[second] = lines[second], lines[first]
    path.write_text("\n".join(lines))


def swap_marks(path: Path) -> None:
    """Exchange the numbers of the first two rows of a Markdown table."""
    edit(path, "| [^1] ", "| [^9] ")
    edit(path, "| [^2] ", "| [^1] ")
    edit(path, "| [^9] ", "| [^2] ")


def freeze(run: TinyRun, value: object) -> None:
    """Put other bytes in the place of Monday's frozen issue."""
    path = run.site / "issues" / f"daily-{MONDAY}.json.gz"
    path.write_bytes(gzip.compress(json.dumps(value).encode()))


MUTATIONS: dict[str, tuple[Callable[[TinyRun], object], set[str]]] = {
    # feeds
    "an entry is dropped from Atom": (
        lambda r: cut(r.site / "cs.LG" / "atom.xml", "<entry>", "</entry>"),
        {"feed entries"},
    ),
    "an entry is dropped from all three feeds": (
        lambda r: write_feeds(r.site / "cs.LG", TUESDAY, ["3001.00007", "3001.00006"]),
        {"feed entries"},
    ),
    "an entry stands twice in JSON Feed": (
        lambda r: edit_json_feed(r.site / "cs.LG" / "feed.json", lambda i: i.append(i[0])),
        {"feed entries", "feed ids"},
    ),
    "a replacement has become an entry": (
        lambda r: write_feeds(
            r.site / "stat.ML", MONDAY, ["3001.00003", "3001.00001", "2901.00004"]
        ),
        {"feed entries"},
    ),
    "two entries of RSS change places": (
        lambda r: swap_lines(r.site / "cs.LG" / "rss.xml", 1, 2),
        {"feed order"},
    ),
    "two items of JSON Feed change places": (
        lambda r: edit_json_feed(r.site / "stat.ML" / "feed.json", lambda i: i.reverse()),
        {"feed order"},
    ),
    "a link in RSS names a version": (
        lambda r: edit(r.site / "stat.ML" / "rss.xml", "abs/3001.00001<", "abs/3001.00001v2<"),
        {"feed links"},
    ),
    "the alternate link in Atom is the PDF": (
        lambda r: edit(
            r.site / "stat.ML" / "atom.xml",
            'k href="https://arxiv.org/abs/',
            'k href="https://arxiv.org/pdf/',
        ),
        {"feed links"},
    ),
    "a title is empty": (
        lambda r: edit(r.site / "cs.LG" / "rss.xml", "<title>A reply<", "<title> <"),
        {"feed titles"},
    ),
    "an id is the link": (
        lambda r: edit(
            r.site / "cs.LG" / "atom.xml",
            "<id>tag:paperpost.example,2030:3001.00006",
            "<id>https://arxiv.org/abs/3001.00006",
        ),
        {"feed ids"},
    ),
    "an id differs between categories": (
        lambda r: in_all(
            r.site / "stat.ML",
            ("rss.xml", "atom.xml", "feed.json"),
            lambda path: edit(path, "2030:3001.00003", "2030:stat.ML/3001.00003"),
        ),
        {"feed ids"},
    ),
    "an entry is dated a day late": (
        lambda r: edit(r.site / "cs.LG" / "feed.json", "-08T00:00:00-05:00", "-09T00:00:00-05:00"),
        {"feed dates"},
    ),
    "a feed is missing": (
        lambda r: (r.site / "cs.LG" / "rss.xml").unlink(),
        {"feed files", "feed entries"},
    ),
    "a feed is empty": (
        lambda r: write_feeds(r.site / "math.ST", MONDAY, []),
        {"feed entries"},
    ),
    "a feed is cut": (
        lambda r: edit(r.site / "cs.LG" / "rss.xml", "</channel>", ""),
        {"feed files", "feed entries"},
    ),
    "a category of replacements alone has a feed": (
        lambda r: write_feeds(r.site / "stat.AP", MONDAY, ["2901.00005"]),
        {"feed files"},
    ),
    "a named feed repeats a paper": (
        lambda r: write_feeds(r.site / "f" / "lab", MONDAY, ["3001.00001", "3001.00001"]),
        {"named feeds"},
    ),
    # day pages
    "a listing is missing on the day page": (
        lambda r: cut(r.site / "stat.ML" / f"{MONDAY}.html", '<article id="2901', "</article>"),
        {"day pages"},
    ),
    "a listing stands twice on the day page": (
        lambda r: edit(
            r.site / "math.ST" / f"{MONDAY}.html",
            "</body>",
            '<p id="3001.00002"></p></body>',
        ),
        {"day pages"},
    ),
    "a day page is dated wrongly": (
        lambda r: (r.site / "math.ST" / f"{MONDAY}.html").rename(
            r.site / "math.ST" / f"{TUESDAY}.html"
        ),
        {"day pages"},
    ),
    "a row is missing in Markdown": (
        lambda r: in_all(
            r.site / "stat.ML",
            (f"{MONDAY}.md", "latest.md"),
            lambda path: cut(path, "| [^3]", "|\n"),
        ),
        {"day Markdown"},
    ),
    "a note is missing in Markdown": (
        lambda r: in_all(
            r.site / "cs.LG",
            (f"{TUESDAY}.md", "latest.md"),
            lambda path: cut(path, "[^2]: ", "An abstract."),
        ),
        {"day Markdown"},
    ),
    "two rows in Markdown have changed numbers": (
        lambda r: in_all(r.site / "stat.ML", (f"{MONDAY}.md", "latest.md"), swap_marks),
        {"day Markdown"},
    ),
    "a link in Markdown names a version": (
        lambda r: in_all(
            r.site / "stat.ML",
            (f"{MONDAY}.md", "latest.md"),
            lambda path: edit(
                path, "(https://arxiv.org/abs/3001.00001)", "(https://arxiv.org/abs/3001.00001v1)"
            ),
        ),
        {"day Markdown"},
    ),
    "latest.md is not the newest day": (
        lambda r: (r.site / "cs.LG" / "latest.md").write_text("# 摘要\n"),
        {"day Markdown"},
    ),
    "a record is missing in the day's JSON": (
        lambda r: (r.site / "math.ST" / f"{MONDAY}.json").write_text('{"papers": []}'),
        {"day JSON"},
    ),
    "a record has the wrong date": (
        lambda r: edit(r.site / "math.ST" / f"{MONDAY}.json", MONDAY, TUESDAY),
        {"day JSON"},
    ),
    "a record has another category's type": (
        lambda r: edit(r.site / "stat.ME" / f"{MONDAY}.json", '"cross"', '"new"'),
        {"day JSON"},
    ),
    # the bucket
    "a category that nobody announced has a page": (
        lambda r: (r.site / "stat.AP").rename(r.site / "cs.CV"),
        {"category folders", "day pages", "day Markdown", "day JSON"},
    ),
    "a category has no index": (
        lambda r: (r.site / "stat.AP" / "index.html").unlink(),
        {"category folders"},
    ),
    "a frozen issue is missing": (
        lambda r: (r.site / "issues" / f"daily-{TUESDAY}.json.gz").unlink(),
        {"frozen issues"},
    ),
    "a frozen issue lacks a paper": (
        lambda r: freeze(r, ["3001.00001", "3001.00002", "3001.00003", "2901.00004"]),
        {"frozen issues"},
    ),
    "a frozen issue holds an address": (
        lambda r: freeze(
            r, ["3001.00001", "3001.00002", "3001.00003", "2901.00004", "2901.00005", DEE]
        ),
        {"nothing personal in the bucket"},
    ),
    # letters
    "a letter is missing": (
        lambda r: r.letter(BO, MONDAY).unlink(),
        {"one letter each", "receipt"},
    ),
    "a second letter of one issue": (
        lambda r: put(r, "again.eml", ADA, MONDAY, ["3001.00001", "3001.00003"]),
        {"one letter each", "receipt"},
    ),
    "a letter without a matching paper": (
        lambda r: put(r, "gus.eml", "gus@example.org", MONDAY, ["2901.00005"]),
        {"one letter each", "receipt"},
    ),
    "a letter of a day that was not announced": (
        lambda r: put(r, "later.eml", ADA, "2030-01-09", ["3001.00006"]),
        {"one letter each", "frozen issues", "receipt"},
    ),
    "a letter holds a paper too many": (
        lambda r: rewrite(r, BO, MONDAY, ["3001.00002", "3001.00001"]),
        {"letter papers"},
    ),
    "a letter lacks a paper": (
        lambda r: rewrite(r, ADA, MONDAY, ["3001.00001"]),
        {"letter papers"},
    ),
    "a letter holds an excluded paper": (
        lambda r: rewrite(r, "fay@example.org", MONDAY, ["3001.00001", "3001.00003"]),
        {"letter papers"},
    ),
    "a letter holds a paper twice": (
        lambda r: rewrite(r, ADA, MONDAY, ["3001.00001", "3001.00003", "3001.00003"]),
        {"letter papers"},
    ),
    "a cross-listed paper is mailed again the next day": (
        lambda r: rewrite(r, ADA, TUESDAY, ["3001.00003", "3001.00006", "3001.00007"]),
        {"letter papers"},
    ),
    "a paper stands in HTML alone": (
        lambda r: edit(
            r.letter(BO, MONDAY), "<p><a", '<p><a href=3D"https://arxiv.org/abs/3001.00001"></a><a'
        ),
        {"letter papers"},
    ),
    "a letter to somebody who is no subscriber": (
        lambda r: put(r, "mallory.eml", "mallory@example.org", MONDAY, ["3001.00001"]),
        {"letters to readers alone", "receipt"},
    ),
    "a confirmation to somebody who is no subscriber": (
        lambda r: (r.mail / "x.eml").write_bytes(confirmation("mallory@example.org").as_bytes()),
        {"letters to readers alone"},
    ),
    "a letter to the unconfirmed": (
        lambda r: put(r, "eve.eml", EVE, MONDAY, ["3001.00001", "3001.00003"]),
        {"letters to readers alone", "receipt"},
    ),
    "a letter after the bounce": (
        lambda r: put(r, "more.eml", BOUNCING, TUESDAY, ["3001.00006", "3001.00007"]),
        {"letters after a bounce", "receipt"},
    ),
    "a bounce that nobody noticed": (
        lambda r: set_status(r, BOUNCING, "confirmed"),
        {"letters after a bounce", "one letter each"},
    ),
    "a letter to one who had left": (
        lambda r: in_turn(
            lambda: set_status(r, ADA, "unsubscribed"), lambda: r.letter(ADA, MONDAY).unlink()
        ),
        {"letters after a bounce", "receipt"},
    ),
    "the text part is missing": (
        lambda r: edit(r.letter(BO, MONDAY), "Content-Type: text/plain", "Content-Type: text/x"),
        {"letter form", "letter papers"},
    ),
    "the mail is no alternative": (
        lambda r: edit(r.letter(BO, MONDAY), "multipart/alternative", "multipart/mixed"),
        {"letter form"},
    ),
    "the HTML loads an image": (
        lambda r: edit(r.letter(BO, MONDAY), "<p><a", '<img src=3D"https://x.example/1"><p><a'),
        {"letter form"},
    ),
    "the one-click header is missing": (
        lambda r: without(r, "List-Unsubscribe-Post"),
        {"letter headers"},
    ),
    "the unsubscribe address is missing": (
        lambda r: without(r, "List-Unsubscribe"),
        {"letter headers"},
    ),
    "the unsubscribe address is an encoded word": (
        lambda r: edit(
            r.letter(ADA, MONDAY),
            "List-Unsubscribe: <http://127.0.0.1",
            "List-Unsubscribe: =?utf-8?q?=3C?= <=?utf-8?q?http=3A//127=2E0=2E0=2E1?=",
        ),
        {"letter headers"},
    ),
    "the unsubscribe address is somebody else's": (
        lambda r: run_as(r, BO, ADA),
        {"letter headers"},
    ),
    "the subject is missing": (lambda r: without(r, "Subject"), {"letter headers"}),
    "a letter has two recipients": (
        lambda r: edit(r.letter(BO, MONDAY), f"To: {BO}", f"To: {BO}, {ADA}"),
        {"letter headers", "letters to readers alone", "one letter each"},
    ),
    "a letter has a blind copy": (
        lambda r: edit(r.letter(BO, MONDAY), "MIME-Version", f"Bcc: {ADA}\nMIME-Version"),
        {"letter headers"},
    ),
    "the HTML is above 90,000 bytes": (
        lambda r: rewrite(r, BO, MONDAY, ["3001.00002"], padding=90_000),
        {"letter size"},
    ),
    "a confirmation carries the one-click header": (
        lambda r: edit(
            r.mail / "confirm-ada.eml",
            "MIME-Version",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\nMIME-Version",
        ),
        {"confirmations"},
    ),
    # the receipt
    "the receipt is missing": (lambda r: (r.out / "receipt.json").unlink(), {"receipt"}),
    "the receipt miscounts a category": (
        lambda r: edit(r.out / "receipt.json", '"stat.ML": 3', '"stat.ML": 4'),
        {"receipt"},
    ),
    "the receipt miscounts what was stored": (
        lambda r: edit(r.out / "receipt.json", '"stored": 3', '"stored": 2'),
        {"receipt"},
    ),
    "the receipt miscounts the letters": (
        lambda r: edit(r.out / "receipt.json", '"mailed": 5', '"mailed": 6'),
        {"receipt"},
    ),
    "the receipt does not add up": (
        lambda r: edit(r.out / "receipt.json", '"ok": true', '"ok": false'),
        {"receipt"},
    ),
    "a source feed is cut": (lambda r: edit(r.feeds[1], "</feed>", ""), {"source"}),
}


def run_as(run: TinyRun, address: str, other: str) -> None:
    """Give one reader's letter another reader's unsubscribe address."""
    own, foreign = letter(address, MONDAY, []), letter(other, MONDAY, [])
    edit(
        run.letter(address, MONDAY), str(own["List-Unsubscribe"]), str(foreign["List-Unsubscribe"])
    )


def test_a_right_run_passes_every_check(run: TinyRun) -> None:
    """No check is stricter than the specification; each tells a figure."""
    findings = check_run(run.out, run.feeds, least_letters=7)

    assert [f.line for f in findings if not f.ok] == []
    assert all(f.figure and f.line.endswith(" … ok") for f in findings)


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_fault_is_caught_by_the_check_that_names_it(name: str, run: TinyRun) -> None:
    """One fault in a right run fails exactly the checks that speak of it."""
    mutate, expected = MUTATIONS[name]

    mutate(run)

    assert failed(run) == expected


def test_every_check_is_failed_by_some_fault(run: TinyRun) -> None:
    """A check that no fault can fail would prove nothing."""
    names = {finding.name for finding in check_run(run.out, run.feeds)}

    caught = {name for _, expected in MUTATIONS.values() for name in expected}

    assert names - caught == {"letters in all"}


def test_too_few_letters_are_told_only_if_a_number_is_asked_for(run: TinyRun) -> None:
    """The least number of letters is a parameter."""
    assert failed(run, least_letters=8) == {"letters in all"}


def test_configured_categories_narrow_what_is_expected(run: TinyRun) -> None:
    """With categories named, all that lies outside of them is too much."""
    findings = check_run(run.out, run.feeds, ["stat.ML", "cs.LG"])

    told = {f.name: f.problems for f in findings}
    assert "math.ST/rss.xml is of a category that nobody announced" in told["category folders"]
    assert told["feed entries"] == ()


def test_a_quiet_day_may_have_a_page_that_lists_nothing(run: TinyRun) -> None:
    """Quiet days are real pages; only their papers would be wrong."""
    (run.site / "cs.LG" / "2030-01-12.html").write_text("<html><body>今日无公告</body></html>")

    assert failed(run) == set()


def test_a_subscriber_who_left_keeps_the_letters_before(run: TinyRun) -> None:
    """Letters before the end are no fault, nor are those that did not come any more."""
    set_status(run, ADA, "unsubscribed")

    assert failed(run) == set()


def test_a_withdrawal_may_be_told_to_those_who_do_not_ask_for_replacements(run: TinyRun) -> None:
    """The one line about a withdrawn paper is neither required nor forbidden."""
    edit(run.feeds[0], "Abstract: We show it.", "Abstract: This paper has been withdrawn.", 9)

    rewrite(run, ADA, MONDAY, ["3001.00001", "3001.00003", "2901.00004"])

    assert failed(run) == set()


def test_the_fingerprint_changes_with_one_byte_of_the_site(run: TinyRun) -> None:
    """Two fingerprints are equal exactly when no file of the site changed."""
    before = site_fingerprint(run.out)

    (run.site / "cs.LG" / "index.html").write_text("<html><body>days!</body></html>")

    after = site_fingerprint(run.out)
    assert {path for path in before if before[path] != after[path]} == {"cs.LG/index.html"}


def test_the_command_prints_one_line_a_check_and_tells_by_its_status(run: TinyRun) -> None:
    """As a script it needs nothing on its path."""
    command = [sys.executable, str(ORACLE / "run_check.py"), "--out", str(run.out)]
    for feed in run.feeds:
        command += ["--feed", str(feed)]
    right = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    run.letter(BO, MONDAY).unlink()
    wrong = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)

    assert (right.returncode, wrong.returncode) == (0, 1)
    assert len(right.stdout.splitlines()) == len(check_run(run.out, run.feeds))
    assert "one letter each: 7 letters, 1 bounced, 6 confirmed, 1 unconfirmed … ok" in right.stdout
    assert "… FAILED: bo@example.org has no letter of daily-2030-01-07" in wrong.stdout


def test_a_wrong_run_is_told_by_the_status_of_main(
    run: TinyRun, capsys: pytest.CaptureFixture[str]
) -> None:
    """The least number of letters can be given on the command line."""
    feeds = [word for feed in run.feeds for word in ("--feed", str(feed))]

    status = main(["--out", str(run.out), *feeds, "--least-letters", "99"])

    assert status == 1
    assert "letters in all: 7 … FAILED: fewer than 99\n" in capsys.readouterr().out


@pytest.mark.parametrize("path", sorted(ORACLE.glob("*.py")), ids=lambda p: str(p.name))
def test_the_checker_imports_nothing_of_what_it_judges(path: Path) -> None:
    """A second opinion that shares code with the first would be none."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    names += [str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]

    assert [name for name in names if name.startswith("paperpost")] == []
