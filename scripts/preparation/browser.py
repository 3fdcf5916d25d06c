"""A Chromium for the tests: the system's, else Playwright's own, else Debian's package when we are root."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from preparation import debian, python_environment
from preparation.steps import StepFailed, run, step

VARIABLE = "HUITOUKE_BROWSER"
SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
DOWNLOAD_TIMEOUT_SECONDS = 240
ADVICE = (
    "No browser was found for the tests. Install Chromium (on Debian: sudo apt-get install chromium) or Google Chrome, "
    f"or name one in {VARIABLE}."
)


def ensure() -> Path:
    """The browser's path; raises StepFailed with what to do when none can be had."""
    named = os.environ.get(VARIABLE)
    if named:
        if not _runs(Path(named)):
            raise StepFailed(f"{VARIABLE} names {named}, but that does not run.")
        return Path(named)
    for candidate in (*_system(), *_playwright()):
        if _runs(candidate):
            return candidate
    with contextlib.suppress(StepFailed), step("a browser from Playwright"):
        run(
            [python_environment.PYTHON, "-m", "playwright", "install", "chromium"],
            "Playwright could not fetch its browser.",
            timeout_seconds=DOWNLOAD_TIMEOUT_SECONDS,
        )
    for candidate in _playwright():
        if _runs(candidate):
            return candidate
    if debian.can_install() and debian.install("chromium"):
        for candidate in _system():
            if _runs(candidate):
                return candidate
    raise StepFailed(ADVICE)


def _system() -> Iterator[Path]:
    for name in SYSTEM_NAMES:
        found = shutil.which(name)
        if found:
            yield Path(found)
    yield from (Path(application) for application in MAC_APPLICATIONS)


def _playwright() -> Iterator[Path]:
    """The browsers that Playwright downloaded before, newest first."""
    if os.environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        store = Path(os.environ["PLAYWRIGHT_BROWSERS_PATH"])
    elif sys.platform == "darwin":
        store = Path.home() / "Library/Caches/ms-playwright"
    else:
        store = Path.home() / ".cache/ms-playwright"
    for folder in sorted(store.glob("chromium-*"), reverse=True):
        yield from folder.glob("chrome-linux*/chrome")
        yield from folder.glob("chrome-mac*/*.app/Contents/MacOS/*")


def _runs(browser: Path) -> bool:
    if not browser.exists():
        return False
    try:
        asked = subprocess.run([browser, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0
