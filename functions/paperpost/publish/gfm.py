"""
Text that GitHub shows as it was written: none of it becomes Markdown, maths, a link or a mention.

GitHub reads twice, so there are two ways to write a mark that would start something:

- The Markdown parser takes a backslash before an ASCII punctuation mark as "this mark itself"
  (https://github.github.com/gfm/#backslash-escapes).
- Formulas, emoji, links and mentions are looked for in the text that comes out, where that
  backslash is gone (https://github.com/github/markup#github-markup, step 4). So one mark of each
  stands in a span of its own, as GitHub advises for the dollar sign
  (https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/writing-mathematical-expressions).
  What counts as a reference stands beside that page, in "Autolinked references and URLs".

Where a mark starts nothing it is left alone, so that the source stays legible. All read 2026-11-25.
"""

import re
from itertools import cycle, repeat

from paperpost.domain.text import clean

# MathJax, which GitHub uses, finds no formula that has a tag between its dollar signs
# (https://docs.mathjax.org/en/latest/input/tex/html.html, read 2026-11-25): every second one has.
# The backslashes are for Pandoc, comrak and editors, which look for formulas while they parse. A
# dollar sign alone in its text has no partner.
_PRICE, _FORMULAS = "$", (r"\$", r"<span>\$</span>")

_SPECIAL = re.compile(
    r"""
    \$
    | (?P<looked_for>
        (?<![A-Za-z0-9_]) @ (?=[A-Za-z0-9])                 # a mention: @user
        | @ (?=[\w.-]*@ | [\w-]*\.[\w.-]*[A-Za-z])          # mail: user@host.example
        | @ (?=[0-9a-f]{7})                                 # a commit: user/repository@1234567
        | \# (?=\d)                                         # an issue: #1, user/repository#1
        | (?<=(?<![A-Za-z0-9_])[Gg][Hh]) - (?=\d)           # an issue: GH-1
        | : (?=//) | (?<=[Ww]{3}) \.                        # an address: https://…, www.…
        | : (?=[A-Za-z0-9_+-]+:)                            # an emoji: :smile:
    )
    | (?P<parsed>
        [`*~|\[\]]
        | (?<![^\W_]) _                                     # behind a letter it opens nothing
        | < (?!\s)
        | & (?=\#?\w+;)
        | \\ (?=[!-/:-@\[-`{-~]|$)                          # before a letter it is only itself
        | (?<=\{) [{%]                                      # Liquid, where GitHub Pages runs it
    )
    """,
    re.VERBOSE,
)
# What makes the first line of a paragraph a heading, quotation, list item or rule.
_BLOCK_START = re.compile(
    r"^(?:[-+](?=\s|$)|-(?=[-\s]+$)|#{1,6}(?=\s|$)|>|\d{1,9}(?=[.)](?:\s|$)))"
)


def escaped(text: str) -> str:
    """*text* on one line, to stand within a line: in a table's cell, or as the text of a link."""
    plain = clean(text)
    dollar = cycle(_FORMULAS) if plain.count("$") > 1 else repeat(_PRICE)

    def written(mark: re.Match[str]) -> str:
        if mark["parsed"]:
            return f"\\{mark[0]}"
        if mark["looked_for"]:
            return f"<span>{mark[0]}</span>"
        return next(dollar)

    return _SPECIAL.sub(written, plain)


def paragraph(text: str) -> str:
    """*text* on one line, to stand at the beginning of a paragraph."""
    return _BLOCK_START.sub(_disarmed, escaped(text))


def _disarmed(start: re.Match[str]) -> str:
    """A number's backslash stands behind it, before its full stop or bracket."""
    return f"{start[0]}\\" if start[0][0].isdigit() else f"\\{start[0]}"
