"""arXiv's categories: canonical names, archives and their members."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from paperpost.domain.errors import InvalidInputError

# Pairs that name one category; the key redirects to the value.
# Source: https://arxiv.org/category_taxonomy and arXiv/arxiv-base `taxonomy`, read 2026-11-23.
ALIASES: Mapping[str, str] = {
    "stat.TH": "math.ST",
    "cs.NA": "math.NA",
    "cs.SY": "eess.SY",
    "math.IT": "cs.IT",
    "math.MP": "math-ph",
    "q-fin.EC": "econ.GN",
}
# `cs.AI`, `hep-th`, `cond-mat.mtrl-sci`; not `53D10, 53D15` and `I.2.9`, classes of mathematics
# and computing that the API told among the categories until 2025.
_CODE = re.compile(r"[a-z]+(?:-[a-z]+)*(?:\.[A-Za-z]+(?:-[a-z]+)*)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One category with its English and Chinese name."""

    code: str
    name: str
    name_zh: str

    @property
    def archive(self) -> str:
        """The archive it belongs to: `cs` for `cs.CV`, itself for `quant-ph`."""
        return archive_of(self.code)


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """All categories by code."""

    categories: Mapping[str, Category]

    def canonical(self, code: str) -> str:
        """
        Return the canonical code for *code*, in any case of letters.

        Raises: InvalidInputError: If arXiv has no such category.
        """
        wanted = code.strip().casefold()
        for known in (*self.categories, *ALIASES):
            if known.casefold() == wanted:
                return ALIASES.get(known, known)
        raise InvalidInputError(f"arXiv has no category {code[:40]!r}")

    def is_archive(self, code: str) -> bool:
        """Whether *code* names an archive of several categories, such as `cs` or `stat`."""
        return code not in self.categories and any(self.members(code))

    @property
    def archives(self) -> tuple[str, ...]:
        """Every archive of several categories."""
        found = dict.fromkeys(archive_of(code) for code in (*self.categories, *ALIASES))
        return tuple(archive for archive in found if self.is_archive(archive))

    def expanded(self, codes: Iterable[str]) -> tuple[str, ...]:
        """
        The canonical categories that *codes* name, each once; an archive stands for its members.

        Raises: InvalidInputError: If arXiv has no such category or archive.
        """
        found = list[str]()
        for code in codes:
            archive = code.strip().casefold()
            found += self.members(archive) if self.is_archive(archive) else [self.canonical(code)]
        return tuple(dict.fromkeys(found))

    def members(self, archive: str) -> tuple[str, ...]:
        """The archive's categories; an alias counts, so `stat` includes math.ST."""
        own = [code for code in self.categories if archive_of(code) == archive]
        aliased = [real for alias, real in ALIASES.items() if archive_of(alias) == archive]
        return tuple(dict.fromkeys((*own, *aliased)))


def canonical(codes: Iterable[str]) -> tuple[str, ...]:
    """Those of *codes* that have a category's form, aliases replaced, each once, order kept."""
    found = (ALIASES.get(code, code) for code in codes if _CODE.fullmatch(code))
    return tuple(dict.fromkeys(found))


def archive_of(code: str) -> str:
    """The archive part of a code."""
    return code.split(".", 1)[0]
