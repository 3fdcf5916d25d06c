"""The one line of JSON with which a benchmark ends, and the arithmetic before it.

    report = Report("ingest", "callbacks/s")
    report.value = 8900
    report.ratio("limit", "pgbench one-row durable commits", 0.52, at_least=0.5)
    report.at_most("p99_ms", 18.2, bar=25)
    report.print()

A benchmark is no test: a missed bar prints `"pass": false` and ends with status 0.
"""

import json
import math
import os
import platform
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.support.options import Options, read_options

NOISY_SHARE: Final = 0.2
"""A limit that differs by more than this between its rounds says more about the machine than about us."""

Round = Callable[[], Awaitable[float]]


class Report:
    """Gathers the figures of one benchmark. Names of keys are the same in all: `p95_ms`, `peak_mib`, `lost` …"""

    def __init__(self, name: str, unit: str, options: Options | None = None) -> None:
        self.name = name
        self.unit = unit
        self.value: float | None = None
        self.noisy = False
        self._options = options or read_options()
        self._figures: dict[str, Any] = {}
        self._bars: dict[str, float] = {}
        self._held: list[bool] = []

    def figure(self, key: str, value: Any) -> None:
        """A figure without a bar."""
        self._figures[key] = _rounded(value)

    def at_least(self, key: str, value: float, bar: float) -> None:
        """A figure that should reach the bar."""
        self._bar(key, value, bar, held=value >= bar)

    def at_most(self, key: str, value: float, bar: float) -> None:
        """A figure that should stay within the bar."""
        self._bar(key, value, bar, held=value <= bar)

    def ratio(self, to: str, name: str, value: float, at_least: float | None = None) -> None:
        """The ratio to the `limit`, the `peer`, or another one; `name` says in words what that is."""
        self._figures[to] = name
        if at_least is None:
            self.figure(f"ratio_to_{to}", value)
        else:
            self.at_least(f"ratio_to_{to}", value, at_least)

    def duration(self, seconds: float) -> None:
        """For how long was measured, where the duration is the point (soak, open transaction)."""
        self._figures["duration_s"] = round(seconds)

    def judge_noise(self, limits: Sequence[float]) -> None:
        """The rounds of the limit, or of the quietest thing there is: they tell how quiet the machine was."""
        middle = median(limits)
        self.noisy = middle > 0 and (max(limits) - min(limits)) / middle > NOISY_SHARE

    def print(self) -> None:
        """Prints the line. It is the last thing that a benchmark does."""
        assert self.value is not None, "a benchmark without a value could not measure: let it fail"
        line: dict[str, Any] = {"name": self.name, "value": _rounded(self.value), "unit": self.unit}
        line |= self._figures
        line |= {"bars": self._bars, "pass": all(self._held), **({"noisy": True} if self.noisy else {})}
        line |= {"quick": self._options.quick} | machine()
        print(json.dumps(line, ensure_ascii=False, default=float), flush=True)

    def _bar(self, key: str, value: float, bar: float, *, held: bool) -> None:
        self.figure(key, value)
        self._bars[key] = bar
        self._held.append(held)


async def interleaved(rounds: int, parts: Mapping[str, Round]) -> dict[str, list[float]]:
    """Measures the parts in turns, so that a slow minute of the machine hits all of them; every second turn backwards.

    Gives each part's figures in the order they were measured; `medians` makes one of them.
    """
    measured: dict[str, list[float]] = {name: [] for name in parts}
    for turn in range(rounds):
        for name in list(parts) if turn % 2 == 0 else list(parts)[::-1]:
            figure = await parts[name]()
            measured[name].append(figure)
            say(f"round {turn + 1} of {rounds}, {name}: {figure:,.1f}")
    return measured


def medians(measured: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each part."""
    return {name: median(figures) for name, figures in measured.items()}


def median_ratio(measured: Mapping[str, Sequence[float]], part: str, to: str) -> float:
    """The median over rounds of the ratio within a round: what slowed both doesn't count."""
    return median(ours / theirs for ours, theirs in zip(measured[part], measured[to], strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def machine() -> dict[str, Any]:
    """What it was measured on."""
    pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(pages * page / 2**30, 1),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


def say(sentence: str) -> None:
    """Tells the person at the terminal how far it is."""
    print(f"  {sentence}", flush=True)


def _cpu() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _rounded(value: Any) -> Any:
    """Four digits that count; more would be a lie."""
    if not isinstance(value, float) or value == 0 or not math.isfinite(value):
        return value
    digits = 3 - math.floor(math.log10(abs(value)))
    return round(value, digits) if digits > 0 else round(value)
