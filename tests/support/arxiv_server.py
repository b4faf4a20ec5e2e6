"""A made-up arXiv: feeds, query API and OAI-PMH from a script, on a virtual clock, with faults."""

import gzip
import hashlib
import io
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from paperpost import data
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.ids import parse_id
from support import feeds
from support.arxiv_answers import (
    HTML,
    RATE_EXCEEDED,
    Known,
    error_feed,
    oai_error,
    oai_page,
    query_error,
    query_page,
    sets_of,
    versions_before,
)
from support.arxiv_script import EASTERN, ScriptedDay, ScriptedPaper
from support.arxiv_search import BadQueryError, search

_XML = "text/xml; charset=utf-8"
_MOST_RESULTS = 30_000
_CHUNK = 2_000
_BOMB = 64_000_000
_TOO_MANY = 429


class FaultKind(StrEnum):
    """What can go wrong on arXiv's side."""

    STATUS = "status"  # the fault's status, with or without Retry-After
    HTML = "html"  # a page with status 200
    RATE_EXCEEDED = "rate exceeded"  # the words alone, with status 200 unless told otherwise
    ERROR_ENTRY = "error entry"  # the API's entry titled Error, with status 400
    ERROR_FEED = "error feed"  # a valid feed that tells an error, with status 400
    TRUNCATED = "truncated"  # cut at byte `at_byte`; the headers do not tell it
    SHORT = "short"  # the same, but the headers tell the whole length
    EMPTY = "empty"  # a valid answer without items, whatever there is
    EMPTY_PAGE = "empty page"  # the API counts results and gives none
    STALE = "stale"  # the feed of today holds yesterday's batch, for `hours` or all day
    LATE = "late"  # nothing of the day is there for `hours`, neither feed nor API nor OAI-PMH
    RESET = "reset"  # the connection breaks
    SLOW = "slow"  # the body comes in pieces, each `seconds` after the other
    BOMB = "bomb"  # few bytes that unpack to many
    REDIRECT = "redirect"  # to `location`
    OAI_ERROR = "oai error"  # the protocol's error `code`


