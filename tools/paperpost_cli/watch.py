"""Whether the code, the page templates or the stack's template were saved since the last look."""

from collections.abc import Iterable
from pathlib import Path


class Sources:
    """Remembers when each watched file was last saved."""

    def __init__(self, folders: Iterable[Path], *files: Path) -> None:
        self._folders, self._files = tuple(folders), files
        self._seen = self._look()

    def changed(self) -> bool:
        """Whether anything was saved, added or removed since the last call."""
        before, self._seen = self._seen, self._look()
        return self._seen != before

    def _look(self) -> dict[Path, int]:
        found = [p for folder in self._folders for p in folder.rglob("*") if p.suffix != ".pyc"]
        return {p: p.stat().st_mtime_ns for p in (*found, *self._files) if p.is_file()}
