"""Letters as a person has reviewed them; PAPERPOST_RENEW=1 writes them anew, to be looked at."""

import dataclasses
from datetime import timedelta

import pytest

from paperpost.deliver.confirming import confirmation
from paperpost.deliver.letters import Imprint, LetterPress, Links
from paperpost.domain.issues import Count, FrozenIssue
from paperpost.domain.papers import AnnounceType
from paperpost.domain.selections import selection
from paperpost.domain.subscribers import Preferences, Rule
from support.golden import golden
from support.issues import DAY, FROZEN_AT, make_issue, make_listing, make_paper

IMPRINT = Imprint(
    site_url="https://papers.example.org",
    contact_mail="hello@example.org",
    postal_address="1 Example Street, 00000 Example",
)
LINKS = Links(
    unsubscribe="https://papers.example.org/api/unsubscribe/TOKEN",
    preferences="https://papers.example.org/api/preferences/TOKEN",
    status="https://papers.example.org/status.html",
)
WISHES = {
    "both-brief": Preferences(
        categories=("cs.CV",), language="both", announce_types=tuple(AnnounceType)
    ),
    "zh-brief": Preferences(categories=("cs.CV",), language="zh"),
    "en-full": Preferences(
        categories=("cs.CV",),
        language="en",
        length="full",
        include=(
            Rule(field="text", phrase="kites"),
            Rule(field="author", phrase="Mary Somerville"),
        ),
    ),
}


def issue() -> FrozenIssue:
    """Five papers: formulas and many authors, pending, cross-listed, late, withdrawn."""
    papers = [
        make_paper(
            5,
            title=r"Counting Kites in $O(n \log n)$ & Less",
            abstract=r"We count kites. With $b = 2$ it takes $e^{\eta t}$ steps, <b>no</b> more.",
            authors=("Ada Lovelace", "Alan Turing", "Emmy Noether", "Mary Somerville"),
            categories=("cs.CV", "cs.DS"),
        ),
        make_paper(4, title="A Kite That Nobody Has Translated Yet"),
        make_paper(3, title="Kites Seen from Elsewhere", categories=("math.CO", "cs.CV")),
        make_paper(2, title="Kites That Came Late", authors=("Mary Somerville",)),
        make_paper(
            1,
            title="Kites Withdrawn",
            withdrawn=True,
            version=2,
            listed={"cs.CV": (DAY - timedelta(days=3), "new")},
        ),
    ]
    listings = [
        make_listing(5),
        make_listing(4),
        make_listing(3, kind="cross"),
        make_listing(2, on=DAY - timedelta(days=1)),
        make_listing(1, kind="replace"),
    ]
    made = make_issue(listings, papers)
    return dataclasses.replace(
        made,
        counts={
            "cs.CV": Count(announced=5, stored=5, settled=True, enriched={"zh": 4, "en": 4}),
        },
        papers=tuple(
            dataclasses.replace(p, record=dataclasses.replace(p.record, enrichments=kept))
            for p in made.papers
            for kept in [{} if p.record.arxiv_id.endswith("4") else p.record.enrichments]
        ),
    )


@pytest.mark.parametrize("name", WISHES)
def test_a_letter_is_the_golden_one(name: str) -> None:
    """Both parts, with everything that a letter can hold."""
    wanted = WISHES[name]

    made = LetterPress(issue(), IMPRINT).letter(
        selection(issue(), wanted), wanted, LINKS, now=FROZEN_AT
    )

    told = f"{made.subject}\n\n{made.text}"
    assert told == golden(f"deliver/{name}.txt", told)
    assert made.html == golden(f"deliver/{name}.html", made.html)


def test_a_confirmation_is_the_golden_one() -> None:
    """It names no category and no word of the sign-up's own."""
    made = confirmation("both", "https://papers.example.org/api/confirm/TOKEN", IMPRINT)

    told = f"{made.subject}\n\n{made.text}"
    assert told == golden("deliver/confirm.txt", told)
    assert made.html == golden("deliver/confirm.html", made.html)
