"""`make test-long`: the rest of the tests, on everything this machine has, and what it found missing.

Parts: all tests with the long ones (the wheel in an empty environment of each Python and fuzzing among them); the unit
and module floors on every further Python found; the module and isolation floors on a PostgreSQL 15 where Debian's is
installed.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from preparation import browser, fonts, peers, python_environment
from preparation.floors import PYTEST_FLOORS
from preparation.steps import CACHE, ROOT, main, say, step
from setup import prepare

FURTHER_PYTHONS = ("3.11", "3.12", "3.13", "3.14")
POSTGRESQL_15 = Path("/usr/lib/postgresql/15/bin")
# A program that further tests need, and what stays untested without it.
PROGRAMS = {
    "nginx": "the console behind a proxy",
    "redis-server": "fan-out over Redis",
    "pgbouncer": "connections through a pooler",
    "unshare": "a full disk on a small file system of its own",
}


def work() -> int:
    os.chdir(ROOT)
    prepare(development=True)
    fonts.ensure()
    peers.ensure()
    os.environ[browser.VARIABLE] = str(browser.ensure())
    missing = [f"{name}: {what}" for name, what in PROGRAMS.items() if shutil.which(name) is None]
    if subprocess.call([python_environment.PYTHON, "-c", "import atheris"], stderr=subprocess.DEVNULL) != 0:
        missing.append("atheris: fuzzing guided by coverage; inputs were made by chance")
    everything = ["--long", *(f"tests/{floor}" for floor in PYTEST_FLOORS)]
    results = [_part("all tests, the long ones too", python_environment.PYTHON, everything, {})]
    for version in FURTHER_PYTHONS:
        if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
            continue
        found = _python(version)
        if found is None:
            missing.append(f"Python {version}: the unit and module floors, and the wheel, on it")
            continue
        python = _environment(version, found)
        results.append(_part(f"Python {version}", python, ["tests/unit", "tests/modules"], {}))
    if (POSTGRESQL_15 / "postgres").exists():
        variables = {"HUITOUKE_PG_BIN": str(POSTGRESQL_15)}
        floors = ["tests/modules", "tests/isolation"]
        results.append(_part("PostgreSQL 15", python_environment.PYTHON, floors, variables))
    else:
        missing.append(f"PostgreSQL 15 in {POSTGRESQL_15}: the module and isolation floors on it")
    say("\n" + "\n".join(_lines(results)))
    for each in missing:
        say(f"  – not here, so not tested: {each}")
    return 0 if all(passed for _, passed, _ in results) else 1


def _part(name: str, python: Path, arguments: list[str], variables: dict[str, str]) -> tuple[str, bool, float]:
    say(f"\n== {name}")
    started = time.monotonic()
    command = [str(python), "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", *arguments]
    status = subprocess.call(command, env={**os.environ, **variables})
    return name, status == 0, time.monotonic() - started


def _lines(results: list[tuple[str, bool, float]]) -> Iterator[str]:
    for name, passed, seconds in results:
        yield f"  {'✓' if passed else '✗'} {name} ({seconds:.0f} s)"


def _python(version: str) -> Path | None:
    """An interpreter of that version: on the path, or among those of pyenv."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [
        shutil.which(f"python{version}"),
        *sorted(root.glob(f"versions/{version}.*/bin/python"), reverse=True),
    ]
    for candidate in candidates:
        if candidate and subprocess.call([candidate, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return Path(candidate)
    return None


def _environment(version: str, python: Path) -> Path:
    """An environment of its own for another Python, from the same lock file."""
    folder = CACHE / f"python-{version}"
    inside = folder / "bin" / "python"
    with step(f"packages for Python {version}"):
        if not inside.exists():
            subprocess.run([python, "-m", "venv", folder], check=True)
        python_environment.install(inside, python_environment.DEVELOPMENT_LOCK)
    return inside


if __name__ == "__main__":
    main(work)
