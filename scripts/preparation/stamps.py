"""Stamps: a file that holds the hash of what a step was made from, so that a fresh step is skipped."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from preparation.steps import ROOT


def digest(files: Iterable[Path], *further: str) -> str:
    """One hash over the names and contents of these files and over further words (a version, a platform)."""
    total = hashlib.sha256()
    for word in further:
        total.update(word.encode() + b"\0")
    for file in sorted(files):
        total.update(str(file.relative_to(ROOT)).encode() + b"\0")
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def is_fresh(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def write(stamp: Path, value: str) -> None:
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(value)
