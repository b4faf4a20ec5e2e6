"""Letters: one reader's rendition of an issue, joined from pieces that all readers share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from paperpost import data
from paperpost.deliver.pieces import Piece
from paperpost.deliver.plaintext import wrapped
from paperpost.deliver.views import View, minimal_view, view
from paperpost.deliver.words import Words, issue_date, known_zone, words_for
from paperpost.domain.issues import FrozenIssue
from paperpost.domain.plainmath import plain
from paperpost.domain.receipts import Receipt
from paperpost.domain.selections import Pick, Selection
from paperpost.domain.subscribers import Preferences, Rule
from paperpost.domain.text import clean, columns, shorten
from paperpost.observe import logger
from paperpost.rendering import environment, render

# Gmail cuts a message off at about 102 kB of HTML (hteumeuleu/email-bugs #41, read 2026-11-23).
HTML_LIMIT = 90_000
# Room kept for what is written when the blocks are placed: headings and the links to the rest.
_HEADINGS = 5_000
# Pieces with a reader's own rule in them are many; beyond this all are made anew.
_MOST_PIECES = 8_000
_MORE_PAGES = 3
_ABSTRACTS = 8
_PREHEADER = 80
_SUBJECT_COLUMNS = 48
_DEGRADED_SHARE = 10
_MARKER = "\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The addresses that belong to one reader."""

    unsubscribe: str
    preferences: str
    status: str

    @property
    def pause(self) -> str:
        """Where a pause is one press away; no link does anything by being followed."""
        return f"{self.preferences}#pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint:
    """What the operator signs every mail with. `site_url`: without a slash at its end."""

    site_url: str
    contact_mail: str
    postal_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A subject and the pieces of the two bodies, in order."""

    subject: str
    pieces: tuple[Piece, ...]

    @property
    def html(self) -> str:
        """The HTML part, with plain line feeds."""
        return "".join(piece.html for piece in self.pieces)

    @property
    def text(self) -> str:
        """The text part, with plain line feeds."""
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class _Form:
    """What a paper's piece depends on besides the paper."""

    language: str
    shape: str
    announce_type: str
    late_on: date | None
    rule: Rule | None


@dataclass(slots=True)
class LetterPress:
    """Makes the letters of one issue; a paper's piece is made once for all who see the same."""

    issue: FrozenIssue
    imprint: Imprint
    _pieces: dict[tuple[str, _Form], Piece] = field(default_factory=dict)

    def letter(
        self, selection: Selection, preferences: Preferences, links: Links, *, now: datetime
    ) -> Letter:
        """One reader's letter, its decoded HTML at most 90,000 bytes whatever it holds."""
        words = words_for(preferences.language)
        subject = _subject(self.issue, selection, preferences.language, words)
        head, foot = self._shell(selection, preferences, links, words, subject, now=now)
        room = HTML_LIMIT - head.size - foot.size - _HEADINGS
        body = _Body(press=self, words=words, preferences=preferences, room=room)
        return Letter(subject=subject, pieces=(head, *body.fill(selection), foot))

    def piece(self, pick: Pick, language: str, shape: str, words: Words) -> Piece:
        """A paper as `full` (with abstracts), `block` or `line`."""
        form = _Form(
            language,
            shape,
            pick.record.listing.announce_type.value,
            pick.record.listing.announced_on if pick.late else None,
            pick.rule if shape != "line" else None,
        )
        key = pick.record.arxiv_id, form
        if key not in self._pieces:
            if len(self._pieces) >= _MOST_PIECES:
                self._pieces.clear()
            self._pieces[key] = _piece(pick, form, words)
        return self._pieces[key]

    def _shell(
        self,
        selection: Selection,
        preferences: Preferences,
        links: Links,
        words: Words,
        subject: str,
        *,
        now: datetime,
    ) -> tuple[Piece, Piece]:
        """What stands above and below the papers."""
        zone = known_zone(preferences.zone)
        receipt, degraded = _receipt(self.issue, preferences, words)
        values = {
            "lang": words.lang,
            "words": words,
            "subject": subject,
            "preheader": _preheader(selection, preferences.language),
            "date": issue_date(self.issue, words, short=False),
            "categories": _categories(preferences, words),
            "links": links,
            "receipt": receipt,
            "degraded": degraded,
            "models": _models(selection, preferences.language),
            "next_announcement": words.moment(data.calendar().next_announcement(now), zone),
            "contact": self.imprint.contact_mail,
            "postal_address": self.imprint.postal_address,
            "marker": _MARKER,
        }
        html = render("email/issue/body.html", **values).split(f"{_MARKER}\n")
        plain = render("email/issue/body.txt", **values)
        text = "\n".join(map(wrapped, plain.split("\n"))).split(f"{_MARKER}\n")
        return Piece.of(html[0], text[0]), Piece.of(html[1], text[1])

    def pages(self, picks: Iterable[Pick]) -> list[tuple[str, str]]:
        """Name and address of the pages that hold *picks*, those with the most of them first."""
        counts: dict[tuple[str, date], int] = {}
        for pick in picks:
            listing = pick.record.listing
            key = listing.category, listing.announced_on
            counts[key] = counts.get(key, 0) + 1
        most = sorted(counts, key=lambda key: (-counts[key], key))[:_MORE_PAGES]
        return [
            (
                f"{category} {on.isoformat()} ({counts[category, on]})",
                f"{self.imprint.site_url}/{category}/{on.isoformat()}.html",
            )
            for category, on in most
        ]


