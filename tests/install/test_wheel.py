"""The wheel holds everything that `pip install huitouke && huitouke demo` needs."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.install.running_demo import RunningDemo

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.xdist_group("wheel")


@dataclass
class Installed:
    """An environment of its own with the wheel in it; the packages it needs are borrowed from this one."""

    folder: Path

    def command(self, name: str, *arguments: str) -> list[str]:
        return [str(self.folder / "bin" / name), *arguments]

    def run(self, name: str, *arguments: str) -> str:
        done = subprocess.run(
            self.command(name, *arguments), capture_output=True, text=True, check=False, env=self.environment()
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HUITOUKE_", "DATABASE_"))}
        kept.pop("PYTHONPATH", None)
        return kept


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed") / "environment"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    if importlib.util.find_spec("pip"):
        installer = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index"]
    else:
        installer = [shutil.which("uv") or "uv", "pip", "install", "--offline", "--python", str(python)]
    done = subprocess.run([*installer, "--no-deps", str(wheel)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    # A path line brings the packages only: the link to the sources in there is not followed.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(folder)


def test_holds_pages_migrations_statements_and_texts(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"huitouke/web/console/index.html", "wechat_sandbox/web/phone/index.html"} <= names
    for folder in ("src/huitouke", "src/wechat_sandbox"):
        sources = [
            str(file.relative_to(ROOT / "src"))
            for suffix in ("*.py", "*.sql", "*.json", "*.txt", "*.ttf", "*.xlsx")
            for file in (ROOT / folder).rglob(suffix)
            if "web" not in file.relative_to(ROOT / folder).parts
        ]
        assert set(sources) <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "web/")) or "__pycache__" in name]


def test_both_commands_run_from_the_installed_package(installed: Installed) -> None:
    assert "demo" in installed.run("huitouke", "--help")
    assert "--port" in installed.run("wechat-sandbox", "--help")
    where = installed.run("python", "-c", "import huitouke; print(huitouke.__file__)")
    assert str(installed.folder) in where


def test_modules_are_found_by_their_entry_points(installed: Installed) -> None:
    listed = installed.run("huitouke", "module", "list")
    for name in ("organization", "customers", "conversations", "assistant"):
        assert name in listed


@pytest.mark.long
@pytest.mark.timeout(240)
def test_the_demo_starts_from_the_installed_package_and_ends_on_ctrl_c(installed: Installed, tmp_path: Path) -> None:
    with RunningDemo(tmp_path / "data", installed.command("huitouke")) as demo:
        for address in (demo.addresses.console, demo.addresses.phone, demo.addresses.docs):
            with urllib.request.urlopen(address, timeout=30) as answer:
                assert answer.status == 200
                assert b"<html" in answer.read().lower()
