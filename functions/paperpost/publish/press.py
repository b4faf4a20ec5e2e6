"""What building needs: where to read and put, the site's facts, and the renderer's fingerprint."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from paperpost.domain.namedfeeds import NamedFeed
from paperpost.publish.days import data_hash
from paperpost.publish.pages import SiteFacts
from paperpost.publish.sources import Sources
from paperpost.rendering import TEMPLATES
from paperpost.settings import PublishSettings
from paperpost.storage.enrichnotes import EnrichNotes
from paperpost.storage.papers import PaperTable
from paperpost.storage.site import SiteBucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """All that building a category, or the site, works with."""

    settings: PublishSettings
    papers: PaperTable
    notes: EnrichNotes
    site: SiteBucket
    sources: Sources
    facts: SiteFacts
    named: tuple[NamedFeed, ...] = ()

    def fingerprint(self) -> str:
        """What makes every file new: another template, another version of this code or settings."""
        shown = asdict(self.settings)
        del shown["papers_table"], shown["site_bucket"]
        files = _source_files()
        return data_hash([shown, _sources_hash(max(path.stat().st_mtime for path in files))])


@lru_cache(maxsize=1)
def _sources_hash(_newest_change: float) -> str:
    return data_hash(path.read_bytes().hex() for path in _source_files())


def _source_files() -> list[Path]:
    package = Path(__file__).parent.parent
    folders = [package / "publish", package / "domain", TEMPLATES / "site", TEMPLATES / "blocks"]
    found = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    return sorted([*found, package / "rendering.py"])
