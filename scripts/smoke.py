"""`make smoke`: starts the demo on free ports, plays the story of a customer in it, prints each step with its time."""

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
    os.execve(python, [python, "-m", "tests.install.smoke"], variables)


if __name__ == "__main__":
    main(work)
