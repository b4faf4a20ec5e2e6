"""Rules: whether a paper holds a word, phrase or author that a reader looks for, or away from."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from paperpost.domain.errors import InvalidInputError
from paperpost.domain.records import Record
from paperpost.domain.subscribers import Rule
from paperpost.domain.text import clean

# Scripts that put no spaces between words: a word has no boundary there.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LETTER = rf"[^\W_{_UNSPACED}]"
_NAME_WORD = re.compile(r"[^\W_]+")
# A field's name in front of a phrase; readers write it in either language.
FIELDS = {
    "title": "title",
    "abstract": "abstract",
    "text": "text",
    "author": "author",
    "标题": "title",
    "摘要": "abstract",
    "作者": "author",
}
_PREFIX = re.compile(r"(?P<word>[^\W\d_]+)\s*[:：]\s*(?P<phrase>.*)")
_QUOTES = {'"': '"', "“": "”"}
LONGEST_PHRASE = 100
MOST_RULES = 50


class RuleError(InvalidInputError):
    """
    A rule cannot be read; `word` is the part of it that is at fault.

    `code`: field, empty, long, quote or many, for whoever has words of its own for it.
    """

    def __init__(self, code: str, word: str, problem: str) -> None:
        self.code, self.word = code, word
        super().__init__(f"{clean(word)[:40]!r}: {problem}")


def parse_rule(text: str) -> Rule:
    """
    Return the rule that *text* names: `diffusion`, `title: graph neural`, `author: Yann LeCun`.

    A word in front of a colon names the field (title, abstract, text, author, or 标题, 摘要, 作者),
    otherwise title and abstract are looked into. Quotes around a phrase are left out; a phrase that
    has a colon behind its first word needs them.
    Raises: RuleError: Naming the word at fault.
    """
    told = clean(text)
    field, phrase = "text", told
    if prefix := _PREFIX.fullmatch(told):
        field, phrase = FIELDS.get(prefix["word"].casefold(), ""), prefix["phrase"]
        if not field:
            known = ", ".join(name for name in FIELDS if name.isascii())
            problem = f'no field; there are {known} (or quote "{told[:40]}")'
            raise RuleError("field", prefix["word"], problem)
    phrase = _unquoted(phrase)
    if not re.search(r"[^\W_]", phrase):
        raise RuleError("empty", phrase or told, "no word to look for")
    if len(phrase) > LONGEST_PHRASE:
        raise RuleError("long", phrase, f"longer than {LONGEST_PHRASE} characters")
    return Rule(field=field, phrase=phrase)


def parse_rules(texts: Iterable[str]) -> tuple[Rule, ...]:
    """
    The rules of *texts*, each once, in their order; empty texts are passed over.

    Raises: RuleError: Naming the word at fault.
    """
    rules = tuple(dict.fromkeys(parse_rule(text) for text in texts if clean(text)))
    if len(rules) > MOST_RULES:
        raise RuleError("many", rules[MOST_RULES].phrase, f"more than {MOST_RULES} rules")
    return rules


def is_broad(rule: Rule) -> bool:
    """Whether an author rule may well mean several people: initials, or one word alone."""
    words = _NAME_WORD.findall(rule.phrase)
    return rule.field == "author" and sum(len(word) > 1 for word in words) < 2  # noqa: PLR2004  a full name


def rule_text(rule: Rule) -> str:
    """The text that `parse_rule` reads as *rule*."""
    field = "" if rule.field == "text" else f"{rule.field}: "
    plain = not _PREFIX.fullmatch(rule.phrase) and rule.phrase[:1] not in _QUOTES
    return field + (rule.phrase if plain else f'"{rule.phrase}"')


def passes(record: Record, *, include: Sequence[Rule], exclude: Iterable[Rule]) -> bool:
    """Whether no rule of *exclude* matches, and one of *include* does where there are any."""
    if first_match(exclude, record) is not None:
        return False
    return not include or first_match(include, record) is not None


def first_match(rules: Iterable[Rule], record: Record) -> Rule | None:
    """The first of *rules* that matches, or None."""
    return next((rule for rule in rules if matches(rule, record)), None)


def matches(rule: Rule, record: Record) -> bool:
    """
    Whether *record* holds the rule's phrase, whatever its case and accents, as whole words.

    A phrase with Chinese in it is also looked for in the Chinese title and abstract; any phrase in
    what a withdrawn paper said before. An author matches in any order of names, and by initials.
    """
    if rule.field == "author":
        return any(author_matches(rule, author.name) for author in record.paper.authors)
    return any(hits(rule, text) for text in _texts(rule, record))


def author_matches(rule: Rule, name: str) -> bool:
    """
    Whether the words of the rule's phrase are words of *name*, each of another one, in any order.

    An initial beside a whole word also stands for a name that begins with it: `Y. LeCun` is Yann
    LeCun and Yves LeCun. Not the other way round: who asks for Yann does not mean every Y.
    """
    whole, initials = _wanted_names(rule.phrase)
    words = _name_words(name)
    if not (whole and whole.keys() <= words.keys() and whole <= words):
        return False
    rest = words - whole
    return all(
        sum(times for word, times in rest.items() if word.startswith(initial)) >= wanted
        for initial, wanted in initials.items()
    )


def hits(rule: Rule, text: str) -> list[tuple[int, int]]:
    """Where in *text* the rule's phrase stands: pairs of start and end."""
    pattern, word = _pattern(rule.phrase)
    folded, origin = _folded(text)
    # Most texts hold nothing of it, which is told ten times faster without the pattern.
    if pattern is None or word not in folded:
        return []
    found = (match.span() for match in pattern.finditer(folded))
    if origin is None:
        return list(found)
    return [(origin[start], origin[end - 1] + 1) for start, end in found]


