"""The judge of the overlay: what is right passes, and each way of being wrong is seen."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oracle.overlay_check import PENDING, check_overlay, main, read_monitoring, read_run

MONDAY, TUESDAY, WEDNESDAY = "2030-01-07", "2030-01-08", "2030-01-09"
FIRST, SECOND, OLD = "3001.00001", "3001.00002", "2901.00003"
Run = dict[str, Any]
Runs = dict[str, Run]


def look(on: str, ids: list[str], pending: list[str], *, at: str = "05:25") -> dict[str, Any]:
    def told(papers: list[str]) -> list[str]:
        return [f"tag:paperpost.example,2026:{arxiv_id}" for arxiv_id in papers]

    return {
        "at": f"{on} {at}:00+00:00",
        "category": "cs.AI",
        "ids": told(ids),
        "pending": told(pending),
    }


def metric(on: str, at: str, **values: float) -> dict[str, Any]:
    return {"at": f"{on} {at}:00+00:00", **values}


def record(arxiv_id: str) -> dict[str, Any]:
    return {"id": arxiv_id, "enrichments": {"zh": {"state": "ok"}}}


def run(seen: list[dict[str, Any]], *, asked: int, down: float) -> Run:
    """Two days with a new paper each, and a replacement of an old one."""
    told = [(MONDAY, FIRST, "new"), (TUESDAY, SECOND, "new"), (TUESDAY, OLD, "replace")]
    return {
        "script": {
            "listings": [
                {"on": on, "category": "cs.AI", "id": arxiv_id, "type": kind}
                for on, arxiv_id, kind in told
            ],
            "texts": 3,
            "completed_at": [
                {"on": on, "category": "cs.AI", "at": f"{on}T05:20:00Z"} for on in (MONDAY, TUESDAY)
            ],
        },
        "end": {
            "states": [{"id": i, "state": "ok", "reason": ""} for i in (FIRST, SECOND, OLD)],
            "dead_letters": 0,
            "asked": asked,
            "alarms": [],
        },
        "seen": seen,
        "metrics": [
            metric(MONDAY, "05:20", EnrichProviderDown=down, EnrichCapReached=0),
            metric(MONDAY, "05:25", CandidatesRefused=0, ReceiptMismatch=0),
        ],
        "pages": {MONDAY: [record(FIRST)], TUESDAY: [record(SECOND), record(OLD)]},
        "files": {"rss.xml": "虚构", f"{MONDAY}.md": "虚构", f"{MONDAY}.html": "虚构"},
    }


@pytest.fixture
def runs() -> Runs:
    """A model that is well, and one that is dead until Wednesday."""
    well = [look(MONDAY, [FIRST], []), look(TUESDAY, [SECOND, FIRST], [])]
    dead = [
        look(MONDAY, [FIRST], [FIRST]),
        look(TUESDAY, [SECOND, FIRST], [SECOND, FIRST]),
        look(WEDNESDAY, [SECOND, FIRST], []),
    ]
    return {"well": run(well, asked=3, down=0), "dead": run(dead, asked=9, down=1)}


def laid(run: Run, out: Path) -> Path:
    """*run* as a replay leaves it."""
    site = out / "site" / "cs.AI"
    site.mkdir(parents=True)
    for name in ("script", "end"):
        (out / f"{name}.json").write_text(json.dumps(run[name]))
    for name in ("seen", "metrics"):
        (out / f"{name}.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in run[name]))
    for on, records in run["pages"].items():
        (site / f"{on}.json").write_text(json.dumps({"records": records}))
    for name, text in run["files"].items():
        (site / name).write_text(text, "utf-8")
    return out


def failed(runs: Runs, out: Path) -> set[str]:
    well, dead = (read_run(laid(runs[name], out / name)) for name in ("well", "dead"))
    return {found.name for found in check_overlay(well, dead, read_monitoring()) if not found.ok}


def test_two_runs_in_which_all_is_well_pass(
    runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line a check, with what was counted."""
    out = {name: str(laid(run, tmp_path / name)) for name, run in runs.items()}

    assert main(["--well", out["well"], "--dead", out["dead"]]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert "well: first published untranslated: 0 of 2 … ok" in lines
    assert "dead: published, within the hold: 2 of 2, after 5 min at most … ok" in lines
    assert "dead: first published labelled: 2 of 2 … ok" in lines
    assert "dead: alarms raised: EnrichProviderDownAlarm in 1 periods … ok" in lines
    assert "calls: 3 texts, 3 and 9 calls, 0 dead letters … ok" in lines
    assert "dead: upgraded when the model is well again: 3 of 3, 2 days' data … ok" in lines


PUBLISHED_WELL, PUBLISHED_DEAD = "well: published", "dead: published, within the hold"
UNTRANSLATED, LABELLED = "well: first published untranslated", "dead: first published labelled"
AS_LONG, SHRINKS = (
    "feeds as long as with a model that is well",
    "dead: feeds never empty or go back",
)
ALARMS_WELL, ALARMS_DEAD = "well: alarms raised", "dead: alarms raised"
UPGRADED, SAME = "dead: upgraded when the model is well again", "dead: upgraded under the same ids"
WRONG: dict[str, tuple[Callable[[Runs], object], set[str]]] = {
    "a paper is never published": (
        lambda r: r["well"]["script"]["listings"].append(
            {"on": TUESDAY, "category": "cs.AI", "id": "3001.00009", "type": "cross"}
        ),
        {PUBLISHED_WELL},
    ),
    "a paper is held back too long": (
        lambda r: r["dead"]["seen"][0].update(at=f"{MONDAY} 05:56:00+00:00"),
        {PUBLISHED_DEAD},
    ),
    "with a model that is well a paper is first seen untranslated": (
        lambda r: r["well"]["seen"].insert(0, look(MONDAY, [FIRST], [FIRST], at="05:24")),
        {UNTRANSLATED},
    ),
    "a paper without a translation has no label": (
        lambda r: r["dead"]["seen"][0].update(pending=[]),
        {LABELLED},
    ),
    "a feed is shorter on one day": (
        lambda r: r["dead"]["seen"].insert(2, look(TUESDAY, [SECOND], [SECOND], at="09:00")),
        {AS_LONG, SAME},
    ),
    "a feed has another order": (
        lambda r: r["dead"]["seen"].insert(
            2, look(TUESDAY, [FIRST, SECOND], [SECOND, FIRST], at="09:00")
        ),
        {AS_LONG, SAME},
    ),
    "a feed is missing on a day": (
        lambda r: r["well"]["seen"].append(look("2030-01-10", [SECOND, FIRST], [])),
        {AS_LONG},
    ),
    "a feed is empty for a while": (
        lambda r: r["dead"]["seen"].insert(1, look(MONDAY, [], [], at="05:24")),
        {SHRINKS, AS_LONG},
    ),
    "a feed goes back": (
        lambda r: r["dead"]["seen"].append(look(WEDNESDAY, [FIRST], [], at="09:00")),
        {SHRINKS, SAME},
    ),
    "an alarm cries though all is well": (
        lambda r: r["well"]["metrics"].append(metric(MONDAY, "06:00", CandidatesRefused=1)),
        {ALARMS_WELL},
    ),
    "another alarm cries beside the one that is due": (
        lambda r: r["dead"]["metrics"].append(metric(MONDAY, "06:00", EnrichCapReached=1)),
        {ALARMS_DEAD},
    ),
    "no alarm tells that the model is dead": (
        lambda r: r["dead"]["metrics"][0].update(EnrichProviderDown=0),
        {ALARMS_DEAD},
    ),
    "a text is paid for twice": (lambda r: r["well"]["end"].update(asked=4), {"calls"}),
    "a dead model fills the dead-letter queue": (
        lambda r: r["dead"]["end"].update(dead_letters=1),
        {"calls"},
    ),
    "a model that is well fills the dead-letter queue": (
        lambda r: r["well"]["end"].update(dead_letters=1),
        {"calls"},
    ),
    "a paper is not translated in the end": (
        lambda r: r["dead"]["end"]["states"][2].update(state="failed"),
        {UPGRADED},
    ),
    "a day's data keeps an old state": (
        lambda r: r["dead"]["pages"][TUESDAY][1].update(enrichments={}),
        {UPGRADED},
    ),
    "a day's data is missing": (lambda r: r["dead"]["pages"].pop(MONDAY), {UPGRADED}),
    "a page keeps its label": (
        lambda r: r["dead"]["files"].update({f"{MONDAY}.md": f"**{PENDING}**"}),
        {UPGRADED},
    ),
    "a feed keeps its labels": (
        lambda r: r["dead"]["seen"][2].update(pending=[SECOND]),
        {UPGRADED, SAME},
    ),
    "a translation comes under another id": (
        lambda r: r["dead"]["seen"][2].update(look(WEDNESDAY, [SECOND, f"{FIRST}v2"], [])),
        {SAME},
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_seen(runs: Runs, tmp_path: Path, name: str) -> None:
    """And nothing else is said to be wrong."""
    spoil, expected = WRONG[name]
    spoilt = copy.deepcopy(runs)
    spoil(spoilt)

    assert failed(spoilt, tmp_path) == expected
