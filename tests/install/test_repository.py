"""What must be true of the repository as it lies there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "scripts/node.lock", "web/package-lock.json")
LONGEST_PYTHON_FILE_LINES = 600


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_file_names_a_package_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    hosts = set(re.findall(r"https?://([^/\"\s]+)/[^\"\s]*\.(?:whl|tgz|tar\.gz)", text))
    assert not hosts
    assert "--index-url" not in text
    assert '"resolved": "http' not in text


@pytest.mark.parametrize("lock", LOCKS[:3])
def test_every_python_package_is_pinned_with_its_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text()
    packages = re.findall(r"^[A-Za-z0-9._-]+(?:\[[^]]*\])?==[^\n]*\n((?:[ \t]+[^\n]*\n)*)", text, re.MULTILINE)
    assert packages
    assert all("--hash=sha256:" in hashes for hashes in packages)


def test_both_python_lock_files_agree() -> None:
    def versions(name: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        pinned = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", (ROOT / name).read_text(), re.MULTILINE)
        for package, version in pinned:
            found.setdefault(package, set()).add(version)
        return found

    runtime, development = versions("requirements.lock"), versions("requirements-dev.lock")
    assert {name: development.get(name) for name in runtime} == runtime


def test_import_contracts_match_the_folders() -> None:
    checked = subprocess.run(
        [sys.executable, ROOT / "scripts" / "contracts.py", "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_no_python_file_is_too_long() -> None:
    files = [file for folder in ("src", "tests", "scripts", "benchmarks") for file in (ROOT / folder).rglob("*.py")]
    long = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in files}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_PYTHON_FILE_LINES} == {}


def test_every_command_of_the_contributors_guide_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    documented = set(re.findall(r"make ([a-z]+(?:-[a-z]+)*)", (ROOT / "CONTRIBUTING.md").read_text()))
    assert documented <= targets


def test_every_target_calls_a_script_that_is_there() -> None:
    scripts = re.findall(r"\$\(PYTHON\) (\S+)", (ROOT / "Makefile").read_text())
    assert scripts
    assert all((ROOT / script).is_file() for script in scripts)


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_links_of_the_first_pages_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text())
    broken = [target for target in targets if not target.startswith("http") and not (ROOT / target).exists()]
    assert broken == []


def test_continuous_integration_runs_the_test_command_of_the_readme() -> None:
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("make test")
    assert "make test" in (ROOT / "README.md").read_text()
