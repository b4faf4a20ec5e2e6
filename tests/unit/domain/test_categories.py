"""Categories by their canonical names, archives as all of their members."""

import pytest

from paperpost.data import taxonomy
from paperpost.domain.errors import InvalidInputError


def test_an_archive_stands_for_its_members_under_their_canonical_names() -> None:
    """Statistics includes math.ST, whose other name is stat.TH; each category comes once."""
    expanded = taxonomy().expanded(["math.st", "stat", "CS.ai", "hep-ph"])

    assert expanded[0] == "math.ST"
    assert set(expanded[:6]) == {"math.ST", *taxonomy().members("stat")}
    assert expanded[6:] == ("cs.AI", "hep-ph")


def test_archives_are_those_of_several_categories() -> None:
    """One that is a category itself, as quant-ph, is none."""
    archives = taxonomy().archives

    assert {"cs", "math", "stat", "astro-ph", "econ"} <= {*archives}
    assert not {"quant-ph", "hep-th", "math-ph"} & {*archives}


@pytest.mark.parametrize("code", ["cs.QQ", "", "biology"])
def test_what_arxiv_does_not_have_is_refused(code: str) -> None:
    with pytest.raises(InvalidInputError, match="arXiv has no category"):
        taxonomy().expanded(["cs.AI", code])
