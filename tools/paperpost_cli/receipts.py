"""The receipt of a replay: counts from source, tables, bucket and mailbox that must add up."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from paperpost.domain.announcements import type_in_category
from paperpost.storage import keys
from paperpost.storage.enrichnotes import EnrichNotes
from paperpost.storage.papers import PaperTable
from paperpost.storage.site import SiteBucket
from paperpost_cli.mailbox import Mail
from paperpost_cli.replay import Replay

_FIRST_LANGUAGE = "zh"  # what counts as enriched on the site
_FINAL = {"sent", "skipped", "failed", "unknown"}
_FUNCTIONS = ("fetch", "enrich", "publish", "compose", "deliver", "subscribe", "feedback")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementCounts:
    """One category on one date: from the source, the table and the published files."""

    category: str
    announced_on: str
    announced: int
    listed: int
    state: str
    enriched: Mapping[str, int]
    without_enrichment: int
    on_page: int
    in_markdown: int
    in_json: int
    in_feeds: Mapping[str, int]
    due_in_feeds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCounts:
    """One issue: ledger rows by state, letters in the mailbox, confirmed readers without a row."""

    issue: str
    audience: int
    states: Mapping[str, int]
    letters: int
    addressees: int
    confirmed_without_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichmentCost:
    """What the model was asked on one UTC day, and what that cost at the prices that are set."""

    on: str
    calls: int
    input_tokens: int
    output_tokens: int
    usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Everything counted, and what does not add up."""

    announcements: Sequence[AnnouncementCounts]
    issues: Sequence[IssueCounts]
    subscribers: Mapping[str, int]
    confirmations: int
    invocations: Mapping[str, int]
    dead_letters: Mapping[str, int]
    enrichment: Sequence[EnrichmentCost] = field(default_factory=tuple)
    problems: Sequence[str] = field(default_factory=tuple)

    def with_problems(self, problems: Sequence[str]) -> "Receipt":
        """The same counts with what does not add up."""
        return replace(self, problems=tuple(problems))

    def summary(self) -> str:
        """The receipt in four lines for a terminal."""
        announced = sum(c.announced for c in self.announcements)
        listed = sum(c.listed for c in self.announcements)
        letters = sum(c.letters for c in self.issues)
        calls = sum(c.calls for c in self.enrichment)
        tokens = sum(c.input_tokens + c.output_tokens for c in self.enrichment)
        usd = sum(c.usd for c in self.enrichment)
        invoked = ", ".join(f"{name} {n}" for name, n in sorted(self.invocations.items()))
        return (
            f"announced {announced} = listed {listed} in {len(self.announcements)} announcements\n"
            f"issues {len(self.issues)}, letters {letters}, confirmations {self.confirmations}, "
            f"subscribers {dict(self.subscribers)}\n"
            f"enrichment: {calls} calls, {tokens} tokens, {usd:.4f} USD\n"
            f"invocations: {invoked}"
        )

    def to_json(self) -> str:
        """The receipt as JSON text for receipt.json."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def count_cost(notes: EnrichNotes, replay: Replay) -> list[EnrichmentCost]:
    """What each day of the replay cost, and the day after the last."""
    spends = notes.list_spends(min(replay.days), max(replay.days) + timedelta(days=1))
    return [
        EnrichmentCost(
            on=spend.on.isoformat(),
            calls=spend.calls,
            input_tokens=spend.tokens.input,
            output_tokens=spend.tokens.output,
            usd=spend.usd,
        )
        for spend in spends
    ]


def count_announcement(
    replay: Replay,
    on: date,
    category: str,
    *,
    papers: PaperTable,
    site: SiteBucket,
    languages: Sequence[str],
) -> AnnouncementCounts:
    """Count one category's announcement of the date *on* everywhere it must stand."""
    items = {
        item.arxiv_id: item
        for file in replay.days[on]
        if category in file.categories()
        for item in file.feed.items
        if category in item.categories
    }
    due = {
        i
        for i, item in items.items()
        if not type_in_category(
            item.announce_type, primary=item.categories[0], category=category
        ).is_replacement
    }
    listings = papers.list_listings(category, on)
    announcement = papers.get_announcement(category, on)
    enrichments = papers.get_enrichments((listing.arxiv_id for listing in listings), languages)
    states = Counter(
        f"{language} {e.state.value}" for per in enrichments.values() for language, e in per.items()
    )
    day = f"{category}/{on.isoformat()}"
    return AnnouncementCounts(
        category=category,
        announced_on=on.isoformat(),
        announced=len(items),
        listed=len({listing.arxiv_id for listing in listings}),
        state=announcement.state.value if announcement else "missing",
        enriched=dict(sorted(states.items())),
        without_enrichment=len(listings) * len(languages) - states.total(),
        on_page=_mentions(site, f"{day}.html", (f'id="{i}"' for i in items)),
        in_markdown=_mentions(site, f"{day}.md", (f"https://arxiv.org/abs/{i})" for i in items)),
        in_json=len({r["id"] for r in _json(site, f"{day}.json").get("records", [])} & set(items)),
        in_feeds={
            name: _mentions(site, f"{category}/{name}", (f"https://arxiv.org/abs/{i}" for i in due))
            for name in ("rss.xml", "atom.xml", "feed.json")
        },
        due_in_feeds=len(due),
    )


