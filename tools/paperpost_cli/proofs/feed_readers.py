"""Other people's readers, asked for ids and titles; and the schemas of Atom and JSON Feed."""

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import feedparser
import jsonschema
from lxml import etree

from paperpost_cli.proofs.proof import ProofError

Seen = list[tuple[str, str]]
_HERE = Path(__file__).parent / "readers"
_TIMEOUT_S = 300


def check_schemas(files: Mapping[str, bytes]) -> None:
    """
    Validate the Atom and JSON files of *files*.

    Raises: ProofError: Naming the first that is not valid.
    """
    atom = etree.RelaxNG(etree.parse(_HERE / "atom.rng"))
    schema = json.loads((_HERE / "jsonfeed.schema.json").read_text(encoding="utf-8"))
    judge = jsonschema.Draft202012Validator(schema)
    for path, body in files.items():
        if path.endswith(".json"):
            problem = next(judge.iter_errors(json.loads(body)), None)
            if problem is not None:
                raise ProofError(f"{path}: {problem.json_path}: {problem.message[:200]}")
        elif "/atom" in path and not atom.validate(etree.fromstring(body)):
            raise ProofError(f"{path}: {atom.error_log.last_error}")


def by_feedparser(files: Mapping[str, bytes], _folder: Path) -> dict[str, Seen]:
    """What feedparser reads of the XML files."""
    seen = {}
    for path, body in files.items():
        if path.endswith(".xml"):
            feed = feedparser.parse(body, sanitize_html=False)
            if feed.bozo:
                raise ProofError(f"feedparser finds fault with {path}: {feed.bozo_exception}")
            seen[path] = [(e.id, e.title) for e in feed.entries]
    return seen


def by_feedsmith(files: Mapping[str, bytes], folder: Path) -> dict[str, Seen]:
    """What feedsmith (JavaScript, from npm by the lock in readers/) reads of every file."""
    if not (folder / "node_modules").is_dir():
        shutil.copytree(_HERE, folder, dirs_exist_ok=True)
        _run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], folder)
    paths = _written(files, folder)
    told = json.loads(_run(["node", "read.mjs", *map(str, paths.values())], folder))
    return {path: [(i, t) for i, t in entries] for path, entries in zip(paths, told, strict=True)}


def by_newsboat(files: Mapping[str, bytes], folder: Path) -> dict[str, Seen]:
    """
    What newsboat has in its cache after it loaded the XML files.

    Each has a cache of its own: in one, newsboat keeps an id once, whatever feed it came from.
    """
    (folder / "config").write_text("max-items 0\n")
    seen = {}
    for path, file in _written(files, folder).items():
        if path.endswith(".xml"):
            for left in folder.glob("cache.db*"):
                left.unlink()
            (folder / "urls").write_text(f"file://{file}\n")
            places = ["-u", "urls", "-c", "cache.db", "-C", "config"]
            _run(["newsboat", *places, "-x", "reload"], folder)
            with sqlite3.connect(folder / "cache.db") as cache:
                seen[path] = cache.execute("SELECT guid, title FROM rss_item").fetchall()
    return seen


def _written(files: Mapping[str, bytes], folder: Path) -> dict[str, Path]:
    paths = {}
    for path, body in files.items():
        paths[path] = folder / path.replace("/", "_")
        paths[path].write_bytes(body)
    return paths


def _run(command: Sequence[str], folder: Path) -> str:
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if ended.returncode:
        said = (ended.stderr or ended.stdout).strip().splitlines() or ["said nothing"]
        raise ProofError(f"{command[0]}: {said[-1]}")
    return ended.stdout


# A reader, and the programs that it needs.
READERS: Mapping[str, tuple[Callable[[Mapping[str, bytes], Path], dict[str, Seen]], Sequence[str]]]
READERS = {
    "feedparser": (by_feedparser, ()),
    "feedsmith": (by_feedsmith, ("node", "npm")),
    "newsboat": (by_newsboat, ("newsboat",)),
}