_OF_THE_DAY = frozenset({FaultKind.STALE, FaultKind.LATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    One fault and when it strikes; every condition that is given must hold.

    `requests`: numbers of requests, from 1, over all endpoints. `on` and `until`: Eastern dates.
    `endpoint`: feed, api or oai. `times`: how often at most. `batch_of`: the date of a stale batch
    that is older than the one before.
    """

    kind: FaultKind
    requests: frozenset[int] | None = None
    on: date | None = None
    until: date | None = None
    endpoint: str = ""
    times: int | None = None
    status: int | None = None
    retry_after_s: int | None = None
    retry_as_date: bool = False
    at_byte: int = 1_000
    hours: float | None = None
    batch_of: date | None = None
    seconds: float = 1.0
    location: str = "https://evil.example/rss/cs.AI"
    code: str = "badResumptionToken"

    def strikes(self, number: int, today: date, endpoint: str) -> bool:
        """Whether it holds for this request, `times` apart."""
        return (
            (self.requests is None or number in self.requests)
            and (self.on is None or self.on <= today <= (self.until or self.on))
            and self.endpoint in {"", endpoint}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One request as it came in, and what became of it."""

    number: int
    at: datetime
    endpoint: str
    target: str
    user_agent: str
    status: int
    fault: FaultKind | None


@dataclass(slots=True, kw_only=True)
class Answer:
    """What is sent back, and what happens on the way."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None


class ArxivServer:
    """
    arXiv as the script has it. *clock* tells the virtual time, *pause* lets slow bodies wait.

    A day's batch is in the feed *ready* after midnight Eastern time, in OAI-PMH at 22:30 the
    evening before, in the API *api_lag* after the feed. The same requests at the same times are
    answered with the same bytes.
    """

    def __init__(
        self,
        script: Sequence[ScriptedDay],
        *,
        clock: Callable[[], datetime],
        faults: Sequence[Fault] = (),
        pause: Callable[[float], None] = lambda _seconds: None,
        ready: timedelta = timedelta(minutes=5),
        api_lag: timedelta = timedelta(hours=1),
        feed_limit: int = 2_000,
        oai_page_size: int = 2_000,
        oai_counts: bool = False,
    ) -> None:
        self.days = tuple(day.completed() for day in sorted(script, key=lambda day: day.on))
        self.log: list[Logged] = []
        self.fired: Counter[FaultKind] = Counter()
        self.cut: Counter[date] = Counter()  # answers by date that lacked what was beyond the limit
        self.pause = pause
        self._clock, self._faults = clock, tuple(faults)
        self._struck: Counter[Fault] = Counter()
        self._ready, self._api_lag = ready, api_lag
        self._feed_limit, self._oai_page_size = feed_limit, oai_page_size
        self._oai_counts = oai_counts
        self._lock = threading.Lock()

    def struck(self, fault: Fault) -> int:
        """How many answers had this fault."""
        return self._struck[fault]

    @property
    def smallest_gap_s(self) -> float:
        """The shortest time between two requests, over all endpoints; infinite below two."""
        times = sorted(logged.at for logged in self.log)
        gaps = ((b - a).total_seconds() for a, b in pairwise(times))
        return min(gaps, default=float("inf"))

    def answer(self, target: str, headers: Mapping[str, str]) -> Answer:
        """The answer to GET *target* (path and query, or a whole address), which is logged."""
        with self._lock:
            now = self._clock()
            parts = urlsplit(target)
            endpoint = _endpoint(parts.path)
            number = len(self.log) + 1
            fault = self._fault(number, _eastern(now), endpoint)
            told = self._told(endpoint, parts.path, parts.query, now, fault)
            told = told if fault is None else _spoilt(told, fault, parts.path, now)
            told.fault = fault
            if told.status == requests.codes.ok and endpoint == "feed":
                _validated(told, headers, now)
            told.headers.setdefault("Content-Type", _XML)
            logged = Logged(
                number=number,
                at=now,
                endpoint=endpoint,
                target=target,
                user_agent=headers.get("User-Agent", ""),
                status=told.status,
                fault=fault.kind if fault else None,
            )
            self.log.append(logged)
            return told

    @contextmanager
    def in_process(self) -> Iterator["ArxivServer"]:
        """Every request of `requests` is answered here, without a socket, whatever its host."""

        def send(_adapter: HTTPAdapter, request: requests.PreparedRequest, **_: Any) -> Any:
            return self.respond(request)

        with patch.object(HTTPAdapter, "send", send):
            yield self

    @contextmanager
    def listening(self) -> Iterator[str]:
        """A real server on loopback; gives its address, such as http://127.0.0.1:40321."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    @contextmanager
    def over_loopback(self) -> Iterator["ArxivServer"]:
        """Every request of `requests` goes to a real server on loopback, whatever its host."""
        real = HTTPAdapter.send
        with self.listening() as base:

            def send(
                adapter: HTTPAdapter, request: requests.PreparedRequest, **options: Any
            ) -> requests.Response:
                asked = urlsplit(request.url or "")
                request.url = f"{base}{asked.path}" + (f"?{asked.query}" if asked.query else "")
                try:
                    response = real(adapter, request, **options)
                finally:
                    request.url = asked.geturl()
                response.url = asked.geturl()
                return response

            with patch.object(HTTPAdapter, "send", send):
                yield self

    def respond(self, request: requests.PreparedRequest) -> requests.Response:
        """The response to a prepared request. Raises: requests.ConnectionError: On a reset."""
        address = urlsplit(request.url or "")
        target = f"{address.path}?{address.query}" if address.query else address.path
        told = self.answer(target, request.headers)
        if told.fault is not None and told.fault.kind is FaultKind.RESET:
            raise requests.ConnectionError(ConnectionResetError(104, "Connection reset by peer"))
        headers = HTTPHeaderDict(told.headers)
        headers.setdefault("Content-Length", str(len(told.body)))
        raw = HTTPResponse(
            _Body(told, self.pause),
            headers=headers,
            status=told.status,
            preload_content=False,
            enforce_content_length=True,
            request_method="GET",
        )
        return HTTPAdapter().build_response(request, raw)

    # What arXiv knows at a moment

    def _batch(self, now: datetime) -> ScriptedDay | None:
        """The batch that the feed of *now* holds, if it is there."""
        today = _eastern(now)
        stale = self._of_the_day(FaultKind.STALE, today, now)
        days = [day for day in self.days if day.on < today or (day.on == today and not stale)]
        if not days or now < _midnight(today) + self._ready + self._late(today):
            return None
        if stale and stale.batch_of:
            return next(day for day in days if day.on == stale.batch_of)
        return days[-1] if stale or days[-1].on == today else None

    def _known(self, now: datetime, visible: Callable[[date], datetime]) -> dict[str, Known]:
        """Every paper of the days that are visible by *now*."""
        found: dict[str, Known] = {}
        for day in self.days:
            if now < visible(day.on):
                continue
            for paper in day.papers:
                before = found.get(paper.arxiv_id)
                found[paper.arxiv_id] = _after(before, paper, day.on)
            for gone in day.deleted:
                before = found[gone]
                found[gone] = Known(
                    paper=before.paper,
                    submitted=before.submitted,
                    changed_on=day.on,
                    deleted=True,
                )
        return found

    def _in_api(self, on: date) -> datetime:
        return _midnight(on) + self._ready + self._late(on) + self._api_lag

    def _in_oai(self, on: date) -> datetime:
        late = self._late(on)
        return _midnight(on) + late if late else _midnight(on) - timedelta(minutes=90)

    def _late(self, on: date) -> timedelta:
        fault = self._late_fault(on)
        return timedelta(hours=fault.hours or 0) if fault else timedelta()

    def _late_fault(self, on: date) -> Fault | None:
        faults = (f for f in self._faults if f.kind is FaultKind.LATE)
        return next((f for f in faults if f.strikes(0, on, f.endpoint)), None)

    def _of_the_day(self, kind: FaultKind, today: date, now: datetime) -> Fault | None:
        for fault in self._faults:
            if fault.kind is kind and fault.strikes(0, today, "feed"):
                ends = (
                    timedelta(hours=fault.hours) if fault.hours is not None else timedelta(days=2)
                )
                if now < _midnight(today) + ends:
                    return fault
        return None

    def _fault(self, number: int, today: date, endpoint: str) -> Fault | None:
        for fault in self._faults:
            left = fault.times is None or self._struck[fault] < fault.times
            if fault.kind in _OF_THE_DAY or not left or not fault.strikes(number, today, endpoint):
                continue
            self._note(fault)
            return fault
        return None

    def _note(self, fault: Fault) -> None:
        self._struck[fault] += 1
        self.fired[fault.kind] += 1

    # The endpoints

    def _told(
        self, endpoint: str, path: str, query: str, now: datetime, fault: Fault | None
    ) -> Answer:
        asked = dict(parse_qsl(query, keep_blank_values=True))
        if endpoint == "feed":
            return self._feed(path, now, empty=_is(fault, FaultKind.EMPTY))
        if endpoint == "api":
            return self._query(asked, now, fault)
        if endpoint == "oai":
            return Answer(body=self._records(asked, now))
        return Answer(body=HTML, status=404, headers={"Content-Type": "text/html"})

    def _feed(self, path: str, now: datetime, *, empty: bool) -> Answer:
        form, _, names = path.strip("/").partition("/")
        try:
            asked = _members(unquote(names).split("+"))
        except InvalidInputError:
            return Answer(body=error_feed(unquote(names)), status=400)
        day = None if empty else self._batch(now)
        self._count_of_the_day(now)
        listed = day.listed(asked) if day else []
        items = [_item(paper, told) for paper, told in listed][-self._feed_limit :]
        self.cut[_eastern(now)] += len(items) < len(listed)
        written = feeds.atom if form == "atom" else feeds.rss
        title = ", ".join(_named(name) for name in unquote(names).split("+"))
        return Answer(body=written(items, names=title, on=_eastern(now)))

    def _count_of_the_day(self, now: datetime) -> None:
        """Note faults of the day that shape this feed."""
        today = _eastern(now)
        if stale := self._of_the_day(FaultKind.STALE, today, now):
            self._note(stale)
        if (late := self._late_fault(today)) and now < _midnight(today) + self._late(today):
            self._note(late)

    def _query(self, asked: Mapping[str, str], now: datetime, fault: Fault | None) -> Answer:
        try:
            start, size = int(asked.get("start", 0)), int(asked.get("max_results", 10))
            found = self._matching(asked, now)
        except (BadQueryError, ValueError) as exc:
            return Answer(body=query_error(str(exc), now), status=400)
        if size > _MOST_RESULTS:
            problem = f"max_results must be at most {_MOST_RESULTS}"
            return Answer(body=query_error(problem, now), status=400)
        page = found[start : start + min(size, 2_000)]
        if _is(fault, FaultKind.EMPTY):
            found = page = []
        if _is(fault, FaultKind.EMPTY_PAGE):
            page = []
        body = query_page(page, total=len(found), asked=asked, start=start, size=size, now=now)
        return Answer(body=body, headers={"Content-Type": "application/atom+xml; charset=utf-8"})

    def _matching(self, asked: Mapping[str, str], now: datetime) -> list[Known]:
        known = {k: v for k, v in self._known(now, self._in_api).items() if not v.deleted}
        if ids := [each for each in asked.get("id_list", "").split(",") if each]:
            chosen = [_parsed(each) for each in ids]
            found = [known[each] for each in chosen if each in known]
        else:
            found = list(known.values())
        if query := asked.get("search_query", ""):
            found = list(filter(search(query), found))
        elif not ids:
            return []
        keys: dict[str, Callable[[Known], Any]] = {
            "submittedDate": lambda each: (each.published, each.paper.arxiv_id),
            "lastUpdatedDate": lambda each: (each.paper.at, each.paper.arxiv_id),
        }
        if key := keys.get(asked.get("sortBy", "")):
            found.sort(key=key, reverse=asked.get("sortOrder", "descending") != "ascending")
        return found

    def _records(self, asked: Mapping[str, str], now: datetime) -> bytes:
        if asked.get("verb") != "ListRecords":
            return oai_error("badVerb", "Value of the verb argument is not legal here.", now)
        skip = 0
        token = asked.get("resumptionToken")
        if token is not None:
            asked = dict(parse_qsl(unquote(token)))
            told, issued = asked.pop("skip", ""), asked.pop("issued", "")
            if not told.isdigit() or issued != now.astimezone(UTC).date().isoformat():
                said = "The value of the resumptionToken argument is invalid or expired."
                return oai_error("badResumptionToken", said, now)
            skip = int(told)
        prefix = asked.get("metadataPrefix", "")
        if not prefix or set(asked) - {"verb", "metadataPrefix", "from", "until", "set"}:
            return oai_error("badArgument", "The request includes illegal arguments.", now)
        if prefix not in {"arXiv", "arXivRaw"}:
            return oai_error("cannotDisseminateFormat", f"No format {prefix}.", now)
        found = self._changed(asked, now)
        if not found:
            return oai_error("noRecordsMatch", "The combination results in an empty list.", now)
        page = found[skip : skip + self._oai_page_size]
        more: str | None = "" if token is not None else None
        if skip + len(page) < len(found):
            issued = now.astimezone(UTC).date().isoformat()
            more = quote(urlencode({**asked, "skip": skip + len(page), "issued": issued}))
        counted = f' completeListSize="{len(found)}" cursor="{skip}"' if self._oai_counts else ""
        return oai_page(page, prefix=prefix, token=more, counted=counted, now=now)

    def _changed(self, asked: Mapping[str, str], now: datetime) -> list[Known]:
        first, last = asked.get("from", "0001-01-01"), asked.get("until", "9999-12-31")
        wanted = asked.get("set", "")
        found = [
            known
            for known in self._known(now, self._in_oai).values()
            if first <= known.changed_on.isoformat() <= last
            and any(
                f"{spec}:".startswith(f"{wanted}:" if wanted else "")
                for spec in sets_of(known.paper)
            )
        ]
        return sorted(found, key=lambda known: (known.changed_on, known.paper.arxiv_id))


class _Body(io.RawIOBase):
    """A body that is read in pieces; a slow one waits before each."""

    def __init__(self, told: Answer, pause: Callable[[float], None]) -> None:
        self._body, self._pause = io.BytesIO(told.body), pause
        self._slow = told.fault if _is(told.fault, FaultKind.SLOW) else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        if self._slow is not None:
            self._pause(self._slow.seconds)
            size = min(size, _CHUNK)
        piece = self._body.read(size)
        buffer[: len(piece)] = piece
        return len(piece)


def _handler_of(server: ArxivServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = server.answer(self.path, dict(self.headers))
            self.close_connection = True
            if _is(told.fault, FaultKind.RESET):
                # Closing with unsent time to linger of zero sends RST instead of FIN.
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return
            self.send_response(told.status)
            for name, value in {"Content-Length": str(len(told.body)), **told.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self._send(told)
            except OSError:  # the client has gone: so it shall, on a bomb or a slow body
                return

        def _send(self, told: Answer) -> None:
            if not _is(told.fault, FaultKind.SLOW):
                self.wfile.write(told.body)
                return
            assert told.fault is not None
            for start in range(0, len(told.body), _CHUNK):
                server.pause(told.fault.seconds)
                self.wfile.write(told.body[start : start + _CHUNK])

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _spoilt(told: Answer, fault: Fault, path: str, now: datetime) -> Answer:
    """The answer with its fault."""
    status = fault.status or _STATUS.get(fault.kind, told.status)
    if fault.kind in {FaultKind.TRUNCATED, FaultKind.SHORT}:
        spoilt = Answer(body=told.body[: fault.at_byte], status=told.status)
        if fault.kind is FaultKind.SHORT:
            spoilt.headers["Content-Length"] = str(len(told.body))
    elif fault.kind is FaultKind.BOMB:
        packed = gzip.compress(bytes(_BOMB), compresslevel=9, mtime=0)
        spoilt = Answer(body=packed, headers={"Content-Encoding": "gzip"})
    elif (body := _body(fault, status, path, now)) is not None:
        spoilt = Answer(body=body, status=status)
    else:  # reset and slow happen on the way; what is empty is so already
        spoilt = told
    if fault.kind is FaultKind.HTML:
        spoilt.headers["Content-Type"] = "text/html; charset=utf-8"
    if fault.kind is FaultKind.REDIRECT:
        spoilt.headers["Location"] = fault.location
    if fault.retry_after_s is not None:
        until = now.astimezone(UTC) + timedelta(seconds=fault.retry_after_s)
        spoilt.headers["Retry-After"] = (
            format_datetime(until, usegmt=True) if fault.retry_as_date else str(fault.retry_after_s)
        )
    return spoilt


def _body(fault: Fault, status: int, path: str, now: datetime) -> bytes | None:
    """What stands in place of the answer, if anything does."""
    return {
        FaultKind.STATUS: RATE_EXCEEDED if status == _TOO_MANY else b"Sorry.",
        FaultKind.RATE_EXCEEDED: RATE_EXCEEDED,
        FaultKind.HTML: HTML,
        FaultKind.ERROR_ENTRY: query_error("incorrect id format for abc", now),
        FaultKind.ERROR_FEED: error_feed(path.rpartition("/")[2]),
        FaultKind.REDIRECT: b"",
        FaultKind.OAI_ERROR: oai_error(fault.code, "Refused by the script.", now),
    }.get(fault.kind)


_STATUS = {
    FaultKind.STATUS: 503,
    FaultKind.HTML: 200,
    FaultKind.RATE_EXCEEDED: 200,
    FaultKind.ERROR_ENTRY: 400,
    FaultKind.ERROR_FEED: 400,
    FaultKind.REDIRECT: 302,
}


def _validated(told: Answer, headers: Mapping[str, str], now: datetime) -> None:
    """Give a feed its ETag, or answer 304 to who has it."""
    etag = f'"{hashlib.sha256(told.body).hexdigest()}"'
    midnight = _midnight(_eastern(now) + timedelta(days=1))
    age = int((midnight - now).total_seconds())
    told.headers |= {"ETag": etag, "Cache-Control": f"max-age={age}"}
    if headers.get("If-None-Match") == etag:
        told.status, told.body = 304, b""


def _after(before: Known | None, paper: ScriptedPaper, on: date) -> Known:
    """What is known of a paper once this announcement is made."""
    if before is not None and paper.late_cross_in:
        crossed = replace(before.paper, categories=_all_categories(paper))
        return Known(paper=crossed, submitted=before.submitted, changed_on=on)
    submitted = {
        **versions_before(paper),
        **(before.submitted if before else {}),
        paper.version: paper.at,
    }
    return Known(paper=paper, submitted=submitted, changed_on=on)


def _item(paper: ScriptedPaper, told: str) -> feeds.Item:
    return feeds.Item(
        arxiv_id=paper.arxiv_id,
        version=paper.version,
        announce_type=told,
        title=paper.title,
        abstract=paper.abstract,
        creator=", ".join(paper.authors),
        categories=_all_categories(paper),
        doi=paper.doi,
        journal_ref=paper.journal_ref,
    )


def _all_categories(paper: ScriptedPaper) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*paper.categories, *paper.late_cross_in)))


def _members(names: Sequence[str]) -> set[str]:
    """The categories that a feed of *names* covers. Raises: InvalidInputError."""
    taxonomy = data.taxonomy()
    found = set[str]()
    for name in names:
        if taxonomy.is_archive(name.casefold()):
            found.update(taxonomy.members(name.casefold()))
        else:
            found.add(taxonomy.canonical(name))
    return found


def _named(name: str) -> str:
    taxonomy = data.taxonomy()
    return name.casefold() if taxonomy.is_archive(name.casefold()) else taxonomy.canonical(name)


def _parsed(text: str) -> str:
    try:
        return parse_id(text).arxiv_id
    except InvalidInputError:
        raise BadQueryError(f"incorrect id format for {text}") from None


def _endpoint(path: str) -> str:
    if path.startswith(("/rss/", "/atom/")):
        return "feed"
    return {"/api/query": "api", "/oai": "oai"}.get(path, "")


def _is(fault: Fault | None, kind: FaultKind) -> bool:
    return fault is not None and fault.kind is kind


def _eastern(at: datetime) -> date:
    return at.astimezone(EASTERN).date()


def _midnight(on: date) -> datetime:
    return datetime.combine(on, time(), EASTERN).astimezone(UTC)
