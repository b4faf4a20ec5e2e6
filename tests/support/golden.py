"""Golden files: expected bytes that a person has looked at."""

import os
from pathlib import Path

_GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def golden(path: str, fresh: str) -> str:
    """The text of tests/golden/*path*, which first becomes *fresh* if PAPERPOST_RENEW=1 asks."""
    file = _GOLDEN / path
    if os.environ.get("PAPERPOST_RENEW") == "1":
        file.write_text(fresh, encoding="utf-8")
    return file.read_text(encoding="utf-8")
