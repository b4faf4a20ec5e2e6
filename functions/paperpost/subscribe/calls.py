"""What answering one request takes: the table, the keys, the time, and who asks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools.event_handler import Response

from paperpost import clients
from paperpost.data import calendar, taxonomy
from paperpost.domain.announcements import eastern_date
from paperpost.domain.categories import Category
from paperpost.domain.rules import is_broad, rule_text
from paperpost.domain.subscribers import Preferences, Subscriber, SubscriberStatus
from paperpost.domain.tokens import Purpose, TokenKeys, issued_at, make_token, verify_token
from paperpost.settings import SubscribeSettings
from paperpost.storage.secrets import token_keys
from paperpost.storage.signuplimits import SignUpLimits
from paperpost.storage.subscribers import SubscriberTable
from paperpost.subscribe import pages, signup
from paperpost.subscribe.arrivals import expected_arrival
from paperpost.subscribe.forms import Fields, RequestError
from paperpost.subscribe.preferences import read_preferences
from paperpost.subscribe.previews import Preview

_PRESSED_TWICE = timedelta(minutes=10)


def _by_archive(*, of: Iterable[str]) -> dict[str, list[Category]]:
    """The categories *of* the taxonomy, by archive, in its order."""
    wanted, found = set(of), dict[str, list[Category]]()
    for code, category in taxonomy().categories.items():
        if code in wanted:
            found.setdefault(category.archive, []).append(category)
    return found


def site_of(settings: SubscribeSettings) -> dict[str, str]:
    """What every page says of the site."""
    return {"url": settings.site_url, "contact_mail": settings.contact_mail}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request being answered. `epoch_s`: the real clock, which DynamoDB's TTL goes by."""

    settings: SubscribeSettings
    table: SubscriberTable
    limits: SignUpLimits
    keys: TokenKeys
    now: datetime
    epoch_s: int
    reader: pages.Reader

    @classmethod
    def begin(
        cls,
        settings: SubscribeSettings,
        headers: Mapping[str, str],
        *,
        now: datetime,
        epoch_s: int,
    ) -> "Call":
        """A call with the stage's table and keys."""
        table = clients.table(settings.subscribers_table)
        return cls(
            settings=settings,
            table=SubscriberTable(table, shards=settings.shards),
            limits=SignUpLimits(table),
            keys=token_keys(clients.ssm(), settings.token_keys_parameter, now=now),
            now=now,
            epoch_s=epoch_s,
            reader=pages.Reader.of(headers),
        )

    @property
    def site(self) -> dict[str, str]:
        """What every page says of the site."""
        return site_of(self.settings)

    def subscriber(self, token: str, purpose: Purpose) -> Subscriber:
        """
        Return the subscriber that *token* proves.

        Raises: TokenError; RequestError: If nothing is stored of the subscriber any more.
        """
        found = self.table.get(verify_token(token, purpose, self.keys, now=self.now))
        if found is None or found.status is SubscriberStatus.ERASED:
            raise RequestError("gone")
        return found

    def to_confirm(self, token: str) -> Subscriber:
        """
        Return the subscriber that a confirmation link is for.

        A link works once: afterwards it shows that it worked, for as long as a hand may press
        twice, and is worth nothing from then on.
        Raises: TokenError; RequestError: If it is used up, or nothing can be confirmed any more.
        """
        found = self.subscriber(token, Purpose.CONFIRM)
        spent = signup.spent_at(found)
        if spent is None or datetime.fromisoformat(spent) < issued_at(token):
            return found
        is_fresh = self.now - datetime.fromisoformat(spent) <= _PRESSED_TWICE
        if found.status is not SubscriberStatus.CONFIRMED or not is_fresh:
            raise RequestError("used")
        return found

    def preferences(self, fields: Fields, stored: Preferences) -> Preferences:
        """*stored* with what *fields* say."""
        return read_preferences(
            fields,
            stored,
            configured=self.settings.categories,
            taxonomy=taxonomy(),
            today=eastern_date(self.now),
        )

    # A template takes whatever values it names.
    def show(self, page: str, subscriber: Subscriber | None, **values: Any) -> Response[str]:  # noqa: ANN401
        """The page in the language of *subscriber*, if that is known."""
        reader = self.reader
        if subscriber is not None and subscriber.address:
            reader = replace(reader, chinese=subscriber.preferences.language != "en")
        return pages.show(reader, page, site=self.site, **values)

    def preferences_page(
        self,
        subscriber: Subscriber,
        token: str,
        *,
        saved: bool = False,
        preview: Preview | None = None,
    ) -> Response[str]:
        """The form, filled in; with what it would have matched where that was asked for."""
        wanted, carried = subscriber.preferences, {*self.settings.categories}
        leave = make_token(Purpose.UNSUBSCRIBE, subscriber.subscriber_id, self.keys, now=self.now)
        return self.show(
            "preferences",
            subscriber,
            wanted=wanted,
            confirmed=subscriber.status is SubscriberStatus.CONFIRMED,
            archives=_by_archive(of=carried),
            others=_by_archive(of=taxonomy().categories.keys() - carried),
            dropped=[code for code in wanted.categories if code not in carried],
            include="\n".join(map(rule_text, wanted.include)),
            exclude="\n".join(map(rule_text, wanted.exclude)),
            broad=[rule.phrase for rule in (*wanted.include, *wanted.exclude) if is_broad(rule)],
            arrival=expected_arrival(wanted, calendar(), now=self.now),
            preview=preview,
            token=token,
            unsubscribe_token=leave,
            today=eastern_date(self.now),
            saved=saved,
        )
