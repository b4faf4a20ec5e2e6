"""One laptop cloud a folder: a lock that ends with its process, however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paperpost.domain.errors import PaperpostError


class RunsAlreadyError(PaperpostError):
    """Another laptop cloud keeps its state in the folder."""

    def __init__(self, folder: Path, holder: str) -> None:
        super().__init__(
            f"a laptop cloud runs already on {folder}: {holder or 'it is just starting'}; "
            "use that one, or stop it first"
        )


@contextmanager
def only_one(folder: Path, *, told: str) -> Iterator[None]:
    """
    Meanwhile nobody else uses *folder*; who tries is *told* where this one is.

    Raises: RunsAlreadyError: If somebody uses it now. Nothing was touched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+", encoding="utf-8") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            raise RunsAlreadyError(folder, held.read().strip()) from None
        held.truncate(0)
        held.write(f"process {os.getpid()}, {told}\n")
        held.flush()
        yield
