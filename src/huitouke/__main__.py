"""`python -m huitouke` is the command `huitouke`."""

import sys

from huitouke.cli import main

sys.exit(main())
