"""arXiv's OAI-PMH: metadata of all papers that changed since a date, with every version's date."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from lxml import etree

from paperpost.domain.categories import archive_of, canonical
from paperpost.domain.errors import FeedError, InvalidInputError, NotAFeedError
from paperpost.domain.ids import parse_id
from paperpost.domain.papers import Author
from paperpost.domain.text import clean, shorten
from paperpost.fetch.authors import split_authors
from paperpost.fetch.feeds import evidence, whole_document
from paperpost.fetch.tidy import (
    ABSTRACT_BYTES,
    AUTHORS_BYTES,
    LINE_BYTES,
    TITLE_BYTES,
    bounded,
    fitting,
    line,
    named,
    prose,
)
from paperpost.fetch.withdrawals import is_withdrawn

# Source: https://info.arxiv.org/help/oa/index.html, read 2026-11-23.
OAI_BASE = "https://oaipmh.arxiv.org/oai"
# A page holds up to 2,000 records (arXiv/oaipmh, oai_config.py, read 2026-11-23), and a category
# changes by a few hundred a day: so many pages are months, and an endless list ends.
MOST_PAGES = 50
_NS = {
    "oai": "http://www.openarchives.org/OAI/2.0/",
    "arXiv": "http://arxiv.org/OAI/arXiv/",
    "arXivRaw": "http://arxiv.org/OAI/arXivRaw/",
}
_ROOT = "{http://www.openarchives.org/OAI/2.0/}OAI-PMH"
_FORMATS = ("arXivRaw", "arXiv")
_NO_RECORDS = "noRecordsMatch"
# Archives that are groups of their own in sets; all others belong to the group physics.
# Source: arXiv/oaipmh `make_set_str` and arXiv/arxiv-base `taxonomy`, read 2026-11-23.
_OWN_GROUP = frozenset({"cs", "econ", "eess", "math", "q-bio", "q-fin", "stat"})
_VERSION = re.compile(r"v([1-9]\d{0,2})", re.ASCII)
_YEARS = range(1900, 2200)  # some papers are older than arXiv; anything else is damage
# What parts names beside a comma: an `and` outside brackets, but not that of "A and B
# Collaborations".
_AND = re.compile(r"(?P<aside>\([^()]*\))|,?\s+and\s+(?![^,()]{0,80}collaborations)", re.IGNORECASE)
_PARAGRAPH = re.compile(r"\n(?=[ \t]*\n|[ \t]{2,})")
# Source flag I: nothing but a note stands in place of the paper (arXiv/oaipmh, create_records.py).
_NO_SOURCE = "I"

# lxml's elements carry no types of their own that would help here.
_Element = Any


class OaiError(FeedError):
    """OAI-PMH refused the request; `code` is the protocol's own word for why."""

    def __init__(self, source: str, code: str, said: str) -> None:
        self.code = code
        super().__init__(source, f"OAI-PMH answers {code}: {said}" if said else f"OAI-PMH: {code}")

    @property
    def is_expired(self) -> bool:
        """Whether the list has to be asked for anew: tokens are good until midnight UTC."""
        return self.code == "badResumptionToken"


@dataclass(frozen=True, slots=True, kw_only=True)
class OaiVersion:
    """One version of a paper and when arXiv received it (UTC)."""

    version: int
    submitted_at: datetime
    source_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OaiRecord:
    """
    One paper as OAI-PMH tells it now; its texts are made readable, formulas stay TeX.

    `datestamp` is the (UTC) date of the last change of any kind, so nothing of it was announced
    later. `versions` has every version, the oldest first, in the format arXivRaw; it is empty in
    the format arXiv, whose `created` arXiv takes from the newest version. `categories` are
    canonical, the primary first, as of now.
    """

    arxiv_id: str
    datestamp: date
    title: str
    abstract: str
    authors: tuple[Author, ...]
    categories: tuple[str, ...]
    versions: tuple[OaiVersion, ...] = ()
    comment: str | None = None
    doi: str | None = None
    journal_ref: str | None = None
    licence: str | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OaiPage:
    """One answer: `deleted` are base ids; a token says that the list goes on."""

    records: tuple[OaiRecord, ...] = ()
    deleted: tuple[str, ...] = ()
    resumption_token: str | None = None
    complete_list_size: int | None = None


