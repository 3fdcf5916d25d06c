"""`make demo`: prepares what is missing, then runs `huitouke demo` with the arguments given here."""

import os
import sys

from preparation import python_environment
from preparation.steps import ROOT, main, say
from setup import prepare


def work() -> None:
    say("Preparing Huitouke")
    prepare(development=False)
    os.chdir(ROOT)
    arguments = sys.argv[1:] if "--data" in sys.argv[1:] else ["--data", ".demo", *sys.argv[1:]]
    python = str(python_environment.PYTHON)
    # The same process goes on as the demo, so that Ctrl-C reaches it and nothing stands between.
    os.execv(python, [python, "-m", "huitouke", "demo", *arguments])


if __name__ == "__main__":
    main(work)
