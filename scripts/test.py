"""`make test`: everything that gates. `python3 scripts/test.py [--long] [floor …]` runs only the floors named.

Floors: lint and web (side by side), then in one pytest run unit, modules, isolation, conformance, e2e, chaos, install.
The times stand per floor in pytest's summary, whose line closes the run.
"""

import json
import os
import sys
import time

from lint import lint_python, lint_web
from preparation import browser, fonts, peers, python_environment
from preparation.floors import PYTEST_FLOORS
from preparation.steps import ROOT, StepFailed, main, say, side_by_side
from setup import prepare

FLOORS = ("lint", "web", *PYTEST_FLOORS)
WORKERS = 2


def work() -> int:
    arguments = sys.argv[1:]
    floors = [each for each in arguments if not each.startswith("-")] or list(FLOORS)
    unknown = set(floors) - set(FLOORS)
    if unknown:
        raise StepFailed(f"No such floor: {', '.join(sorted(unknown))}. There are: {', '.join(FLOORS)}.")
    os.chdir(ROOT)
    say("Preparing")
    prepare(development=True)
    seconds = check_sources(floors)
    folders = [f"tests/{floor}" for floor in PYTEST_FLOORS if floor in floors and (ROOT / "tests" / floor).is_dir()]
    if not folders:
        return 0
    return run_pytest(folders, seconds, [each for each in arguments if each.startswith("-")])


def check_sources(floors: list[str]) -> dict[str, float]:
    """The floors without pytest, side by side; seconds per floor. The first failure ends the run."""
    seconds: dict[str, float] = {}

    def timed(floor: str) -> None:
        started = time.monotonic()
        {"lint": lint_python, "web": lint_web}[floor]()
        seconds[floor] = time.monotonic() - started

    chosen = [floor for floor in ("lint", "web") if floor in floors]
    if chosen:
        say("Checking the sources")
        side_by_side(*(lambda floor=floor: timed(floor) for floor in chosen))
    return seconds


def run_pytest(folders: list[str], seconds: dict[str, float], options: list[str]) -> int:
    """Becomes one pytest run over these folders, so that its summary line is the last."""
    variables = {**python_environment.environment_variables(), "HUITOUKE_FLOORS": json.dumps(seconds)}
    if "tests/conformance" in folders:
        peers.ensure()
    if {"tests/e2e", "tests/install"} & set(folders):
        fonts.ensure()
        variables[browser.VARIABLE] = str(browser.ensure())
    python = str(python_environment.PYTHON)
    command = [python, "-m", "pytest", "-q", "-n", str(WORKERS), "--dist", "loadgroup", *options, *folders]
    sys.stdout.flush()
    os.execve(python, command, {**os.environ, **variables})


if __name__ == "__main__":
    main(work)
