"""The gate with what is published read in: nothing of a category is put before all of it passed."""

from collections.abc import Mapping, Sequence

from paperpost.domain.categories import Category
from paperpost.domain.gate import Shown, check_day, check_feed, check_places
from paperpost.publish.days import Day
from paperpost.publish.feeds import FeedFiles
from paperpost.publish.known import Known
from paperpost.publish.press import Press
from paperpost.publish.readback import check_readable, published_entries
from paperpost.storage.site import StoredFile


def inspect(
    press: Press,
    category: Category,
    known: Known,
    days: Sequence[Day],
    feeds: FeedFiles,
    *,
    published: Sequence[Shown],
) -> None:
    """
    Let the candidates pass if they may replace what is *published*, what readers see.

    Raises: RefusedError: With the file and the reason.
    """
    for day in days:
        counted = known.counted(day.announced_on)
        path = f"{category.code}/{day.announced_on.isoformat()}.html"
        check_day(path, published=counted.published if counted else 0, candidate=len(day.records))
    check_readable(feeds.files, feeds.shown)
    path = f"{category.code}/feed.json"
    firsts = _without_replacements(published, days)
    binding = published if press.settings.replacements_in_feeds else firsts
    check_feed(path, published=binding, candidate=feeds.shown)
    # An entry that is a replacement may still turn out to have been new before.
    check_places(path, published=firsts, candidate=feeds.shown)


def seen_in(stored: Mapping[str, StoredFile | None]) -> Sequence[Shown]:
    """What readers of a feed's files see now, by the first JSON Feed that can be read."""
    for path, file in stored.items():
        if file is not None and path.endswith(".json"):
            try:
                return published_entries(file.body)
            except ValueError:
                continue  # what no reader can read protects nobody: it is replaced
    return ()


def _without_replacements(published: Sequence[Shown], days: Sequence[Day]) -> Sequence[Shown]:
    """*published* without entries that are replacements: an operator may turn those off."""
    listed = [
        (r.listing.announce_type, Shown(r.arxiv_id, d.announced_on))
        for d in days
        for r in d.records
    ]
    replaced = {shown for announce_type, shown in listed if announce_type.is_replacement}
    return [entry for entry in published if entry not in replaced]
