"""Clients that others wrote for Node, for the conformance tests: packages from a lock file of their own."""

import shutil

from preparation import node, stamps
from preparation.steps import ROOT, run, step

FOLDER = ROOT / "tests" / "conformance" / "peers"
LOCK = FOLDER / "package-lock.json"
STAMP = FOLDER / "node_modules" / ".huitouke-stamp"


def ensure() -> None:
    wanted = stamps.digest([LOCK])
    if stamps.is_fresh(STAMP, wanted):
        return
    variables = node.environment_variables()
    with step("foreign clients for the conformance tests"):
        npm = shutil.which("npm", path=variables["PATH"]) or "npm"
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        run(command, "`npm ci` failed in tests/conformance/peers.", cwd=FOLDER, env=variables)
        stamps.write(STAMP, wanted)
