"""Script payloads in every text of papers: none may act on a page or in a letter."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from html import escape, unescape
from itertools import product

from paperpost.domain.records import Record
from paperpost_cli.proofs.browser import Browser
from paperpost_cli.proofs.proof import ProofError
from paperpost_cli.proofs.reading_days import day_of, letter_of, page_of, record_of
from paperpost_cli.proofs.served import served

_ON = date(2026, 4, 21)
# Every document counts in the top one what called `hit`.
_WITNESS = "top.hits = top.hits || []; window.hit = n => { top.hits.push(String(n)); };"
# What acted, and what would act when touched.
_LOOK = """new Promise(done => {
  document.querySelectorAll("details").forEach(e => { e.open = true; });
  // A browser gives one element of all frames the focus by itself; here each frame gets it in turn.
  document.querySelectorAll("iframe").forEach(e => {
    const asking = e.contentDocument && e.contentDocument.querySelector("[autofocus]");
    if (asking) asking.focus();
  });
  window.scrollTo(0, document.body ? document.body.scrollHeight : 0);
  setTimeout(() => {
    const would = [...document.querySelectorAll("*")].flatMap(e => [
      ...[...e.attributes].filter(a => /^on/i.test(a.name) || a.name === "srcdoc")
        .map(a => a.name + "=" + a.value),
      ...["href", "src", "action", "xlink:href"].map(n => e.getAttribute(n) || "")
        .filter(v => /^\\s*(javascript|data|vbscript):/i.test(v)),
      ...(e.localName === "script" && !e.src ? [e.textContent] : []),
    ]);
    done([...top.hits, ...(document.title === "control" ? [] : would)]);
  }, document.title === "control" ? 1000 : 100);
})"""
# What stands around a text on a page: markup before it, and behind it.
_IN_FRAME = '<!doctype html><meta charset="utf-8"><body><h3>{}</h3><p title="">x</p>'
_TAG, _HIT = re.compile(r"<[^>]*>"), re.compile(r"hit\((\d+)\)")
_LEAST_SEEN = 0.95
_FIELDS = 7
# So few that nothing is left out: a page has no room for more, a letter shows eight abstracts.
_ON_A_PAGE, _IN_A_LETTER = 40, 8
# What acts when it becomes markup; {js} calls the page's own witness.
_ACTIVE = (
    "<script>{js}</script>", "<SCRIPT >{js}</SCRIPT>", "<script src=data:,{js}></script>",
    "<img src=x onerror={js}>", "<img/src/onerror={js}>", "<image src=x onerror={js}>",
    "<svg onload={js}>", "<svg><script>{js}</script></svg>", "<svg/onload={js}//",
    "<svg><animate onbegin={js} attributeName=x dur=1s>", "<body onload={js}>",
    "<details open ontoggle={js}>", "<video src=x onerror={js}></video>",
    "<audio src=x onerror={js}></audio>", "<video><source onerror={js}></video>",
    "<input autofocus onfocus={js}>", "<style onload={js}></style>",
    "<iframe srcdoc='<script>parent.{js}</script>'></iframe>",
    "<iframe src=javascript:parent.{js}>",
    "<object data=x onerror={js}></object>", "<link rel=stylesheet href=x onerror={js}>",
    "<iframe onload={js}></iframe>", "<form><button autofocus onfocus={js}>x</button></form>",
    "<a autofocus href=# onfocus={js}>x</a>", "<x tabindex=1 autofocus onfocus={js}>",
)  # fmt: skip
# What gets markup out of the place where text stands.
_WAYS_OUT = (
    "{}", '"{}', "'{}", '">{}', "'>{}", "</title>{}", "</a></h3>{}", "</style>{}", "</textarea>{}",
    "--&gt;--> {}", "${}$", r"$x^2{}$", r"\({}\)", r"$\text{{{}}}$", r"$\mathbf{{{}}}$",
    r"$\frac{{1}}{{{}}}$", "<math><mtext>{}</mtext></math>", "<math><mi><table>{}", "\x00{}",
    "<\x00b>{}", "&lt;b&gt;{}", "\u2028{}", "]]>{}", "{{% raw %}}{}", "{{{{ 7 }}}}{}",
    "<noscript><p title='</noscript>{}'>", "x\n\n{}", "[a](b) {}", "\ufeff{}",
)  # fmt: skip
# How it is written, so that no filter for one spelling hides a hole.
_SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    lambda active: active.replace(" ", "\t", 1),
    lambda active: active.replace("<s", "<S").replace("<i", "<I").replace(" on", " oN"),
    lambda active: f"{active}{active}",
    lambda active: active.replace(" ", "/", 1),
    lambda active: f"<b>x</b>{active}<!--",
    lambda active: active.replace("=", " = "),
)


def payloads(number: int) -> list[str]:
    """The first *number* payloads; the n-th calls `hit(n)`."""
    made = list[str]()
    for variant, active, way in product(_SPELLINGS, _ACTIVE, _WAYS_OUT):
        made.append(way.format(variant(active.format(js=f"hit({len(made)})"))))
        if len(made) == number:
            break
    return made


def inert(number: int) -> str:
    """No payload acts on a page or in a letter, though all the control's would have been seen."""
    texts = payloads(number)
    papers = [_record(n // _FIELDS, texts[n : n + _FIELDS]) for n in range(0, len(texts), _FIELDS)]
    pages = {
        f"page-{n}.html": page_of(day_of(papers[n : n + _ON_A_PAGE]))
        for n in range(0, len(papers), _ON_A_PAGE)
    }
    mails = {
        f"mail-{n}.html": letter_of(papers[n : n + _IN_A_LETTER])
        for n in range(0, len(papers), _IN_A_LETTER)
    }
    lost = [n for files in (pages, mails) for n in _not_shown(number, files.values())]
    control = {f"control-{n}.html": _control(texts[n : n + 100]) for n in range(0, len(texts), 100)}
    with Browser() as browser:
        browser.call("Page.addScriptToEvaluateOnNewDocument", source=_WITNESS)
        browser.call("Emulation.setFocusEmulationEnabled", enabled=True)
        seen = _hits(browser, control)
        active = _hits(browser, pages | mails)
    figure = (
        f"{number} payloads in {len(pages)} pages and {len(mails)} letters, {len(active)} active; "
        f"control: {len(seen)} active"
    )
    if lost or active:
        raise ProofError(f"active: {sorted(active)[:5]}, lost: {lost[:5]}", figure=figure)
    if len(seen) < number * _LEAST_SEEN:
        raise ProofError("the control's payloads are not seen", figure=figure)
    return figure


def _not_shown(number: int, bodies: Iterable[bytes]) -> Iterator[int]:
    """The payloads that stand in none of *bodies* as text, and so are not tried."""
    text = "".join(unescape(_TAG.sub("", body.decode())) for body in bodies)
    # A formula may set letters in bold, and apart.
    shown = set(_HIT.findall(re.sub(r"\s", "", unicodedata.normalize("NFKC", text))))
    yield from (n for n in range(number) if str(n) not in shown)


def _hits(browser: Browser, files: Mapping[str, bytes]) -> set[str]:
    """What acted in *files*: the payloads' numbers, and markup that would act when touched."""
    found = set[str]()
    with served(files, {}) as address:
        for path in files:
            browser.open(f"{address}/{path}")
            found |= set(browser.evaluate(_LOOK))
            found |= {url for url in browser.requested() if url.startswith("data:text")}
    return found


def _control(texts: Sequence[str]) -> bytes:
    """Each payload as markup in a document of its own, as if nothing were escaped."""
    frames = "".join(
        f'<iframe srcdoc="{escape(_IN_FRAME.format(text))}"></iframe>' for text in texts
    )
    return f"<!doctype html><meta charset=utf-8><title>control</title>{frames}".encode()


def _record(number: int, texts: Sequence[str]) -> Record:
    title, abstract, one, other, *zh = texts
    return record_of(
        f"2604.{number + 1:05}",
        on=_ON,
        title=title,
        abstract=abstract,
        authors=(one, other),
        zh=(zh[0], zh[1], zh[2]),
    )
