"""The virtual environment `.venv`, from a lock file with hashes; uv where it is there, else venv and pip."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

from preparation import debian, stamps
from preparation.steps import ROOT, StepFailed, run, step

ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
RUNTIME_LOCK = ROOT / "requirements.lock"
DEVELOPMENT_LOCK = ROOT / "requirements-dev.lock"
RUNTIME_STAMP = ENVIRONMENT / ".huitouke-runtime"
DEVELOPMENT_STAMP = ENVIRONMENT / ".huitouke-development"
COMMANDS = {"huitouke": "huitouke.cli", "wechat-sandbox": "wechat_sandbox.cli"}
NO_DOWNLOADS_OF_PYTHON = {"UV_PYTHON_DOWNLOADS": "never"}

_creating = threading.Lock()


def ensure(*, development: bool) -> None:
    """Makes `.venv` or brings it up to the lock file; does nothing when its stamp names that lock file already."""
    lock = DEVELOPMENT_LOCK if development else RUNTIME_LOCK
    stamp = DEVELOPMENT_STAMP if development else RUNTIME_STAMP
    wanted = stamps.digest([lock], f"{sys.version_info[0]}.{sys.version_info[1]}")
    if stamps.is_fresh(stamp, wanted) and PYTHON.exists():
        return
    with step("Python packages" + (" for development" if development else "")):
        ensure_exists()
        for outdated in (RUNTIME_STAMP, DEVELOPMENT_STAMP):
            outdated.unlink(missing_ok=True)
        install(PYTHON, lock)
        _link_the_sources()
        stamps.write(stamp, wanted)
        if development:  # the development lock holds everything of the other one
            stamps.write(RUNTIME_STAMP, stamps.digest([RUNTIME_LOCK], f"{sys.version_info[0]}.{sys.version_info[1]}"))


def ensure_exists() -> None:
    """An environment, empty perhaps, of this Python; several steps that run side by side may ask for it."""
    with _creating:
        if not _works(PYTHON):
            create(ENVIRONMENT)


def _works(python: Path) -> bool:
    """Whether an environment is there and made by this version of Python."""
    if not python.exists():
        return False
    asked = subprocess.run(
        [python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=False
    )
    return asked.returncode == 0 and asked.stdout.split() == [str(part) for part in sys.version_info[:2]]


def uv() -> str | None:
    """uv where it is there and runs (a version manager's stand-in may be on the path without it)."""
    found = shutil.which("uv")
    if found and subprocess.call([found, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
        return found
    return None


def create(environment: Path) -> None:
    """An empty virtual environment, also on a Debian whose Python comes without `venv`."""
    if environment.exists():
        shutil.rmtree(environment)
    maker = uv()
    if maker:
        run(
            [maker, "venv", "--quiet", "--python", sys.executable, environment],
            "uv could not make the virtual environment.",
            env=NO_DOWNLOADS_OF_PYTHON,
        )
        return
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        _get_venv()
    run([sys.executable, "-m", "venv", environment], "The virtual environment could not be made.")


def _get_venv() -> None:
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if debian.can_install() and debian.install(package):
        return
    raise StepFailed(
        "This Python comes without `venv`. Install it and start again, on Debian and Ubuntu: "
        f"sudo apt-get install {package}"
    )


def install(python: Path, lock: Path, *, into: Path | None = None) -> None:
    """Installs exactly what a lock file names, hashes checked; `into` a plain folder where one is given."""
    target: list[str | Path] = ["--target", into] if into else []
    failure = f"The packages of {lock.name} could not be installed."
    installer = uv()
    if installer:
        try:
            run(
                [installer, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", lock, *target],
                failure,
                env=NO_DOWNLOADS_OF_PYTHON,
            )
            return
        except StepFailed:
            if not _has_pip(python):
                raise
    elif not _has_pip(python):
        run([python, "-m", "ensurepip", "--default-pip"], "pip could not be put into the virtual environment.")
    pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "-r", lock, *target], failure)


def _has_pip(python: Path) -> bool:
    return subprocess.call([python, "-c", "import pip"], stderr=subprocess.DEVNULL) == 0


def _link_the_sources() -> None:
    """Makes `src` importable in the environment, and its two commands: an editable install without a build tool."""
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(ENVIRONMENT)}))
    (packages / "huitouke-sources.pth").write_text(f"{ROOT / 'src'}\n")
    for command, module in COMMANDS.items():
        script = ENVIRONMENT / "bin" / command
        script.write_text(f"#!{PYTHON}\nimport sys\nfrom {module} import main\nsys.exit(main())\n")
        script.chmod(0o755)


def environment_variables() -> dict[str, str]:
    """What a child needs so that the environment's commands come first."""
    return {"PATH": f"{PYTHON.parent}{os.pathsep}{os.environ.get('PATH', '')}", "VIRTUAL_ENV": str(ENVIRONMENT)}
