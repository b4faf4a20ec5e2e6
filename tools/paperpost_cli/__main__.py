"""`python -m paperpost_cli` is `paperpost`."""

import sys

from paperpost_cli.main import main

sys.exit(main())
