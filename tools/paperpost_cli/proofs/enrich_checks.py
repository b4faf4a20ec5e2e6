"""The checks of enrichments: on 2,000 real translations, and on papers that give commands."""

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from paperpost.data import glossary
from paperpost.domain.instructions import commands_a_model
from paperpost.domain.papers import Paper
from paperpost.domain.text import sentences
from paperpost.enrich.checks import failed_check, repaired
from paperpost_cli.laptop import ROOT
from paperpost_cli.proofs.enrich_checks_judged import BEYOND, RIGHTLY, WRONGLY
from paperpost_cli.proofs.proof import Proof, ProofError

_SHARED = ROOT.parent / "shared" / "data"
_DATA = _SHARED / "papers" / "papers-2000.jsonl.gz"
_DAYS = _SHARED / "arxiv-rss" / "daily-series"
_TESTS = ROOT / "tests"
_MOST_WRONG = 0.03
_LEAST_FAMILIES, _LEAST_ATTEMPTS = 30, 300
_TIMEOUT_S = 300


def proofs(folder: Path, quick: bool) -> Iterator[Proof]:  # noqa: ARG001, FBT001  as all topics
    """The topic's proofs; the short form leaves the real papers out."""
    yield Proof(name="injections against a model that obeys", carry_out=_injections)
    if not quick:
        yield Proof(name="real papers give no commands", carry_out=_no_commands)
        yield Proof(name="real translations", carry_out=partial(_real_translations, _DATA))


def _injections() -> str:
    """Every attack succeeds without checks, and none with them."""
    ended = subprocess.run(
        [sys.executable, "-m", "support.injected"],
        cwd=_TESTS,
        env={**os.environ, "PYTHONPATH": str(_TESTS)},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if ended.returncode:
        raise ProofError(ended.stderr.strip().splitlines()[-1])
    told = json.loads(ended.stdout)
    figure = (
        f"{told['attempts']} of {told['families']} families, {told['obeyed']} obeyed, "
        f"{told['through']} through; {told['unrecognised']} were the command not recognised"
    )
    if told["families"] < _LEAST_FAMILIES or told["attempts"] < _LEAST_ATTEMPTS:
        raise ProofError("too few", figure=figure)
    if told["obeyed"] != told["attempts"] or told["through"]:
        raise ProofError("a canary got through, or the model did not obey", figure=figure)
    return figure


def _no_commands() -> str:
    """No recorded paper is taken for an attack."""
    if not _DATA.exists():
        raise ProofError("the recorded papers (../shared/data) are not here")
    with gzip.open(_DATA, "rt", encoding="utf-8") as file:
        papers = {one["id"]: (one["title"], one["abstract"]) for one in map(json.loads, file)}
    for path in sorted(_DAYS.glob("*.json.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            told = json.load(file)["papers"]
        papers |= {one["arxiv_id"]: (one["title"], one["abstract"]) for one in told}
    taken = [
        arxiv_id
        for arxiv_id, (title, abstract) in papers.items()
        if commands_a_model(title, is_title=True) or commands_a_model(abstract)
    ]
    if taken:
        raise ProofError(f"taken for attacks: {', '.join(taken)}", figure=f"{len(papers)} papers")
    return f"{len(papers)} papers, none taken for an attack"


def _real_translations(data: Path) -> str:
    """Those that fail were all looked at; at most 3 in 100 good or doubtful ones fail."""
    if not data.exists():
        raise ProofError("the recorded translations (../shared/data/papers) are not here")
    with gzip.open(data, "rt", encoding="utf-8") as file:
        failed = {one["id"]: failed_translation(one) for one in map(json.loads, file)}
    counted = Counter(failed.values())
    passed = counted.pop("", 0)
    rejected = {arxiv_id for arxiv_id, name in failed.items() if name}
    wrong, beyond = len(rejected & WRONGLY), len(rejected & BEYOND)
    by_check = ", ".join(f"{name} {count}" for name, count in counted.most_common())
    figure = f"{passed} of {len(failed)} pass; {by_check}; {wrong} wrongly, {beyond} beyond the cut"
    if unseen := rejected - WRONGLY - BEYOND - RIGHTLY:
        raise ProofError(f"not looked at by eye: {', '.join(sorted(unseen))}", figure=figure)
    if wrong + beyond > _MOST_WRONG * (passed + wrong + beyond):
        raise ProofError("too many good translations are rejected", figure=figure)
    return figure


def failed_translation(stored: Mapping[str, Any]) -> str:
    """
    The check that a recorded translation fails, or ''.

    The model was given an abstract cut at 1,000 characters. It may have translated the broken last
    sentence or left it out, so the better of the two readings counts.
    """
    answer = repaired(
        {
            "title": stored["translated_title"],
            "abstract": stored["translated_abstract"],
            "tldr": stored["tldr"],
        }
    )
    whole = stored["abstract"]
    read = [whole]
    if stored["abstract_cut"] and len(parts := sentences(whole)) > 1:
        read.append(" ".join(parts[:-1]))
    failed = [failed_check(answer, _paper(stored, text), "zh", glossary("zh")) for text in read]
    return "" if "" in failed else failed[0]


def _paper(stored: Mapping[str, Any], abstract: str) -> Paper:
    return Paper(
        arxiv_id=stored["id"],
        version=1,
        title=stored["title"],
        abstract=abstract,
        authors=(),
        categories=("cs.LG",),
    )
