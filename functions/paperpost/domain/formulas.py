"""Where formulas stand in running text, so that nothing else is taken for one, nor one for text."""

import re

# A formula or an environment is looked for within so many characters: abstracts have at most 1,920
# (https://info.arxiv.org/help/prep.html, read 2026-11-23), and text without an end costs no time.
_LONGEST_FORMULA = 2_000

_FORMULA_START = re.compile(r"\\\\|\\begin\{(?P<name>[A-Za-z]+\*?)\}|\\[(\[]|\$\$|\\\$|\$")
_DOLLAR_END = re.compile(r"(?<!\\)(?:\\\\)*(?P<end>\$)")
_MACRO_IN_FORMULA = re.compile(r"\\[A-Za-z]+\s*(?:\{[^{}]*\})?")
_PROSE = re.compile(r"(?<![A-Za-z])[A-Za-z]{2,}(?:[\s,]+[A-Za-z]{2,})+")
_WORDS = re.compile(r"[A-Za-z]{2,}\W+[A-Za-z]{2,}\s$")
_MANY_WORDS = 5
_WORD = re.compile(r"[A-Za-z]{2,}")


def formulas(text: str) -> list[tuple[int, int]]:
    """Where in *text* formulas begin and end, in order, none within another."""
    found, at = list[tuple[int, int]](), 0
    while start := _FORMULA_START.search(text, at):
        end = _formula_end(text, start)
        if end:
            found.append((start.start(), end))
        at = end or start.end()
    return found


def _formula_end(text: str, start: re.Match[str]) -> int:
    """Where the formula that begins at *start* ends, or 0 if none begins there."""
    opening, inside = start[0], start.end()
    last = inside + _LONGEST_FORMULA
    if opening in {r"\\", r"\$"}:
        return 0
    if opening == "$":
        closing = _DOLLAR_END.search(text, inside, last)
        if closing is None:
            return 0
        said, after = text[inside : closing.start("end")], text[closing.end() : closing.end() + 1]
        return closing.end() if _is_formula(said) and not _is_price(said, after) else 0
    name = start["name"]
    wanted = rf"\end{{{name}}}" if name else {r"\(": r"\)", r"\[": r"\]"}.get(opening, opening)
    found = text.find(wanted, inside, last)
    return found + len(wanted) if found > inside else 0


def _is_price(inside: str, after: str) -> bool:
    """Whether *inside* runs from one price to the sign of the next: "$5 to $10", "$5-$10"."""
    if not inside[0].isdigit() or "\\" in inside:
        return False
    return after.isdigit() or (inside[-1].isspace() and _WORD.search(inside) is not None)


def _is_formula(inside: str) -> bool:
    """Whether this may stand between two dollar signs: neither prices nor sentences do."""
    if not inside.strip() or "\n\n" in inside:
        return False
    if inside[-1].isspace() and not inside[0].isspace() and _WORDS.search(inside):
        return False  # "$ign of the $"
    prose = _PROSE.search(_MACRO_IN_FORMULA.sub(" ", inside))
    if prose is None:
        return True
    return not inside.lstrip()[0].isdigit() and len(prose[0].split()) < _MANY_WORDS
