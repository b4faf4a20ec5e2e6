"""One laptop cloud a folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from paperpost_cli.lock import RunsAlreadyError, only_one


def test_a_second_one_is_refused_and_told_where_the_first_is(tmp_path: Path) -> None:
    """In one line, at once, and without a change to the folder."""
    with only_one(tmp_path / "state", told="open http://127.0.0.1:8000/"):
        before = (tmp_path / "state" / "lock").read_bytes()

        with pytest.raises(RunsAlreadyError) as refused, only_one(tmp_path / "state", told="no"):
            pytest.fail("two at once")

        assert (tmp_path / "state" / "lock").read_bytes() == before
    said = str(refused.value)
    assert f"process {os.getpid()}, open http://127.0.0.1:8000/" in said
    assert str(tmp_path / "state") in said
    assert "\n" not in said


def test_another_folder_is_no_hindrance(tmp_path: Path) -> None:
    with only_one(tmp_path / "a", told=""), only_one(tmp_path / "b", told=""):
        pass


def test_when_the_first_has_ended_the_next_one_starts(tmp_path: Path) -> None:
    """Also after an error."""
    with pytest.raises(KeyboardInterrupt), only_one(tmp_path, told="first"):
        raise KeyboardInterrupt

    with only_one(tmp_path, told="second"):
        assert (tmp_path / "lock").read_text() == f"process {os.getpid()}, second\n"


def test_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    """SIGKILL leaves the file, but not the lock."""
    code = (
        "import os, pathlib, sys; from paperpost_cli.lock import only_one\n"
        "with only_one(pathlib.Path(sys.argv[1]), told='killed'): os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert ended.returncode == -9
    assert "killed" in (tmp_path / "lock").read_text()

    with only_one(tmp_path, told="next"):
        pass
