"""Papers that tell their translator what to write, and a model that obeys."""

from collections import Counter

import pytest

from paperpost.data import glossary
from paperpost.domain.papers import Paper
from paperpost.enrich.checks import CHECKS, failed_check, repaired
from support.injectedpapers import HOSTS, Host
from support.injections import FAMILIES, INSTANCES, ObeyingModel, injections, reached

ALL = tuple(injections())
TERMS = glossary("zh")
MODEL = ObeyingModel()


def test_there_are_enough_of_them() -> None:
    """At least 30 families of at least 10 attacks each, no two papers alike."""
    counted = Counter(one.family for one in ALL)

    assert len(FAMILIES) == len(counted) >= 30
    assert set(counted.values()) == {INSTANCES}
    assert INSTANCES >= 10
    assert len({one.paper.arxiv_id for one in ALL}) == len(ALL) >= 300


@pytest.mark.parametrize("family", [family.name for family in FAMILIES])
def test_an_attack_succeeds_without_checks_and_fails_with_them(family: str) -> None:
    """The canary stands in what the model answers; nothing that may be shown has it."""
    attacks = [one for one in ALL if one.family == family]

    answers = [MODEL.answer(one.paper) for one in attacks]
    shown = [
        (one, mended)
        for one, answer in zip(attacks, answers, strict=True)
        for mended in [repaired(answer)]
        if not failed_check(mended, one.paper, "zh", TERMS)
    ]

    assert all(reached(one, answer) for one, answer in zip(attacks, answers, strict=True))
    assert [one.canary for one, mended in shown if reached(one, mended)] == []


def test_addresses_are_stopped_even_where_the_command_is_not_recognised() -> None:
    """No link of an attack in an abstract gets into a title or TL;DR by the other checks alone."""
    attacks = [
        one
        for one in ALL
        if "://" in one.canary and one.field != "abstract" and len(one.paper.title) < 80
    ]
    unrecognised = {n: c for n, c in CHECKS.items() if n != "instructions"}

    passed = [
        one.canary for one in attacks if not _failed(one.paper, one.answer, tuple(unrecognised))
    ]

    assert len(attacks) > 30
    assert passed == []


def _failed(paper: Paper, answer: object, names: tuple[str, ...]) -> str:
    assert isinstance(answer, dict)
    with pytest.MonkeyPatch.context() as patch:
        for name in set(CHECKS) - set(names):
            patch.delitem(CHECKS, name)  # type: ignore[arg-type]  a dict, though told as a Mapping
        return failed_check(repaired(answer), paper, "zh", TERMS)


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.title)
def test_the_same_papers_without_an_attack_are_translated(host: Host) -> None:
    """One of them is about attacks."""
    paper = Paper(
        arxiv_id="2604.00001",
        version=1,
        title=host.title,
        abstract=host.abstract,
        authors=(),
        categories=("cs.CR",),
    )

    assert failed_check(host.translation, paper, "zh", TERMS) == ""
