"""Numbers in running text, English or Chinese, as values that can be compared across both."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

_ENGLISH_SCALES = {
    "hundred": 100,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "mn": 10**6,
    "bn": 10**9,
    "k": 10**3,
    "m": 10**6,
    "b": 10**9,
    "t": 10**12,
}
_HAN_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000}
_HAN_MYRIADS = {"万": 10**4, "亿": 10**8}

# 1,000 and 1 000 with a narrow space and TeX's 1{,}000 are one number.
_FULL_WIDTH = {0xFEE0 + c: c for c in range(0x21, 0x7F)}
_SEPARATOR = re.compile(r"(?<=\d)(?:,|\{,\}|\\,|[\u2009\u202f'’])(?=\d{3}(?!\d))")
_BARE_POINT = re.compile(r"(?<![\w.])\.(?=\d)")
_NUMBER = re.compile(
    r"(?P<before>[A-Za-z_)^][-–‑]?)?(?P<digits>\d+(?:\.\d+)?)"
    r"(?:[\s-]?(?P<scale>hundred|thousand|million|billion|trillion|mn|bn)s?\b"
    r"|(?P<letter>[kKMBbT])(?![A-Za-z0-9])"
    r"|\s?(?P<han>[十百千]?[万亿]+|[十百千])"
    r"|\s?(?P<percent>\\?%|percent\b|个?百分点)"
    r"|\s?(?P<tenths>成)(?!本|员|果|分|功|为|对|像|熟|立|长)"
    r"|(?P<unit>[A-Za-z]+))?"
)
_HAN_NUMBER = re.compile(r"[零〇一二两三四五六七八九十百千万亿]+")
_HAN_SHARE = re.compile(
    r"百分之(?P<percent>[零〇一二三四五六七八九十百点\d.]+)"
    r"|(?P<tenths>[一二三四五六七八九])成(?!本|员|果|分|功|为|对|像|熟|立|长)"
    r"|(?P<half>一?半)"
)
# Words that only look like large numbers: "very", "by all means", "diverse".
_NO_NUMBERS = re.compile(
    r"十分|(?<![零〇一二两三四五六七八九十百几数上近])千万|万一|万物|万能|千差万别|成千上万|百科|万维|千变万化|一百八十度"
)
# Behind one of these a number is still a quantity; behind other letters it is part of a name (3D).
UNITS = frozenset(
    {"x", "s", "ms", "ns", "g", "kg", "km", "cm", "mm", "nm"}
    | {"KB", "MB", "GB", "TB", "Hz", "kHz", "MHz", "GHz", "dB"}
)
# Not "several hundred thousand" nor "some tens".
_LARGE_HAN_NUMBER = re.compile(
    r"(?<![数几上成近百千万亿十])(?:[零〇一二两三四五六七八九十]"
    r"[零〇一二两三四五六七八九十百千万亿]+)"
)
_YEAR_LENGTH = 4
_LARGE, _LARGE_LENGTH = 10, 2  # smaller ones are mostly articles: one method, two parts
_ENGLISH_WORD = re.compile(r"[A-Za-z]+")
_BETWEEN = frozenset({"of", "and", "a"})  # hundreds of thousands
_WORDS = {
    "once": "1", "single": "1", "uni": "1", "twice": "2", "double": "2", "dual": "2",
    "both": "2", "pair": "2", "bi": "2", "half": "1/2 50 2", "halve": "1/2 50 2",
    "halving": "1/2 50 2", "thrice": "3", "triple": "3", "tri": "3", "quarter": "4 25 1/4",
    "quadruple": "4", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4",
    "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
    "eleven": "11", "twelve": "12", "dozen": "12", "thirteen": "13", "fourteen": "14",
    "fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
    "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60",
    "seventy": "70", "eighty": "80", "ninety": "90", "first": "1", "second": "2", "third": "3",
    "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7", "eighth": "8", "ninth": "9",
    "tenth": "10", "decade": "10", "century": "100", "twelfth": "12", "twentieth": "20",
    "thirtieth": "30", "hundred": "100", "thousand": "1000", "million": "1000000",
    "billion": "1000000000", "trillion": "1000000000000", "magnitude": "10", "january": "1",
    "february": "2", "march": "3", "april": "4", "may": "5", "june": "6", "july": "7",
    "august": "8", "september": "9", "october": "10", "november": "11", "december": "12",
    "jan": "1", "feb": "2", "mar": "3", "apr": "4", "jun": "6", "jul": "7", "aug": "8",
    "sep": "9", "sept": "9", "oct": "10", "nov": "11", "dec": "12", "i": "1", "ii": "2",
    "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "x": "10",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number in digits: what it may mean, and whether it is a quantity or part of a name."""

    text: str
    values: frozenset[Fraction]
    is_quantity: bool


def numbers(text: str) -> list[Number]:
    """The numbers that *text* tells in digits, in order; `3.5 million` means 3.5 or 3,500,000."""
    text = _BARE_POINT.sub("0.", _SEPARATOR.sub("", text.translate(_FULL_WIDTH)))
    return [_number(match) for match in _NUMBER.finditer(text)]


