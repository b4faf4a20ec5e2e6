"""Text as a reader may take it: hidden characters gone, look-alike letters folded to ASCII."""

import re
import unicodedata

# Letters of other scripts that look like Latin ones; a selection of Unicode's confusables.txt,
# https://www.unicode.org/Public/security/latest/confusables.txt, read 2026-11-25.
_LOOKALIKE = str.maketrans(
    "аеорсухіјѕԁһӏԛԝвкмнтАВЕКМНОРСТУХІЈЅοανιρκτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧɑɡı։․‧・",
    "aeopcyxijsdhlqwbkmhtABEKMHOPCTYXIJSoavipktuxABEZHIKMNOPTYXagi:...",
)
_SMALL_CAPITALS = str.maketrans("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz")
_HIDDEN = frozenset({"Cf", "Cc", "Co", "Cs", "Mn", "Me"})
# One letter at a time, between spaces, dots, hyphens or underscores: P W N E D.
_SPACED = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z0-9][ ._\-*·|]{1,2}){3,}[A-Za-z0-9](?![A-Za-z0-9])"
)
_DOT = re.compile(
    r"\s*[\[({（【〔<]\s*(?:\.|(?i:dot)|点)\s*[\])}）】〕>]\s*"
    r"|(?<=[A-Za-z0-9])\s+(?i:dot)\s+(?=[A-Za-z])|(?<=[A-Za-z0-9])\s*点\s*(?=[A-Za-z])"
    r"|(?<=[a-z0-9])\s+\.\s*(?=[a-z])|(?<=[a-z0-9])\.\s+(?=[a-z]{2,}\b)"
    r"|(?<=[A-Za-z0-9])\s*。\s*(?=(?:com|cn|net|org|io|ru|xyz|top|info|example|test)\b)"
)
_AT = re.compile(r"\s*[\[({（【]\s*(?:@|at)\s*[\])}）】]\s*|(?<=[a-z0-9])\s+@\s+(?=[a-z0-9])")
_SLASHES = re.compile(r"\s*:\s*/\s*/\s*")
_LETTERS = re.compile(r"[^a-z0-9]+")


def unhidden(text: str) -> str:
    """*text* compatibility-composed (full-width and styled letters to ASCII), nothing hidden."""
    composed = unicodedata.normalize("NFKC", text)
    return "".join(c for c in composed if c in "\n\t" or unicodedata.category(c) not in _HIDDEN)


def lookalike(text: str) -> str:
    """*text* with what passes for an ASCII letter or dot turned into it."""
    return unhidden(text).translate(_LOOKALIKE).translate(_SMALL_CAPITALS)


def undisguised(text: str) -> str:
    """*text* for a search of addresses: dots, at signs and letters that stand apart are joined."""
    told = _AT.sub("@", _DOT.sub(".", lookalike(text)))
    return _SLASHES.sub("://", despaced(told))


def despaced(text: str) -> str:
    """*text* with runs of single letters (P W N E D) joined to words."""
    return _SPACED.sub(lambda run: re.sub(r"[ _\-*·|]", "", run[0]), text)


def squeezed(text: str) -> str:
    """The ASCII letters and digits of *text* alone, in lower case, accents taken off."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _LETTERS.sub("", bare.lower().replace("ß", "ss").replace("ø", "o").replace("ł", "l"))
