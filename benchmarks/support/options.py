"""How a benchmark was asked to run."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
CACHE: Final = ROOT / ".cache" / "benchmarks"
"""Clusters, data and the environments of peers, kept between runs; may be deleted at any time."""


@dataclass(frozen=True, slots=True)
class Options:
    """`quick`: at most 60 s once the data are there, which keep their size. `data_only`: make the data and end."""

    quick: bool
    data_only: bool

    def pick(self, quick: float, full: float) -> float:
        """A duration or a count, by how there is time for it."""
        return quick if self.quick else full


def read_options() -> Options:
    """From the environment (QUICK=1) and the command line (--data)."""
    return Options(quick=os.environ.get("QUICK", "") not in ("", "0"), data_only="--data" in sys.argv[1:])
