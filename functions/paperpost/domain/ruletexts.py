"""Rules as readers write them: one a line, `author: Yann LeCun`, `title: survey`, or just words."""

import re
from collections.abc import Iterable

from paperpost.domain.errors import PaperpostError
from paperpost.domain.subscribers import Rule

MOST_RULES = 50
LONGEST_PHRASE = 100
_FIELDS = {
    "title": "title",
    "标题": "title",
    "abstract": "abstract",
    "摘要": "abstract",
    "author": "author",
    "作者": "author",
    "text": "text",
}
# A word and a colon at the beginning; of `3D: a survey` the first character says that it is none.
_PREFIX = re.compile(r"(?P<word>[^\W\d_]+)\s*[:：]\s*(?P<phrase>.*)")
_WORD = re.compile(r"[^\W_]+")


class RuleError(PaperpostError):
    """A line is no rule. `word` is the reader's own word at fault: shown to them, never logged."""

    def __init__(self, problem: str, word: str) -> None:
        self.problem, self.word = problem, word
        super().__init__(f"a rule cannot be used: {problem}")


def parse_rules(text: str) -> tuple[Rule, ...]:
    """
    Return the rules in *text*, one a line, each once; empty lines are passed over.

    Raises: RuleError: Naming the word at fault. `problem` is field, empty, long or many.
    """
    rules = tuple(dict.fromkeys(_rule(line) for line in text.split("\n") if line.strip()))
    if len(rules) > MOST_RULES:
        raise RuleError("many", rules[MOST_RULES].phrase)
    return rules


def rules_text(rules: Iterable[Rule]) -> str:
    """What `parse_rules` reads as *rules*."""
    return "\n".join(
        rule.phrase
        if rule.field == "text" and not _PREFIX.match(rule.phrase)
        else f"{rule.field}: {rule.phrase}"
        for rule in rules
    )


def is_broad(rule: Rule) -> bool:
    """Whether an author rule may well mean several people: initials, or one word alone."""
    words = _WORD.findall(rule.phrase)
    return rule.field == "author" and sum(len(word) > 1 for word in words) < 2  # noqa: PLR2004


def _rule(line: str) -> Rule:
    found = _PREFIX.fullmatch(line.strip())
    field, phrase = "text", line.strip()
    if found:
        word, phrase = found["word"], found["phrase"]
        if word.casefold() not in _FIELDS:
            raise RuleError("field", word)
        field = _FIELDS[word.casefold()]
    if not _WORD.search(phrase):
        raise RuleError("empty", phrase or line.strip())
    if len(phrase) > LONGEST_PHRASE:
        raise RuleError("long", phrase[:20])
    return Rule(field=field, phrase=" ".join(phrase.split()))
