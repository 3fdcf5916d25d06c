"""`make bench [NAME=…]` and `make bench-data NAME=…`: runs `benchmarks/<name>.py`, all of them without a name.

A benchmark ends with one line of JSON. QUICK=1 in the environment keeps each under a minute.
"""

import os
import subprocess
import sys

from preparation import python_environment
from preparation.steps import ROOT, StepFailed, main, say

FOLDER = ROOT / "benchmarks"


def work() -> int:
    arguments = sys.argv[1:]
    data_only = "--data" in arguments
    names = [each for each in arguments if not each.startswith("-")]
    available = sorted(file.stem for file in FOLDER.glob("[a-z]*.py"))
    if not available:
        raise StepFailed("There is no benchmark yet.")
    unknown = set(names) - set(available)
    if unknown:
        raise StepFailed(f"No such benchmark: {', '.join(sorted(unknown))}. There are: {', '.join(available)}.")
    python_environment.ensure(development=True)
    failed = []
    for name in names or available:
        say(f"== {name}")
        command = [str(python_environment.PYTHON), str(FOLDER / f"{name}.py"), *(["--data"] if data_only else [])]
        variables = {**os.environ, **python_environment.environment_variables(), "PYTHONPATH": str(ROOT)}
        if subprocess.call(command, cwd=ROOT, env=variables) != 0:
            failed.append(name)
    if failed:
        raise StepFailed(f"Could not measure: {', '.join(failed)}")
    return 0


if __name__ == "__main__":
    main(work)
