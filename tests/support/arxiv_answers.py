"""The bodies a made-up arXiv answers with, in the forms recorded in 2026."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

from support.arxiv_script import ScriptedPaper

HTML = b"<!DOCTYPE html>\n<html><head><title>arXiv.org</title></head><body>Sorry.</body></html>\n"
RATE_EXCEEDED = b"Rate exceeded."
_OWN_GROUP = {"cs", "econ", "eess", "math", "q-bio", "q-fin", "stat"}
_ATOM = (
    "<?xml version='1.0' encoding='UTF-8'?>\n"
    '<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" '
    'xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns="http://www.w3.org/2005/Atom">\n'
)
_OAI = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="'
    "http://www.openarchives.org/OAI/2.0/ http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd"
    '">\n'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A paper as arXiv knows it at a moment: its newest version, and each version's submission."""

    paper: ScriptedPaper
    submitted: Mapping[int, datetime]
    changed_on: date
    deleted: bool = False

    @property
    def published(self) -> datetime:
        """When its first version was submitted."""
        return self.submitted[1]


def versions_before(paper: ScriptedPaper) -> dict[int, datetime]:
    """The dates of the versions before *paper* that no script tells: thirty days apart."""
    return {
        version: paper.at - timedelta(days=30 * (paper.version - version))
        for version in range(1, paper.version)
    }


def error_feed(query: str) -> bytes:
    """The valid feed that comes with HTTP 400 for a bad category."""
    told = escape(query)
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" \
xmlns:atom="http://www.w3.org/2005/Atom" version="2.0">
  <channel>
    <title>Feed error for query: {told}</title>
    <link>http://rss.arxiv.org/rss/{told}</link>
    <description>Bad archive or category: {told}</description>
    <managingEditor>rss-help.arxiv.org</managingEditor>
  </channel>
</rss>
""".encode()


def query_page(
    found: Sequence[Known],
    *,
    total: int,
    asked: Mapping[str, str],
    start: int,
    size: int,
    now: datetime,
) -> bytes:
    """One page of the query API."""
    search, ids = asked.get("search_query", ""), asked.get("id_list", "")
    told = f"search_query={search}&id_list={ids}&start={start}&max_results={size}"
    name = hashlib.sha256(told.encode()).hexdigest()[:27]
    address = f"https://arxiv.org/api/query?{told}"
    head = f"""  <id>https://arxiv.org/api/{name}</id>
  <title>arXiv Query: {escape(told)}</title>
  <updated>{_z(now)}</updated>
  <link href={quoteattr(address)} type="application/atom+xml"/>
  <opensearch:itemsPerPage>{size}</opensearch:itemsPerPage>
  <opensearch:totalResults>{total}</opensearch:totalResults>
  <opensearch:startIndex>{start}</opensearch:startIndex>
"""
    return f"{_ATOM}{head}{''.join(map(_entry, found))}</feed>\n".encode()


def query_error(problem: str, now: datetime) -> bytes:
    """The feed with one entry titled Error, which comes with HTTP 400."""
    address = f"https://arxiv.org/api/errors#{problem.replace(' ', '_')}"
    return f"""{_ATOM}  <id>https://arxiv.org/</id>
  <title>arXiv Search Results</title>
  <updated>{_z(now)}</updated>
  <opensearch:itemsPerPage>1</opensearch:itemsPerPage>
  <opensearch:totalResults>1</opensearch:totalResults>
  <opensearch:startIndex>0</opensearch:startIndex>
  <entry>
    <id>{escape(address)}</id>
    <title>Error</title>
    <updated>{_z(now)}</updated>
    <link href={quoteattr(address)} rel="alternate" type="text/html"/>
    <summary>{escape(problem)}</summary>
    <author>
      <name>arXiv api core</name>
    </author>
  </entry>
