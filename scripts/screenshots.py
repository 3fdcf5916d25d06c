"""`make screenshots`: drives the demo in a browser and writes the pictures of README and documentation."""

import os

from preparation import browser, fonts, python_environment
from preparation.steps import ROOT, main
from setup import prepare


def work() -> None:
    os.chdir(ROOT)
    prepare(development=True)
    fonts.ensure()
    variables = {**os.environ, **python_environment.environment_variables(), browser.VARIABLE: str(browser.ensure())}
    python = str(python_environment.PYTHON)
    os.execve(python, [python, "-m", "tests.e2e.screenshots"], variables)


if __name__ == "__main__":
    main(work)
