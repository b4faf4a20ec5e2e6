"""The proofs of pages and letters can fail: what they are to find on a screen is found."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperpost_cli.proofs.browser import Browser
from paperpost_cli.proofs.page_checks import errors_in, layout_faults, not_here, violations
from paperpost_cli.proofs.proof import ProofError
from paperpost_cli.proofs.served import served

pytestmark = pytest.mark.browser
HEAD = (
    "<!doctype html><html lang=en><title>A page</title>"
    "<meta name=viewport content='width=device-width'>"
)
PAPER = "<main><h1>A day</h1><article class=paper><h3><a href=x>One</a></h3>{}</article></main>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; the tests skip where there is none, unless nothing may be left out."""
    here = shutil.which("chromium") or shutil.which("chromium-browser")
    if not here and os.environ.get("PAPERPOST_STRICT") != "1":
        pytest.skip("Chromium is not here")
    with Browser() as opened:
        yield opened


def seen(browser: Browser, body: str, path: str = "page.html") -> str:
    """What the list says of a page on a phone and a desk."""
    with served({path: f"{HEAD}{body}".encode()}, {}) as address:
        return "; ".join(layout_faults(browser, address, [path]))


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<div style='width:700px'>wide</div>", "scrolls sideways"),
        (PAPER.format("<p class=tldr style='margin-top:900px'>late"), "first TL;DR ends at"),
        (PAPER.format("<p class=tldr style='font-size:13px'>small"), "below 16 px, such as small"),
        (PAPER.format("<p class=links><a href=x>PDF</a>"), "below 44 px, such as PDF"),
        (
            PAPER.format("<p class=tldr lang=zh-Hans style='min-width:900px'>长"),
            "38 Han characters",
        ),
        (PAPER.format("<img src=x alt=''>"), "an image or a frame"),
        (PAPER.format("<a href=x> </a>"), "a link without words"),
        (PAPER.format("<i id=x></i><i id=x></i>"), "an id twice"),
        (PAPER.format(""), "a passage without lang"),
        (PAPER.format("<link rel=stylesheet href=http://127.0.0.1:9/x.css>"), "asks http"),
    ],
)
def test_a_fault_of_layout_is_found(browser: Browser, body: str, fault: str) -> None:
    assert fault in seen(browser, body)


def test_a_letter_that_is_too_wide_is_found(browser: Browser) -> None:
    letter = "<table><tr><td><div style='width:700px'>wide</div></table>"

    assert "wider than 600 px" in seen(browser, letter, "mail/letter.html")


def test_a_sound_page_has_no_fault(browser: Browser) -> None:
    body = PAPER.format("<p class=tldr lang=en>It works.</p>")

    assert seen(browser, body) == ""


@pytest.mark.skipif(
    not shutil.which("npm") and os.environ.get("PAPERPOST_STRICT") != "1", reason="npm is not here"
)
def test_axe_core_finds_a_link_that_colour_alone_tells(browser: Browser) -> None:
    text = "A long enough text around <a href=x style='text-decoration:none;color:#003'>a link</a>."
    files = {"page.html": f"{HEAD}<main><h1>A page</h1><p>{text}</main>".encode()}

    with served(files, {}) as address:
        found = list(violations(browser, address, "page.html", dark=False))

    assert [fault.split(" ")[1] for fault in found] == ["link-in-text-block"]


def test_a_program_that_is_missing_is_named_and_fails_where_nothing_may_be_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    monkeypatch.setenv("PAPERPOST_STRICT", "0")
    assert not_here("java") == "not tried: java is not here (Debian: default-jre-headless)"
    monkeypatch.setenv("PAPERPOST_STRICT", "1")
    with pytest.raises(ProofError, match="java is not here"):
        not_here("java")


@pytest.mark.skipif(
    not shutil.which("java") or not shutil.which("npm"), reason="java or npm is not here"
)
def test_the_nu_checker_finds_an_element_out_of_place(tmp_path: Path) -> None:
    page = f"{HEAD}<main><ul><p>One</p></ul></main>".encode()

    (error,) = errors_in({"a/page.html": page}, tmp_path)

    assert "not allowed as child of element" in error
