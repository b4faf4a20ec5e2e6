"""What a proof is: a name, and something to carry out that returns its figure."""

from collections.abc import Callable
from dataclasses import dataclass


class ProofError(Exception):
    """A proof failed; *figure* is what was measured nevertheless."""

    def __init__(self, why: str, *, figure: str = "") -> None:
        self.figure = figure
        super().__init__(" ".join(why.split()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """`carry_out` returns the figure to print, or raises ProofError."""

    name: str
    carry_out: Callable[[], str]
