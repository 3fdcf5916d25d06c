"""A font with Chinese characters, without which pictures of the pages would show boxes."""

import shutil
import subprocess
import sys
from pathlib import Path

from preparation import debian
from preparation.steps import say

FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
NAMES = ("*CJK*", "*SourceHanSans*", "*NotoSansSC*", "wqy-*", "*DroidSansFallback*")


def ensure() -> None:
    if sys.platform != "linux" or _found():
        return
    if debian.can_install() and debian.install("fonts-noto-cjk"):
        return
    say("  ! No Chinese font was found; pictures will show boxes. On Debian: sudo apt-get install fonts-noto-cjk")


def _found() -> bool:
    lister = shutil.which("fc-list")
    if lister:
        listed = subprocess.run([lister, ":lang=zh"], capture_output=True, text=True, check=False)
        if listed.stdout.strip():
            return True
    folders = [Path(folder).expanduser() for folder in FOLDERS]
    return any(next(folder.rglob(name), None) for folder in folders if folder.is_dir() for name in NAMES)
