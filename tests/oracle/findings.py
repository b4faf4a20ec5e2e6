"""What a check found: a figure, and what speaks against it."""

from collections.abc import Iterable
from dataclasses import dataclass

_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check: `figure` says how much was looked at, `problems` is empty if it holds."""

    name: str
    figure: str
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the check holds."""
        return not self.problems

    @property
    def line(self) -> str:
        """The check in one line, as `make prove` prints it."""
        if self.ok:
            return f"{self.name}: {self.figure} … ok"
        why = "; ".join(self.problems[:_SHOWN])
        more = len(self.problems) - _SHOWN
        return f"{self.name}: {self.figure} … FAILED: {why}" + (f"; {more} more" * (more > 0))


def finding(name: str, figure: str, problems: Iterable[str]) -> Finding:
    """A finding of everything that *problems* yields, each on one line."""
    return Finding(name=name, figure=figure, problems=tuple(" ".join(p.split()) for p in problems))
