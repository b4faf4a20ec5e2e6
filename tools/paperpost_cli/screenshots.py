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
from paperpost_cli.proofs.page_kinds import LANGUAGES, LENGTHS
from paperpost_cli.proofs.reading_days import letter_of
from paperpost_cli.proofs.run import local
from paperpost_cli.proofs.served import served

_FEED = ROOT / "events" / "sample" / "feeds" / "cs.CV.rss.xml"
_OUT = ROOT / "docs" / "screenshots"
# CSS pixels, and how many of the picture's each is.
_SCREENS = {"phone": (360, 780, 2), "desk": (1280, 800, 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture: a page on a screen."""

    name: str
    path: str
    screen: str
    dark: bool = False


def _shots(name: str, path: str, *screens: str) -> Iterator[Shot]:
    """A page on each of *screens*, light and dark."""
    for screen in screens:
        yield Shot(name=f"{name}-{screen}", path=path, screen=screen)
        yield Shot(name=f"{name}-{screen}-dark", path=path, screen=screen, dark=True)


# Pages on both screens; brief letters where they are read, on a phone, and full ones on a desk.
SHOTS = (
    *_shots("index", "index.html", *_SCREENS),
    *_shots("day", "day", *_SCREENS),
    *_shots("status", "status.html", *_SCREENS),
    *(
        shot
        for language in LANGUAGES
        for length, screen in zip(LENGTHS, _SCREENS, strict=True)
        for shot in _shots(f"mail-{language}-{length}", f"mail/{language}-{length}.html", screen)
    ),
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
    for old in _OUT.glob("*.webp"):
        old.unlink()
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
    for language in LANGUAGES:
        for length in LENGTHS:
            body = letter_of(records, language=language, length=length)
            yield f"mail/{language}-{length}.html", body


def _taken(browser: Browser, address: str, shot: Shot, files: dict[str, bytes]) -> bytes:
    day = max(path for path in files if path.startswith("cs.CV/20"))
    width, height, scale = _SCREENS[shot.screen]
    browser.size(width, height, scale=scale)
    browser.scheme("dark" if shot.dark else "light")
    browser.open(f"{address}/{day if shot.path == 'day' else shot.path}")
    return browser.photograph("webp")


if __name__ == "__main__":
    sys.exit(main())
