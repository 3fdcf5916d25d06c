"""Builds the wheel with the web pages inside: `python3 scripts/wheel.py [folder]`; `dist/` without a folder."""

import sys
from pathlib import Path

from preparation import python_environment
from preparation.steps import ROOT, main, run, say, step
from setup import prepare


def work() -> None:
    folder = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "dist"
    prepare(development=True)
    with step("wheel"):
        build: list[str | Path] = [python_environment.PYTHON, "-m", "build", "--wheel", "--no-isolation"]
        build += ["--outdir", folder.absolute()]
        run(build, "The wheel could not be built.")
    newest = max(folder.glob("huitouke-*.whl"), key=lambda file: file.stat().st_mtime)
    say(str(newest))


if __name__ == "__main__":
    main(work)
