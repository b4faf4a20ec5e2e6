"""A reader's way in a real browser on the laptop cloud, and a scanner's behind every mail."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from paperpost_cli.cloud.emulator import free_port
from paperpost_cli.frontdoor import FrontDoor, Rooms
from paperpost_cli.laptop import ROOT, LaptopCloud
from paperpost_cli.local import Plan, replay_days, running
from paperpost_cli.mailbox import Mail, list_mails
from paperpost_cli.proofs.browser import Browser
from paperpost_cli.proofs.proof import Proof, ProofError
from paperpost_cli.readers import Reader, confirm, sign_up
from paperpost_cli.replay import Replay, plan_replay

_FEEDS = ROOT / "events" / "sample" / "feeds"
_CATEGORIES = ("cs.CV", "quant-ph")
_READER, _CONTROL = "browser.reader@example.org", "control.reader@example.org"
_LINK = re.compile(r"https?://127\.0\.0\.1[^\s\"'<>)]+")
_PAPER = re.compile(r"arxiv\.org/abs/(\d{4}\.\d{4,5})")
_OK = 200


def proofs(folder: Path) -> Iterator[Proof]:
    """The way in and out; the scanner looks in between, and its line comes second."""
    seen = list[str]()
    yield Proof(name="a reader in a browser", carry_out=partial(_journey, folder, seen))
    yield Proof(name="a scanner that runs scripts", carry_out=partial(_scanned, seen))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Laptop:
    plan: Plan
    cloud: LaptopCloud
    url: str

    def mails(self, address: str) -> list[Mail]:
        """What came to an address."""
        self.cloud.settle()
        return [mail for mail in list_mails(self.plan.out / "mail") if address in mail.to]

    def pass_day(self, n: int) -> None:
        """Let the replay's *n*th day pass."""
        assert self.plan.replay is not None
        on = list(self.plan.replay.days)[n]
        day = Replay(days={on: self.plan.replay.days[on]}, categories=self.plan.categories)
        replay_days(replace(self.plan, replay=day), self.cloud, day)


def _journey(folder: Path, seen: list[str]) -> str:
    with _laptop(folder) as laptop, Browser() as page:
        laptop.pass_day(0)
        control = Reader(address=_CONTROL, preferences={"categories": ["cs.CV"]})
        sign_up([control], api=laptop.cloud.api())
        _sign_up(laptop, page)
        seen.append(_scan(laptop, page, "before confirming"))
        confirm([control], api=laptop.cloud.api(), mails=laptop.plan.out / "mail")
        _confirm_and_choose(laptop, page)
        laptop.pass_day(1)
        issue = _followed(laptop)
        seen.append(_scan(laptop, page, "with an issue"))
        _leave(issue)
        laptop.pass_day(2)
        after, control_mails = len(laptop.mails(_READER)), len(laptop.mails(_CONTROL))
    figure = f"{after} mails to who left, {control_mails} to who stayed"
    if (after, control_mails) != (2, 3):
        raise ProofError(
            "not a confirmation and one issue, and another issue for who stayed", figure=figure
        )
    return figure


def _sign_up(laptop: _Laptop, page: Browser) -> None:
    page.open(f"{laptop.url}/")
    page.evaluate("document.querySelector('#subscribe [value=\"cs.CV\"]').click()")
    page.evaluate(f"document.querySelector('#subscribe [name=email]').value = '{_READER}'")
    page.press("#subscribe button[type=submit], #subscribe button:not([type])")
    _says(page, "请查收")
    page.open(f"{laptop.url}/mailbox")
    laptop.cloud.settle()
    page.open(f"{laptop.url}/mailbox")
    _says(page, _READER)


def _confirm_and_choose(laptop: _Laptop, page: Browser) -> None:
    (mail,) = laptop.mails(_READER)
    link = next(found for found in _LINK.findall(mail.text) if "/api/confirm/" in found)
    page.open(link)
    page.press("form button")
    _says(page, "订阅成功")
    page.press("a[href*='/api/preferences/']")
    for category in _CATEGORIES:
        page.evaluate(f"document.querySelector('[name=categories][value=\"{category}\"]').click()")
    page.evaluate("document.querySelector('[name=language][value=en]').click()")
    page.press("button[value=preview]")
    if "match" not in page.text() and "符合" not in page.text():
        raise ProofError("the preview shows nothing")
    page.press("button[value=save]")
    _says(page, "Saved")


