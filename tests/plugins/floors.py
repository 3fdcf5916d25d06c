"""Times per floor, figures that tests record, the marker `long`, and the option `--long`.

A floor is a folder below `tests/`. The floors that are no tests (the checks of the sources) ran before pytest and
hand their seconds over in HUITOUKE_FLOORS, so that one table shows the whole run above pytest's closing line.
"""

import json
import os
from collections import defaultdict

import pytest

LONG = "long: takes minutes or needs much of the machine; runs with --long only"
ORDER = ("lint", "web", "unit", "modules", "isolation", "conformance", "e2e", "chaos", "install")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the tests marked `long` too")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", LONG)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(FloorTimes(), "huitouke-floors")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


class FloorTimes:
    """Sums the seconds of every test by its floor; under xdist the workers' reports arrive here as well."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.tests: defaultdict[str, set[str]] = defaultdict(set)
        self.figures: list[str] = []
        self.first: dict[str, float] = {}
        self.last: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        parts = report.nodeid.split("/")
        floor = parts[1] if parts[0] == "tests" and len(parts) > 2 else "other"
        self.seconds[floor] += report.duration
        self.tests[floor].add(report.nodeid)
        if report.when == "call":
            self.figures += [str(value) for name, value in report.user_properties if name == "figure"]
        self.first[floor] = min(self.first.get(floor, report.start), report.start)
        self.last[floor] = max(self.last.get(floor, report.stop), report.stop)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for figure in self.figures:
            terminalreporter.write_line(figure)
        before: dict[str, float] = json.loads(os.environ.get("HUITOUKE_FLOORS", "{}"))
        if len(before) + len(self.tests) < 2:
            return
        terminalreporter.section("seconds per floor", sep="-")
        for floor in sorted({*before, *self.tests}, key=lambda name: ORDER.index(name) if name in ORDER else 99):
            if floor in before:
                terminalreporter.write_line(f"{floor:<12} {before[floor]:7.1f} s")
                continue
            wall = self.last[floor] - self.first[floor]
            terminalreporter.write_line(
                f"{floor:<12} {wall:7.1f} s   {len(self.tests[floor])} tests, {self.seconds[floor]:.1f} s of work"
            )
