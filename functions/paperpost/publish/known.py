"""What publish knows of a category before it renders anything: announcements and its own notes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from paperpost.domain.announcements import Announcement, AnnouncementState
from paperpost.domain.windows import MOST_DAYS
from paperpost.publish.days import CategoryView, DayCounts, announcement_facts, data_hash
from paperpost.storage.items import number

BUILD = "build"  # the sort key of a category's own note; days are noted under their date
# What is final but not shown (a model that is off, say) is looked at again once an hour.
_HOURLY_MINUTES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """
    A category's announcements, newest first, and what was noted when it was last published.

    `announced` is a hash of all that shows in files and is not a paper's. `held`: dates that
    readers do not see yet.
    """

    announcements: Sequence[Announcement]
    notes: Mapping[str, Mapping[str, Any]]
    announced: str
    held: frozenset[date] = frozenset()

    @property
    def build(self) -> Mapping[str, Any]:
        """The note of the last build, or an empty mapping."""
        return self.notes.get(BUILD, {})

    @property
    def later(self) -> frozenset[date]:
        """Older dates whose pages are still to be renewed."""
        return frozenset(map(date.fromisoformat, self.build.get("later", ())))

    @property
    def late(self) -> Mapping[str, date]:
        """Late arrivals that feeds were made with: id → Eastern date of storing."""
        noted = self.build.get("late", {})
        return {arxiv_id: date.fromisoformat(on) for arxiv_id, on in noted.items()}

    @property
    def with_papers(self) -> list[Announcement]:
        """Complete announcements that hold something, newest first."""
        return [a for a in self.announcements if a.state is AnnouncementState.COMPLETE and a.stored]

    @property
    def window(self) -> list[Announcement]:
        """
        The newest announcements with papers, as far back as the feed may reach.

        A day of replacements alone has no entry and takes no place in the feed; one day more than
        the feed holds is read, since the newest may turn out to be such a day.
        """
        found, with_entries = list[Announcement](), 0
        for announcement in self.with_papers:
            if with_entries > MOST_DAYS:
                break
            found.append(announcement)
            counted = self.counted(announcement.announced_on)
            with_entries += counted is None or counted.new + counted.cross > 0
        return found

    @property
    def quiet(self) -> list[Announcement]:
        """Announcements that are settled and hold nothing, newest first."""
        return [a for a in self.announcements if a.state.is_settled and not a.stored]

    def noted(self, on: date) -> Mapping[str, Any] | None:
        """The note of a published day, or None."""
        return self.notes.get(on.isoformat())

    def counted(self, on: date) -> DayCounts | None:
        """What is published of a day with papers; None if there is nothing, or a quiet page."""
        note = self.noted(on) or {}
        if "published" not in note:
            return None
        names = set(DayCounts.__dataclass_fields__) - {"announced_on"}
        # Notes from before listings were counted lack them.
        counted = {"listed": note["published"], **note}
        return DayCounts(announced_on=on, **{name: number(counted[name]) for name in names})

    def is_noted_as(self, announcement: Announcement) -> bool:
        """Whether the day was published with these counts and this state."""
        note = self.noted(announcement.announced_on)
        return note is not None and note["announcement"] == _hash_of(announcement)

    def is_finished(self, now: datetime) -> bool:
        """Whether nothing can have changed since the last build but for a lost event."""
        if self.build.get("announced") != self.announced or number(self.build["open"]):
            return False
        return not number(self.build["not_shown"]) or now.minute >= _HOURLY_MINUTES

    def view(
        self, fresh: Mapping[date, DayCounts] | None = None, *, has_feed: bool | None = None
    ) -> CategoryView:
        """What is published, with the *fresh* days that are about to be."""
        days = tuple(self._counts(fresh or {}))
        return CategoryView(
            announcements=tuple(self.announcements),
            days=days,
            has_feed=bool(self.build.get("entries")) if has_feed is None else has_feed,
            published_on=frozenset(day.announced_on for day in days),
        )

    def _counts(self, fresh: Mapping[date, DayCounts]) -> Iterator[DayCounts]:
        for announcement in self.with_papers:
            on = announcement.announced_on
            counted = fresh.get(on) or self.counted(on)
            if counted is not None:
                yield counted


def day_note(
    announcement: Announcement, digests: Mapping[str, str], counted: DayCounts | None
) -> dict[str, Any]:
    """What to note of a day's files; *counted* is None for a quiet day."""
    note: dict[str, Any] = {"announcement": _hash_of(announcement), "files": dict(digests)}
    if counted is not None:
        note |= {name: n for name, n in asdict(counted).items() if name != "announced_on"}
    return note


def _hash_of(announcement: Announcement) -> str:
    return data_hash([announcement_facts(announcement)])
