"""Environments of peers: what others made and we measure beside, from lock files of their own."""

import importlib
import sys
from pathlib import Path
from typing import Final

from benchmarks.support.options import CACHE, ROOT

PEERS: Final = ROOT / "benchmarks" / "peers"


def peer_python(name: str) -> Path:
    """The Python of the environment that `peers/<name>/requirements.lock` describes; made where it is missing or old.

    Raises:
        preparation.steps.StepFailed: a package can't be had.
    """
    if str(ROOT / "scripts") not in sys.path:
        sys.path.append(str(ROOT / "scripts"))
    environments = importlib.import_module("preparation.python_environment")
    stamps = importlib.import_module("preparation.stamps")
    lock, environment = PEERS / name / "requirements.lock", CACHE / "peers" / name
    python, stamp = environment / "bin" / "python", environment / ".installed"
    wanted = stamps.digest([lock], f"{sys.version_info[0]}.{sys.version_info[1]}")
    if not (stamps.is_fresh(stamp, wanted) and python.exists()):
        environment.parent.mkdir(parents=True, exist_ok=True)
        environments.create(environment)
        environments.install(python, lock)
        stamps.write(stamp, wanted)
    return python
