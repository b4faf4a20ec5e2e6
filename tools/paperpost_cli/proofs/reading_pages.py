"""How pages read: size, speed, layout, accessibility, validity, without script, by keyboard."""

import gzip
import json
import subprocess
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from paperpost.publish.pages import assets, not_found_page
from paperpost_cli.frontdoor import SITE_HEADERS
from paperpost_cli.proofs.browser import Browser, slow_phone
from paperpost_cli.proofs.proof import Proof, ProofError
from paperpost_cli.proofs.reading_days import FACTS, page_of, recorded_days
from paperpost_cli.proofs.reading_payloads import inert
from paperpost_cli.proofs.served import served

_NPM = Path(__file__).parent / "npm"
_MOST_BYTES, _MOST_LCP_MS, _MOST_SHIFT = 250_000, 2_500, 0.05
_HEAVIEST = 2
_JUDGED_DAYS = 5
_PAYLOADS = 5_040
_TIMEOUT_S = 300
_PAINTS = """new Promise(done => {
  let lcp = 0, shift = 0;
  new PerformanceObserver(seen => { for (const e of seen.getEntries()) lcp = e.startTime; })
    .observe({type: "largest-contentful-paint", buffered: true});
  new PerformanceObserver(seen => { for (const e of seen.getEntries()) shift += e.value; })
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => done({lcp, shift}), 1000);
})"""
# What reading.md asks of a screen, as faults in words.
_FAULTS = """(() => {
  const faults = [], all = s => [...document.querySelectorAll(s)];
  const px = (e, name) => parseFloat(getComputedStyle(e)[name]);
  const box = e => e.getBoundingClientRect();
  if (document.documentElement.scrollWidth > innerWidth) faults.push("scrolls sideways");
  const first = box(all(".tldr")[0]);
  if (innerWidth < 600 && first.bottom > 640) faults.push("first TL;DR ends at " + first.bottom);
  if (all(".tldr").some(e => px(e, "fontSize") < 16)) faults.push("a TL;DR below 16 px");
  all("details").forEach(e => { e.open = true; });
  if (all(".abstracts p").some(e => px(e, "fontSize") < 16)) faults.push("an abstract below 16 px");
  const small = all(".links a, summary, .switch label, .elsewhere a, .days a")
    .filter(e => box(e).height && box(e).height < 43.9);
  if (small.length) faults.push(small.length + " links below 44 px, such as "
    + small[0].textContent + " " + box(small[0]).height);
  const wide = all(".tldr[lang=zh-Hans], .abstracts .zh")
    .filter(e => box(e).width > 38.1 * px(e, "fontSize"));
  if (wide.length) faults.push(wide.length + " passages wider than 38 Han characters");
  if (all("img, iframe, object, embed").length) faults.push("an image or a frame");
  const ids = all("[id]").map(e => e.id);
  if (new Set(ids).size < ids.length) faults.push("an id twice");
  if (all(".paper").some(e => !e.querySelector("[lang=en]"))) faults.push("a passage without lang");
  if (document.documentElement.scrollWidth > innerWidth) faults.push("open: scrolls sideways");
  return faults;
})()"""
_WITHOUT_SCRIPT = """(() => {
  const shown = s => [...document.querySelectorAll(s)].some(e => e.checkVisibility());
  const faults = [];
  if (shown(".filter")) faults.push("the filter shows");
  if (!shown(".paper .zh") || !shown(".paper .en")) faults.push("not both languages");
  document.getElementById("lang-zh").checked = true;
  if (shown(".paper:not(.pending) h3 .en")) faults.push("English titles with 中");
  document.getElementById("lang-en").checked = true;
  if (shown(".paper h3 .zh")) faults.push("Chinese titles with EN");
  if (!shown("#new .only-en")) faults.push("no English words with EN");
  return faults;
})()"""
_KEYBOARD = """(async () => {
  const faults = [], filter = document.getElementById("filter");
  document.dispatchEvent(new KeyboardEvent("keydown", {key: "/", bubbles: true}));
  if (document.activeElement !== filter) faults.push("/ does not focus the filter");
  filter.value = "segmentation";
  filter.dispatchEvent(new Event("input"));
  const shown = document.querySelectorAll(".paper:not([hidden])").length;
  const all = document.querySelectorAll(".paper").length;
  if (!shown || shown === all) faults.push("the filter leaves " + shown);
  if (document.getElementById("count").textContent !== shown + " / " + all)
    faults.push("the count says " + document.getElementById("count").textContent);
  if (!location.search.includes("q=segmentation")) faults.push("the address does not know it");
  return faults;
})()"""


def proofs(folder: Path, quick: bool) -> Iterator[Proof]:  # noqa: FBT001  as all topics
    """The proofs of pages; they need recorded days and a browser, so there is no short form."""
    if quick:
        return
    yield Proof(name="pages of the heaviest days", carry_out=_sizes)
    yield Proof(name="pages on a slow phone", carry_out=_speed)
    yield Proof(name="pages at 360 and 1,280 px", carry_out=_layout)
    yield Proof(name="pages without script, by keyboard", carry_out=_ways)
    yield Proof(name="pages under axe-core", carry_out=_accessible)
    yield Proof(name="pages under the Nu Html Checker", carry_out=partial(_valid, folder))
    yield Proof(name="script payloads in pages and letters", carry_out=partial(inert, _PAYLOADS))


def _files(days: int) -> dict[str, bytes]:
    pages = {f"cs.CV/{d.announced_on}.html": page_of(d) for d in recorded_days()[:days]}
    return {**pages, **assets()}


