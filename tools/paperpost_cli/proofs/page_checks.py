"""What is asked of a page on a screen: the list of a reader, axe-core, the Nu Html Checker."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from paperpost_cli.proofs.browser import Browser
from paperpost_cli.proofs.proof import ProofError

SCREENS = ((360, 640), (1280, 800))
_NPM = Path(__file__).parent / "npm"
_TIMEOUT_S = 300
_PACKAGES = {"chromium": "chromium", "java": "default-jre-headless", "npm": "npm"}
# Rules for whole pages: a mail stands within the mail program's page, which has landmarks.
_NOT_FOR_MAILS = ("landmark-one-main", "region")
# What a reader asks of any screen, page or mail, as faults in words.
_FAULTS = """(() => {
  const faults = [], all = s => [...document.querySelectorAll(s)];
  const px = (e, name) => parseFloat(getComputedStyle(e)[name]);
  const box = e => e.getBoundingClientRect(), width = document.documentElement.clientWidth;
  const mail = location.pathname.startsWith("/mail/");
  const wide = () => document.documentElement.scrollWidth > width;
  const below = (what, e, most) => {
    if (width < 600 && e && box(e).bottom > most)
      faults.push(`${what} ends at ${Math.round(box(e).bottom)}`);
  };
  if (wide()) faults.push("scrolls sideways");
  below("first TL;DR", all(mail ? "h3 ~ div" : ".tldr")[0], 640);
  below("the form's button", all("#subscribe button")[0], 640);
  all("details").forEach(e => { e.open = true; });
  const read = mail ? "h1, h2, h3, div[style*=margin], p[lang], p[style*=margin] > a"
    : ".tldr, .abstracts p, main > p:not(.quiet, .receipt, .links, .left-out), td, h1, h2, h3 > a";
  const small = all(read).filter(e => px(e, "fontSize") < 16 && box(e).height);
  if (small.length) faults.push(`${small.length} below 16 px, such as ${small[0].textContent}`);
  const tapped = mail ? "div[style*='line-height:44px'] a, a[style*=block]"
    : ".links a, summary, .switch label, .elsewhere a, .days a, .choices label, button, footer a, "
    + "header a, .list a, input:not([tabindex='-1']), .receipts th a, .note a";
  const low = all(tapped).filter(e => box(e).height && box(e).height < 43.9);
  if (low.length)
    faults.push(`${low.length} below 44 px, such as ${low[0].textContent} ${box(low[0]).height}`);
  const long = all(".tldr[lang=zh-Hans], .abstracts .zh")
    .filter(e => box(e).width > 38.1 * px(e, "fontSize"));
  if (long.length) faults.push(`${long.length} passages wider than 38 Han characters`);
  if (mail && all("body > table div").some(e => box(e).width > 600.1))
    faults.push("wider than 600 px");
  if (all("img, iframe, object, embed").length) faults.push("an image or a frame");
  const empty = all("a").filter(e => !e.textContent.trim());
  if (empty.length) faults.push("a link without words");
  const ids = all("[id]").map(e => e.id);
  if (new Set(ids).size < ids.length) faults.push("an id twice");
  if (!document.documentElement.lang) faults.push("a page without lang");
  if (all(".paper").some(e => !e.querySelector("[lang=en]"))) faults.push("a passage without lang");
  if (wide()) faults.push("open: scrolls sideways");
  return faults;
})()"""


def layout_faults(browser: Browser, address: str, paths: Sequence[str]) -> Iterator[str]:
    """What is wrong on the pages *paths* below *address*, on both screens, without scripts."""
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    for width, height in SCREENS:
        browser.size(width, height)
        for path in paths:
            browser.open(f"{address}/{path}")
            found = list(browser.evaluate(_FAULTS))
            # A browser draws its own controls from data: addresses, which ask nobody.
            at_home = (address, "data:")
            found += [f"asks {url}" for url in browser.requested() if not url.startswith(at_home)]
            yield from (f"{path} at {width}: {fault}" for fault in found)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)


def violations(browser: Browser, address: str, path: str, *, dark: bool) -> Iterator[str]:
    """What axe-core finds on the page *path* below *address* as the browser is set up."""
    browser.scheme("dark" if dark else "light")
    browser.open(f"{address}/{path}")
    browser.evaluate(f"{_axe()};0")
    off = _NOT_FOR_MAILS if path.startswith("mail/") else ()
    rules = json.dumps({rule: {"enabled": False} for rule in off})
    told: dict[str, Any] = browser.evaluate(
        f"axe.run({{resultTypes: ['violations'], rules: {rules}}})"
    )
    for found in told["violations"]:
        where = found["nodes"][0]["html"][:80]
        yield f"{path}: {found['id']} ({len(found['nodes'])}) {where}"


def errors_in(files: Mapping[str, bytes], folder: Path) -> list[str]:
    """The errors that the Nu Html Checker finds in the HTML of *files*; *folder* is for it."""
    names = {path.replace("/", " "): body for path, body in files.items()}
    for name, body in names.items():
        (folder / name).write_bytes(body)
    ended = subprocess.run(
        ["java", "-Xss8m", "-jar", str(_nu()), "--format", "json", "--errors-only", *names],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
        cwd=folder,
    )
    if not ended.stderr.strip().startswith("{"):
        raise ProofError(f"the Nu Html Checker failed: {ended.stderr[:200]}")
    messages = json.loads(ended.stderr)["messages"]
    return [
        f"{Path(m.get('url', '')).name}: {m.get('message')} {m.get('extract', '')[:60]!r}"
        for m in messages
    ]


def need(*programs: str) -> None:
    """Raises: ProofError: Naming which of *programs* this machine lacks, and where they are."""
    missing = [f"{p} is not here (Debian: {_PACKAGES[p]})" for p in programs if not _found(p)]
    if missing:
        raise ProofError(", ".join(missing))


def not_here(*programs: str) -> str:
    """
    Which of *programs* this machine lacks, in words, or ''.

    Raises: ProofError: If one is missing where nothing may be left out (STRICT=1).
    """
    try:
        need(*programs)
    except ProofError as exc:
        if os.environ.get("PAPERPOST_STRICT") == "1":
            raise
        return f"not tried: {exc}"
    return ""


def _found(program: str) -> bool:
    return bool(shutil.which(program) or shutil.which(f"{program}-browser"))


@cache
def _axe() -> str:
    return (_installed() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def _nu() -> Path:
    return _installed() / "vnu-jar" / "build" / "dist" / "vnu.jar"


@cache
def _installed() -> Path:
    """The packages of package-lock.json, installed if they are not yet."""
    modules = _NPM / "node_modules"
    if not modules.exists():
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
            cwd=_NPM,
            timeout=_TIMEOUT_S,
            check=True,
        )
    return modules
