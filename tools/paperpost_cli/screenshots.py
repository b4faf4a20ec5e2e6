"""`make screenshots`: the pictures in docs/screenshots, made from the invented sample day."""

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from paperpost.domain.records import from_json
from paperpost_cli.frontdoor import SITE_HEADERS
from paperpost_cli.laptop import ROOT
from paperpost_cli.proofs.browser import Browser
from paperpost_cli.proofs.reading_days import letter_of
from paperpost_cli.proofs.run import local
from paperpost_cli.proofs.served import served

_FEED = ROOT / "events" / "sample" / "feeds" / "cs.CV.rss.xml"
_OUT = ROOT / "docs" / "screenshots"
_PHONE, _DESK = (360, 780), (1280, 800)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture: a page on a screen."""

    name: str
    path: str
    screen: tuple[int, int]
    dark: bool = False


SHOTS = (
    Shot(name="index-phone", path="index.html", screen=_PHONE),
    Shot(name="index-desk-dark", path="index.html", screen=_DESK, dark=True),
    Shot(name="day-phone", path="day", screen=_PHONE),
    Shot(name="day-phone-dark", path="day", screen=_PHONE, dark=True),
    Shot(name="day-desk", path="day", screen=_DESK),
    Shot(name="status-phone", path="status.html", screen=_PHONE),
    Shot(name="mail-both-brief-phone", path="mail-both-brief.html", screen=_PHONE),
    Shot(name="mail-both-full-desk", path="mail-both-full.html", screen=_DESK),
    Shot(name="mail-zh-phone", path="mail-zh-brief.html", screen=_PHONE),
    Shot(name="mail-en-phone-dark", path="mail-en-brief.html", screen=_PHONE, dark=True),
)


def main() -> int:
    """Play the sample day and write a picture for each of SHOTS."""
    _OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="paperpost-screenshots-") as folder:
        ended = local("--once", "--out", folder, "--feed", _FEED, "--subscribers", 2)
        if ended.returncode:
            print(ended.stderr, file=sys.stderr)
            return 1
        files = dict(_files(Path(folder) / "site"))
    with served(files, SITE_HEADERS) as address, Browser() as browser:
        for shot in SHOTS:
            (_OUT / f"{shot.name}.webp").write_bytes(_taken(browser, address, shot, files))
    print(f"{len(SHOTS)} pictures in {_OUT.relative_to(ROOT)}")
    return 0


def _files(site: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(site.rglob("*")):
        if path.suffix in {".html", ".css", ".js"}:
            yield str(path.relative_to(site)), path.read_bytes()
    (told,) = site.glob("cs.CV/20*.json")
    records = [from_json(one) for one in json.loads(told.read_text("utf-8"))["records"]]
    for language in ("both", "zh", "en"):
        for length in ("brief", "full"):
            body = letter_of(records, language=language, length=length)
            yield f"mail-{language}-{length}.html", body


def _taken(browser: Browser, address: str, shot: Shot, files: dict[str, bytes]) -> bytes:
    day = max(path for path in files if path.startswith("cs.CV/20"))
    browser.size(*shot.screen, scale=2)
    browser.scheme("dark" if shot.dark else "light")
    browser.open(f"{address}/{day if shot.path == 'day' else shot.path}")
    return browser.photograph("webp")


if __name__ == "__main__":
    sys.exit(main())
