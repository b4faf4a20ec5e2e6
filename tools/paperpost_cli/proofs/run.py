"""The main job: announcements to feeds and mailboxes, and what must stop it."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

from paperpost_cli.cloud.emulator import free_port
from paperpost_cli.laptop import ROOT
from paperpost_cli.proofs.proof import Proof, ProofError
from paperpost_cli.proofs.removals import REMOVALS, SAYS, without_trigger

_DATA = ROOT.parent / "shared" / "data" / "arxiv-rss"
_REAL_FEEDS = (
    _DATA / "stat_2024-03-26.rss.xml",
    _DATA / "cs.AI_2025-08-20.excerpt.atom.xml",
)
_SAMPLE_FEEDS = tuple(sorted((ROOT / "events" / "sample" / "feeds").glob("*.xml")))
_CHECKER = ROOT / "tests" / "oracle" / "run_check.py"
_WITHIN_S = 90
_REAL_READERS, _REAL_LETTERS = 25, 20
_SAMPLE_READERS, _SAMPLE_LETTERS = 12, 10
_OK, _TIMEOUT_S = 200, 300


def proofs(folder: Path, quick: bool) -> Iterator[Proof]:  # noqa: FBT001  one switch for all topics
    """The topic's proofs; the short form takes the sample day and leaves the removals out."""
    feeds = _SAMPLE_FEEDS if quick else _REAL_FEEDS
    readers = _SAMPLE_READERS if quick else _REAL_READERS
    letters = _SAMPLE_LETTERS if quick else _REAL_LETTERS
    out = folder / "out"
    yield Proof(
        name="announcements to feeds and mailboxes",
        carry_out=partial(_replay, out, feeds, readers),
    )
    yield Proof(name="the checker's own count", carry_out=partial(_checked, out, feeds, letters))
    yield Proof(name="the same again", carry_out=partial(_again, out, feeds, readers))
    yield Proof(name="bad feeds", carry_out=partial(_bad_feeds, folder))
    yield Proof(name="front page and mailbox", carry_out=partial(_front_door, folder / "laptop"))
    for name in () if quick else REMOVALS:
        yield Proof(name=f"without the {name}", carry_out=partial(_removal, folder, name))


def _replay(out: Path, feeds: Sequence[Path], readers: int) -> str:
    """A run whose counts add up, in time."""
    if missing := [path for path in feeds if not path.exists()]:
        raise ProofError(f"the recorded feed {missing[0].name} is not here")
    began = time.monotonic()
    ended = local("--once", "--out", out, *_feed_options(feeds), "--subscribers", readers)
    seconds = time.monotonic() - began
    if ended.returncode:
        raise ProofError(_last_line(ended.stderr))
    receipt = json.loads((out / "receipt.json").read_text())
    listed = sum(a["listed"] for a in receipt["announcements"])
    letters = sum(i["letters"] for i in receipt["issues"])
    figure = f"{listed} listings, {letters} letters in {seconds:.0f} s"
    if seconds > _WITHIN_S:
        raise ProofError(f"took longer than {_WITHIN_S} s", figure=figure)
    return figure


def _checked(out: Path, feeds: Sequence[Path], letters: int) -> str:
    """The independent checker finds nothing."""
    command = [sys.executable, _CHECKER, "--out", out, *_feed_options(feeds)]
    ended = _run([*command, "--least-letters", letters])
    lines = ended.stdout.splitlines()
    if ended.returncode:
        failed = [line for line in lines if "FAILED" in line]
        raise ProofError(failed[0] if failed else _last_line(ended.stderr))
    return f"{len(lines)} checks"


def _again(out: Path, feeds: Sequence[Path], readers: int) -> str:
    """A second run into the same folder changes no byte of the site and mails nobody."""
    before = fingerprint(out)
    ended = local("--once", "--out", out, *_feed_options(feeds), "--subscribers", readers)
    if ended.returncode:
        raise ProofError(_last_line(ended.stderr))
    after = fingerprint(out)
    changed = sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p))
    if changed:
        raise ProofError(f"{len(changed)} files changed, such as {changed[0]}")
    return f"{len(before)} files of site and mail, 0 changed"


