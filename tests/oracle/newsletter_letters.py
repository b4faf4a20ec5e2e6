"""Letters read from the mailbox, by section; and faults that may be put into it."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from oracle.letters import Mail

_HEADINGS = (
    ("late", ("迟到 ", "Late arrivals: ")),
    ("replaced", ("更新版 ", "Replacements: ")),
    ("withdrawn", ("已撤稿 ", "Withdrawn: ")),
    ("new", ("符合你的规则 ", "Matches your rules: ", "论文 ", "Papers: ")),
)
# Below the papers of a block or a line; what an abstract mentions stands inside a sentence.
_PAPER = re.compile(r"(?:^|^  )https://arxiv\.org/abs/(\S+)$", re.MULTILINE)
_RULE = "-" * 40
_ENDED = {"bounce": "bounced", "suppressionlist": "bounced", "complaint": "complained"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter: `papers` are the ids by section, as often as they stand there."""

    name: str
    to: str
    issue: str
    at: datetime
    papers: Mapping[str, tuple[str, ...]]

    @property
    def ids(self) -> Counter[str]:
        """Every paper, as often as it stands in the letter."""
        return Counter(i for ids in self.papers.values() for i in ids)


def read_letters(mails: Sequence[Mail]) -> list[Letter]:
    """The letters among the mails."""
    return [
        Letter(
            name=mail.name.partition("-")[0],
            to=mail.to,
            issue=mail.issue,
            at=parsedate_to_datetime(mail.header("Date")).astimezone(UTC),
            papers=_sections(mail.text),
        )
        for mail in mails
        if mail.issue
    ]


def faults_in(
    letters: Sequence[Letter],
) -> dict[str, tuple[str, Sequence[Letter], Mapping[str, str]]]:
    """Name → the check that must see it, the mailbox with it, and statuses that it changes."""
    papers = "each matching paper exactly once"
    full = next(one for one in letters if len(one.papers.get("new", ())) > 1 and not end_of(one.to))
    ended = next(one for one in letters if end_of(one.to))
    later = max(letters, key=lambda one: one.issue)
    short = {**full.papers, "new": full.papers["new"][1:]}
    double = {**full.papers, "new": (*full.papers["new"], full.papers["new"][0])}
    moved = {"late": full.papers["new"], "new": ()}
    rest = [one for one in letters if one is not full]
    return {
        "a letter lost": ("letters", rest, {}),
        "a letter sent twice": ("letters", [*letters, replace(full, name="again")], {}),
        "a letter to somebody else": (
            "letters",
            [*rest, replace(full, to="nobody@example.org")],
            {},
        ),
        "a paper lost": (papers, [*rest, replace(full, papers=short)], {}),
        "a paper told twice": (papers, [*rest, replace(full, papers=double)], {}),
        "a paper nobody announced": (
            papers,
            [*rest, replace(full, papers={**full.papers, "late": ("2604.00000",)})],
            {},
        ),
        "papers under a wrong heading": (
            "sections of the letters",
            [*rest, replace(full, papers={**full.papers, **moved})],
            {},
        ),
        "a letter an hour early": (
            "letters at their hour",
            [*rest, replace(full, at=full.at - timedelta(hours=1))],
            {},
        ),
        "a letter behind a bounce": (
            "suppressed",
            [*letters, replace(later, to=ended.to, name="again")],
            {},
        ),
        "a bounce that is not obeyed": ("suppressed", letters, {ended.to: "confirmed"}),
    }


def end_of(address: str) -> str:
    """What the first letter to a simulator address leads to; '' for any other."""
    local, _, domain = address.partition("@")
    return _ENDED.get(local.partition("+")[0], "") if domain.startswith("simulator.") else ""


def _sections(text: str) -> dict[str, tuple[str, ...]]:
    """The ids under each heading: a line with a rule below it."""
    found = defaultdict[str, tuple[str, ...]](tuple)
    section = ""
    parts = re.split(rf"^(.*)\n{_RULE}$", text.replace("\r\n", "\n"), flags=re.MULTILINE)
    for heading, body in zip(parts[1::2], parts[2::2], strict=True):
        section = next((n for n, words in _HEADINGS if heading.startswith(words)), section)
        found[section] += tuple(_PAPER.findall(body))
    return dict(found)
