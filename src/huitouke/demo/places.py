"""Where a demo keeps its data and on which ports it listens; ports are remembered, for addresses are stored by then."""

import fcntl
import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import huitouke

LOOPBACK: Final = "127.0.0.1"
USUAL_PORT: Final = 8000
USUAL_SANDBOX_PORT: Final = 8100


class DemoFailedError(Exception):
    """The demo cannot go on; the message is a sentence for the person at the terminal."""


@dataclass(frozen=True)
class Places:
    """The addresses of one demo."""

    port: int
    sandbox_port: int

    @property
    def console(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def sandbox(self) -> str:
        return f"http://{LOOPBACK}:{self.sandbox_port}"


def default_data_folder() -> Path:
    """`.demo` in a clone of the sources, `~/.huitouke/demo` for an installed package."""
    clone = Path(huitouke.__file__).resolve().parents[2]
    return clone / ".demo" if (clone / "pyproject.toml").exists() else Path.home() / ".huitouke" / "demo"


def lock(data: Path) -> int:
    """Makes this process the only demo on the folder until it ends; raises DemoFailedError where another one is."""
    data.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(data / "demo.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        running = _remembered(data)
        where = f" at {running.console}" if running else ""
        raise DemoFailedError(
            f"A demo is already running{where} on {data}. Use that one, stop it, or choose another folder with --data."
        ) from None
    return descriptor


def choose(data: Path, port: int | None, sandbox_port: int | None) -> Places:
    """The ports given, else those of the last start, else the usual ones, else any that are free."""
    before = _remembered(data)
    chosen = Places(
        _port(port, "--port", before.port if before else USUAL_PORT),
        _port(sandbox_port, "--sandbox-port", before.sandbox_port if before else USUAL_SANDBOX_PORT),
    )
    if chosen.port == chosen.sandbox_port:
        raise DemoFailedError("--port and --sandbox-port must differ.")
    (data / "demo.json").write_text(json.dumps(asdict(chosen)))
    return chosen


def _remembered(data: Path) -> Places | None:
    try:
        stored: dict[str, Any] = json.loads((data / "demo.json").read_text())
        return Places(**stored)
    except (OSError, ValueError, TypeError):
        return None  # the first start, or a file that was cut short


def _port(given: int | None, option: str, preferred: int) -> int:
    if given:
        if not _is_free(given):
            raise DemoFailedError(f"Port {given} is in use. Choose another with {option}.")
        return given
    if given is None and _is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        free: int = probe.getsockname()[1]
        return free


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