def _bad_feeds(folder: Path) -> str:
    """One line that says what and which file, a status, and nothing stored."""
    cases = {
        "truncated": (_SAMPLE_FEEDS[0].read_bytes()[:-400], "cut off"),
        "html": (b"<!doctype html><html><body><p>Rate exceeded.</p></body></html>", "HTML"),
        "empty": (b"", "empty"),
        "missing": (None, "No such file"),
    }
    for name, (body, said) in cases.items():
        path, out = folder / f"{name}.xml", folder / f"out-{name}"
        if body is not None:
            path.write_bytes(body)
        ended = local("--once", "--out", out, "--feed", path)
        lines = ended.stderr.strip().splitlines()
        if ended.returncode == 0 or len(lines) != 1 or str(path) not in lines[0]:
            raise ProofError(f"{name}: status {ended.returncode}, said {lines}")
        if said not in lines[0]:
            raise ProofError(f"{name}: does not say {said!r}: {lines[0]}")
        if out.exists():
            raise ProofError(f"{name}: left {sorted(out.iterdir())}")
    return f"{len(cases)} refused in one line each, nothing stored"


def _front_door(folder: Path) -> str:
    """The sample day on a laptop: front page, feeds and a filled mailbox, and a clean stop."""
    folder.mkdir()
    port = free_port()
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "paperpost_cli", "local", "--port", str(port)],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while _status(port, "/")[0] != _OK:
            if process.poll() is not None or time.monotonic() - began > _TIMEOUT_S:
                raise ProofError("the front door does not open")
            time.sleep(0.2)
        seconds = time.monotonic() - began
        feed, mailbox = _status(port, "/cs.CV/rss.xml"), _status(port, "/mailbox")
    finally:
        process.terminate()
        said = process.communicate(timeout=60)[1]
    mails = re.search(r"<h1>(\d+) mails</h1>", mailbox[1])
    figure = f"open after {seconds:.0f} s, {mails[1] if mails else 0} mails"
    if feed[0] != _OK or "<item>" not in feed[1]:
        raise ProofError("the feed has no entry", figure=figure)
    if mails is None or mails[1] == "0":
        raise ProofError("the mailbox is empty", figure=figure)
    if f"http://127.0.0.1:{port}/mailbox" not in said:
        raise ProofError("it does not say where to look", figure=figure)
    if process.returncode:
        raise ProofError(f"stopped with status {process.returncode}", figure=figure)
    if seconds > _WITHIN_S:
        raise ProofError(f"took longer than {_WITHIN_S} s", figure=figure)
    return figure


def _removal(folder: Path, name: str) -> str:
    """Without this trigger the run must fail and say why."""
    template = without_trigger(name, folder)
    out = folder / template.stem
    ended = local("--once", "--out", out, "--subscribers", 6, "--template", template)
    said = re.sub(r" \(all in \S+\)", "", _last_line(ended.stderr))
    if ended.returncode == 0:
        raise ProofError("the run says that all is well")
    if SAYS[name] not in said:
        raise ProofError(f"fails for another reason: {said}")
    return f"the run fails, {said.removeprefix('paperpost: ')}"


def local(*options: object) -> subprocess.CompletedProcess[str]:
    """Run `paperpost local` with *options*."""
    return _run([sys.executable, "-m", "paperpost_cli", "local", *options])


def fingerprint(out: Path) -> dict[str, str]:
    """The hash of every file of site and mail by its path."""
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for part in ("site", "mail")
        for path in sorted((out / part).rglob("*"))
        if path.is_file()
    }


def _run(command: Sequence[object]) -> subprocess.CompletedProcess[str]:
    # A narrow terminal must not break the one line that an error is.
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
        env={**os.environ, "COLUMNS": "500"},
    )


def _feed_options(feeds: Sequence[Path]) -> list[object]:
    return [option for path in feeds for option in ("--feed", path)]


def _status(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "said nothing"
