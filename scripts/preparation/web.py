"""The web pages: packages from the lock file, and a build that is skipped while no source has changed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from preparation import node, stamps
from preparation.steps import CACHE, ROOT, run, step

WEB = ROOT / "web"
LOCK = WEB / "package-lock.json"
PACKAGES_STAMP = WEB / "node_modules" / ".huitouke-stamp"
BUILD_STAMP = CACHE / "web-build"
BUILT = (
    ROOT / "src/huitouke/web/console/index.html",
    ROOT / "src/huitouke/web/page/index.html",
    ROOT / "src/wechat_sandbox/web/phone/index.html",
)
NOT_SOURCES = {"node_modules", "dist", "generated", "coverage", ".vite"}


def ensure_packages() -> None:
    wanted = stamps.digest([LOCK])
    if stamps.is_fresh(PACKAGES_STAMP, wanted):
        return
    variables = node.environment_variables()
    with step("web packages"):
        npm = shutil.which("npm", path=variables["PATH"]) or "npm"
        run([npm, "ci", "--no-audit", "--no-fund"], "`npm ci` failed in web/.", cwd=WEB, env=variables)
        stamps.write(PACKAGES_STAMP, wanted)


def ensure_built() -> None:
    """Builds console and phone into the Python packages when a source has changed since."""
    wanted = stamps.digest(_sources())
    if stamps.is_fresh(BUILD_STAMP, wanted) and all(page.exists() for page in BUILT):
        return
    ensure_packages()
    with step("web pages"):
        npm_run("build", "The web pages could not be built.")
        stamps.write(BUILD_STAMP, wanted)


def npm_run(script: str, failure: str) -> str:
    variables = node.environment_variables()
    npm = shutil.which("npm", path=variables["PATH"]) or "npm"
    return run([npm, "run", script], failure, cwd=WEB, env=variables)


def _sources(folder: Path = WEB) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            if entry.name not in NOT_SOURCES:
                yield from _sources(entry)
        elif entry.is_file():
            yield entry
