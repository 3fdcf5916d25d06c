"""`make format`: brings Python and web sources into their form."""

import json

from preparation import python_environment, web
from preparation.steps import main, run, step


def work() -> None:
    python_environment.ensure(development=True)
    ruff = python_environment.PYTHON.parent / "ruff"
    with step("Python"):
        run([ruff, "check", "--fix-only", "--quiet", "."], "ruff could not correct the sources.")
        run([ruff, "format", "--quiet", "."], "ruff could not format the sources.")
    scripts = json.loads((web.WEB / "package.json").read_text())["scripts"]
    if "format" in scripts:
        web.ensure_packages()
        with step("web"):
            web.npm_run("format", "The web sources could not be formatted.")


if __name__ == "__main__":
    main(work)
