"""Checks of the mails: who got which letter, with which papers, in which form."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from oracle.findings import Finding, finding
from oracle.letters import Mail, addresses_in
from oracle.readers import (
    CONFIRMED,
    UNCONFIRMED,
    Reader,
    issue_dates,
    issues_of,
    wanted,
)
from oracle.source import Truth

# reading.md's limit keeps a letter below the 102 kB at which Gmail clips.
_MOST_HTML_BYTES = 90_000
_SENT_AWAY = frozenset({"bounced", "complained"})
_REFUSING = re.compile(
    r"(?:bounce|complaint|suppressionlist)(?:\+[^@]*)?@simulator\.amazonses\.com", re.IGNORECASE
)
_REMOTE = re.compile(
    rb"<img[^>]+src\s*=\s*[\"']?(?:https?:)?//|url\(\s*[\"']?https?:|<script", re.IGNORECASE
)
_URL = re.compile(r"<\s*(https?://[^>\s]+)\s*>")


def check_mails(
    mails: Sequence[Mail], readers: Sequence[Reader], truth: Truth, *, least_letters: int
) -> Iterator[Finding]:
    """Yield a finding for every rule of the letters and of the confirmations."""
    letters = [mail for mail in mails if mail.issue]
    known = {reader.address.lower(): reader for reader in readers}
    many = f"{len(letters)} letters"
    status = Counter(reader.status for reader in readers)
    told = ", ".join(f"{n} {name}" for name, n in sorted(status.items()))
    yield finding(
        "one letter each", f"{many}, {told or 'no subscribers'}", _one_each(letters, readers, truth)
    )
    yield finding("letter papers", many, _papers(letters, known, truth))
    yield finding("letters to readers alone", f"{len(mails)} mails", _strangers(mails, known))
    yield finding(
        "letters after a bounce",
        f"{sum(status[s] for s in _SENT_AWAY)} gone",
        _after_bounce(letters, readers, truth),
    )
    yield finding("letter form", many, (p for mail in letters for p in _form(mail)))
    yield finding("letter headers", many, [*_headers(letters), *_shared_secrets(letters)])
    largest = max((len(mail.html) for mail in letters), default=0)
    yield finding("letter size", f"{largest} bytes of HTML at most", _sizes(letters))
    rest = [mail for mail in mails if not mail.issue]
    yield finding(
        "confirmations", f"{len(rest)} mails", (p for m in rest for p in _confirmation(m))
    )
    few = [f"fewer than {least_letters}"] * (len(letters) < least_letters)
    yield finding("letters in all", str(len(letters)), few)


def _one_each(letters: Sequence[Mail], readers: Sequence[Reader], truth: Truth) -> Iterator[str]:
    """Of each issue the confirmed have one letter if a paper matches, else none."""
    got = Counter((mail.to, mail.issue) for mail in letters)
    for mail in letters:
        if not issue_dates(mail.issue, truth):
            yield f"{mail.name} is of {mail.issue}, which nobody announced"
    for reader in readers:
        due = issues_of(reader, truth)
        for issue in due:
            yield from _count(reader, issue, got[reader.address.lower(), issue], truth)
        for address, issue in got:
            if address == reader.address.lower() and issue_dates(issue, truth) and issue not in due:
                yield f"{address} reads {reader.cadence} and has {issue}"


def _count(reader: Reader, issue: str, letters: int, truth: Truth) -> Iterator[str]:
    owed = wanted(reader, issue, truth)
    if letters > 1:
        yield f"{reader.address} has {letters} letters of {issue}"
    if letters and not (owed.required or owed.optional):
        yield f"{reader.address} has a letter of {issue} without a matching paper"
    # A weekly issue is due on Saturday, which a replay need not reach.
    if reader.status == CONFIRMED and owed.required and not letters and reader.cadence != "weekly":
        yield f"{reader.address} has no letter of {issue} with {len(owed.required)} papers"


def _papers(letters: Sequence[Mail], known: Mapping[str, Reader], truth: Truth) -> Iterator[str]:
    for mail in letters:
        reader = known.get(mail.to)
        owed = wanted(reader, mail.issue, truth) if reader else None
        if reader is None or owed is None or not (owed.required or owed.optional):
            continue  # told by another check
        held = _held(mail, owed.required | owed.optional, truth)
        limit = reader.most or len(owed.required | owed.optional)
        missing = owed.required - held if len(held) < limit else frozenset()
        where = f"{mail.name} ({mail.issue} of {mail.to})"
        yield from (f"{where} lacks {i}" for i in sorted(missing))
        yield from (f"{where} holds {i}" for i in sorted(held - owed.required - owed.optional))
        if len(held) > limit:
            yield f"{where} holds {len(held)} papers, more than {limit}"
        yield from (f"{where} holds {i} {n} times" for i, n in _repeated(mail, held, truth))
        unlisted = mail.html_ids - set(mail.text_ids) - _mentioned(held, truth)
        yield from (f"{where} links to {i} in HTML alone" for i in sorted(unlisted))
        if held and not mail.html_ids & held:
            yield f"{where} shows no paper in HTML"


def _held(mail: Mail, allowed: frozenset[str], truth: Truth) -> set[str]:
    """The papers of the text part, less those that an abstract in it only mentions."""
    mentioned = _mentioned(set(mail.text_ids) & allowed, truth)
    # A long line may break inside such an address.
    return {i for i in mail.text_ids if i in allowed or not any(m.startswith(i) for m in mentioned)}


def _mentioned(papers: Iterable[str], truth: Truth) -> set[str]:
    return {i for paper in papers for i in truth.mentions.get(paper, ())}


def _repeated(mail: Mail, held: set[str], truth: Truth) -> Iterator[tuple[str, int]]:
    """Papers whose address stands more often in the text than that of others."""
    counts = {i: mail.text_ids[i] for i in held - _mentioned(held, truth)}
    usual = min(counts.values(), default=0)
    return ((i, n) for i, n in sorted(counts.items()) if n > max(usual, 1))


def _strangers(mails: Sequence[Mail], known: Mapping[str, Reader]) -> Iterator[str]:
    for mail in mails:
        reader = known.get(mail.to)
        if reader is None and (mail.issue or "/confirm/" in mail.text):
            yield f"{mail.name} goes to {mail.to or 'nobody'}, who is no subscriber"
        if reader is not None and mail.issue and reader.status == UNCONFIRMED:
            yield f"{mail.name} goes to {mail.to}, who never confirmed"


def _after_bounce(
    letters: Sequence[Mail], readers: Sequence[Reader], truth: Truth
) -> Iterator[str]:
    """
    Who is gone has no letter behind the one that ended it.

    An address that SES's simulator refuses is gone with its first letter; who unsubscribed or was
    erased may have had several, the oldest ones without a gap.
    """
    by_reader: defaultdict[str, set[str]] = defaultdict(set)
    for mail in letters:
        by_reader[mail.to].add(mail.issue)
    for reader in readers:
        got = by_reader[reader.address.lower()]
        due = [i for i in issues_of(reader, truth) if i in got or wanted(reader, i, truth).required]
        if _REFUSING.fullmatch(reader.address) and got and reader.status == CONFIRMED:
            yield f"{reader.address} refused a letter and is still confirmed"
        if reader.status in _SENT_AWAY and len(got) > 1:
            yield f"{reader.address} is {reader.status} and has {len(got)} letters"
        if reader.status not in {CONFIRMED, UNCONFIRMED} and got - set(due[: len(got)]):
            yield f"{reader.address} is {reader.status} and has {max(got)}, which came too late"


def _form(mail: Mail) -> Iterator[str]:
    yield from (f"{mail.name}: {fault}" for fault in mail.faults)
    if mail.parts != ("multipart/alternative", "text/plain", "text/html"):
        yield f"{mail.name} is made of {', '.join(mail.parts)}"
    if not mail.text.strip() or not mail.html.strip():
        yield f"{mail.name} has an empty part"
    if _REMOTE.search(mail.html):
        yield f"{mail.name} loads something from elsewhere"


def _headers(letters: Sequence[Mail]) -> Iterator[str]:
    for mail in letters:
        yield from _addressed(mail)
        if not _URL.search(mail.header("List-Unsubscribe")):
            yield f"{mail.name}: List-Unsubscribe {mail.headers.get('list-unsubscribe')}"
        if mail.header("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click":
            yield f"{mail.name}: List-Unsubscribe-Post {mail.headers.get('list-unsubscribe-post')}"
        if not mail.tags.get("subscriber") or "@" in mail.tags["subscriber"]:
            yield f"{mail.name}: the tags {mail.tags} name no subscriber by id"


def _addressed(mail: Mail) -> Iterator[str]:
    if len(addresses_in(mail.header("From"))) != 1:
        yield f"{mail.name}: From {mail.headers.get('from')}"
    others = {"cc", "bcc"} & mail.headers.keys()
    if len(addresses_in(mail.header("To"))) != 1 or others:
        yield f"{mail.name} has not one recipient: {mail.headers.get('to')} {sorted(others)}"
    if not mail.header("Subject"):
        yield f"{mail.name} has no subject"


def _shared_secrets(letters: Sequence[Mail]) -> Iterator[str]:
    """One reader's unsubscribe address and id stand in nobody else's letter."""
    owners: dict[str, str] = {}
    for mail in letters:
        own = [mail.tags.get("subscriber", ""), *_URL.findall(mail.header("List-Unsubscribe"))]
        for secret in filter(None, own):
            if owners.setdefault(secret, mail.to) != mail.to:
                yield f"{mail.name}: {mail.to} and {owners[secret]} share {secret}"


def _sizes(letters: Sequence[Mail]) -> Iterator[str]:
    for mail in letters:
        if len(mail.html) > _MOST_HTML_BYTES:
            yield f"{mail.name} has {len(mail.html)} bytes of HTML"


def _confirmation(mail: Mail) -> Iterator[str]:
    yield from _addressed(mail)
    if "list-unsubscribe-post" in mail.headers:
        yield f"{mail.name} carries List-Unsubscribe-Post"
