"""Runs the proofs of one topic, or of all: a line each, status 1 if one failed."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from paperpost_cli.proofs import enrich, fetch, reading_pages, run
from paperpost_cli.proofs.proof import Proof, ProofError

# A later topic is one module and one line here.
TOPICS: Mapping[str, Callable[[Path, bool], Iterator[Proof]]] = {
    "run": run.proofs,
    "fetch": fetch.proofs,
    "enrich": enrich.proofs,
    "reading": reading_pages.proofs,
}


def main() -> int:
    """Print `name: figure … ok` or `name: … FAILED: why` for each proof."""
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument("--topic", choices=sorted(TOPICS))
    parser.add_argument("--quick", action="store_true", help="the short form")
    options = parser.parse_args()
    failed = 0
    for topic in [options.topic] if options.topic else sorted(TOPICS):
        with tempfile.TemporaryDirectory(prefix="paperpost-prove-") as folder:
            failed += sum(not _shown(p) for p in TOPICS[topic](Path(folder), options.quick))
    return 1 if failed else 0


def _shown(proof: Proof) -> bool:
    """Carry *proof* out, print its line, and return whether it held."""
    began = time.monotonic()
    try:
        figure = proof.carry_out()
    except ProofError as exc:
        print(f"{proof.name}: {exc.figure} … FAILED: {exc}".replace("  ", " "), flush=True)
        return False
    except Exception as exc:  # noqa: BLE001  whatever breaks a proof has failed it, not the others
        said = " ".join(f"{type(exc).__name__}: {exc}".split())
        print(f"{proof.name}: … FAILED: {said}", flush=True)
        return False
    print(f"{proof.name}: {figure} ({time.monotonic() - began:.0f} s) … ok", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
