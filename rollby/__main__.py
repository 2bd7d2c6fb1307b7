"""``python -m rollby``."""

import sys

from rollby.cli import main

sys.exit(main())
