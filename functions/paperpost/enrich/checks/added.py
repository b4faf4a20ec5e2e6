"""What an answer must not bring in: addresses, markup, names, codes and invitations."""

import re

from paperpost.domain.formulaskeletons import without_formulas
from paperpost.domain.instructions import commands_a_model, decoded
from paperpost.domain.lookalikes import despaced, squeezed, undisguised, unhidden
from paperpost.domain.numbers import UNITS
from paperpost.domain.papers import Paper
from paperpost.enrich.checks.case import Case, Field

_URL = re.compile(
    r"(?i:\b(?:[a-z][a-z0-9+.-]{1,20}://|(?:mailto|javascript|data|vbscript|tel|sms|magnet):"
    r"(?=[^\s])|www\.))[^\s,;(){}<>\"'`\u0080-\U0010ffff]*"
)
_DOTTED = re.compile(
    r"(?<![A-Za-z0-9@.])(?:[A-Za-z0-9][A-Za-z0-9-]*\.)+[A-Za-z][A-Za-z0-9-]+(?:/"
    r"[A-Za-z0-9_./?=&%#~-]*)?"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b|\bxn--[a-z0-9-]+"
    r"|[\u4e00-\u9fff]{1,8}\.(?:com|cn|net|org|io|中国|公司|网络|网址|在线|商城)"
)
_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_MENTION = re.compile(r"(?<![A-Za-z0-9])@[A-Za-z0-9_]+")
_MARKUP = re.compile(
    r"</?[a-zA-Z!?][^<>]*>|<!--|<(?:script|img|a|iframe|svg|style)\b|```|~~~|\]\s*[\(\[]|!\["
    r"|&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]{2,8});|\*\*[^*\s][^*]*\*\*|(?:^|\n)\s*(?:#{1,6}\s"
    r"|[-*+]\s|>\s)"
    r"|\[\^?[\w-]+\]:|`[^`]+`|\{\{|\{%|\\(?:href|url|hyperref|includegraphics|input|write)\b"
    r"|(?:^|\n)\s*\|.*\||\[\[|\[/?(?:url|img|b|i)\b"
)
_DANGEROUS = re.compile(
    r"<\s*/?\s*(?:script|img|a|iframe|svg|style|link|meta|form|object|embed|base)\b|javascript:",
    re.IGNORECASE,
)
_TEX_LINK = re.compile(r"\\(?:href|url|hyperref)")
_ESCAPED = re.compile(
    r"(?:%[0-9A-Fa-f]{2}){3,}|(?:\\[xu][0-9A-Fa-f]{2,4}){2,}|(?:\b0x[0-9a-f]{2}\s*){4,}"
)
_WORD = re.compile(
    r"[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f][A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]+"
)
_COPIED = 4  # letters in a row
_MARKER = re.compile(r"[A-Za-z]*\d[A-Za-z0-9]*|[A-Z]{2,}[A-Za-z0-9]*")
_TEX = re.compile(r"\\[`'^\"~=.uvHtcdbkr](?:\{(\w)\}|(?=\w))|\\([A-Za-z]+)|[{}$]")


def brings_no_links(case: Case) -> bool:
    """
    An address only in the abstract, and only one that the paper's own abstract has.

    Titles and TL;DRs never carry one: they stand alone in feeds and subjects, where an address that
    a stranger wrote looks like ours. A name with a dot (Node.js) may stand in the title's TL;DR.
    """
    return all(_addresses_are_known(field, case) for field in case.texts)


def brings_no_markup(case: Case) -> bool:
    """No HTML, Markdown, entity, template or TeX link, but what the paper's own text has."""
    return not any(
        _DANGEROUS.search(found)
        or found.strip() not in (case.paper.title if field.name == "tldr" else field.evidence)
        or (field.name != "abstract" and _TEX_LINK.search(found))
        for field in case.texts
        for found in _found_markup(field)
    )


def brings_no_words(case: Case) -> bool:
    """
    Latin words, names and codes come from the paper: those of a title from its title.

    What a model adds in Latin letters is its own invention, or somebody else's marker.
    """
    return all(not added_words(field, case) for field in case.texts)


def copies_no_text(case: Case) -> bool:
    """
    What an English abstract says in the language of the answer is in no title or TL;DR.

    Nobody had to translate it: it was written to be copied.
    """
    if case.is_own_language or case.row is None:
        return True
    runs = re.compile(f"(?:{case.row.letters.pattern}){{{_COPIED},}}")
    copied = {
        run[i : i + _COPIED]
        for run in runs.findall(case.paper.abstract)
        for i in range(len(run) - _COPIED + 1)
    }
    return not any(
        part in field.plain and part not in case.paper.title
        for field in case.texts
        if field.name != "abstract"
        for part in copied
    )


def hides_no_code(case: Case) -> bool:
    """Nothing in base64, hexadecimal or escapes: readers cannot see what they pass on."""
    return not any(decoded(field.plain) or _ESCAPED.search(field.text) for field in case.texts)


def answers_no_command(case: Case) -> bool:
    """The paper does not tell its translator what to write; if it does, no answer is believed."""
    return not commands(case.paper)


def commands(paper: Paper) -> bool:
    """Whether title or abstract tells the model that reads it what to write."""
    return commands_a_model(paper.title, is_title=True) or commands_a_model(paper.abstract)


def added_words(field: Field, case: Case) -> list[str]:
    """The Latin words of *field* that its part of the paper does not have."""
    known = _letters(field.evidence)
    initials = _initials(field.evidence)
    renderings = {
        squeezed(word)
        for told in case.glossary.terms_in(field.evidence).values()
        for rendering in told
        for word in _WORD.findall(rendering)
    }
    pattern = _MARKER if case.is_own_language else _WORD
    return [
        word
        for word in pattern.findall(_bare(field.text))
        if (bare := squeezed(word)) not in known
        and bare not in renderings
        and word not in UNITS
        and not (word.isupper() and bare in initials)
        and bare.removesuffix("s") not in known
    ]


def _addresses_are_known(field: Field, case: Case) -> bool:
    known = undisguised(field.evidence) if field.name == "abstract" else ""
    for link in _URL.findall(field.plain):
        if not known or link.rstrip(".") not in _links(known):
            return False
    rest = _URL.sub(" ", field.plain)
    dotted = undisguised(field.evidence if field.name == "abstract" else case.paper.title)
    names = {name.rstrip(".").lower() for name in _DOTTED.findall(dotted)}
    if any(name.lower() not in names for name in _DOTTED.findall(_MAIL.sub(" ", rest))):
        return False
    if any(mail not in _MAIL.findall(known) for mail in _MAIL.findall(rest)):
        return False
    return all(name in undisguised(field.evidence) for name in _MENTION.findall(rest))


def _links(text: str) -> set[str]:
    return {link.rstrip(".") for link in _URL.findall(text)}


def _found_markup(field: Field) -> list[str]:
    shown = unhidden(field.text)
    return _MARKUP.findall(without_formulas(shown)) + _DANGEROUS.findall(shown)


def _bare(text: str) -> str:
    return _TEX.sub(lambda m: m[1] or (" " if m[2] else ""), despaced(unhidden(text)))


def _letters(text: str) -> str:
    return squeezed(_TEX.sub(lambda m: m[1] or m[2] or "", unhidden(text)))


def _initials(text: str) -> str:
    words = re.findall(r"[A-Za-z]+", text)
    return "".join(word[0].lower() for word in words)