def _sizes() -> str:
    """No page of a recorded day is above 250 kB with gzip."""
    told, sizes = [], []
    for day in recorded_days():
        body = page_of(day)
        sizes.append(len(gzip.compress(body, mtime=0)))
        links = body.count(b'class="elsewhere"'), body.count(b"English abstract at arXiv")
        told.append(f"{len(day.records)} papers {sizes[-1] / 1000:.0f} kB")
        told[-1] += f" ({links[0]} without abstract, {links[1]} without the English one)"
    figure = "; ".join(told[:_HEAVIEST])
    if max(sizes) > _MOST_BYTES:
        raise ProofError(f"{max(sizes)} bytes", figure=figure)
    return figure


def _speed() -> str:
    """The heaviest page shows its largest text within 2.5 s and hardly moves."""
    files = _files(1)
    with served(files, SITE_HEADERS) as address, Browser() as browser:
        browser.size(360, 640)
        browser.open("about:blank")
        with slow_phone(browser):
            browser.open(f"{address}/{next(iter(files))}")
            seen = browser.evaluate(_PAINTS)
    figure = f"LCP {seen['lcp'] / 1000:.2f} s, CLS {seen['shift']:.3f} (CPU / 4, slow 4G)"
    if not 0 < seen["lcp"] <= _MOST_LCP_MS or seen["shift"] > _MOST_SHIFT:
        raise ProofError("too slow, or it moves", figure=figure)
    return figure


def _layout() -> str:
    """Five real days at both widths have no fault of the list, and ask nobody else."""
    files, faults, screens = _files(_JUDGED_DAYS), list[str](), 0
    with served(files, SITE_HEADERS) as address, Browser() as browser:
        for width, height in ((360, 640), (1280, 800)):
            browser.size(width, height)
            for path in [p for p in files if p.endswith(".html")]:
                browser.open(f"{address}/{path}")
                found = browser.evaluate(_FAULTS)
                found += [u for u in browser.requested() if not u.startswith(address)]
                faults += [f"{path} at {width}: {fault}" for fault in found]
                screens += 1
    if faults:
        raise ProofError("; ".join(faults[:5]), figure=f"{screens} screens")
    return f"{screens} screens, 0 faults, 0 requests elsewhere"


def _ways() -> str:
    """Language by CSS alone; the filter by keyboard; an anchor opens its paper."""
    files = _files(1)
    path = next(iter(files))
    with served(files, SITE_HEADERS) as address, Browser() as browser:
        browser.call("Emulation.setScriptExecutionDisabled", value=True)
        browser.open(f"{address}/{path}")
        faults = browser.evaluate(_WITHOUT_SCRIPT)
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
        browser.open(f"{address}/{path}")
        faults += browser.evaluate(_KEYBOARD)
        browser.open(f"{address}/{path}?lang=en&q=diffusion")
        if not browser.evaluate("document.getElementById('lang-en').checked"):
            faults.append("the language in the address is not taken")
        arxiv_id = browser.evaluate("document.querySelector('.paper:has(details)').id")
        browser.open("about:blank")
        browser.open(f"{address}/{path}#{arxiv_id}")
        if not browser.evaluate(
            f"document.getElementById('{arxiv_id}').querySelector('details').open"
        ):
            faults.append("an anchor does not open its paper")
    if faults:
        raise ProofError("; ".join(faults))
    return "language without script, filter by /, address, anchor: all work"


def _accessible() -> str:
    """axe-core finds nothing on a real day, light or dark, phone or desk."""
    source = (_installed() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    files = {**_files(_HEAVIEST), "404.html": not_found_page(FACTS)}
    path = list(files)[1]
    found, runs = list[str](), 0
    with served(files, SITE_HEADERS) as address, Browser() as browser:
        for width in (360, 1280):
            for scheme in ("light", "dark"):
                browser.size(width, 800)
                browser.scheme(scheme)
                browser.open(f"{address}/{path}")
                browser.evaluate(f"{source};0")
                told: dict[str, Any] = browser.evaluate("axe.run({resultTypes: ['violations']})")
                found += [
                    f"{v['id']} ({len(v['nodes'])}) {v['nodes'][0]['html'][:80]}"
                    for v in told["violations"]
                ]
                runs += 1
    if found:
        raise ProofError("; ".join(found), figure=f"{runs} screens")
    return f"{runs} screens, 0 violations"


def _valid(folder: Path) -> str:
    """The Nu Html Checker finds no error in five real days."""
    paths = []
    for path, body in _files(_JUDGED_DAYS).items():
        if path.endswith(".html"):
            paths.append(folder / Path(path).name)
            paths[-1].write_bytes(body)
    errors = checked(paths)
    if errors:
        raise ProofError("; ".join(errors[:5]), figure=f"{len(errors)} errors")
    return f"{len(paths)} pages, 0 errors"


def checked(paths: Sequence[Path]) -> list[str]:
    """The errors that the Nu Html Checker finds in the HTML files *paths*."""
    jar = _installed() / "vnu-jar" / "build" / "dist" / "vnu.jar"
    ended = subprocess.run(
        ["java", "-Xss8m", "-jar", str(jar), "--format", "json", "--errors-only", *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if not ended.stderr.strip().startswith("{"):
        raise ProofError(f"the Nu Html Checker failed: {ended.stderr[:200]}")
    messages = json.loads(ended.stderr)["messages"]
    return [f"{m.get('message')} {m.get('extract', '')[:60]!r}" for m in messages]


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
