"""Packaging and reading a template, without any cloud."""

import os
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from paperpost_cli.cloud.stack import StackError, load_template, package


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A code folder with a package, a link to a folder beside it and things to leave out."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text("<p>")
    folder = tmp_path / "functions"
    (folder / "pkg" / "__pycache__").mkdir(parents=True)
    (folder / "pkg" / "a.py").write_text("A = 1")
    (folder / "pkg" / "__pycache__" / "a.pyc").write_bytes(b"x")
    (folder / "templates").symlink_to("../templates")
    return folder


def names(data: bytes) -> list[str]:
    return zipfile.ZipFile(BytesIO(data)).namelist()


def test_the_package_follows_links_and_leaves_byte_code_out(code: Path) -> None:
    """What a link leads to is packed as a file of its own."""
    assert names(package(code)) == ["pkg/a.py", "templates/page.html"]


def test_the_package_depends_on_contents_alone(code: Path) -> None:
    """Other times and rights of the files give the same bytes."""
    before = package(code)

    os.utime(code / "pkg" / "a.py", (1, 1))
    (code / "pkg" / "a.py").chmod(0o600)

    assert package(code) == before


def test_a_changed_file_gives_another_package(code: Path) -> None:
    """Also one behind a link."""
    before = package(code)

    (code.parent / "templates" / "page.html").write_text("<b>")

    assert package(code) != before


def test_a_link_to_a_folder_above_is_refused(code: Path) -> None:
    """It would be packed without end."""
    (code / "loop").symlink_to("..")

    with pytest.raises(StackError, match="contains it"):
        package(code)


def test_short_intrinsics_become_long_ones(tmp_path: Path) -> None:
    """Of every kind, and a policy's Version stays text."""
    template = tmp_path / "template.yaml"
    template.write_text(
        "A: !Ref X\nB: !GetAtt R.Outputs.Y\nC: !Sub 'a-${X}'\nD: !If [Big, !Ref X, 1]\n"
        "E: !Condition Big\nF: !GetAtt [R, Arn]\nVersion: 2012-10-17\n"
    )

    assert load_template(template) == {
        "A": {"Ref": "X"},
        "B": {"Fn::GetAtt": ["R", "Outputs.Y"]},
        "C": {"Fn::Sub": "a-${X}"},
        "D": {"Fn::If": ["Big", {"Ref": "X"}, 1]},
        "E": {"Condition": "Big"},
        "F": {"Fn::GetAtt": ["R", "Arn"]},
        "Version": "2012-10-17",
    }


def test_a_template_that_is_no_yaml_is_one_line_of_error(tmp_path: Path) -> None:
    """The text names the file and fits a line."""
    template = tmp_path / "template.yaml"
    template.write_text("a: [\n")

    with pytest.raises(StackError, match=r"template\.yaml") as failure:
        load_template(template)

    assert "\n" not in str(failure.value)
