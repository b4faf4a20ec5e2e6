"""Formulas for pages: MathML that browsers set by themselves, else the source, marked as such."""

import re
import unicodedata
from collections.abc import Iterator
from html import escape

from paperpost.domain.formulas import formulas

# Every token of the TeX that is set here; whatever else a formula holds leaves it as source.
_TOKEN = re.compile(
    r"(?P<space>\s+|~|\\[,;:!> ]|\\q?quad\b)|(?P<macro>\\[A-Za-z]+|\\[{}|%&#$_])"
    r"|(?P<number>\d+(?:[.,]\d+)*)|(?P<sign>[^\\&%#$])"
)
_SIGNS = {
    "times": "×", "cdot": "⋅", "leq": "≤", "le": "≤", "leqslant": "≤", "geq": "≥", "ge": "≥",
    "geqslant": "≥", "neq": "≠", "ne": "≠", "approx": "≈", "simeq": "≃", "sim": "∼", "pm": "±",
    "mp": "∓", "infty": "∞", "to": "→", "rightarrow": "→", "leftarrow": "←", "Rightarrow": "⇒",
    "mapsto": "↦", "in": "∈", "notin": "∉", "subset": "⊂", "subseteq": "⊆", "cup": "∪",
    "cap": "∩", "emptyset": "∅", "forall": "∀", "exists": "∃", "partial": "∂", "nabla": "∇",
    "sum": "∑", "prod": "∏", "int": "∫", "ldots": "…", "dots": "…", "cdots": "⋯", "ell": "ℓ",
    "gg": "≫", "ll": "≪", "mid": "|", "vert": "|", "Vert": "‖", "|": "‖", "langle": "⟨",
    "rangle": "⟩", "lceil": "⌈", "rceil": "⌉", "lfloor": "⌊", "rfloor": "⌋", "circ": "∘",
    "otimes": "⊗", "oplus": "⊕", "ast": "∗", "star": "⋆", "prime": "′", "propto": "∝",
    "uparrow": "↑", "downarrow": "↓", "equiv": "≡", "perp": "⊥", "dagger": "†", "lesssim": "≲",
    "gtrsim": "≳", "percent": "%",
    "top": "⊤", "asymp": "≍", "bullet": "•", "dotsc": "…",
    "{": "{", "}": "}", "%": "%", "&": "&", "#": "#", "$": "$",
    "_": "_",
}  # fmt: skip
_FUNCTIONS = {
    "log", "ln", "exp", "sin", "cos", "tan", "max", "min", "sup", "inf", "arg", "argmax",
    "argmin", "lim", "det", "dim", "ker", "Pr", "poly",
}  # fmt: skip
_UPRIGHT = {
    "text", "mathrm", "textrm", "textit", "texttt", "textsf", "mathtt", "mathit", "mbox",
    "operatorname", "emph", "rm",
}  # fmt: skip
_FONTS = {"mathbb": "DOUBLE-STRUCK", "mathbf": "BOLD", "boldsymbol": "BOLD", "bm": "BOLD",
          "textbf": "BOLD", "mathcal": "SCRIPT", "mathscr": "SCRIPT", "mathfrak": "FRAKTUR",
          "mathsf": "SANS-SERIF"}  # fmt: skip
_ACCENTS = {"hat": "^", "widehat": "^", "tilde": "~", "widetilde": "~", "bar": "¯",
            "overline": "¯", "vec": "→", "dot": "˙"}  # fmt: skip
_OPENS = re.compile(r"\$\$?|\\[(\[]|\\begin\{[A-Za-z]+\*?\}")
_CLOSES = re.compile(r"(?:\$\$?|\\[)\]]|\\end\{[A-Za-z]+\*?\})\Z")
_SIZES = frozenset(["left", "right", "big", "Big", "bigl", "bigr", "displaystyle"])
# Braces and macros within each other; no formula of the recorded papers has more than 5.
_DEEPEST = 24
# A browser puts air around a minus, unless told that it belongs to what follows: [-1, 1], x = -1.
_OWN_MINUS = re.compile(
    r"(?P<before>\A|<mrow>|<mo>(?:[(\[{,:=≤≥≈∼∈→]|&lt;|&gt;)</mo>)<mo>-</mo>(?=<m)"
)


class _NotSetError(Exception):
    """The formula holds TeX that is not set here."""


def with_formulas(text: str) -> str:
    """*text* as HTML: plain text escaped, each formula as MathML or as its source in `<code>`."""
    made, at = [], 0
    for start, end in formulas(text):
        made += [escape(text[at:start]), _set(text[start:end])]
        at = end
    return "".join([*made, escape(text[at:])])


def is_known(source: str) -> bool:
    """Whether the formula *source* holds nothing but TeX that is set here."""
    return not _set(source).startswith("<code>")


def _set(source: str) -> str:
    opened = _OPENS.match(source)
    inside = _CLOSES.sub("", source[opened.end() if opened else 0 :])
    try:
        row = _Reader(inside).row()
    except _NotSetError:
        return f"<code>{escape(source)}</code>"
    if re.fullmatch(r"<m[no]>[^<]*</m[no]>(?:<m[no]>[^<]*</m[no]>)*", row):
        return re.sub(r"</?m[no]>", "", row).replace("-", "−")  # they need no setting
    row = _OWN_MINUS.sub(r'\g<before><mo form="prefix">−</mo>', row).replace("<mo>-<", "<mo>−<")
    return f"<math>{row}</math>" if row else ""


