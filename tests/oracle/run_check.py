"""
Judge what `paperpost local --once --out OUT --feed FILE…` left, from the source bytes alone.

It imports nothing of the service or of the operator's command: a second opinion, written from the
specification. Usage: python tests/oracle/run_check.py --out OUT --feed FILE [--feed FILE…]
[--category CAT…] [--least-letters N]
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

# As a script this file is not in a package: `oracle` lies one folder up.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oracle.days import check_days, check_folders, check_frozen_issues, check_privacy
from oracle.feeds import check_feeds
from oracle.findings import Finding, finding
from oracle.letters import read_mails
from oracle.mailing import check_mails
from oracle.readers import ReadersError, read_readers
from oracle.receipts import check_receipt
from oracle.source import SourceError, read_sources


def check_run(
    out: Path,
    feeds: Sequence[Path],
    categories: Sequence[str] | None = None,
    *,
    least_letters: int = 0,
) -> list[Finding]:
    """Return one finding a check; the run in *out* is right if all of them are ok."""
    site = out / "site"
    try:
        truth = read_sources(feeds, categories)
        readers = read_readers(out / "subscribers.json")
    except (SourceError, ReadersError) as exc:
        return [finding("source", "unreadable", [str(exc)])]
    mails = list(read_mails(out / "mail"))
    papers = {i for day in truth.days.values() for i in day}
    figure = f"{truth.feeds} feeds, {len(papers)} papers, {truth.listings} listings"
    return [
        finding("source", figure, [] if papers else ["nothing was announced"]),
        *check_feeds(site, truth),
        *check_days(site, truth),
        check_folders(site, truth),
        check_frozen_issues(site, truth, (m.issue for m in mails if m.issue)),
        check_privacy(site, (r.address for r in readers)),
        *check_mails(mails, readers, truth, least_letters=least_letters),
        check_receipt(out / "receipt.json", truth, mails),
    ]


def site_fingerprint(out: Path) -> dict[str, str]:
    """Return path → SHA-256 of the site's files: an idle second run changes none."""
    site = out / "site"
    return {
        path.relative_to(site).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(site.rglob("*"))
        if path.is_file()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line a check and return the exit status."""
    parser = argparse.ArgumentParser(description="Judge a run from its source feeds.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--feed", type=Path, action="append", required=True)
    parser.add_argument("--category", action="append")
    parser.add_argument("--least-letters", type=int, default=0)
    given = parser.parse_args(arguments)
    findings = check_run(given.out, given.feed, given.category, least_letters=given.least_letters)
    sys.stdout.write("".join(f"{found.line}\n" for found in findings))
    return 0 if all(found.ok for found in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