def read_records(body: bytes, *, source: str) -> OaiPage:
    """
    Return the page of records in *body*; *source* names it in errors.

    That no record matches is an empty page. One record that cannot be believed refuses the page.

    Raises:
        OaiError: With the code of the protocol, if OAI-PMH refused the request.
        FeedError: If this is no whole answer of OAI-PMH.
    """
    root = whole_document(body, source=source)
    if root.tag != _ROOT:
        problem = f"not an OAI-PMH answer: the root element is {etree.QName(root).localname}"
        raise NotAFeedError(source, problem, said=evidence(body))
    for error in root.findall("oai:error", _NS):
        code = error.get("code", "")
        if code == _NO_RECORDS:
            return OaiPage()
        raise OaiError(source, code[:40], shorten(clean(error.text or ""), characters=160))
    listed = root.find("oai:ListRecords", _NS)
    if listed is None:
        raise FeedError(source, "an OAI-PMH answer without a list of records")
    records, deleted = list[OaiRecord](), list[str]()
    for element in listed.findall("oai:record", _NS):
        header = _header(element, source)
        if header.get("status") == "deleted":
            deleted.append(_base_id(header.findtext("oai:identifier", "", _NS), source))
        else:
            records.append(_record(element, header, source))
    token = listed.find("oai:resumptionToken", _NS)
    return OaiPage(
        records=tuple(records),
        deleted=tuple(deleted),
        resumption_token=None if token is None else (token.text or "").strip() or None,
        complete_list_size=None if token is None else _count(token.get("completeListSize", "")),
    )


def harvest(
    session: requests.Session,
    *,
    category: str,
    from_: date,
    until: date | None = None,
    base: str = OAI_BASE,
    metadata_prefix: str = "arXivRaw",
) -> Iterator[OaiPage]:
    """
    The records of *category* (or archive) whose datestamp lies in [*from_*, *until*], page by page.

    A paper that changed again since has its later datestamp: who looks for what was announced on
    a date gives no *until*, as arXiv advises. A list is only whole when no error ended it.

    Raises: FeedError: As read_records; for a status but 200, no answer, a list without end, and
        one that ends before its own count.
    """
    params = {
        "verb": "ListRecords",
        "metadataPrefix": metadata_prefix,
        "set": set_of(category),
        "from": from_.isoformat(),
        **({"until": until.isoformat()} if until else {}),
    }
    tokens, told, size = set[str](), 0, 0
    for number in range(1, MOST_PAGES + 1):
        source = f"{base} set {set_of(category)} page {number}"
        page = read_records(_answer(session, base, params, source), source=source)
        yield page
        on_page = len(page.records) + len(page.deleted)
        told += on_page
        size = page.complete_list_size or size  # not every page tells it
        token = page.resumption_token
        if token is None:
            if told < size:
                raise FeedError(source, f"the list ended after {told:,} of {size:,} records")
            if number > 1 and not on_page:
                raise FeedError(source, f"the list broke off after {told:,} records")
            return
        if token in tokens:
            raise FeedError(source, "the list turns in a circle: a resumption token came twice")
        tokens.add(token)
        params = {"verb": "ListRecords", "resumptionToken": token}
    raise FeedError(base, f"no end of the list after {MOST_PAGES} pages and {told:,} records")


def set_of(category: str) -> str:
    """The set of a category or archive: `cs:cs:AI`, `physics:hep-th`, `cs:cs`."""
    archive = archive_of(category)
    group = archive if archive in _OWN_GROUP else "physics"
    return f"{group}:{category.replace('.', ':')}"


def _answer(session: requests.Session, base: str, params: dict[str, str], source: str) -> bytes:
    try:
        response = session.get(base, params=params)
    except requests.RequestException as exc:
        raise FeedError(source, f"no answer: {type(exc).__name__}") from exc
    if response.status_code != requests.codes.ok:
        raise FeedError(source, "no records in the answer", status=response.status_code)
    return response.content


def _header(element: _Element, source: str) -> _Element:
    header = element.find("oai:header", _NS)
    if header is None:
        raise FeedError(source, "a record without a header")
    return header


