"""Text for a fixed-width screen: lines of 78 columns, where a Han character takes two."""

import re

from paperpost.domain.text import columns

WIDTH = 78
_HAN = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_OPENING = "（《「『“‘【〈〔(\\["
_CLOSING = "，。、；：？！）》」』”’】〉〕…,.;:?!)\\]"
# A word with the spaces behind it, or one character of a script that breaks anywhere, kept
# together with the marks that must not end the line before it or open the line behind it.
_UNIT = re.compile(
    f"[{_OPENING}]*(?:[{_HAN}]|[^\\s{_HAN}]*[^\\s{_HAN}{_OPENING}])[{_CLOSING}]*\\s*"
    f"|[{_OPENING}]+\\s*"
)


def wrapped(text: str, *, indent: str = "") -> str:
    """*text* broken into lines of at most 78 columns; a longer word stands on a line of its own."""
    lines: list[str] = []
    line, width = indent, len(indent)
    for unit in _UNIT.findall(text):
        needed = columns(unit.rstrip())
        if width + needed > WIDTH and line.strip():
            lines.append(line.rstrip())
            line, width = indent, len(indent)
        line += unit
        width += columns(unit)
    if line.strip():
        lines.append(line.rstrip())
    return "\n".join(lines)
