"""Announcement feeds written for tests, in arXiv's exact form; every word in them is invented."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from paperpost.domain.announcements import EASTERN

DAY = date(2026, 4, 21)  # a Tuesday


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One announced paper."""

    arxiv_id: str = "2604.99001"
    version: int = 1
    announce_type: str = "new"
    title: str = "A Made-Up Title"
    abstract: str = "We propose nothing. It works."
    creator: str = "Ada Example, Bo Sample"
    categories: tuple[str, ...] = ("cs.AI",)
    doi: str = ""
    journal_ref: str = ""

    @property
    def description(self) -> str:
        """The prefix that arXiv puts before the abstract, and the abstract."""
        told = f"arXiv:{self.arxiv_id}v{self.version} Announce Type: {self.announce_type} \n"
        return f"{told}Abstract: {self.abstract}"


def rss(items: Sequence[Item] = (), *, names: str = "cs.AI", on: date = DAY) -> bytes:
    """An RSS 2.0 announcement feed of *names* on the Eastern date *on*."""
    midnight = datetime.combine(on, time(), EASTERN)
    query = names.replace(", ", "+")
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" \
xmlns:atom="http://www.w3.org/2005/Atom" version="2.0">
  <channel>
    <title>{names} updates on arXiv.org</title>
    <link>http://rss.arxiv.org/rss/{query}</link>
    <description>{names} updates on the arXiv.org e-print archive.</description>
    <atom:link href="http://rss.arxiv.org/rss/{query}" rel="self" type="application/rss+xml"/>
    <pubDate>{format_datetime(midnight)}</pubDate>
{"".join(map(_rss_item, items))}  </channel>
</rss>
""".encode()


def atom(items: Sequence[Item] = (), *, names: str = "cs.AI", on: date = DAY) -> bytes:
    """The same as Atom."""
    midnight = datetime.combine(on, time(), EASTERN)
    entries = "".join(_atom_entry(item, midnight.isoformat()) for item in items)
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" \
xmlns="http://www.w3.org/2005/Atom" xml:lang="en-us">
  <id>http://rss.arxiv.org/atom/{names}</id>
  <title>{names} updates on arXiv.org</title>
  <updated>{midnight.isoformat()}</updated>
  <link href="http://rss.arxiv.org/atom/{names}" rel="self" type="application/atom+xml"/>
{entries}</feed>
""".encode()


def _rss_item(item: Item) -> str:
    categories = "".join(f"<category>{escape(code)}</category>" for code in item.categories)
    return f"""    <item>
      <title>{escape(item.title)}</title>
      <link>https://arxiv.org/abs/{item.arxiv_id}</link>
      <description>{escape(item.description)}</description>
      <guid isPermaLink="false">oai:arXiv.org:{item.arxiv_id}v{item.version}</guid>
      {categories}
      {_common(item)}
    </item>
"""


def _atom_entry(item: Item, published: str) -> str:
    categories = "".join(f"<category term={quoteattr(code)}/>" for code in item.categories)
    return f"""  <entry>
    <id>oai:arXiv.org:{item.arxiv_id}v{item.version}</id>
    <title>{escape(item.title)}</title>
    <updated>{published}</updated>
    <link href="https://arxiv.org/abs/{item.arxiv_id}" rel="alternate" type="text/html"/>
    <summary>{escape(item.description)}</summary>
    {categories}
    <published>{published}</published>
    {_common(item)}
  </entry>
"""


def _common(item: Item) -> str:
    optional = f"<arxiv:DOI>{escape(item.doi)}</arxiv:DOI>" if item.doi else ""
    if item.journal_ref:
        reference = escape(item.journal_ref)
        optional += f"<arxiv:journal_reference>{reference}</arxiv:journal_reference>"
    return (
        f"<arxiv:announce_type>{escape(item.announce_type)}</arxiv:announce_type>"
        "<dc:rights>http://creativecommons.org/licenses/by/4.0/</dc:rights>"
        f"{optional}<dc:creator>{escape(item.creator)}</dc:creator>"
    )