def _record(element: _Element, header: _Element, source: str) -> OaiRecord:
    arxiv_id = _base_id(header.findtext("oai:identifier", "", _NS), source)
    found = (element.find(f"oai:metadata/{name}:{name}", _NS) for name in _FORMATS)
    meta = next((each for each in found if each is not None), None)
    if meta is None:
        raise FeedError(source, f"{arxiv_id} has metadata in no format that is read here")
    told = _Metadata(meta)
    if _base_id(told.text("id"), source) != arxiv_id:
        raise FeedError(source, f"{arxiv_id} comes with the metadata of {told.text('id')[:40]!r}")
    categories = canonical(told.text("categories").split())
    if not categories:
        raise FeedError(source, f"{arxiv_id} has no category")
    versions = _versions(told, arxiv_id, source) if told.is_raw else ()
    abstract = prose(_unwrapped(told.text("abstract")), ABSTRACT_BYTES)
    title, comment = told.line("title", TITLE_BYTES) or "", told.line("comments")
    flags = versions[-1].source_type if versions else ""
    return OaiRecord(
        arxiv_id=arxiv_id,
        datestamp=_datestamp(header, arxiv_id, source),
        title=title,
        abstract=abstract,
        authors=_raw_authors(told.text("authors")) if told.is_raw else told.authors(),
        categories=categories,
        versions=versions,
        comment=comment,
        doi=told.line("doi"),
        journal_ref=told.line("journal-ref"),
        licence=told.line("license"),
        withdrawn=_NO_SOURCE in flags
        or is_withdrawn(title=title, abstract=abstract, comment=comment or ""),
    )


class _Metadata:
    """The metadata element of one record, in either of arXiv's own formats."""

    def __init__(self, element: _Element) -> None:
        self._element = element
        self._prefix = str(etree.QName(element).localname)
        self.is_raw = self._prefix == "arXivRaw"

    def all(self, name: str) -> list[_Element]:
        return list(self._element.findall(f"{self._prefix}:{name}", _NS))

    def text(self, name: str) -> str:
        return self._of(self._element, name).strip()

    def line(self, name: str, most_bytes: int = LINE_BYTES) -> str | None:
        return line(self.text(name), most_bytes)

    def dated(self) -> Iterator[tuple[str, str, str]]:
        """Each version's name, date and source type, as they stand."""
        for version in self.all("version"):
            flags = self._of(version, "source_type").strip()
            yield version.get("version", ""), self._of(version, "date").strip(), flags

    def authors(self) -> tuple[Author, ...]:
        found = list[Author]()
        for author in self._element.findall(f"{self._prefix}:authors/{self._prefix}:author", _NS):
            parts = (self._of(author, part) for part in ("forenames", "keyname", "suffix"))
            name = " ".join(" ".join(parts).split())
            places = author.findall(f"{self._prefix}:affiliation", _NS)
            found.append(Author(name=name, affiliations=tuple(p.text or "" for p in places)))
        return named(found)

    def _of(self, element: _Element, name: str) -> str:
        return str(element.findtext(f"{self._prefix}:{name}", "", _NS))


def _versions(told: _Metadata, arxiv_id: str, source: str) -> tuple[OaiVersion, ...]:
    found: dict[int, OaiVersion] = {}
    for name, dated, flags in told.dated():
        match = _VERSION.fullmatch(name)
        if match is None or int(match[1]) in found:
            raise FeedError(source, f"{arxiv_id} has the version {name[:40]!r}, or has it twice")
        at = _submitted(dated)
        if at is None:
            raise FeedError(source, f"{arxiv_id}{name} has no date of submission: {dated[:40]!r}")
        number = int(match[1])
        found[number] = OaiVersion(version=number, submitted_at=at, source_type=flags)
    if not found:
        raise FeedError(source, f"{arxiv_id} comes without its versions")
    return tuple(found[number] for number in sorted(found))


def _submitted(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
        if at.year not in _YEARS:
            return None
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _datestamp(header: _Element, arxiv_id: str, source: str) -> date:
    text = header.findtext("oai:datestamp", "", _NS).strip()
    try:
        return date.fromisoformat(text[:10])
    except ValueError as exc:
        raise FeedError(source, f"{arxiv_id} has the datestamp {text[:40]!r}") from exc


def _base_id(text: str, source: str) -> str:
    try:
        return parse_id(text).arxiv_id
    except InvalidInputError as exc:
        raise FeedError(source, str(exc)) from exc


def _raw_authors(text: str) -> tuple[Author, ...]:
    """The submitter's own list: commas, and an `and` before the last name."""
    told = " ".join(bounded(text, AUTHORS_BYTES).split())
    return fitting(split_authors(_AND.sub(lambda found: found["aside"] or ", ", told)))


def _unwrapped(text: str) -> str:
    """Hard-wrapped lines joined; an indented line or an empty one begins a paragraph."""
    paragraphs = (" ".join(part.split()) for part in _PARAGRAPH.split(text))
    return "\n".join(paragraph for paragraph in paragraphs if paragraph)


def _count(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= len("999999999") else None
