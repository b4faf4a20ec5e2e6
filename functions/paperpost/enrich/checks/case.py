"""One answer beside what it answers: what every check looks at."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from paperpost.domain.glossary import Glossary
from paperpost.domain.instructions import without_mentions
from paperpost.domain.lookalikes import undisguised
from paperpost.domain.papers import Paper
from paperpost.enrich.checks.languages import LANGUAGES, Language
from paperpost.enrich.prompt import OWN_LANGUAGE, fields

# Characters. Nothing longer is a title, abstract or TL;DR, and some patterns take the square of a
# text's length: what is longer is neither mended nor searched.
LONGEST = {"title": 600, "abstract": 8000, "tldr": 800}

# "fast vs. slow" is no address with a space in it.
_ABBREVIATION = re.compile(
    r"\b(vs|e\.g|i\.e|etc|cf|resp|al)\.\s+(?!(?:com|cn|net|org|io|ai|co|me|app|xyz|top)\b)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One text of an answer and the text of the paper that it stands for."""

    name: str
    text: str
    plain: str  # disguises undone, for a search of what must not be there
    source: str
    evidence: str  # where its words may come from: no sentence that speaks to a model


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An answer, the paper, the language and its glossary. `row` is None for other languages."""

    answer: Mapping[str, object]
    wanted: tuple[str, ...]
    paper: Paper
    is_own_language: bool
    row: Language | None
    glossary: Glossary
    texts: tuple[Field, ...]
    source: str
    evidence: str


def case(answer: Mapping[str, object], paper: Paper, language: str, glossary: Glossary) -> Case:
    """
    Set *answer* beside the paper's text.

    Fields that are no text are left to the first check, those beyond LONGEST to that of lengths.
    """
    whole = f"{paper.title}\n{paper.abstract}"
    title, abstract = without_mentions(paper.title), without_mentions(paper.abstract)
    evidence = f"{title}\n{abstract}"
    sources = {"title": (paper.title, title), "abstract": (paper.abstract, abstract)}
    return Case(
        answer=answer,
        wanted=fields(language),
        paper=paper,
        is_own_language=language == OWN_LANGUAGE,
        row=LANGUAGES.get(language),
        glossary=glossary,
        texts=tuple(
            Field(
                name=name,
                text=text,
                plain=undisguised(_ABBREVIATION.sub(r"\1 ", text)),
                source=sources.get(name, (whole, evidence))[0],
                evidence=sources.get(name, (whole, evidence))[1],
            )
            for name in fields(language)
            if isinstance(text := answer.get(name), str) and len(text) <= LONGEST[name]
        ),
        source=whole,
        evidence=evidence,
    )
