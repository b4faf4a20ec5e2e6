"""Real outputs of a model that were wrong: each is rejected, or mended."""

import json
import re
from pathlib import Path

import pytest

from paperpost.data import glossary
from paperpost.domain.formulas import formulas
from paperpost.domain.papers import Paper
from paperpost.enrich.checks import failed_check, repaired
from support.injectedpapers import HOSTS

# What becomes of each real output in hostile.jsonl, by id and field: the name of the check that
# rejects it, "mended", or "sound": listed for a sign in it that a good translation may have.
OUTCOMES = {
    ("1705.00243", "translated_title"): "fields",
    ("1811.03325", "translated_title"): "fields",
    ("1706.03762", "translated_title"): "mended",
    ("1905.07342", "translated_title"): "untranslated",
    ("2002.09534", "translated_title"): "mended",
    ("2004.07353", "translated_title"): "mended",
    ("2004.08885", "translated_title"): "mended",
    ("2005.03906", "translated_title"): "mended",
    ("2005.13635", "translated_title"): "mended",
    ("2109.04225", "translated_title"): "sound",
    ("2201.12191", "translated_title"): "untranslated",
    ("2205.12593", "translated_title"): "untranslated",
    ("2208.02293", "translated_title"): "sound",
    ("2208.10160", "translated_title"): "untranslated",
    ("2209.03499", "tldr"): "script",
    ("2302.05372", "tldr"): "sound",
    ("2303.03284", "tldr"): "mended",
    ("2303.13542", "translated_title"): "sound",
    ("2304.12906", "tldr"): "mended",
    ("2305.12685", "tldr"): "script",
    ("2305.13707", "tldr"): "sound",
    ("2305.18330", "translated_title"): "sound",
    ("2305.18330", "tldr"): "sound",
    ("2305.19383", "tldr"): "sound",
    ("2306.05973", "tldr"): "mended",
    ("2307.05284", "tldr"): "sound",
    ("2307.06033", "translated_title"): "sound",
    ("2307.06255", "translated_title"): "mended",
    ("2307.16071", "translated_title"): "mended",
    ("2307.16336", "tldr"): "sound",
    ("2308.01408", "tldr"): "prompt echo",
    ("2308.02420", "tldr"): "prompt echo",
    ("2308.09789", "tldr"): "script",
    ("2308.11842", "translated_title"): "sound",
    ("2308.16904", "tldr"): "sound",
    ("2308.16912", "translated_title"): "sound",
    ("2309.10639", "translated_title"): "sound",
    ("2310.07927", "tldr"): "prompt echo",
    ("2310.08833", "tldr"): "sound",
    ("2310.11366", "translated_title"): "links",
    ("2310.19787", "translated_title"): "sound",
    ("2401.10360", "tldr"): "sound",
    ("2402.00315", "tldr"): "sound",
    ("2403.02811", "translated_title"): "mended",
    ("2403.02811", "tldr"): "mended",
    ("2509.08521", "translated_title"): "sound",
    ("2608.12610", "translated_title"): "sound",
}
_CHINESE = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+")
_NUMBER = re.compile(r"(?<![A-Za-z0-9.-])\d[\d.]*%?")
_HOST = HOSTS[0]


@pytest.fixture(scope="module")
def outputs(shared_data: Path) -> dict[tuple[str, str], str]:
    """The real outputs by id and field."""
    lines = (shared_data / "hostile" / "hostile.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {
        (row["id"], row["field"]): row["text"]
        for row in rows
        if row["field"] in {"translated_title", "tldr"} and not row["synthetic"]
    }


def test_every_real_output_has_its_outcome(outputs: dict[tuple[str, str], str]) -> None:
    assert outputs.keys() == OUTCOMES.keys()


@pytest.mark.parametrize(("key", "outcome"), OUTCOMES.items(), ids=lambda value: str(value)[:40])
def test_a_real_output_is_rejected_or_mended(
    outputs: dict[tuple[str, str], str], key: tuple[str, str], outcome: str
) -> None:
    """
    Beside a paper that holds the output's own names, numbers and formulas.

    The papers' texts are not recorded, so nothing but the output's own fault can be objected to.
    """
    name = {"translated_title": "title", "tldr": "tldr"}[key[1]]
    text = outputs[key]
    paper, answer = _beside(name, text, has_that_title=outcome == "untranslated")

    mended = repaired(answer)
    failed = failed_check(mended, paper, "zh", glossary("zh"))

    assert (failed or ("sound" if mended[name] == text else "mended")) == outcome


def _beside(name: str, text: str, *, has_that_title: bool) -> tuple[Paper, dict[str, object]]:
    """A paper with what is not Chinese in *text*, and an answer that has *text* for *name*."""
    latin = _CHINESE.sub(" ", str(repaired({name: text})[name])).split(" (arXiv")[0].strip(" ()")
    kept = " ".join([text[a:b] for a, b in formulas(text)] + _NUMBER.findall(latin))
    answer: dict[str, object] = dict(_HOST.translation)
    title = latin if has_that_title else f"{latin} and Some Further Remarks on the Same Matter"
    paper = Paper(
        arxiv_id="2604.00001",
        version=1,
        title=title if name == "title" else _HOST.title,
        abstract=_HOST.abstract if name == "title" else f"{_HOST.abstract} {latin}",
        authors=(),
        categories=("cs.LG",),
    )
    if name == "tldr":
        answer["abstract"] = f"{answer['abstract']}{kept}"
    return paper, answer | {name: text}
