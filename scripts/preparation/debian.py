"""Packages of Debian (and Ubuntu), installed only where we are root and apt-get is there."""

import os
import shutil

from preparation.steps import StepFailed, run, say

_updated = False


def can_install() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(*packages: str) -> bool:
    """Installs packages; False (with the reason said) where that failed."""
    global _updated
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    say(f"  … apt-get install {' '.join(packages)}")
    try:
        if not _updated:
            run(["apt-get", "update", "-qq"], "The package lists could not be fetched", env=quiet)
            _updated = True
        run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
            f"Debian's {' '.join(packages)} could not be installed",
            env=quiet,
        )
    except StepFailed as failed:
        say(f"  ! {failed}")
        return False
    return True
