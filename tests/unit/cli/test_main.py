"""The command line: what is refused, in one line on standard error, and with which status."""

from pathlib import Path

import pytest

from paperpost_cli.main import main
from support.feeds import Item, rss

ROOT = Path(__file__).parents[3]
RECORDS = str(ROOT / "events" / "records.jsonl")


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that was said; nothing stands on standard output."""
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("paperpost: ")
    assert said.err.count("\n") == 1
    return said.err.rstrip()


def test_a_file_to_render_that_is_missing_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing.jsonl"

    assert main(["render", "rss", "--records", str(missing)]) == 1
    assert str(missing) in refused(capsys)


def test_a_file_to_render_that_is_no_text_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "picture.jsonl"
    path.write_bytes(b"\x89PNG\xff")

    assert main(["render", "rss", "--records", str(path)]) == 1
    assert str(path) in refused(capsys)


def test_a_rendering_goes_to_standard_output_alone(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert main(["render", "rss", "--records", RECORDS, "--category", "cs.CV"]) == 0

    said = capfdbinary.readouterr()
    assert said.out.lstrip().startswith(b"<?xml")
    assert said.err == b""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["render", "rss", "--records", RECORDS, "--now", "yesterday"], "--now"),
        (["render", "rss", "--records", RECORDS, "--now", "2026-04-21T12:00:00"], "a time zone"),
        (["render", "rss"], "--records --archive is required"),
        (["render", "rss", "--records", RECORDS, "--archive", RECORDS], "not allowed with"),
        (["render", "pdf", "--records", RECORDS], "invalid choice: 'pdf'"),
        (["local", "--subscribers", "-1"], "between 0 and 5000"),
        (["local", "--subscribers", "5001"], "between 0 and 5000"),
        (["local", "--subscribers", "many"], "--subscribers"),
        (["local", "--port", "x"], "--port"),
        (["local", "--port", "70000"], "between 0 and 65535"),
        (["wash"], "invalid choice: 'wash'"),
        ([], "required: COMMAND"),
    ],
)
def test_wrong_options_are_named(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, as other commands do, behind a line on how it is used."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--once"], "--once needs --out DIR"),
        (["--live", "--feed", "x.xml"], "choose one"),
        (["--once", "--out", "out", "--live"], "--live has no end"),
        (["--feed", "missing.xml"], "missing.xml: cannot be read: No such file"),
        (["--feed", "empty.xml"], "empty.xml"),
        (["--feed", "ai.xml", "--category", "cs.CV"], "no feed file announces cs.CV"),
        (["--feed", "ai.xml", "--category", "cs.ZZ"], "--category: arXiv has no category 'cs.ZZ'"),
        (["--live", "--category", "cs.ZZ"], "--category: arXiv has no category 'cs.ZZ'"),
        (["--feed", "ai.xml", "--template", "none.yaml"], "none.yaml"),
    ],
)
def test_a_laptop_cloud_that_cannot_be_is_refused_before_it_starts(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing was made in the folder either."""
    (tmp_path / "empty.xml").write_bytes(b"")
    (tmp_path / "ai.xml").write_bytes(rss([Item()]))
    monkeypatch.chdir(tmp_path)

    assert main(["local", *arguments]) == 1

    assert said in refused(capsys)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ai.xml", "empty.xml"]
