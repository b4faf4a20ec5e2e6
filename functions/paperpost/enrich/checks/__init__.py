"""What an answer must be before anybody sees it: a table of named checks, in the order they run."""

from collections.abc import Callable, Mapping

from paperpost.domain.glossary import Glossary
from paperpost.domain.papers import Paper
from paperpost.enrich.checks import added, kept, leftovers, phrases, shape
from paperpost.enrich.checks.case import Case, case
from paperpost.enrich.checks.repairs import repaired

__all__ = ["CHECKS", "Case", "Check", "case", "failed_check", "hopeless", "repaired"]

# Whether a case passes; the function's docstring says what it protects against.
Check = Callable[[Case], bool]

# The names are dimensions of metrics and reasons in the table: changing one breaks alarms. What
# shows an attack stands before what may be a mere fault, so that the former is named.
CHECKS: Mapping[str, Check] = {
    "fields": shape.has_its_fields,
    "instructions": added.answers_no_command,
    "control characters": shape.is_visible,
    "links": added.brings_no_links,
    "markup": added.brings_no_markup,
    "copied text": added.copies_no_text,
    "hidden code": added.hides_no_code,
    "contacts": phrases.invites_nowhere,
    "claims": phrases.claims_nothing_more,
    "refusal": phrases.is_no_refusal,
    "prompt echo": phrases.echoes_no_prompt,
    "untranslated": leftovers.is_translated,
    "script": shape.is_in_its_script,
    "length": shape.has_likely_lengths,
    "repetition": shape.does_not_repeat,
    "leftovers": leftovers.leaves_nothing_over,
    "numbers": kept.keeps_its_numbers,
    "tldr numbers": kept.tldr_invents_no_number,
    "formulas": kept.keeps_its_formulas,
    "added words": added.brings_no_words,
    "glossary": kept.keeps_its_terms,
}
_NO_GLOSSARY = Glossary()


def failed_check(
    answer: Mapping[str, object],
    paper: Paper,
    language: str,
    glossary: Glossary = _NO_GLOSSARY,
) -> str:
    """The name of the first check that *answer* fails, or '' if it may be shown."""
    judged = case(answer, paper, language, glossary)
    return next((name for name, passes in CHECKS.items() if not passes(judged)), "")


def hopeless(paper: Paper) -> str:
    """The name of the check that every answer to *paper* fails, or '': nobody need be asked."""
    return "instructions" if added.commands(paper) else ""
