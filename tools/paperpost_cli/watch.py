"""Whether code, page templates or the stack's template were saved, and whether they can be read."""

from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError

_TEMPLATES = frozenset({".html", ".txt", ".md", ".opml"})


class Sources:
    """Remembers when each watched file was last saved."""

    def __init__(self, folders: Iterable[Path], *files: Path) -> None:
        self._folders, self._files = tuple(folders), files
        self._seen = self._look()

    def changed(self) -> bool:
        """Whether anything was saved, added or removed since the last call."""
        before, self._seen = self._seen, self._look()
        return self._seen != before

    def syntax_errors(self) -> list[str]:
        """What no function could load, a line for each file: `path:line: what is wrong`."""
        return [error for path in sorted(self._seen) if (error := _syntax_error(path))]

    def _look(self) -> dict[Path, int]:
        found = [p for folder in self._folders for p in folder.rglob("*") if p.suffix != ".pyc"]
        return {p: at for p in (*found, *self._files) if (at := _saved_at(p)) is not None}


def _saved_at(path: Path) -> int | None:
    """When the file was saved (ns); None for a folder, and for one that an editor just removed."""
    try:
        return path.stat().st_mtime_ns if path.is_file() else None
    except FileNotFoundError:
        return None


def _syntax_error(path: Path) -> str | None:
    try:
        if path.suffix == ".py":
            compile(path.read_bytes(), path, "exec", dont_inherit=True)
        elif path.suffix in _TEMPLATES:
            Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None  # removed since we looked
    except (SyntaxError, TemplateSyntaxError) as exc:
        return f"{path}:{exc.lineno}: {exc.msg if isinstance(exc, SyntaxError) else exc.message}"
    except ValueError as exc:  # not UTF-8, or a null byte
        return f"{path}: {exc}"
    return None
