"""What remains of a formula however it is set: spaces, braces, fonts and delimiters gone."""

import re
import unicodedata

from paperpost.domain.formulas import formulas

_STYLE = re.compile(
    r"\\(?:left|right|[bB]igg?[lr]?|mathrm|mathbf|mathcal|mathbb|mathit|mathsf|mathfrak|mathscr"
    r"|boldsymbol|bm|text(?:bf|it|rm|sf|tt|sc|up|normal)?|emph|operatorname|ensuremath|displaystyle"
    r"|rm|bf|it|cal|tilde|widetilde|hat|widehat|bar|overline|vec|mbox|quad|qquad|limits|nolimits"
    r"|begin|end|mathop|scriptsize|scriptscriptstyle|small|footnotesize)(?![A-Za-z])\*?"
    r"|\\[,;:!> ]|\\(?=[%$&#_{}|])"
)
_MACRO = re.compile(r"\\([A-Za-z]+)")
_SIGNS = {
    "times": "×", "int": "∫", "leq": "≤", "le": "≤", "leqslant": "≤", "geq": "≥", "ge": "≥",
    "geqslant": "≥", "infty": "∞", "pm": "±", "approx": "≈", "simeq": "≈", "lceil": "⌈",
    "rceil": "⌉", "lfloor": "⌊", "rfloor": "⌋", "sim": "~", "to": "→", "rightarrow": "→",
    "cdot": "·", "ell": "l", "ldots": "...", "dots": "...", "cdots": "...", "in": "∈",
    "ne": "≠", "neq": "≠", "mid": "|", "vert": "|", "lvert": "|", "rvert": "|", "Vert": "‖",
    "lVert": "‖", "rVert": "‖", "percent": "%", "sqrt": "√", "sum": "∑", "prod": "∏",
    "partial": "∂", "nabla": "∇", "lbrace": "", "rbrace": "", "ast": "*", "star": "*",
    "prime": "'", "langle": "⟨", "rangle": "⟩", "gg": ">", "ll": "<", "gtrsim": "≥",
    "lesssim": "≤", "dfrac": "frac", "tfrac": "frac", "lbrack": "[", "rbrack": "]",
    "land": "∧", "lor": "∨",
}  # fmt: skip
# Words in a fancy font are no formula, and are translated: $\textit{geometric graphs}$.
_ONLY_WORDS = re.compile(
    r"\$?\$?\s*(?:\\(?:text(?:bf|it|rm|sf|tt|sc|up|normal)?|emph|mathrm|mathbf|mathit|rm|bf"
    r"|it|mbox|bullet)"
    r"(?![A-Za-z])\s*(?:\{[^{}]*\})?\s*)+[^\\$]*\$?\$?|\$[A-Za-z]{5,}\$|\$\\unicode\{\w+\}\$"
)
_MICRO = re.compile(r"\$\\mu\$")  # $\mu$s, which a translation calls 微秒
_VARIANTS = str.maketrans("−–∼ε∥", "--~ϵ‖")
_NOTHING = re.compile(r"[\s{}()$^_\\]+")
_ORDINAL = re.compile(r"(?<=^.)(?:th|st|nd|rd)$")
_TEXT_AROUND = "<>≤≥~≈=+-−×±,.:;()[]|*·'\""


def skeleton(text: str) -> str:
    """*text* without what only sets a formula: spaces, braces, fonts, delimiters, TeX for signs."""
    told = _MACRO.sub(_sign, _STYLE.sub("", text.replace("\\|", "‖")))
    told = _NOTHING.sub("", unicodedata.normalize("NFKC", told))
    told = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", told)
    return told.translate(_VARIANTS).casefold()


def formula_skeletons(text: str) -> list[str]:
    """The skeletons of the formulas in *text*, in order, those without letter or digit left out."""
    found = [
        _ORDINAL.sub("", skeleton(text[start:end]).strip(_TEXT_AROUND))
        for start, end in formulas(text)
        if not _ONLY_WORDS.fullmatch(text[start:end])
        and not (_MICRO.fullmatch(text[start:end]) and text[end : end + 1].isalpha())
    ]
    return [one for one in found if any(c.isalnum() for c in one)]


def without_formulas(text: str) -> str:
    """*text* with a space for each formula."""
    kept, at = [], 0
    for start, end in formulas(text):
        kept += [text[at:start], " "]
        at = end
    return "".join([*kept, text[at:]])


def _sign(match: re.Match[str]) -> str:
    name = match[1]
    if name in _SIGNS:
        return _SIGNS[name]
    case = "CAPITAL" if name[0].isupper() else "SMALL"
    try:
        return unicodedata.lookup(f"GREEK {case} LETTER {_letter(name)}")
    except KeyError:
        return name


def _letter(name: str) -> str:
    """A Greek letter's name as Unicode spells it."""
    bare = name.removeprefix("var").upper()
    return "LAMDA" if bare == "LAMBDA" else bare
