"""`paperpost render`: a rendering of records as bytes, by the functions that publish uses."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from paperpost.data import calendar, taxonomy
from paperpost.deliver.letters import Imprint
from paperpost.deliver.preview import preview
from paperpost.domain.announcements import Announcement, AnnouncementState, eastern_date
from paperpost.domain.categories import Category
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.issues import issue_of_records
from paperpost.domain.records import Record, read_lines
from paperpost.domain.subscribers import Preferences
from paperpost.publish.days import make_day
from paperpost.publish.entries import feed_days
from paperpost.publish.feedmeta import about
from paperpost.publish.feeds import FeedFiles, category_metas, feed_files
from paperpost.publish.markdown import digest, read_archive, render_archive
from paperpost.publish.pages import SiteFacts

LANGUAGES = ("zh", "en")
SITE_URL = "https://paperpost.example"
_SENDER = "paperpost@paperpost.example"
_IMPRINT = Imprint(
    site_url=SITE_URL,
    contact_mail="you@paperpost.example",
    postal_address="Paperpost, 1 Sample Street",
)
_ALL = Category(code="all", name="all categories", name_zh="全部分类")


def render(
    kind: str,
    *,
    records_lines: Iterable[str] | None = None,
    archive_lines: Iterable[str] | None = None,
    category: str | None = None,
    now: datetime | None = None,
    name: str = "records",
) -> bytes:
    """
    Return the *kind* of rendering (see KINDS) of records, or of an original archive (markdown).

    With *category* every record that is listed there, as it is listed there; without, each paper
    once. *now* only closes the window: listings of later Eastern dates are left out. *name* stands
    in messages about lines that are wrong.

    Raises:
        InvalidInputError: If there is no such rendering, or nothing to render in *category*.
        RecordError: If a line is not what it should be.
    """
    if archive_lines is not None:
        if kind != "markdown":
            raise InvalidInputError(f"an archive can be rendered as markdown, not as {kind}")
        return render_archive(read_archive(archive_lines, name=name))
    if kind not in KINDS:
        raise InvalidInputError(f"no rendering {kind!r}; there are {', '.join(sorted(KINDS))}")
    if records_lines is None:
        raise InvalidInputError("nothing to render: neither records nor an archive")
    records = read_lines(records_lines, name=name)
    chosen = _category(records, category)
    shown = _once_a_day(records) if chosen is _ALL else _listed_in(chosen.code, records)
    if now is not None:
        last = eastern_date(now)
        shown = [r for r in shown if r.listing.announced_on <= last]
    return KINDS[kind](shown, chosen)


def _category(records: Sequence[Record], wanted: str | None) -> Category:
    """The category that is asked for, or the only one in *records*, or all of them."""
    if wanted is None:
        found = {record.listing.category for record in records}
        if len(found) != 1:
            return _ALL
        wanted = found.pop()
    return taxonomy().categories[taxonomy().canonical(wanted)]


def _listed_in(code: str, records: Sequence[Record]) -> list[Record]:
    """
    The records as the category *code* lists them.

    A record that another category brings is shown with the first listing of its own that the paper
    has in this one, unless a record of this one says the same.
    """
    shown = {_of_day(r): r for r in records if r.listing.category == code}
    for record in records:
        first = record.paper.listed.get(code)
        if first is not None and record.listing.category != code:
            listing = replace(
                record.listing,
                category=code,
                announced_on=first.announced_on,
                announce_type=first.announce_type,
            )
            shown.setdefault(
                (record.arxiv_id, first.announced_on), replace(record, listing=listing)
            )
    return list(shown.values())


def _once_a_day(records: Sequence[Record]) -> list[Record]:
    """Each paper once a date: as new before replaced, by its primary category before others."""
    shown: dict[tuple[str, date], Record] = {}
    for record in sorted(records, key=_told_first):
        shown.setdefault(_of_day(record), record)
    return list(shown.values())


def _told_first(record: Record) -> tuple[bool, bool, str]:
    listing = record.listing
    is_other = listing.category != record.paper.primary
    return listing.announce_type.is_replacement, is_other, listing.category


def _of_day(record: Record) -> tuple[str, date]:
    return record.arxiv_id, record.listing.announced_on


def _markdown(records: Sequence[Record], _category: Category) -> bytes:
    return digest(records)


def _letter(records: Sequence[Record], category: Category) -> bytes:
    """The newest date's letter for a reader of the category, or of all that the records name."""
    if not records:
        raise InvalidInputError(f"no paper of {category.code} to render")
    newest = max(record.listing.announced_on for record in records)
    at = _stored_at(records, newest)
    preferences = Preferences(categories=tuple(sorted({r.listing.category for r in records})))
    issue = issue_of_records(records, frozen_at=at)
    return preview(issue, preferences, imprint=_IMPRINT, sender=_SENDER, now=at)


def _feed(stem: str) -> Callable[[Sequence[Record], Category], bytes]:
    """A renderer of the bilingual feed file that begins with *stem*."""

    def rendered(records: Sequence[Record], category: Category) -> bytes:
        files = _feeds(records, category).files
        if not files:
            raise InvalidInputError(f"no new or cross-listed paper of {category.code} to render")
        return next(body for path, body in files.items() if path.split("/")[-1] == stem)

    return rendered


def _feeds(records: Sequence[Record], category: Category) -> FeedFiles:
    if not records:
        return feed_files([], [])
    newest = max(record.listing.announced_on for record in records)
    facts = SiteFacts(
        site_url=SITE_URL, contact_mail="", mail=False, languages=LANGUAGES, calendar=calendar()
    )
    day = make_day(
        _announcement(category, newest, records),
        (record for record in records if record.listing.announced_on == newest),
    )
    said = about(newest, receipt=day.receipt(LANGUAGES), next_at=facts.next_after(newest))
    metas = category_metas(category, site_url=SITE_URL, said=said)
    return feed_files(feed_days(records), metas)


def _announcement(category: Category, on: date, records: Sequence[Record]) -> Announcement:
    """The announcement that *records* themselves amount to."""
    listed = [record for record in records if record.listing.announced_on == on]
    return Announcement(
        category=category.code,
        announced_on=on,
        state=AnnouncementState.COMPLETE,
        announced=len(listed),
        stored=len(listed),
        updated_at=_stored_at(records, on),
    )


def _stored_at(records: Sequence[Record], on: date) -> datetime:
    """When the last of the date's listings was stored: the time of a rendering, not the clock's."""
    return max(r.listing.stored_at for r in records if r.listing.announced_on == on)


# A new rendering is one line here.
KINDS: Mapping[str, Callable[[Sequence[Record], Category], bytes]] = {
    "rss": _feed("rss.xml"),
    "atom": _feed("atom.xml"),
    "json": _feed("feed.json"),
    "markdown": _markdown,
    "letter": _letter,
}