def said_values(text: str) -> frozenset[Fraction]:
    """Every value that the English or Chinese *text* tells, in digits or in words."""
    values: set[Fraction] = {value for number in numbers(text) for value in number.values}
    values.update(_english_values(text))
    for match in _HAN_NUMBER.finditer(text):
        values.update(Fraction(value) for value in _han_values(match[0]))
    return frozenset(values | {v for _, told in han_shares(text) for v in told})


def han_shares(text: str) -> Iterator[tuple[str, frozenset[Fraction]]]:
    """Per cent, tenths and halves in Chinese words, as text and values."""
    for match in _HAN_SHARE.finditer(text):
        if match["half"]:
            yield match[0], frozenset({Fraction(1, 2), Fraction(50), Fraction(2)})
        elif match["tenths"]:
            value = Fraction(10 * _HAN_DIGITS[match["tenths"]])
            yield match[0], frozenset({value, value / 100})
        else:
            value = _han_decimal(match["percent"])
            yield match[0], frozenset({value, value / 100})


def large_han_numbers(text: str) -> list[Number]:
    """The numbers of at least ten that the Chinese *text* tells in Han characters."""
    text = _NO_NUMBERS.sub(" ", text)
    text = _HAN_SHARE.sub(" ", re.sub(r"\d[\d.]*\s?[十百千]?[万亿]*", " ", text))
    found = []
    for match in _LARGE_HAN_NUMBER.finditer(text):
        counted = match[0]
        is_year = all(c in _HAN_DIGITS for c in counted)
        if len(counted) < _LARGE_LENGTH or (is_year and len(counted) != _YEAR_LENGTH):
            continue
        values = frozenset(Fraction(v) for v in _han_values(counted) if v >= _LARGE)
        if values:
            found.append(Number(text=match[0], values=values, is_quantity=True))
    return found


def _number(match: re.Match[str]) -> Number:
    value = Fraction(match["digits"])
    values = {value}
    if scale := match["scale"] or match["letter"]:
        values.add(value * _ENGLISH_SCALES[scale.lower()])
    elif match["han"]:
        values.add(value * _han_product(match["han"]))
    elif match["percent"]:
        values.add(value / 100)
    elif match["tenths"]:
        values = {value * 10, value / 10}
    elif match["unit"] == "s":
        values.add(value % 100)  # the 1990s, in Chinese the 90s of the 20th century
        values.add(Fraction(value // 100 + 1))
    unit = match["unit"]
    is_quantity = not match["before"] and (not unit or unit in UNITS)
    return Number(text=match[0], values=frozenset(values), is_quantity=is_quantity)


def _english_values(text: str) -> Iterator[Fraction]:
    before = Fraction(0)
    for match in _ENGLISH_WORD.finditer(text):
        word = match[0].lower()
        if word in _BETWEEN:
            continue
        told = _WORDS.get(word) or _WORDS.get(word.removesuffix("s").removesuffix("fold"))
        told = told or _WORDS.get(re.sub("ie(?:s|th)$", "y", word))
        told = told or _WORDS.get(word.removesuffix("d")) or _WORDS.get(word.removesuffix("th"))
        values = [Fraction(value) for value in told.split()] if told else []
        yield from values
        value = values[0] if values else Fraction(0)
        if before and value:  # twenty-one, three hundred, two decades
            yield from (before + value, before * value)
            value = before * value if value > before else before + value
        before = value


def _han_values(text: str) -> Iterator[int]:
    """What a run of numerals may mean: its positional value, and digit by digit (二〇二四)."""
    if all(c in _HAN_DIGITS for c in text):
        yield int("".join(str(_HAN_DIGITS[c]) for c in text))
        yield from (_HAN_DIGITS[c] for c in text)
        return
    total = section = digit = 0
    for c in text:
        if c in _HAN_DIGITS:
            digit = _HAN_DIGITS[c]
        elif c in _HAN_UNITS:
            section, digit = section + (digit or 1) * _HAN_UNITS[c], 0
        else:
            total, section, digit = (total + (section + digit or 1)) * _HAN_MYRIADS[c], 0, 0
    yield total + section + digit


def _han_product(text: str) -> int:
    product = 1
    for c in text:
        product *= (_HAN_UNITS | _HAN_MYRIADS)[c]
    return product


def _han_decimal(text: str) -> Fraction:
    if text[0].isdigit():
        return Fraction(re.match(r"\d+(?:\.\d+)?", text)[0])  # type: ignore[index]
    whole, _, decimals = text.partition("点")
    value = Fraction(next(_han_values(whole))) if whole else Fraction(0)
    digits = "".join(str(_HAN_DIGITS[c]) for c in decimals if c in _HAN_DIGITS)
    return value + (Fraction(int(digits), 10 ** len(digits)) if digits else 0)
