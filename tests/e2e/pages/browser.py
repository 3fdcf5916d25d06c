"""The browser: the one that the tests were told to use, else the system's, else Playwright's own."""

import os
import shutil

from playwright.async_api import Browser, Playwright


async def launch(playwright: Playwright) -> Browser:
    """Starts it without a window."""
    # Root has no user namespace to put Chromium's sandbox into; small containers have little shared memory.
    options = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    path = os.environ.get("HUITOUKE_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    return await playwright.chromium.launch(executable_path=path, args=options)
