"""The judge of a replay: what is right passes, and each way of being wrong is seen."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oracle.fetch_check import Played, check_played, main, read_played

MONDAY, TUESDAY, SUNDAY = "2030-01-07", "2030-01-08", "2030-01-06"
FIRST, SECOND = "3001.00001", "3001.00002"
Files = dict[str, Any]


def listing(arxiv_id: str, on: str, kind: str, rank: int, version: int = 1) -> dict[str, Any]:
    return {
        "pk": f"LIST#cs.AI#{on}",
        "sk": f"{rank}#{arxiv_id}",
        "category": "cs.AI",
        "announced_on": on,
        "arxiv_id": arxiv_id,
        "version": version,
        "announce_type": kind,
    }


def announcement(on: str, state: str, count: int, reason: str = "") -> dict[str, Any]:
    found = {"pk": "CATEGORY#cs.AI", "sk": on, "state": state, "reason": reason}
    done = {"completed_at": f"{on}T05:20:00+00:00"} if state == "complete" else {}
    return {**found, "announced": count, "stored": count, **done}


def paper(arxiv_id: str, version: int, **more: Any) -> dict[str, Any]:
    body = {"version": version, "title": f"Title of {arxiv_id}", "comment": "9 pages", **more}
    body |= {"submitted_at": "2030-01-01", "updated_at": "2030-01-01"}
    return {"pk": f"PAPER#{arxiv_id}", "sk": "PAPER", "body": body}


def told_paper(arxiv_id: str, version: int, *, withdrawn: bool) -> dict[str, Any]:
    told = {"version": version, "versions": [version], "title": f"Title of {arxiv_id}"}
    return {**told, "comment": "9 pages", "withdrawn": withdrawn}


def row(arxiv_id: str, version: int, kind: str) -> dict[str, Any]:
    return {"id": arxiv_id, "listed_version": version, "announce_type": kind}


@pytest.fixture
def files() -> Files:
    """A replay of three days in which all is well."""
    told = [
        {"on": MONDAY, "category": "cs.AI", "id": FIRST, "version": 1, "type": "new"},
        {"on": TUESDAY, "category": "cs.AI", "id": FIRST, "version": 2, "type": "replace"},
        {"on": TUESDAY, "category": "cs.AI", "id": SECOND, "version": 1, "type": "cross"},
    ]
    counts = {"category": "cs.AI", "announced": 2, "stored": 2, "listed": 2, "published": 2}
    request = {"endpoint": "feed", "target": "/rss/cs.AI", "user_agent": "P (+mailto:a@b.example)"}
    return {
        "script": {
            "categories": ["cs.AI"],
            "dates": [SUNDAY, MONDAY, TUESDAY],
            "listings": told,
            "papers": {
                FIRST: told_paper(FIRST, 2, withdrawn=True),
                SECOND: told_paper(SECOND, 1, withdrawn=False),
            },
            "quiet": {},
            "put_off": [],
            "recorded": {TUESDAY: {"replace": 1, "cross": 1}},
        },
        "items": [
            listing(FIRST, MONDAY, "new", 0),
            listing(FIRST, TUESDAY, "replace", 2, version=2),
            listing(SECOND, TUESDAY, "cross", 1),
            announcement(SUNDAY, "quiet", 0, "weekend"),
            announcement(MONDAY, "complete", 1),
            announcement(TUESDAY, "complete", 2),
            paper(FIRST, 2, withdrawn=True),
            paper(SECOND, 1),
            {"pk": "FETCH", "sk": "cs.AI", "until": TUESDAY},
        ],
        "requests": [
            {**request, "at": "2030-01-07 05:20:00+00:00"},
            {**request, "at": "2030-01-07 05:20:03+00:00"},
        ],
        "polls": [{"at": "2030-01-07 05:20:00+00:00", "problem": "no feed in the answer"}],
        "faults": {"faults": [{"name": "503", "on": MONDAY, "struck": 1, "never": 0}]},
        "status": {
            "adds_up": True,
            "dates": [{"announced_on": TUESDAY, "categories": [counts]}],
        },
        "pages": {
            MONDAY: [row(FIRST, 1, "new")],
            TUESDAY: [row(FIRST, 2, "replace"), row(SECOND, 1, "cross")],
        },
    }


def laid(files: Files, out: Path) -> Path:
    """*files* as a replay leaves them."""
    for name in ("script", "faults"):
        (out / f"{name}.json").write_text(json.dumps(files[name]))
    for name, key in (("tables", "items"), ("requests", "requests"), ("polls", "polls")):
        lines = [json.dumps(line) for line in files[key]]
        (out / f"{name}.jsonl").write_text("\n".join(lines))
    (out / "site" / "cs.AI").mkdir(parents=True)
    (out / "site" / "status.json").write_text(json.dumps(files["status"]))
    for on, rows in files["pages"].items():
        (out / "site" / "cs.AI" / f"{on}.json").write_text(json.dumps({"records": rows}))
    return out


def failed(files: Files, out: Path) -> set[str]:
    played: Played = read_played(laid(files, out))
    return {found.name for found in check_played(played) if not found.ok}


def test_a_replay_in_which_all_is_well_passes(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line a check, and for each fault and each recorded day."""
    assert main(["--out", str(laid(files, tmp_path))]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert "lost: 0 of 3 listings … ok" in lines
    assert "pace: 2 requests, the smallest gap 3.0 s … ok" in lines
    assert ("503: Mon 07 Jan, struck 1×, 1 polls failed, whole on Mon 07 Jan, 00:20 … ok") in lines
    assert f"{TUESDAY}: new 0 = 0; cross 1 = 1; replace 1 = 1; replace-cross 0 = 0 … ok" in lines


WRONG: dict[str, tuple[Callable[[Files], object], set[str]]] = {
    "a listing is lost": (
        lambda f: f["items"].remove(listing(SECOND, TUESDAY, "cross", 1)),
        {"lost", TUESDAY},
    ),
    "a replacement is lost": (
        lambda f: f["items"].remove(listing(FIRST, TUESDAY, "replace", 2, version=2)),
        {"lost", TUESDAY},
    ),
    "a paper is new twice": (
        lambda f: f["items"].append(listing(FIRST, TUESDAY, "new", 0)),
        {"lost", "repeated", "told wrongly", TUESDAY},
    ),
    "a version is listed on two days": (
        lambda f: f["items"].append(listing(FIRST, MONDAY, "replace", 2, version=2)),
        {"lost", "repeated", "told wrongly"},
    ),
    "a paper is listed on another day": (
        lambda f: f["items"].append(listing(SECOND, MONDAY, "cross", 1)),
        {"repeated", "misdated"},
    ),
    "a version is wrong": (
        lambda f: f["items"][1].update(version=3),
        {"lost", "told wrongly"},
    ),
    "a key is wrong": (lambda f: f["items"][1].update(sk=f"0#{FIRST}"), {"keys"}),
    "a day is partial": (
        lambda f: f["items"][5].update(state="partial"),
        {"announcements"},
    ),
    "a count is wrong": (lambda f: f["items"][5].update(announced=3), {"announcements"}),
    "a weekend is no reason": (lambda f: f["items"][3].update(reason=""), {"announcements"}),
    "a day that was put off is not settled": (
        lambda f: (f["script"]["put_off"].append(SUNDAY), f["script"]["quiet"].pop(SUNDAY, None)),
        {"announcements"},
    ),
    "a paper is not stored": (lambda f: f["items"].pop(7), {"papers"}),
    "a comment never came": (
        lambda f: f["items"][6]["body"].pop("comment"),
        {"metadata"},
    ),
    "times never came": (
        lambda f: f["items"][6]["body"].pop("updated_at"),
        {"metadata"},
    ),
    "a watermark has stayed behind": (
        lambda f: f["items"][8].update(until=MONDAY),
        {"watermarks"},
    ),
    "a watermark is ahead": (
        lambda f: f["items"][8].update(until="2030-02-01"),
        {"watermarks"},
    ),
    "an older version is stored": (
        lambda f: f["items"][6]["body"].update(version=1),
        {"papers"},
    ),
    "a withdrawal is not flagged": (
        lambda f: f["items"][6]["body"].update(withdrawn=False),
        {"papers"},
    ),
    "a paper was never announced": (
        lambda f: f["items"].append(paper("3001.00009", 1)),
        {"papers"},
    ),
    "a receipt is wrong": (
        lambda f: f["status"]["dates"][0]["categories"][0].update(published=1),
        {"receipts"},
    ),
    "the receipts do not add up": (lambda f: f["status"].update(adds_up=False), {"receipts"}),
    "a page lacks a paper": (lambda f: f["pages"][TUESDAY].pop(), {"published"}),
    "a page is missing": (lambda f: f["pages"].pop(MONDAY), {"published"}),
    "two requests are too near": (
        lambda f: f["requests"][1].update(at="2030-01-07 05:20:02.900000+00:00"),
        {"pace"},
    ),
    "nobody is named": (lambda f: f["requests"][1].update(user_agent="curl"), {"pace"}),
    "a fault never struck": (lambda f: f["faults"]["faults"][0].update(struck=0), {"503"}),
    "a part of a fault never struck": (
        lambda f: f["faults"]["faults"][0].update(never=1),
        {"503"},
    ),
    "a recorded day has other counts": (
        lambda f: f["script"]["recorded"][TUESDAY].update(cross=2),
        {TUESDAY},
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_seen(files: Files, tmp_path: Path, name: str) -> None:
    """And nothing else is said to be wrong."""
    spoil, expected = WRONG[name]
    spoilt = copy.deepcopy(files)
    spoil(spoilt)

    assert failed(spoilt, tmp_path) == expected
