"""TeX in running text to what a reader expects; formulas stay as they are, byte for byte."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from typing import NamedTuple

from pylatexenc.latex2text import LatexNodes2Text, get_default_latex_context_db

from paperpost.domain.formulas import formulas

_DEEPEST = 12  # groups within groups; what lies deeper stays as it is
_LONGEST_ACCENTED = 12  # what an accent stands on, with its braces: `{\^{\i}}`

_TOKEN = re.compile(
    r"(?P<url>(?:https?|ftp)://[^\s{}<>$\"`]+)"
    r"|\\(?P<name>[A-Za-z]+)|\\(?P<mark>.)"
    r"|(?P<group>\{)|(?P<quote>``?)|(?P<end>''?|\")|(?P<dash>-{2,})|(?P<tie>~)",
    re.DOTALL,
)
_SINGLE_QUOTED = re.compile(r"(?<![\w`\\])`(?=[^\s`'])[^`'\"]{1,80}(?P<end>')(?!\w)")
_TIE_BEHIND = re.compile(r"(?:[^\W\d_]{2}|\b[AIa]|[\d.,:;)\]}%\"'”’])$")

_MARK_ACCENTS = frozenset("'`^\"~=.")
_LETTER_ACCENTS = frozenset({"u", "v", "H", "c", "d", "b", "r", "k"})
_BARE_LETTER = re.compile(r"\\(?P<macro>[ij])(?![A-Za-z])(?:\{\}|\s+)?|(?P<letter>[^\W\d_])")
_ACCENT_OR_LETTER = re.compile(
    r"\\(?:['`^\"~=.]|(?:[uvHcdbrkoOlLij]|ss|ae|AE|oe|OE|aa|AA|dh|DH|th|TH|dj|DJ|ng|NG)(?![A-Za-z]))"
)
# Behind these TeX swallows white space, as in `\L ukasiewicz`; behind a symbol people mean it.
_LETTERS = frozenset(
    [
        "o",
        "O",
        "l",
        "L",
        "i",
        "j",
        "ss",
        "ae",
        "AE",
        "oe",
        "OE",
        "aa",
        "AA",
        "dh",
        "DH",
        "th",
        "TH",
        "dj",
        "DJ",
        "ng",
        "NG",
    ]
)
_WRAPPERS = frozenset(
    [
        "emph",
        "text",
        "textbf",
        "textit",
        "texttt",
        "textsc",
        "textsf",
        "textrm",
        "textsl",
        "textup",
        "textmd",
        "textnormal",
        "underline",
        "uline",
        "mbox",
        "hbox",
    ]
)
_SWITCH = re.compile(
    r"\s*\\(?:it|em|bf|sc|sf|tt|rm|sl|itshape|bfseries|scshape|sffamily|ttfamily|slshape|upshape"
    r"|normalfont|small|large)(?![A-Za-z])\s*"
)
_REFERENCES = re.compile(r"(?:no)?cite[A-Za-z]*|(?:eq|auto|[cC])?ref|label")
# What the library lacks or takes for an approximation.
_SYMBOLS = {
    "deg": "°",
    "degree": "°",
    "S": "§",
    "P": "¶",
    "copyright": "©",
    "pounds": "£",
    "euro": "€",
    "slash": "/",
    "TeX": "TeX",
    "LaTeX": "LaTeX",
    "xspace": "",
    "protect": "",
    "noindent": "",
    "newline": " ",
}
_ESCAPES = {c: c for c in "%&_#{}$"} | dict.fromkeys(" \n\t,;", " ") | dict.fromkeys("!/-@", "")
_RAISED = str.maketrans("0123456789+-=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾")
_LOWERED = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_SHIFTABLE = re.compile(r"[0-9+\-=()]+")
_IN_ADDRESS = re.compile(r"\\([_%#&~$])(?:\{\})?")
# NFC would exchange these Han characters for others: https://unicode.org/faq/normalization.html
_COMPOSABLE = re.compile("[^\uf900-\ufaff\U0002f800-\U0002fa1f]+")
_LIBRARY_CATEGORIES = ("latex-base", "advanced-symbols")


class _Piece(NamedTuple):
    text: str
    kept: bool = False  # of the source, byte for byte


def readable(text: str) -> str:
    r"""
    *text* with TeX accents, letters, quotes, dashes and text macros as Unicode, in NFC.

    Formulas (`$..$`, `\(..\)`, `$$..$$`, `\[..\]`, `\begin{..}..\end{..}`) and macros that are no
    text macros stay as they are. A dollar sign that is money begins no formula.
    """
    runs = groupby(_pieces(text, 0), key=lambda piece: piece.kept)
    joined = ((kept, "".join(piece.text for piece in run)) for kept, run in runs)
    return "".join(run if kept else _composed(run) for kept, run in joined)


def _pieces(text: str, depth: int) -> list[_Piece]:
    if depth > _DEEPEST:
        return [_Piece(text)]
    return list(_Reading(text, depth).pieces())


class _Reading:
    """One pass over one text: every token becomes a piece, and what is between goes as it is."""

    def __init__(self, text: str, depth: int) -> None:
        self.text, self.depth = text, depth
        self.formulas = formulas(text)
        self.groups = _groups(text, self.formulas)
        self.closing: dict[int, str] = {}  # quotation marks to come, by place
        self.macro_ended = -1  # behind a macro that stays, braces stay too
        self.last = ""  # the character before, as a reader sees it
        # `\"` before something that is no letter: then these are quotes, as JSON escapes them.
        self.escaped_quotes = re.search(r'\\"(?![^\W\d_]|[{\\])', text) is not None

    def pieces(self) -> Iterator[_Piece]:
        at, ahead = 0, iter([*self.formulas, (len(self.text), len(self.text))])
        start, end = next(ahead)
        while at < len(self.text):
            while start < at:  # it lay within a group
                start, end = next(ahead)
            token = _TOKEN.search(self.text, at, start)
            between = self.text[at : token.start() if token else start]
            found = [_Piece(between)] if between else []
            self.last = between[-1:] or self.last
            if token:
                made, at = self.token(token)
            else:
                made, at = [_Piece(self.text[start:end], kept=True)], end
            self.last = next((p.text[-1] for p in reversed(made) if p.text), self.last)
            yield from found
            yield from made

    def token(self, token: re.Match[str]) -> tuple[list[_Piece], int]:
        """What *token* becomes, and where to go on."""
        kind, at = token.lastgroup, token.end()
        if kind == "url":
            return [_Piece(_IN_ADDRESS.sub(r"\1", token[0]), kept=True)], at
        if kind == "name":
            return self.macro(token["name"], token.start(), at)
        if kind == "mark":
            return self.mark(token["mark"], token.start(), at)
        if kind == "group":
            return self.group(token.start())
        if kind in {"quote", "end"}:
            return self.quote(token)
        told = self.dash(token) if kind == "dash" else self.tie(token)
        return [_Piece(told)], at

    def macro(self, name: str, start: int, at: int) -> tuple[list[_Piece], int]:
        if name in _LETTER_ACCENTS:
            accented, end = self.accented(name, at, spaced=True)
            if accented:
                return [_Piece(accented)], end
        elif _SWITCH.fullmatch(self.text, start, at):
            return [], _behind_space(self.text, at)
        elif name in _LETTERS or (symbol := _symbol(name)) is not None:
            end = at + 2 if self.text.startswith("{}", at) else at
            if name in _LETTERS:
                end = end if end > at else _behind_space(self.text, at)
                return [_Piece(_converted(f"\\{name}"))], end
            return [_Piece(symbol or "")], end
        else:
            made = self.with_arguments(name, at)
            if made is not None:
                return made
        self.macro_ended = at
        if _REFERENCES.fullmatch(name) and (end := self.groups.get(at, 0)):
            at = end
        return [_Piece(self.text[start:at], kept=True)], at

    def with_arguments(self, name: str, at: int) -> tuple[list[_Piece], int] | None:
        """A macro that shows its argument, shown; None for one that does not, or without one."""
        first = self.argument(at)
        if first is None:
            return None
        inside, end = first
        if name in _WRAPPERS:
            return self.inner(inside), end
        if name == "url":
            return [_Piece(_address(inside), kept=True)], end
        if name in {"textsuperscript", "textsubscript"}:
            return [_Piece(_shifted(self.shown(inside), raised="super" in name))], end
        second = self.argument(end)
        if name in {"href", "textcolor"} and second is not None:
            told, end = second
            return (self.link(inside, told) if name == "href" else self.inner(told)), end
        return None

    def link(self, target: str, told: str) -> list[_Piece]:
        """The words of a link and its address, or the address alone where the words add nothing."""
        address, made = _address(target), self.inner(told)
        words = "".join(piece.text for piece in made).strip()
        bare = address.split("://")[-1].rstrip("/")
        if words.split("://")[-1].rstrip("/") == bare or re.fullmatch(r"this https? URL", words):
            return [_Piece(address, kept=True)]
        return [*made, _Piece(" ("), _Piece(address, kept=True), _Piece(")")]

    def mark(self, mark: str, start: int, at: int) -> tuple[list[_Piece], int]:
        if mark in _MARK_ACCENTS and not (mark == '"' and self.escaped_quotes):
            accented, end = self.accented(mark, at, spaced=False)
            if accented:
                return [_Piece(accented)], end
        if mark in "'\"":
            return [_Piece(mark)], at
        if mark in _ESCAPES:
            return [_Piece(_ESCAPES[mark])], at
        if mark == "\\" and (self.last.isspace() or self.text[at : at + 1].isspace()):
            return [], at  # a new line
        return [_Piece(self.text[start:at])], at

    def accented(self, accent: str, at: int, *, spaced: bool) -> tuple[str, int]:
        """The accented letter whose argument begins at *at*, and its end; '' if it is none."""
        if spaced:
            at = _behind_space(self.text, at)
        end = self.groups.get(at, 0)
        if end - at > _LONGEST_ACCENTED:
            return "", at
        if end:
            letter = self.shown(self.text[at + 1 : end - 1])
        else:
            bare = _BARE_LETTER.match(self.text, at)
            letter, end = (bare["macro"] or bare["letter"], bare.end()) if bare else ("", at)
        letter = letter.replace("ı", "i").replace("ȷ", "j")
        if len(letter) != 1 or not letter.isalpha():
            return "", at
        made = unicodedata.normalize("NFC", _converted(f"\\{accent}{{{letter}}}"))
        return (made, end) if len(made) == 1 else ("", at)

    def group(self, start: int) -> tuple[list[_Piece], int]:
        end = self.groups.get(start)
        if end is None:
            return [_Piece("{")], start + 1
        inside = self.text[start + 1 : end - 1]
        switch = _SWITCH.match(inside)
        if switch:
            return self.inner(inside[switch.end() :]), end
        made = self.inner(inside)
        if start != self.macro_ended and self.only_holds_together(inside, made):
            return made, end
        return [_Piece("{"), *made, _Piece("}")], end

    def only_holds_together(self, inside: str, made: list[_Piece]) -> bool:
        r"""Whether the braces are there for TeX alone: `{\o}`, `{M\"u}`, `2{,}000`, `Allo{SR}`."""
        if inside.startswith("\\") or _ACCENT_OR_LETTER.search(inside):
            return not any("\\" in piece.text for piece in made)
        if len(inside) == 1 and inside in ",.;:=<>+-*/!?":
            return True
        return inside.isalpha() and self.last.isalpha()

    def quote(self, token: re.Match[str]) -> tuple[list[_Piece], int]:
        at, end = token.start(), token.end()
        if at in self.closing:
            mark = self.closing[at]
            return [_Piece(mark)], at + (1 if mark == "’" else len(token[0]))
        if token[0] == "``" and self.close_double(end):
            return [_Piece("“")], end
        if token[0] == "`" and (single := _SINGLE_QUOTED.match(self.text, at)):
            self.closing[single.start("end")] = "’"
            return [_Piece("‘")], end
        return [_Piece(token[0])], end

    def close_double(self, at: int) -> bool:
        """Note where the quotation that begins at *at* ends; False if it does not."""
        for token in _TOKEN.finditer(self.text, at):
            if token[0] == "``":
                return False
            inside = any(start <= token.start() < end for start, end in self.formulas)
            if token["end"] in {"''", '"'} and not inside and token.start() not in self.closing:
                self.closing[token.start()] = "”"
                return True
        return False

    def dash(self, token: re.Match[str]) -> str:
        """An en or em dash, but for options (`--flag`), arrows, comments and rules of hyphens."""
        before, behind = self.text[: token.start()][-1:], self.text[token.end() :][:1]
        sign = {2: "–", 3: "—"}.get(len(token[0]), token[0])
        if not before or not behind or before in "<>!+/" or behind in "<>!+/)];,.:":
            return token[0]
        is_option = (before.isspace() or before in "([`'\"") and behind.isalpha()
        is_host = self.text[: token.start()].endswith("xn")
        return token[0] if is_host or (sign == "–" and is_option) else sign

    def tie(self, token: re.Match[str]) -> str:
        """A space between words, but `~` where it means about, a range, a home or a law."""
        before, behind = self.text[: token.start()][-2:], self.text[token.end() :][:1]
        if not _TIE_BEHIND.search(before) or behind.isspace():
            return "~"
        return "~" if before[-1].isdigit() and behind.isdigit() else " "

    def argument(self, at: int) -> tuple[str, int] | None:
        at = _behind_space(self.text, at)
        end = self.groups.get(at)
        return (self.text[at + 1 : end - 1], end) if end else None

    def inner(self, text: str) -> list[_Piece]:
        return _pieces(text, self.depth + 1)

    def shown(self, text: str) -> str:
        return "".join(piece.text for piece in self.inner(text)).strip()


def _groups(text: str, formulas: list[tuple[int, int]]) -> dict[int, int]:
    """For each brace that is closed outside formulas, the place behind its end."""
    found, opened = dict[int, int](), list[int]()
    hidden = iter([*formulas, (len(text), len(text))])
    start, end = next(hidden)
    for brace in re.finditer(r"\\.|[{}]", text, re.DOTALL):
        while brace.start() >= end and end < len(text):
            start, end = next(hidden)
        if start <= brace.start() < end or brace[0].startswith("\\"):
            continue
        if brace[0] == "{":
            opened.append(brace.start())
        elif opened:
            found[opened.pop()] = brace.end()
    return found


def _behind_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _address(text: str) -> str:
    return _IN_ADDRESS.sub(r"\1", text).strip()


def _shifted(text: str, *, raised: bool) -> str:
    if _SHIFTABLE.fullmatch(text):
        return text.translate(_RAISED if raised else _LOWERED)
    return text if raised else f"_{text}"


def _composed(text: str) -> str:
    return _COMPOSABLE.sub(lambda part: unicodedata.normalize("NFC", part[0]), text)


@cache
def _symbol(name: str) -> str | None:
    """The symbol that macro *name* stands for by itself, or None."""
    if name in _SYMBOLS:
        return _SYMBOLS[name]
    specs = get_default_latex_context_db().filter_context(keep_categories=_LIBRARY_CATEGORIES)
    spec = specs.get_macro_spec(name)
    told = spec.simplify_repl if spec else None
    if not isinstance(told, str) or not 0 < len(told) <= 3 or told.isascii():  # noqa: PLR2004
        return None
    return told


@cache
def _converted(macro: str) -> str:
    """One accent with its letter, or one letter's macro, by the library's tables."""
    return str(LatexNodes2Text().latex_to_text(macro))