class _Reader:
    """Reads TeX from left to right; each method returns MathML or raises _NotSetError."""

    def __init__(self, source: str) -> None:
        self._tokens = list(_tokens(source))
        self._at = self._depth = 0

    def row(self, until: str = "") -> str:
        """Everything up to the token *until*, or to the end."""
        parts: list[str] = []
        while self._peek() != until:
            parts.append(self._scripted())
        if until:
            self._at += 1
        return "".join(parts)

    def _scripted(self) -> str:
        base = "<mrow></mrow>" if self._peek() in {"^", "_"} else self._part()
        scripts: dict[str, str] = {}
        while (mark := self._peek()) in {"^", "_", "'"}:
            self._at += 1
            kind = "_" if mark == "_" else "^"
            if kind in scripts:
                raise _NotSetError
            scripts[kind] = "<mo>′</mo>" if mark == "'" else self._one()
        if scripts and not base:
            raise _NotSetError
        if len(scripts) > 1:
            return f"<msubsup>{base}{scripts['_']}{scripts['^']}</msubsup>"
        for kind, script in scripts.items():
            name = "msub" if kind == "_" else "msup"
            return f"<{name}>{base}{script}</{name}>"
        return base

    def _one(self) -> str:
        """One element: what a macro takes, what a script says."""
        part = self._part()
        if not part:
            raise _NotSetError
        return part

    def _part(self) -> str:
        """One element, or '' for a macro that only sizes what follows."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _NotSetError
        part = self._read()
        self._depth -= 1
        return part

    def _read(self) -> str:
        found = self._peek()
        self._at += 1
        if found == "{":
            return f"<mrow>{self.row('}')}</mrow>"
        if found in {"", "}", "^", "_"}:
            raise _NotSetError
        if found[0] == "\\":
            return self._built(found[1:]) or self._sign(found[1:])
        if found[0].isdigit():
            return f"<mn>{found}</mn>"
        return f"<mi>{found}</mi>" if found.isalpha() else f"<mo>{escape(found)}</mo>"

    def _built(self, name: str) -> str:
        """What the macro *name* makes of what follows it, or '' if it takes nothing."""
        made = ""
        if name in {"frac", "tfrac", "dfrac"}:
            made = f"<mfrac>{self._one()}{self._one()}</mfrac>"
        elif name == "sqrt" and self._peek() != "[":
            made = f"<msqrt>{self._one()}</msqrt>"
        elif name in _ACCENTS:
            made = f'<mover accent="true">{self._one()}<mo>{_ACCENTS[name]}</mo></mover>'
        elif name in _UPRIGHT:
            made = f"<mtext>{escape(self._words())}</mtext>"
        elif name in _FONTS:
            made = self._in_font(_FONTS[name])
        return made

    def _sign(self, name: str) -> str:
        if name in _SIZES:
            self._at += self._peek() == "."
            return ""
        if name in _FUNCTIONS:
            return f"<mi>{name}</mi>"
        return f"<mo>{escape(_SIGNS[name])}</mo>" if name in _SIGNS else f"<mi>{_greek(name)}</mi>"

    def _in_font(self, font: str) -> str:
        """Letters in *font*; where more than letters stands there, it is set as it is."""
        before = self._at
        try:
            return f"<mi>{escape(_in_font(self._words(), font))}</mi>"
        except _NotSetError:
            self._at = before
            return self._one()

    def _words(self) -> str:
        """The plain text in braces, with its spaces, or one token."""
        first = self._peek()
        self._at += 1
        if first != "{":
            if not first or first[0] in "}\\":
                raise _NotSetError
            return first
        words = []
        while (found := self._raw()) != "}":
            if not found or found[0] in "{\\":
                raise _NotSetError
            words.append(found)
            self._at += 1
        self._at += 1
        return "".join(words)

    def _peek(self) -> str:
        while self._raw() == " ":
            self._at += 1
        return self._raw()

    def _raw(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""


def _tokens(source: str) -> Iterator[str]:
    at = 0
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None:
            raise _NotSetError
        at = found.end()
        yield " " if found.lastgroup == "space" else found[0]


def _greek(name: str) -> str:
    letter = name.removeprefix("var").upper().replace("LAMBDA", "LAMDA")
    case = "CAPITAL" if name[0].isupper() else "SMALL"
    try:
        return unicodedata.lookup(f"GREEK {case} LETTER {letter}")
    except KeyError as exc:
        raise _NotSetError from exc


def _in_font(words: str, font: str) -> str:
    """*words* in mathematical letters; a letter that Unicode has elsewhere (ℝ) or not is kept."""
    return "".join(_letter_in(letter, font) for letter in words)


def _letter_in(letter: str, font: str) -> str:
    case = "CAPITAL" if letter.isupper() else "SMALL"
    for name in (
        f"MATHEMATICAL {font} {case} {letter.upper()}",
        f"{font.replace('FRAKTUR', 'BLACK-LETTER')} {case} {letter.upper()}",
    ):
        try:
            return unicodedata.lookup(name)
        except KeyError:
            continue
    return letter
