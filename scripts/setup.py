"""Prepares the clone and stops: `python3 scripts/setup.py [--development]`."""

import sys

from preparation import browser, fonts, python_environment, web
from preparation.steps import main, side_by_side


def prepare(*, development: bool) -> None:
    """Python and web side by side; skipped where nothing changed."""
    side_by_side(lambda: python_environment.ensure(development=development), web.ensure_built)


def work() -> None:
    development = "--development" in sys.argv[1:]
    prepare(development=development)
    if development:
        browser.ensure()
        fonts.ensure()


if __name__ == "__main__":
    main(work)
