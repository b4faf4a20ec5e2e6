"""A model that is well: a translator's Chinese for the made-up papers of a script."""

import json
import re
from collections.abc import Mapping
from typing import Any

from support.modelserver import reply

_WORDS = {
    "sparse": "稀疏",
    "robust": "鲁棒",
    "neural": "神经",
    "causal": "因果",
    "quantum": "量子",
    "graph": "图",
    "kernel": "核",
    "latent": "潜在",
    "convex": "凸",
}
_ABSTRACT = re.compile(
    r"We study (?P<words>[a-z ]+)\. It works in (?P<cases>\d+) cases\.(?P<more>.*)"
)


def translated(title: str, abstract: str) -> dict[str, str]:
    """Title, abstract and TL;DR of a scripted paper in Chinese."""
    words = "、".join(_WORDS[word.casefold()] for word in title.removeprefix("On ").split())
    found = _ABSTRACT.fullmatch(abstract)
    assert found is not None
    revised = "本文已修订。" * found["more"].count("Revised.")
    return {
        "title": f"论{words}方法",
        "abstract": f"我们研究{words}方法。该方法在{found['cases']}种情形下有效。{revised}",
        "tldr": f"本文研究{words}方法，在{found['cases']}种情形下有效。",
    }


def answer(request: Mapping[str, Any]) -> bytes:
    """The chat completion for a request of the provider `openai`."""
    asked = request["messages"][-1]["content"]
    fenced = asked.partition("<paper>")[2].partition("</paper>")[0]
    paper = json.loads(fenced)
    return reply(translated(paper["title"], paper["abstract"]))
