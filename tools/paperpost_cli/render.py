"""`paperpost render`: a rendering of records as bytes, by the functions that publish uses."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime

from paperpost.data import calendar, taxonomy
from paperpost.domain.announcements import Announcement, AnnouncementState, eastern_date
from paperpost.domain.categories import Category
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.records import Record, read_lines
from paperpost.publish.days import make_day
from paperpost.publish.entries import feed_days
from paperpost.publish.feedmeta import about
from paperpost.publish.feeds import FeedFiles, category_metas, feed_files
from paperpost.publish.markdown import digest, read_archive, render_archive
from paperpost.publish.pages import SiteFacts

LANGUAGES = ("zh", "en")
SITE_URL = "https://paperpost.example"


def render(
    kind: str,
    *,
    records_lines: Iterable[str] | None = None,
    archive_lines: Iterable[str] | None = None,
    category: str | None = None,
    now: datetime | None = None,
    site_url: str = SITE_URL,
    name: str = "records",
) -> bytes:
    """
    Return the *kind* of rendering (see KINDS) of records, or of an original archive (markdown).

    *now* only closes the window: listings of later Eastern dates are left out. *name* stands in
    messages about lines that are wrong.

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
    shown = [r for r in records if r.listing.category == chosen.code]
    if now is not None:
        last = eastern_date(now)
        shown = [r for r in shown if r.listing.announced_on <= last]
    return KINDS[kind](shown, chosen, site_url)


def _category(records: Sequence[Record], wanted: str | None) -> Category:
    """The category that is asked for, or the only one in *records*."""
    found = sorted({record.listing.category for record in records})
    if wanted is None:
        if len(found) != 1:
            raise InvalidInputError(
                f"say which category: the records hold {', '.join(found) or 'none'}"
            )
        wanted = found[0]
    return taxonomy().categories[taxonomy().canonical(wanted)]


def _markdown(records: Sequence[Record], _category: Category, _site_url: str) -> bytes:
    return digest(records)


def _feed(stem: str) -> Callable[[Sequence[Record], Category, str], bytes]:
    """A renderer of the bilingual feed file that begins with *stem*."""

    def rendered(records: Sequence[Record], category: Category, site_url: str) -> bytes:
        files = _feeds(records, category, site_url).files
        if not files:
            raise InvalidInputError(f"no new or cross-listed paper of {category.code} to render")
        return next(body for path, body in files.items() if path.split("/")[-1] == stem)

    return rendered


def _feeds(records: Sequence[Record], category: Category, site_url: str) -> FeedFiles:
    if not records:
        return feed_files([], [])
    newest = max(record.listing.announced_on for record in records)
    facts = SiteFacts(
        site_url=site_url, contact_mail="", mail=False, languages=LANGUAGES, calendar=calendar()
    )
    day = make_day(
        _announcement(category, newest, records),
        (record for record in records if record.listing.announced_on == newest),
    )
    said = about(newest, receipt=day.receipt(LANGUAGES), next_at=facts.next_after(newest))
    metas = category_metas(category, site_url=site_url, said=said)
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
        updated_at=max(record.listing.stored_at for record in listed),
    )


# A new rendering (a letter, through paperpost.deliver) is one line here.
KINDS: Mapping[str, Callable[[Sequence[Record], Category, str], bytes]] = {
    "rss": _feed("rss.xml"),
    "atom": _feed("atom.xml"),
    "json": _feed("feed.json"),
    "markdown": _markdown,
}