@dataclass(slots=True, kw_only=True)
class _Body:
    """Fills one letter: whole blocks while there is room, then single lines, then a link."""

    press: LetterPress
    words: Words
    preferences: Preferences
    room: int

    def fill(self, selection: Selection) -> list[Piece]:
        """The pieces between head and foot."""
        word, papers = self.words, selection
        later = self._lines((*papers.late, *papers.replacements, *papers.withdrawals))
        # What comes at the end keeps room for its lines, but never more than a quarter.
        reserved = min(sum(piece.size for piece in later), HTML_LIMIT // 4)
        self.room -= reserved
        pieces = self._tiers(papers)
        self.room += reserved
        for title, picks, shape in (
            (word.counted("迟到 {} 篇", "Late arrivals: {}", len(papers.late)), papers.late, ""),
            (
                word.counted("更新版 {} 篇", "Replacements: {}", len(papers.replacements)),
                papers.replacements,
                "",
            ),
            (
                word.counted("已撤稿 {} 篇", "Withdrawn: {}", len(papers.withdrawals)),
                papers.withdrawals,
                "line",
            ),
        ):
            if picks:
                pieces += [_heading(title), *self._section(picks, only=shape)]
        if papers.left_out:
            pieces.append(self._more(papers.left_out, (), beyond=True))
        return pieces

    def _tiers(self, papers: Selection) -> list[Piece]:
        """What is new today: all of it matches the reader's rules, or there are none."""
        picks = (*papers.matched, *papers.rest)
        if not picks:
            return []
        chinese, english = (
            ("符合你的规则 {} 篇", "Matches your rules: {}")
            if papers.matched
            else ("论文 {} 篇", "Papers: {}")
        )
        title = self.words.counted(chinese, english, len(picks))
        return [_heading(title), *self._section(picks, abstracts=_ABSTRACTS)]

    def _section(self, picks: Sequence[Pick], *, abstracts: int = 0, only: str = "") -> list[Piece]:
        """The pieces of *picks* that fit, and for the others their text with a link to the page."""
        lines = self._lines(picks)
        to_come = sum(piece.size for piece in lines)
        # Blocks leave the papers behind them room for lines, but never more than a quarter.
        most_for_lines = self.room // 4
        pieces: list[Piece] = []
        shown = 0
        if not only:
            for place, (pick, line) in enumerate(zip(picks, lines, strict=True)):
                to_come -= line.size
                room = self.room - min(to_come, most_for_lines)
                block = self._block(pick, room, with_abstract=place < abstracts)
                if block is None:
                    break
                pieces.append(block)
                self.room -= block.size
                shown += 1
        if 0 < shown < len(picks):
            left = len(picks) - shown
            title = self.words.counted("其余 {} 篇", "The other {}", left)
            pieces.append(_heading(title))
        for place, line in enumerate(lines[shown:], shown):
            if line.size > self.room:
                unseen = picks[place:]
                pieces.append(self._more(len(unseen), unseen))
                pieces += [rest.text_only() for rest in lines[place:]]
                break
            pieces.append(line)
            self.room -= line.size
        return pieces

    def _block(self, pick: Pick, room: int, *, with_abstract: bool) -> Piece | None:
        """The largest block of *pick* that fits into *room* bytes, or None."""
        full = with_abstract and self.preferences.length == "full"
        for shape in ("full", "block") if full else ("block",):
            piece = self.press.piece(pick, self.preferences.language, shape, self.words)
            if piece.size <= room:
                return piece
        return None

    def _lines(self, picks: Iterable[Pick]) -> list[Piece]:
        language = self.preferences.language
        return [self.press.piece(pick, language, "line", self.words) for pick in picks]

    def _more(self, count: int, picks: Sequence[Pick], *, beyond: bool = False) -> Piece:
        title = self.words.counted("另有 {} 篇", "{} more", count)
        if beyond:
            title = self.words.counted(
                "另有 {} 篇，超出你设的上限", "{} more than you asked for at most", count
            )
        index = f"{self.press.imprint.site_url}/index.html"
        pages = self.press.pages(picks) or [("Paperpost", index)]
        html, text = _templates()
        return Piece.of(str(html.more(title, pages)), str(text.more(title, pages)))


@lru_cache
def _templates() -> tuple[Any, Any]:
    """The macros of a paper's HTML and of its text."""
    made = environment()
    return (
        made.get_template("blocks/mail.html").module,
        made.get_template("blocks/mail.txt").module,
    )


@lru_cache(maxsize=512)
def _heading(title: str) -> Piece:
    html, text = _templates()
    return Piece.of(str(html.heading(title)), str(text.heading(title)))


def _piece(pick: Pick, form: _Form, words: Words) -> Piece:
    """A paper's piece; one that cannot be rendered keeps its title and link."""
    try:
        shown = view(
            pick.record,
            form.language,
            words,
            rule=form.rule,
            late_on=form.late_on,
            abstracts=form.shape == "full",
        )
        return _rendered(shown, form.shape, words)
    except Exception as exc:  # noqa: BLE001  told, and its title goes: else nobody gets a letter
        logger.error(
            "paper cannot be rendered",
            extra={"arxiv_id": pick.record.arxiv_id, "error": type(exc).__name__},
        )
        return _rendered(minimal_view(pick.record), "line", words)


def _rendered(shown: View, shape: str, words: Words) -> Piece:
    html, text = _templates()
    if shape == "line":
        return Piece.of(str(html.line(shown, words)), str(text.line(shown, words)))
    return Piece.of(str(html.block(shown, words)), str(text.block(shown, words)))


def _subject(issue: FrozenIssue, selection: Selection, language: str, words: Words) -> str:
    new = (*selection.matched, *selection.rest, *selection.late)
    records = [pick.record for pick in selection.picks]
    # The first title in the reader's language says more than a first one that is pending.
    first = next((r for r in records if language == "en" or r.enrichment("zh")), records[0])
    title = first.paper.title if language == "en" else first.title("zh")
    subject = render(
        "email/issue/subject.txt",
        lang=words.lang,
        date=issue_date(issue, words, short=True),
        new=len(new),
        replaced=len(selection.replacements),
        withdrawn=len(selection.withdrawals),
        first_title=_in_columns(_in_a_header(title), _SUBJECT_COLUMNS),
    )
    return clean(subject)


def _in_columns(text: str, width: int) -> str:
    """*text* cut to *width* columns: 24 Han characters or twice as many Latin ones."""
    characters = len(text)
    while columns(shorten(text, characters=characters)) > width:
        characters -= 1
    return shorten(text, characters=characters)


def _preheader(selection: Selection, language: str) -> str:
    wanted = "en" if language == "en" else "zh"
    records = [pick.record for pick in selection.picks]
    tldr = next((t for r in records if (t := r.tldr(wanted))), records[0].extract)
    return shorten(_in_a_header(tldr), characters=_PREHEADER)


def _in_a_header(text: str) -> str:
    """*text* with its formulas in Unicode; where that fails it is said as it stands."""
    shown = clean(text)
    try:
        return plain(shown)
    except Exception as exc:  # noqa: BLE001  told, and goes as source: else nobody gets a letter
        logger.error("formula cannot be read", extra={"error": type(exc).__name__})
        return shown


def _categories(preferences: Preferences, words: Words) -> str:
    shown = 8
    named = ", ".join(preferences.categories[:shown])
    others = len(preferences.categories) - shown
    if others <= 0:
        return named
    return named + words.counted(" 等共 {} 类", " and others, {} in all", others + shown)


def _models(selection: Selection, language: str) -> str:
    """Who made the translations and sentences of this letter."""
    wanted = "en" if language == "en" else "zh"
    found = {e.model for pick in selection.picks if (e := pick.record.enrichment(wanted))}
    return clean(", ".join(sorted(filter(None, found))[:2]))


def _receipt(issue: FrozenIssue, preferences: Preferences, words: Words) -> tuple[str, str]:
    """The counts over the reader's categories, and one sentence if the day is degraded, or ''."""
    counts = {c: issue.counts[c] for c in preferences.categories if c in issue.counts}
    language = "zh" if words.is_chinese else "en"
    stored = sum(c.stored for c in counts.values())
    known = any(language in c.enriched for c in counts.values())
    enriched = sum(c.enriched.get(language, 0) for c in counts.values())
    receipt = Receipt(
        announced=sum(c.announced for c in counts.values()),
        stored=stored,
        enriched=enriched if known else None,
        pending=stored - enriched if known else None,
    )
    text = receipt.in_chinese() if words.is_chinese else receipt.in_english()
    late = [category for category, c in counts.items() if not c.settled]
    if late or not receipt.adds_up:
        named = "、".join(late) if words.is_chinese else ", ".join(late)
        degraded = (
            f"{named + ' ' if named else '今天'}的公告还没有收全，缺的论文会在下一期补上。"
            if words.is_chinese
            else f"The announcement of {named or 'today'} is not complete; "
            "what is missing comes with the next issue."
        )
    elif known and (stored - enriched) * _DEGRADED_SHARE > stored:
        degraded = words.counted(
            "有 {} 篇的译文待补，先看原文。",
            "Papers without a TL;DR so far: {}.",
            stored - enriched,
        )
    else:
        degraded = ""
    return text, degraded
