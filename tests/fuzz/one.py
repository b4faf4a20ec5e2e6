"""One target under atheris: `python -m fuzz.one TARGET [libFuzzer's options and folders]`."""

import logging
import sys

import atheris

with atheris.instrument_imports(include=["paperpost.fetch", "paperpost.domain", "arxiv"]):
    from fuzz.targets import TARGETS

from paperpost.observe import logger


def main() -> None:
    """Fuzz until libFuzzer's options say that it is enough; an exception ends it with status 77."""
    name, *options = sys.argv[1:]
    logger.setLevel("CRITICAL")  # a warning an input is noise here
    logging.getLogger("arxiv").setLevel("CRITICAL")
    take = TARGETS[name].take
    atheris.Setup([sys.argv[0], *options], take)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
