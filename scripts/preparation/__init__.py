"""What a clone needs before anything runs: Python packages, Node, the web pages, a browser, fonts.

Standard library only. This file also runs on a Python that is too old, so it looks for a newer one first.
"""

import os
import shutil
import subprocess
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - whoever has an older one shall read a sentence, not a traceback
    for name in ("python3.13", "python3.12", "python3.11", "python3.14"):
        found = shutil.which(name)
        if found and subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            os.execv(found, [found, *sys.argv])
    sys.exit("Huitouke needs Python 3.11 or newer. This one is older, and no newer one was found on the path.")
