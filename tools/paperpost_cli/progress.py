"""A line that lives while something runs: a spinner on a terminal, one finished line elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text


class Progress:
    """`with Progress("deploying") as p: p.step("…"); p.done("deployed")`, on standard error."""

    def __init__(self, title: str) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._title = title
        self._final = title
        self._status: Status = self._console.status(Text(f"{title} …"))

    def __enter__(self) -> Self:
        self._begun = time.monotonic()
        self._status.start()
        return self

    def step(self, text: str) -> None:
        """Show what is being done now."""
        self._status.update(Text(f"{self._title}: {text} …"))

    def done(self, text: str) -> None:
        """What the finished line says."""
        self._final = text

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        self._status.stop()
        if kind is None:
            line = f"  {self._final} ({time.monotonic() - self._begun:.1f} s)"
            self._console.print(Text(line), soft_wrap=True)
