"""Text in GitHub's Markdown: each mark that would start something is disarmed, no other is."""

import pytest

from paperpost.publish.gfm import escaped, paragraph
from paperpost_cli.proofs.gfm import shown

PAPER = "https://arxiv.org/abs/2604.00001"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a|b", r"a\|b"),
        ("[x](y)", r"\[x\](y)"),
        ("![x](y)", r"!\[x\](y)"),
        ("a note[^1]", r"a note\[^1\]"),
        ("`rm`", r"\`rm\`"),
        ("A* and **b**", r"A\* and \*\*b\*\*"),
        ("_a_ and x_1", r"\_a_ and x_1"),
        ("~5 to ~6", r"\~5 to \~6"),
        ("<script>", r"\<script>"),
        ("<!-- x -->", r"\<!-- x -->"),
        ("<1a@b.co>", r"\<1a<span>@</span>b.co>"),
        ("&lt; and &#x24;", r"\&lt; and \&#x24;"),
        ("{{ x }} {% y %}", r"{\{ x }} {\% y %}"),
        (r"\{x\} and \\", r"\\{x\\} and \\\\"),
        ("ends in \\", "ends in \\\\"),
    ],
)
def test_what_the_parser_reads_has_a_backslash(text: str, written: str) -> None:
    assert escaped(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("$x$ or $y$", r"\$x<span>\$</span> or \$y<span>\$</span>"),
        ("$$x$$", r"\$<span>\$</span>x\$<span>\$</span>"),
        ("$5 or $6", r"\$5 or <span>\$</span>6"),
        ("$`x`$", r"\$\`x\`<span>\$</span>"),
        (r"\$5 \$", r"\\\$5 \\<span>\$</span>"),
        ("@user", "<span>@</span>user"),
        ("a@b.co", "a<span>@</span>b.co"),
        ("0.5@0.6@b", "0.5<span>@</span>0.6@b"),
        ("u/r@a5c3785", "u/r<span>@</span>a5c3785"),
        ("#1 and u/r#2", "<span>#</span>1 and u/r<span>#</span>2"),
        ("GH-1", "GH<span>-</span>1"),
        ("https://x.y", "https<span>:</span>//x.y"),
        ("www.x.y", "www<span>.</span>x.y"),
        (":smile:", "<span>:</span>smile:"),
    ],
)
def test_what_is_looked_for_in_the_finished_text_stands_in_a_span(text: str, written: str) -> None:
    assert escaped(text) == written


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "costs $5",
        "p < 0.05 > q",
        "AT&T, R&D",
        "C# and F#",
        r"\alpha-trees",
        "x_1, x_{ij}",
        "Hello! (1990s) 50%",
        "mAP@0.5, Recall@k, @ 3",
        "at 12:30, ratio 1:2 – {a}",
        "- within a cell",
        "1. within a cell",
        "翻译 “quoted” it's",
    ],
)
def test_what_starts_nothing_is_left_alone(text: str) -> None:
    assert escaped(text) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("# head", r"\# head"),
        ("#REVAL: x", "#REVAL: x"),
        ("> quote", r"\> quote"),
        ("- item", r"\- item"),
        ("-5 degrees", "-5 degrees"),
        ("+ item", r"\+ item"),
        ("---", r"\---"),
        ("2. item", r"2\. item"),
        ("2) item", r"2\) item"),
        ("2.5 is no item", "2.5 is no item"),
        ("2024", "2024"),
        ("===", "==="),
        ("    code\n    more", "code more"),
    ],
)
def test_a_paragraph_begins_as_one(text: str, written: str) -> None:
    assert paragraph(text) == written


def test_text_is_one_line_without_marks_that_hide_or_reorder() -> None:
    assert escaped(" a\r\n\tb\u2028c\u202e\u200b ") == "a bc"


@pytest.mark.parametrize(
    "text",
    [
        *("[x](y)", "`x`", "*x*", "_x_", "~x~", "<b>x</b>", "<br>", "![x](y)", "<!-- x -->"),
        *("$x$", "$`x`$", "@user", "#1", "u/r#1", "GH-1", "u/r@a5c3785", ":smile:", "{{ x }}"),
        *("a@b.co", "www.x.y", "https://x.y", "# x", "- x", "1. x", "> x", "---"),
    ],
)
def test_the_reader_of_these_tests_sees_what_would_come_of_bare_text(text: str) -> None:
    """Otherwise a test that finds nothing would say nothing."""
    row = f"| [^1] | [a]({PAPER}) | b |"
    head = f"# 摘要\n\n| Ref | Title | Summary |\n| --- | --- | --- |\n{row}\n\n# 详细\n\n"
    note = f"[^1]: title\n\n    [{PAPER}]({PAPER})\n\n"

    assert shown(f"{head}{note}".encode()).faults == ()
    assert shown(f"{head}{note}    {text}\n".encode()).faults
    assert not shown(f"{head}{note}    {paragraph(text)}\n".encode()).faults
