"""The wheel in an empty environment of every Python it is meant for, as far as they are installed: the demo answers."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.install.people import Customer
from tests.install.running_demo import RunningDemo

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
INSTALL_SECONDS = 600

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("wheel")]


def python_of(version: str) -> Path | None:
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


@pytest.mark.timeout(INSTALL_SECONDS + 400)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_demo_answers_from_an_empty_environment(version: str, wheel: Path, tmp_path: Path) -> None:
    python = python_of(version)
    if python is None:
        pytest.skip(f"Python {version} is not installed here")
    environment = tmp_path / "environment"
    subprocess.run([python, "-m", "venv", environment], check=True)
    pip = [environment / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    for what in (["--require-hashes", "-r", ROOT / "requirements.lock"], ["--no-deps", wheel]):
        done = subprocess.run([*pip, *what], capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
    where = [environment / "bin" / "python", "-c", "import huitouke, sys; print(huitouke.__file__, sys.version)"]
    said = subprocess.run(where, check=True, capture_output=True, text=True, cwd=tmp_path).stdout
    assert str(environment) in said
    assert f" {version}." in said

    with RunningDemo(tmp_path / "data", [str(environment / "bin" / "huitouke")]) as demo:
        customer = Customer(demo.addresses.phone.removesuffix("/phone"), "小满")
        assert "329" in customer.asks("茶歇裙多少钱", within_seconds=30)
