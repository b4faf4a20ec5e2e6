"""Whether something was saved, and whether it can be read."""

import os
from pathlib import Path

import pytest

from paperpost_cli.watch import Sources


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Code and pages to watch, and a template beside them."""
    (tmp_path / "code" / "pkg").mkdir(parents=True)
    (tmp_path / "code" / "pkg" / "handler.py").write_text("A = 1\n")
    (tmp_path / "code" / "page.html").write_text("<p>{{ a }}</p>\n")
    (tmp_path / "template.yaml").write_text("Resources: {}\n")
    return tmp_path


@pytest.fixture
def sources(folder: Path) -> Sources:
    return Sources([folder / "code"], folder / "template.yaml")


def save(path: Path, text: str) -> None:
    """Write the file as if a second had passed."""
    then = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text)
    os.utime(path, ns=(then, then + 1_000_000_000))


def test_nothing_saved_is_no_change(sources: Sources) -> None:
    assert not sources.changed()


@pytest.mark.parametrize("name", ["code/pkg/handler.py", "code/page.html", "template.yaml"])
def test_a_saved_file_is_seen_once(folder: Path, sources: Sources, name: str) -> None:
    save(folder / name, "B = 2\n")

    assert sources.changed()
    assert not sources.changed()


def test_an_added_file_is_seen(folder: Path, sources: Sources) -> None:
    save(folder / "code" / "pkg" / "more.py", "")

    assert sources.changed()


def test_a_removed_file_is_seen(folder: Path, sources: Sources) -> None:
    (folder / "code" / "page.html").unlink()

    assert sources.changed()


def test_an_older_file_put_in_place_is_seen(folder: Path, sources: Sources) -> None:
    """`git checkout` or a copy with its times may go back."""
    os.utime(folder / "code" / "page.html", (1, 1))

    assert sources.changed()


def test_byte_code_is_no_change(folder: Path, sources: Sources) -> None:
    """Importing a module writes it."""
    (folder / "code" / "pkg" / "__pycache__").mkdir()
    (folder / "code" / "pkg" / "__pycache__" / "handler.pyc").write_bytes(b"x")

    assert not sources.changed()


def test_a_link_whose_file_is_gone_is_no_trouble(folder: Path, sources: Sources) -> None:
    """An editor's lock file is a link to nowhere."""
    (folder / "code" / ".#page.html").symlink_to("nowhere")

    assert not sources.changed()
    assert sources.syntax_errors() == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("code/pkg/handler.py", "A = 1\ndef broken(:\n", "handler.py:2: invalid syntax"),
        ("code/page.html", "<p>\n<p>{% if %}\n", "page.html:2: Expected an expression"),
        ("code/page.html", "{% if a %}", "page.html:1: Unexpected end of template"),
    ],
)
def test_what_no_function_could_load_is_said_with_its_place(
    folder: Path, sources: Sources, name: str, text: str, said: str
) -> None:
    save(folder / name, text)
    sources.changed()

    errors = sources.syntax_errors()

    assert len(errors) == 1
    assert said in errors[0]


def test_a_broken_file_stays_broken_when_another_is_saved(folder: Path, sources: Sources) -> None:
    """It would be deployed with the other one."""
    save(folder / "code" / "pkg" / "handler.py", "def broken(:\n")
    sources.changed()
    save(folder / "code" / "page.html", "<p>\n")
    sources.changed()

    assert len(sources.syntax_errors()) == 1


def test_bytes_that_are_no_text_are_said(folder: Path, sources: Sources) -> None:
    (folder / "code" / "page.html").write_bytes(b"\xff\xfe")
    (folder / "code" / "pkg" / "handler.py").write_bytes(b"A = '\x00'")
    sources.changed()

    assert [error.split(":")[0][-10:] for error in sources.syntax_errors()] == [
        "/page.html",
        "handler.py",
    ]


def test_the_projects_own_files_have_no_errors() -> None:
    root = Path(__file__).parents[3]

    assert Sources([root / "functions", root / "templates"]).syntax_errors() == []