def _unquoted(phrase: str) -> str:
    closing = _QUOTES.get(phrase[:1])
    if closing is None:
        return phrase
    if len(phrase) == 1 or not phrase.endswith(closing):
        raise RuleError("quote", phrase, f"{closing} is missing at its end")
    return phrase[1:-1].strip()


def _texts(rule: Rule, record: Record) -> list[str]:
    fields = ("title", "abstract") if rule.field == "text" else (rule.field,)
    paper = record.paper
    found = {"title": [paper.title], "abstract": [paper.abstract, paper.earlier_abstract]}
    # The translation of a withdrawn paper is one of what it said before.
    stored = record.enrichments.get("zh") if paper.withdrawn else record.enrichment("zh")
    if stored is not None and _HAN.search(rule.phrase):
        found["title"].append(stored.title)
        found["abstract"].append(stored.abstract)
    return [text for field in fields for text in found.get(field, ()) if text]


@lru_cache(maxsize=4096)
def _pattern(phrase: str) -> tuple[re.Pattern[str] | None, str]:
    """What finds the phrase in a folded text, and its longest word, which must stand there."""
    words = _folded(phrase)[0].split()
    if not words:
        return None, ""
    text = r"\s+".join(map(re.escape, words))
    if re.match(_LETTER, words[0]):
        text = rf"(?<!{_LETTER}){text}"
    if re.match(_LETTER, words[-1][-1]):
        text = rf"{text}(?!{_LETTER})"
    return re.compile(text), max(words, key=len)


@lru_cache(maxsize=8192)
def _folded(text: str) -> tuple[str, list[int] | None]:
    """
    *text* without case and accents, and for each of its characters the place it came from.

    The places are None where they are the same.
    """
    if text.isascii():
        return text.lower(), None
    folded: list[str] = []
    origin: list[int] = []
    for place, character in enumerate(text):
        for part in unicodedata.normalize("NFKD", character).casefold():
            if not unicodedata.combining(part):
                folded.append(part)
                origin.append(place)
    return "".join(folded), origin


@lru_cache(maxsize=8192)
def _name_words(name: str) -> Counter[str]:
    """How often each word stands in a name; kept, so nobody may change it."""
    return Counter(_NAME_WORD.findall(_folded(name)[0]))


@lru_cache(maxsize=4096)
def _wanted_names(phrase: str) -> tuple[Counter[str], Counter[str]]:
    """The whole words of an author's rule, and its initials; initials alone are whole words."""
    words = _name_words(phrase)
    initials = Counter({word: times for word, times in words.items() if _is_initial(word)})
    whole = words - initials
    return (whole, initials) if whole else (words, Counter())


def _is_initial(word: str) -> bool:
    """Whether a folded word is one letter of a script that has capitals: a Han sign is a name."""
    return len(word) == 1 and word.islower()
