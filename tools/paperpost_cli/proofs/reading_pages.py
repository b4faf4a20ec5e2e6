"""How pages read: size, speed, layout, accessibility, validity, without script, by keyboard."""

import gzip
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from paperpost.publish.pages import assets
from paperpost_cli.frontdoor import SITE_HEADERS
from paperpost_cli.proofs.browser import Browser, slow_phone
from paperpost_cli.proofs.feed_records import sample
from paperpost_cli.proofs.form_kinds import all_forms
from paperpost_cli.proofs.page_checks import (
    SCREENS,
    errors_in,
    layout_faults,
    need,
    not_here,
    violations,
)
from paperpost_cli.proofs.page_kinds import all_letters, all_pages
from paperpost_cli.proofs.proof import Proof, ProofError
from paperpost_cli.proofs.reading_days import letter_of, page_of, recorded_days
from paperpost_cli.proofs.reading_payloads import inert
from paperpost_cli.proofs.served import served

_MOST_BYTES, _MOST_LCP_MS, _MOST_SHIFT = 250_000, 2_500, 0.05
_HEAVIEST = 2
_JUDGED_DAYS = 5
_TOLD = 5
_A_LETTER = "mail/both-full.html"
_PAYLOADS = 5_040
_PAINTS = """new Promise(done => {
  let lcp = 0, shift = 0;
  new PerformanceObserver(seen => { for (const e of seen.getEntries()) lcp = e.startTime; })
    .observe({type: "largest-contentful-paint", buffered: true});
  new PerformanceObserver(seen => { for (const e of seen.getEntries()) shift += e.value; })
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => done({lcp, shift}), 1000);
})"""
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
  document.querySelectorAll("details").forEach(e => { e.open = true; });
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  // The switch's own labels and the site's name stay; what authors wrote is theirs.
  const theirs = ".switch label, .brand, h3, .tldr, .abstracts, .meta";
  while (texts.nextNode()) {
    const text = texts.currentNode.data, place = texts.currentNode.parentElement;
    if (/\\p{Script=Han}/u.test(text) && place.checkVisibility() && !place.closest(theirs))
      faults.push("with EN stands " + text);
  }
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
  const crowd = document.querySelector("[data-authors]");
  const last = crowd ? crowd.dataset.authors.split(", ").pop() : "";
  filter.value = last;
  filter.dispatchEvent(new Event("input"));
  if (!last || crowd.querySelector(".meta").textContent.includes(last))
    faults.push("no paper has an author whom it does not show");
  else if (crowd.hidden || document.querySelectorAll(".paper:not([hidden])").length === all)
    faults.push("the filter does not find " + last);
  return faults;
})()"""


def proofs(folder: Path, quick: bool) -> Iterator[Proof]:  # noqa: FBT001  as all topics
    """
    The proofs of pages and letters: every kind of them, and recorded days.

    The short form looks at the three screens that readers see most; without a browser it says so.
    """
    if quick:
        yield Proof(name="pages and a letter on two screens", carry_out=_looked_at_quickly)
        return
    yield Proof(name="pages of the heaviest days", carry_out=_sizes)
    yield Proof(name="pages on a slow phone", carry_out=_speed)
    yield Proof(name="layout at 360 and 1,280 px, no script", carry_out=_layout)
    yield Proof(name="pages without script, by keyboard", carry_out=_ways)
    yield Proof(name="pages and letters under axe-core", carry_out=_accessible)
    yield Proof(name="pages under the Nu Html Checker", carry_out=partial(_valid, folder))
    yield Proof(name="script payloads in pages and letters", carry_out=partial(inert, _PAYLOADS))


def _every_kind() -> dict[str, bytes]:
    """Every kind of page and letter."""
    records = sample()
    return {**all_pages(records), **dict(all_forms()), **dict(all_letters(records))}


def _real(number: int = _JUDGED_DAYS) -> dict[str, bytes]:
    """The heaviest real days, and then the letter of each."""
    days = recorded_days()[:number]
    files = {f"real/{day.announced_on}.html": page_of(day) for day in days}
    letters = {f"mail/{d.announced_on}.html": letter_of(d.records, language="zh") for d in days}
    return {**files, **letters, **assets()}


def _looked_at_quickly() -> str:
    """The front page, the sample day and a letter have no fault of the list, nor under axe-core."""
    if missing := not_here("chromium", "npm"):
        return missing
    files = _every_kind()
    paths = ["index.html", next(p for p in files if p.startswith("cs.CV/20")), _A_LETTER]
    with served(files, SITE_HEADERS) as address, Browser() as browser:
        faults = list(layout_faults(browser, address, paths))
        for width, height in SCREENS:
            browser.size(width, height)
            for path in paths:
                faults += violations(browser, address, path, dark=width == SCREENS[0][0])
    if faults:
        raise ProofError("; ".join(faults[:_TOLD]), figure=f"{len(faults)} faults")
    return f"{len(paths) * len(SCREENS)} screens, 0 faults, 0 violations"


def _sizes() -> str:
    """No page of a recorded day is above 250 kB with gzip."""
    told, sizes = [], []
    for day in recorded_days():
        body = page_of(day)
        sizes.append(len(gzip.compress(body, mtime=0)))
        links = body.count(b">Abstract at arXiv"), body.count(b"English abstract at arXiv")
        told.append(f"{len(day.records)} papers {sizes[-1] / 1000:.0f} kB")
        told[-1] += f" ({links[0]} without abstract, {links[1]} without the English one)"
    figure = "; ".join(told[:_HEAVIEST])
    if max(sizes) > _MOST_BYTES:
        raise ProofError(f"{max(sizes)} bytes", figure=figure)
    return figure


def _speed() -> str:
    """The heaviest page shows its largest text within 2.5 s and hardly moves."""
    files = _real(1)
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
    """Every kind and five real days have no fault of the list, and ask nobody else."""
    files = {**_every_kind(), **_real()}
    paths = _pages(files)
    with served(files, SITE_HEADERS) as address, Browser() as browser:
        faults = list(layout_faults(browser, address, paths))
    screens = len(paths) * len(SCREENS)
    if faults:
        raise ProofError("; ".join(faults[:_TOLD]), figure=f"{len(faults)} on {screens} screens")
    return f"{screens} screens, 0 faults, 0 requests elsewhere"


def _ways() -> str:
    """Language by CSS alone; the filter by keyboard; an anchor opens its paper."""
    files = _real(1)
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
    """axe-core finds nothing on any kind or on real days, light or dark, phone or desk."""
    need("chromium", "npm")
    files, found = {**_every_kind(), **_real(_HEAVIEST)}, list[str]()
    paths = _pages(files)
    with served(files, SITE_HEADERS) as address, Browser() as browser:
        for width, height in SCREENS:
            browser.size(width, height)
            for path in paths:
                for dark in (False, True):
                    found += violations(browser, address, path, dark=dark)
    screens = len(paths) * len(SCREENS) * 2
    if found:
        raise ProofError("; ".join(found[:_TOLD]), figure=f"{len(found)} on {screens} screens")
    return f"{screens} screens, 0 violations"


def _valid(folder: Path) -> str:
    """The Nu Html Checker finds no error in any kind and in five real days."""
    need("java", "npm")
    files = {**_every_kind(), **_real()}
    paths = _pages(files)
    errors = errors_in({path: files[path] for path in paths}, folder)
    if errors:
        raise ProofError("; ".join(errors[:_TOLD]), figure=f"{len(errors)} errors")
    return f"{len(paths)} pages and letters, 0 errors"


def _pages(files: Mapping[str, bytes]) -> list[str]:
    return [path for path in files if path.endswith(".html")]
