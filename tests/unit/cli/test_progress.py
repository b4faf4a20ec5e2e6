"""The line that lives while something runs."""

import pytest

from paperpost_cli.progress import Progress


def test_what_was_done_is_one_line_with_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, so that standard output stays for what was asked for."""
    with Progress("deploying") as progress:
        progress.step("tables")
        progress.done("7 functions deployed")

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "  7 functions deployed (0.0 s)\n"


def test_without_a_last_word_the_title_stays(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("deploying"):
        pass

    assert capsys.readouterr().err.startswith("  deploying (")


def test_what_failed_is_not_said_to_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress("deploying")
    progress.done("deployed")

    with pytest.raises(ZeroDivisionError), progress:
        _ = 1 / 0

    assert "deployed" not in capsys.readouterr().err


def test_brackets_in_a_name_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("[/b] one") as progress:
        progress.step("[/i] two")
        progress.done("[/red] three")

    assert "[/red] three" in capsys.readouterr().err