def count_issue(
    issue: str, *, rows: Iterable[Mapping[str, Any]], mails: Sequence[Mail], confirmed: set[str]
) -> IssueCounts:
    """Count one issue's ledger *rows* against its letters and the *confirmed* subscribers' ids."""
    own = [row for row in rows if row["pk"].startswith(f"{keys.issue_pk(issue)}#")]
    letters = [mail for mail in mails if mail.issue == issue]
    planned = {row["sk"].removeprefix(keys.delivery_sk("")) for row in own}
    return IssueCounts(
        issue=issue,
        audience=len(own),
        states=dict(sorted(Counter(str(row["state"]) for row in own).items())),
        letters=len(letters),
        addressees=len({mail.to for mail in letters}),
        confirmed_without_row=len(confirmed - planned),
    )


def find_problems(receipt: Receipt, *, readers: int, bouncing: int) -> list[str]:
    """What does not add up, a line each; *bouncing* of the *readers* must be marked as bounced."""
    problems = [p for counts in receipt.announcements for p in _announcement_problems(counts)]
    problems += [p for counts in receipt.issues for p in _issue_problems(counts)]
    for function in _FUNCTIONS if readers else _FUNCTIONS[:3]:
        if not receipt.invocations.get(function):
            problems.append(f"{function} was never invoked")
    if receipt.dead_letters:
        problems.append(f"messages nobody could handle: {dict(receipt.dead_letters)}")
    if readers:
        confirmed = receipt.subscribers.get("confirmed", 0)
        bounced = receipt.subscribers.get("bounced", 0)
        if confirmed + bounced != readers:
            problems.append(
                f"{readers} readers signed up, {confirmed + bounced} are confirmed or bounced"
            )
        if bounced != bouncing:
            problems.append(f"{bouncing} readers' mail bounces, {bounced} are marked so")
    return problems


def status_problems(status: Mapping[str, Any], receipt: Receipt) -> list[str]:
    """What the site's own receipts, *status*, say otherwise than *receipt*, a line each."""
    dates: Sequence[Any] = status.get("dates", [])
    rows = {(d["announced_on"], row["category"]): row for d in dates for row in d["categories"]}
    issues = {issue["issue"]: issue for d in dates for issue in d["issues"]}
    oldest = min((d["announced_on"] for d in dates), default="")
    problems = [
        f"status.json: {fault['subject']} {fault['announced_on']}: {fault['en']}"
        for fault in status.get("faults", [])
    ]
    for c in receipt.announcements:
        counted = {
            "announced": c.announced,
            "listed": c.listed,
            "published": c.on_page,
            "enriched": c.enriched.get(f"{_FIRST_LANGUAGE} ok", 0),
        }
        if c.announced_on >= oldest:
            where = f"{c.category} {c.announced_on}"
            problems += _differences(where, rows.get((c.announced_on, c.category)), counted)
    for i in receipt.issues:
        names = ("sent", "skipped", "failed", "unknown")
        counted = {"audience": i.audience, **{n: i.states.get(n, 0) for n in names}}
        # What was never frozen has neither rows nor a place on the status page.
        if i.issue in issues or (i.audience and i.issue.removeprefix("daily-") >= oldest):
            problems += _differences(i.issue, issues.get(i.issue), counted)
    return problems


def _differences(
    where: str, told: Mapping[str, Any] | None, counted: Mapping[str, int]
) -> Iterable[str]:
    if told is None:
        yield f"{where}: status.json does not tell of it"
        return
    for name, number in counted.items():
        if told[name] != number:
            yield f"{where}: {number} {name}, {told[name]} in status.json"


def _announcement_problems(c: AnnouncementCounts) -> Iterable[str]:
    where = f"{c.category} {c.announced_on}"
    if c.state != "complete":
        yield f"{where}: announcement is {c.state}, not complete"
    for what, number in (
        ("listed", c.listed),
        ("on the day page", c.on_page),
        ("in Markdown", c.in_markdown),
        ("in JSON", c.in_json),
    ):
        if number != c.announced:
            yield f"{where}: {c.announced} announced, {number} {what}"
    if c.without_enrichment:
        yield f"{where}: {c.without_enrichment} enrichments were never tried"
    for name, number in c.in_feeds.items():
        if number != c.due_in_feeds:
            yield f"{where}: {c.due_in_feeds} new or cross, {number} in {name}"


def _issue_problems(c: IssueCounts) -> Iterable[str]:
    if unfinished := {s: n for s, n in c.states.items() if s not in _FINAL}:
        yield f"{c.issue}: letters still open: {unfinished}"
    sent = c.states.get("sent", 0) + c.states.get("unknown", 0)
    # What SES took and did not send failed, and yet lies in the mailbox.
    if not sent <= c.letters <= sent + c.states.get("failed", 0):
        yield f"{c.issue}: {c.states.get('sent', 0)} letters sent, {c.letters} in the mailbox"
    if c.letters != c.addressees:
        yield f"{c.issue}: {c.letters} letters to {c.addressees} addresses"
    if c.confirmed_without_row:
        yield f"{c.issue}: {c.confirmed_without_row} confirmed readers have no delivery"


def _mentions(site: SiteBucket, path: str, needles: Iterable[str]) -> int:
    """How many of *needles* stand in the file, 0 if there is none."""
    stored = site.get(path)
    text = stored.body.decode() if stored else ""
    return sum(needle in text for needle in needles)


def _json(site: SiteBucket, path: str) -> dict[str, Any]:
    stored = site.get(path)
    value: dict[str, Any] = json.loads(stored.body) if stored else {}
    return value
