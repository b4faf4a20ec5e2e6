"""Every page that the sign-up API answers, with all that it can say."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from paperpost.data import taxonomy
from paperpost.domain.rules import parse_rules, rule_text
from paperpost.domain.subscribers import Preferences
from paperpost.subscribe.lessmail import LESS
from paperpost.subscribe.pages import PROBLEMS, Reader, show
from paperpost.subscribe.previews import Match, Preview
from paperpost_cli.proofs.reading_days import CATEGORY, FACTS

_TODAY = date(2026, 4, 21)


def all_forms() -> Iterator[tuple[str, bytes]]:
    """Every page that the sign-up API answers, in both languages."""
    wanted = Preferences(
        categories=(CATEGORY,), include=parse_rules(["title: survey"]), length="full"
    )
    told: dict[str, dict[str, Any]] = {
        "accepted": {},
        "confirm": {"wanted": wanted},
        "confirmed": {"preferences_url": "/api/preferences/example"},
        "less": {"wanted": replace(wanted, paused_until=date(2026, 5, 21))},
        "unsubscribe": {"offers": tuple(LESS)},
        "unsubscribed": {},
        "erased": {},
        "problem": {"text": PROBLEMS["rule-field"].zh, "field": "venue"},
        "preferences": _preferences(wanted),
    }
    for chinese in (True, False):
        reader = Reader(chinese=chinese, wants_json=False)
        for name, values in told.items():
            answer = show(reader, name, site={"contact_mail": FACTS.contact_mail}, **values)
            yield f"api/{name}-{'zh' if chinese else 'en'}.html", str(answer.body).encode()


def _preferences(wanted: Preferences) -> dict[str, Any]:
    """The form with all that it can say: saved, a preview, a broad rule, what is not carried."""
    known = taxonomy().categories.values()
    archives = [(archive, [c for c in known if c.archive == archive]) for archive in ("cs", "math")]
    matches = (
        Match(arxiv_id="2604.99001", title="A <b>Made-Up</b> Title", rule=wanted.include[0]),
    )
    return {
        "wanted": wanted,
        "confirmed": True,
        "archives": dict(archives[:1]),
        "others": dict(archives[1:]),
        "dropped": ["math.OC"],
        "include": "\n".join(map(rule_text, wanted.include)),
        "exclude": "",
        "broad": ["Y. LeCun"],
        "arrival": datetime(2026, 4, 22, 12, 20, tzinfo=UTC),
        "preview": Preview(days=(_TODAY,), looked=18, found=2, shown=matches),
        "token": "example",
        "unsubscribe_token": "example",
        "today": _TODAY,
        "saved": True,
    }
