"""Runs the proofs of one topic, or of all: a line each, status 1 if one failed."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from paperpost.observe import logger
from paperpost_cli.proofs import enrich, fetch, newsletter, reading, run, subscribe
from paperpost_cli.proofs.proof import Proof, ProofError

# A later topic is one module and one line here.
TOPICS: Mapping[str, Callable[[Path, bool], Iterator[Proof]]] = {
    "run": run.proofs,
    "fetch": fetch.proofs,
    "enrich": enrich.proofs,
    "newsletter": newsletter.proofs,
    "subscribe": subscribe.proofs,
    "reading": reading.proofs,
}


def main() -> int:
    """Print `name: figure … ok` or `name: … FAILED: why` for each proof."""
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument("--topic", choices=sorted(TOPICS))
    parser.add_argument("--quick", action="store_true", help="the short form")
    options = parser.parse_args()
    logger.setLevel("WARNING")  # a proof is one line, whatever the parts that it runs report
    if options.quick and not options.topic:
        return _at_once(sorted(TOPICS))
    failed = 0
    for topic in [options.topic] if options.topic else sorted(TOPICS):
        with tempfile.TemporaryDirectory(prefix="paperpost-prove-") as folder:
            failed += sum(not _shown(p) for p in TOPICS[topic](Path(folder), options.quick))
    return 1 if failed else 0


def _at_once(topics: Sequence[str]) -> int:
    """The short forms, which measure nothing: as many topics at once as there are processors."""
    command = [sys.executable, "-m", "paperpost_cli.proofs", "--quick", "--topic"]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ended = pool.map(lambda topic: subprocess.run([*command, topic], check=False), topics)
        return int(any(process.returncode for process in ended))  # below 0: it was killed


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
