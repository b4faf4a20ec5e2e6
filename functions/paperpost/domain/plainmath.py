"""Formulas where no MathML is shown: Unicode where that says it, else the TeX source."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from html import escape, unescape
from typing import NamedTuple

from paperpost.domain.formulas import formulas
from paperpost.domain.mathml import with_formulas

_PART = re.compile(
    r'<(?P<kind>m[ino]|mtext)(?: form="prefix")?>(?P<leaf>[^<]*)</m\w+>'
    r"|(?P<end></\w+>)|<(?P<name>\w+)[^>]*>|(?P<bare>[^<]+)"
)
_RELATIONS = frozenset("=≠<>≤≥≈≃∼∈∉⊂⊆→←⇒↦∝≡≫≪≲≳≍")
_BETWEEN = frozenset("+−×⋅±∓∪∩⊗⊕")
_WANTS_OPERAND = frozenset(["", *"([{⟨⌈⌊,/", *_RELATIONS, *_BETWEEN])
_AIR_BEFORE = re.compile(r" (?=[\])}⟩⌉⌋,(])")
_RAISED = dict(
    zip(
        "0123456789+−=()abcdefghijklmnoprstuvwxyzDHKLMNTW⊤∘∗*′†",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴰᴴᴷᴸᴹᴺᵀᵂᵀ°**′†",
        strict=True,
    )
)
_LOWERED = dict(
    zip("0123456789+−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True)
)
_ACCENTS = {"^": "\u0302", "~": "\u0303", "¯": "\u0304", "→": "\u20d7", "˙": "\u0307"}


class _NotPlainError(Exception):
    """The formula says by its layout what letters in a row do not."""


class _Node(NamedTuple):
    name: str
    text: str
    parts: "list[_Node]"


def plain(text: str) -> str:
    """*text* with its formulas in Unicode; one that needs more than a line of it stays source."""
    made, at = list[str](), 0
    for start, end in formulas(text):
        made += [text[at:start], _plain(text[start:end])]
        at = end
    return "".join([*made, text[at:]])


def sources_marked(text: str, *, opening: str = "<code>") -> str:
    """*text* as HTML, what is left of TeX in it as `<code>`, each begun with *opening*."""
    made, at = list[str](), 0
    for start, end in formulas(text):
        source = escape(text[start:end])
        made += [escape(text[at:start]), f"{opening}{source}</code>"]
        at = end
    return "".join([*made, escape(text[at:])])


def _plain(source: str) -> str:
    html = with_formulas(source)
    if html.startswith("<code>"):
        return source
    try:
        return _row(_read(html).parts).strip()
    except _NotPlainError:
        return source


def _read(html: str) -> _Node:
    """The tree of what `with_formulas` made."""
    stack = [_Node("mrow", "", [])]
    for part in _PART.finditer(html):
        if part["end"]:
            stack.pop()
        elif part["name"]:
            stack[-1].parts.append(_Node(part["name"], "", []))
            stack.append(stack[-1].parts[-1])
        else:
            said = _letters(unescape(part["leaf"] or part["bare"] or ""))
            stack[-1].parts.append(_Node(part["kind"] or "mo", said, []))
    return stack[0]


def _letters(text: str) -> str:
    """*text* with a sign for minus, and no letters that old phones lack (beyond U+FFFF)."""
    plain_letters = (unicodedata.normalize("NFKC", c) if c > "\uffff" else c for c in text)
    return "".join(plain_letters).replace("-", "−")


def _row(parts: list[_Node]) -> str:
    """The *parts* on a line, with the air that TeX would give them."""
    made = ""
    for part in parts:
        said = _said(part)
        is_operand_wanted = made.rstrip()[-1:] in _WANTS_OPERAND
        if part.name == "mo" and (
            said in _RELATIONS or (said in _BETWEEN and not is_operand_wanted)
        ):
            made = f"{made.rstrip()} {said} "
        elif said == ",":
            made = f"{made.rstrip()}, "
        else:
            is_name = part.name == "mi" and len(said) > 1
            gap = " " if is_name and made[-1:].isalnum() else ""
            made += f"{gap}{said}{' ' if is_name else ''}"
    return _AIR_BEFORE.sub("", made)


def _said(node: _Node) -> str:
    return _BUILT[node.name](node.parts) if node.name in _BUILT else node.text


def _scripted(base: _Node, *scripts: tuple[_Node, Mapping[str, str]]) -> str:
    """*base* with small letters behind it, where Unicode has all of them."""
    said = _said(base)
    if len(said) > 1 and base.name == "mrow" and not said.endswith((")", "}", "]")):
        raise _NotPlainError
    for script, letters in scripts:
        small = [letters.get(c) for c in _said(script).replace(" ", "")]
        if not all(small):
            raise _NotPlainError
        said += "".join(filter(None, small))
    return said


def _over(top: _Node, bottom: _Node) -> str:
    return f"{_held(top)}/{_held(bottom)}"


def _held(node: _Node) -> str:
    """What *node* says, in brackets if it is more than one thing."""
    said = _said(node)
    return said if said.isalnum() else f"({said})"


def _accented(base: _Node, accent: _Node) -> str:
    said = _said(base)
    if len(said) != 1 or accent.text not in _ACCENTS:
        raise _NotPlainError
    return unicodedata.normalize("NFC", said + _ACCENTS[accent.text])


_BUILT: Mapping[str, Callable[[list[_Node]], str]] = {
    "math": _row,
    "mrow": _row,
    "msub": lambda parts: _scripted(parts[0], (parts[1], _LOWERED)),
    "msup": lambda parts: _scripted(parts[0], (parts[1], _RAISED)),
    "msubsup": lambda parts: _scripted(parts[0], (parts[1], _LOWERED), (parts[2], _RAISED)),
    "mfrac": lambda parts: _over(*parts),
    "msqrt": lambda parts: f"√{_held(_Node('mrow', '', parts))}",
    "mover": lambda parts: _accented(*parts),
}