def _followed(laptop: _Laptop) -> Mail:
    """The issue of the second day holds the papers of the category chosen last, and no others."""
    mails = [mail for mail in laptop.mails(_READER) if mail.issue]
    if len(mails) != 1:
        raise ProofError(f"{len(mails)} issues came after the change")
    told = {*_PAPER.findall(mails[0].text)}
    assert laptop.plan.replay is not None
    files = {f.categories()[0]: f for f in list(laptop.plan.replay.days.values())[1]}
    wanted = {item.arxiv_id for item in files["quant-ph"].feed.items}
    if not told or not told <= wanted:
        raise ProofError(f"{len(told)} papers, {len(told - wanted)} of them not of quant-ph")
    return mails[0]


def _leave(mail: Mail) -> None:
    """One click, as a mail program sends it: no cookie, no redirect."""
    headers = dict(mail.headers)
    link = headers["List-Unsubscribe"].strip("<>")
    if headers.get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click":
        raise ProofError("the mail offers no one-click unsubscribe")
    for _ in range(2):
        status = _request("POST", link, "List-Unsubscribe=One-Click")
        if status != _OK:
            raise ProofError(f"one-click unsubscribe answered {status}")


def _scan(laptop: _Laptop, page: Browser, when: str) -> str:
    """Open every link of every mail with scripts, try the other methods; say what changed."""
    laptop.cloud.settle()
    before = _state(laptop)
    links = {
        link
        for mail in list_mails(laptop.plan.out / "mail")
        for part in (mail.text, mail.html, str(mail.headers))
        for link in _LINK.findall(part)
    }
    for link in sorted(links):
        page.open(link)
        for method in ("GET", "HEAD", "OPTIONS"):
            _request(method, link)
    laptop.cloud.settle()
    changed = sum(1 for row in _state(laptop) if row not in before)
    return f"{changed} changed by {len(links)} links {when}"


def _scanned(seen: list[str]) -> str:
    figure = ", ".join(seen)
    if len(seen) != 2 or any(not line.startswith("0 changed by ") for line in seen):  # noqa: PLR2004  two looks
        raise ProofError("state changed, or a look is missing", figure=figure)
    if any(" by 0 links" in line for line in seen):
        raise ProofError("there was no link to follow", figure=figure)
    return figure


def _state(laptop: _Laptop) -> list[dict[str, Any]]:
    return laptop.cloud.rows("SubscribersTable")


def _says(page: Browser, wanted: str) -> None:
    if wanted not in (text := page.text()):
        raise ProofError(f"the page does not say {wanted}: {text[:200]}")


def _request(method: str, link: str, body: str = "") -> int:
    address = urlsplit(link)
    connection = HTTPConnection(address.netloc, timeout=30)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    try:
        connection.request(method, address.path, body or None, headers)
        return connection.getresponse().status
    finally:
        connection.close()


@contextmanager
def _laptop(folder: Path) -> Iterator[_Laptop]:
    """The laptop cloud with three days in its replay, none of them passed yet."""
    replay = plan_replay(_three_days(folder))
    plan = Plan(
        replay=replay,
        categories=replay.categories,
        out=folder / "out",
        readers=0,
        template=ROOT / "template.yaml",
        port=free_port(),
        stays=False,
    )
    with running(plan) as cloud:
        rooms = Rooms(
            site=cloud.site,
            api_address=cloud.api,
            mail_folder=plan.out / "mail",
            refresh=lambda: None,
        )
        door = FrontDoor(rooms, port=plan.port)
        threading.Thread(target=door.serve, daemon=True).start()
        try:
            yield _Laptop(plan=plan, cloud=cloud, url=door.url)
        finally:
            door.close()


def _three_days(folder: Path) -> list[Path]:
    """The sample day's feeds of two categories, and again on two days under other ids."""
    made = []
    for n, day in enumerate(("Tue, 21", "Wed, 22", "Thu, 23")):
        for category in _CATEGORIES:
            text = (_FEEDS / f"{category}.rss.xml").read_text(encoding="utf-8")
            text = text.replace("Tue, 21 Apr 2026", f"{day} Apr 2026")
            path = folder / f"{category}-{n}.rss.xml"
            path.write_text(re.sub(r"\b2604\.99", f"2604.9{9 - n}", text), encoding="utf-8")
            made.append(path)
    return made
