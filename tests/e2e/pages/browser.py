"""The browser: the one that the tests were told to use, else the system's, else Playwright's own."""

import os
import shutil

from playwright.async_api import Browser, Playwright

OF_PLAYWRIGHT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled",
    "PreconnectToSearch",
)  # fmt: skip
"""What Playwright 1.65 disables: of two such switches Chromium heeds the last, so that ours must name these too."""
PARTS_OF_THE_WINDOW = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup")
"""The address bar that nobody sees, a page that each window draws in a process of its own: a third of all the work."""


async def launch(playwright: Playwright) -> Browser:
    """Starts it without a window."""
    # Root has no user namespace to put Chromium's sandbox into; small containers have little shared memory.
    options = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    options.append(f"--disable-features={','.join((*OF_PLAYWRIGHT, *PARTS_OF_THE_WINDOW))}")
    path = os.environ.get("HUITOUKE_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    return await playwright.chromium.launch(executable_path=path, args=options)
