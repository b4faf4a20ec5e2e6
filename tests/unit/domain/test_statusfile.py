"""status.json is read back as publish writes it."""

import json

import pytest

from paperpost.domain.errors import RecordError
from paperpost.domain.statusfile import from_bytes


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        json.dumps({"dates": [{}], "faults": [], "next_announcement_at": None}).encode(),
        json.dumps({"dates": [], "faults": [], "next_announcement_at": "soon"}).encode(),
    ],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(RecordError, match=r"status\.json"):
        from_bytes(body)
