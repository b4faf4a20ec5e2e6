"""What a feed says of itself: title, addresses, language, receipt."""

from dataclasses import dataclass
from datetime import date, datetime

from paperpost.domain.receipts import Receipt
from paperpost.publish.entries import TAG
from paperpost.rendering import date_en, date_zh, time_hm, weekday_en, weekday_zh

THANKS = "Thank you to arXiv for use of its open access interoperability."
# File name suffix → language of the feed.
VARIANTS = {"": "both", "zh": "zh", "en": "en"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedMeta:
    """
    The head of one language variant of a feed.

    `folder`: where its files lie on the site, `cs.CV` or `f/<name>`. `variant`: '', zh or en.
    """

    folder: str
    variant: str
    title: str
    description: str
    site_url: str
    rights: str = "arXiv metadata: CC0. " + THANKS

    @property
    def language(self) -> str:
        """zh, en or both."""
        return VARIANTS[self.variant]

    @property
    def html_lang(self) -> str:
        """The language tag of the feed as a whole."""
        return "en" if self.language == "en" else "zh-Hans"

    @property
    def tag(self) -> str:
        """The feed's own id, for ever."""
        return f"{TAG}feed/{self.folder}" + (f"/{self.variant}" if self.variant else "")

    @property
    def page_url(self) -> str:
        """The page that shows the same."""
        return f"{self.site_url}/{self.folder}/index.html"

    def path(self, stem: str, ending: str) -> str:
        """The feed's file: `cs.CV/rss.zh.xml`."""
        return feed_path(self.folder, self.variant, stem, ending)

    def url(self, stem: str, ending: str) -> str:
        """The feed's public address."""
        return f"{self.site_url}/{self.path(stem, ending)}"


def feed_path(folder: str, variant: str, stem: str, ending: str) -> str:
    """A feed's file: `cs.CV/rss.zh.xml`."""
    return f"{folder}/{stem}{'.' if variant else ''}{variant}.{ending}"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a feed says of its newest day, in both languages."""

    zh: str
    en: str


def about(newest: date, *, receipt: Receipt, next_at: datetime) -> About:
    """The newest day's receipt and the next announcement (*next_at* in Beijing's time)."""
    upcoming_zh, upcoming_en = _upcoming(next_at)
    return About(
        zh=f"{date_zh(newest)}：{receipt.in_chinese()}。{upcoming_zh}",
        en=f"{date_en(newest)}: {receipt.in_english()}. {upcoming_en}",
    )


def about_choice(newest: date, *, papers: int, next_at: datetime) -> About:
    """How many papers a named feed chose of its newest day, and the next announcement."""
    upcoming_zh, upcoming_en = _upcoming(next_at)
    return About(
        zh=f"{date_zh(newest)}：选出 {papers} 篇。{upcoming_zh}",
        en=f"{date_en(newest)}: {papers} chosen. {upcoming_en}",
    )


def _upcoming(at: datetime) -> tuple[str, str]:
    return (
        f"下次公告：{date_zh(at)} {weekday_zh(at)}，北京时间约 {time_hm(at)}。",
        f"Next announcement: {weekday_en(at)} {date_en(at)}, about {time_hm(at)} Beijing.",
    )