</feed>
""".encode()


def oai_page(
    found: Sequence[Known], *, prefix: str, token: str | None, counted: str, now: datetime
) -> bytes:
    """A page of ListRecords; *token* None: no list to go on with, '': its last page."""
    midnight = (now.astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    told = ""
    if token is not None:
        ends = f' expires="{_z(midnight)}"' if token else ""
        told = f"    <resumptionToken{ends}{counted}>{escape(token)}</resumptionToken>\n"
    records = "".join(_record(known, prefix) for known in found)
    request = f'  <request verb="ListRecords" metadataPrefix="{prefix}">{_BASE}</request>\n'
    body = f"  <ListRecords>\n{records}{told}  </ListRecords>\n"
    return f"{_OAI}{_response_date(now)}{request}{body}</OAI-PMH>\n".encode()


def oai_error(code: str, said: str, now: datetime) -> bytes:
    """An error of the protocol, which comes with HTTP 200."""
    error = f'  <request>{_BASE}</request>\n  <error code="{code}">{escape(said)}</error>\n'
    return f"{_OAI}{_response_date(now)}{error}</OAI-PMH>\n".encode()


def sets_of(paper: ScriptedPaper) -> list[str]:
    """The OAI sets of its categories: `cs:cs:AI`, `physics:hep-th`."""
    return [
        f"{a if (a := code.split('.')[0]) in _OWN_GROUP else 'physics'}:{code.replace('.', ':')}"
        for code in paper.categories
    ]


_BASE = "https://oaipmh.arxiv.org/oai"


def _entry(known: Known) -> str:
    paper = known.paper
    named = f"{paper.arxiv_id}v{paper.version}"
    terms = "".join(
        f'    <category term="{code}" scheme="http://arxiv.org/schemas/atom"/>\n'
        for code in paper.categories
    )
    authors = "".join(
        f"    <author>\n      <name>{escape(name)}</name>\n    </author>\n"
        for name in paper.authors
    )
    doi = f"    <arxiv:doi>{escape(paper.doi)}</arxiv:doi>\n" if paper.doi else ""
    if doi:
        address = quoteattr(f"https://doi.org/{paper.doi}")
        doi += f'    <link rel="related" href={address} title="doi"/>\n'
    return f"""  <entry>
    <id>http://arxiv.org/abs/{named}</id>
    <title>{escape(paper.title)}</title>
    <updated>{_z(paper.at)}</updated>
    <link href="https://arxiv.org/abs/{named}" rel="alternate" type="text/html"/>
    <link href="https://arxiv.org/pdf/{named}" rel="related" type="application/pdf" title="pdf"/>
    <summary>{escape(paper.abstract)}</summary>
{terms}    <published>{_z(known.published)}</published>
{_optional("arxiv:comment", paper.comment, 4)}    \
<arxiv:primary_category term="{paper.categories[0]}"/>
{_optional("arxiv:journal_ref", paper.journal_ref, 4)}{authors}{doi}  </entry>
"""


def _record(known: Known, prefix: str) -> str:
    paper = known.paper
    status = ' status="deleted"' if known.deleted else ""
    sets = "".join(f"        <setSpec>{spec}</setSpec>\n" for spec in sets_of(paper))
    metadata = "" if known.deleted else f"<metadata>\n{_metadata(known, prefix)}      </metadata>"
    return f"""    <record>
      <header{status}>
        <identifier>oai:arXiv.org:{paper.arxiv_id}</identifier>
        <datestamp>{known.changed_on}</datestamp>
{sets}      </header>
      {metadata}
    </record>
"""


def _metadata(known: Known, prefix: str) -> str:
    paper = known.paper
    space = f"http://arxiv.org/OAI/{prefix}/"
    common = "".join(
        _optional(name, text, 10)
        for name, text in (
            ("comments", paper.comment),
            ("journal-ref", paper.journal_ref),
            ("doi", paper.doi),
            ("license", paper.licence),
        )
    )
    dated = _raw(known) if prefix == "arXivRaw" else _parted(known)
    return f"""        <{prefix} xmlns="{space}" xsi:schemaLocation="{space} {space[:-1]}.xsd">
          <id>{paper.arxiv_id}</id>
{dated}          <title>{escape(paper.title)}</title>
          <categories>{" ".join(paper.categories)}</categories>
{common}          <abstract>{escape(paper.abstract)}</abstract>
        </{prefix}>
"""


def _raw(known: Known) -> str:
    paper = known.paper
    gone = paper.version if paper.withdrawn else None
    versions = "".join(
        f'          <version version="v{number}">\n'
        f"            <date>{at.astimezone(UTC):%a, %d %b %Y %H:%M:%S} GMT</date>\n"
        "            <size>14kb</size>\n"
        f"{_optional('source_type', 'I' if number == gone else '', 12)}"
        "          </version>\n"
        for number, at in sorted(known.submitted.items())
    )
    *before, last = paper.authors
    names = f"{', '.join(before)} and {last}" if before else last
    submitter = f"          <submitter>{escape(paper.authors[0])}</submitter>\n"
    return f"{submitter}{versions}          <authors>{escape(names)}</authors>\n"


def _parted(known: Known) -> str:
    authors = ""
    for name in known.paper.authors:
        forenames, _, keyname = name.rpartition(" ")
        parts = f"<keyname>{escape(keyname)}</keyname>"
        parts += f"<forenames>{escape(forenames)}</forenames>" if forenames else ""
        authors += f"<author>{parts}</author>"
    created = f"          <created>{known.paper.at.astimezone(UTC):%Y-%m-%d}</created>\n"
    return f"{created}          <authors>{authors}</authors>\n"


def _optional(name: str, text: str, indent: int) -> str:
    return f"{' ' * indent}<{name}>{escape(text)}</{name}>\n" if text else ""


def _response_date(now: datetime) -> str:
    return f"  <responseDate>{_z(now)}</responseDate>\n"


def _z(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
