"""What arXiv tells of its past: OAI-PMH, and the API."""

from datetime import datetime

import requests

from paperpost.fetch.history import History, from_record
from paperpost.fetch.oai import OaiError, OaiRecord, harvest
from paperpost.fetch.search import ApiSearch


class ArxivPast:
    """Both over one session, so that they share one pace."""

    def __init__(self, session: requests.Session, search: ApiSearch) -> None:
        self._session, self._search = session, search

    def harvested(self, category: str, since: datetime) -> list[History]:
        """All papers that changed since then, with all their versions. Raises: FeedError."""
        try:
            return self._harvested(category, since)
        except OaiError as exc:
            if not exc.is_expired:
                raise
            return self._harvested(category, since)

    def changed(self, category: str, since: datetime) -> list[History]:
        """Papers whose newest version came in since then. Raises: FeedError."""
        return self._search.changed(category, since)

    def submitted(self, category: str, since: datetime, until: datetime) -> list[History]:
        """Papers whose first version came in between. Raises: FeedError."""
        return self._search.submitted(category, since, until)

    def _harvested(self, category: str, since: datetime) -> list[History]:
        records = list[OaiRecord]()
        for page in harvest(self._session, category=category, from_=since.date()):
            records += page.records
        return [from_record(record) for record in records]
