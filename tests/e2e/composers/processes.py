"""The two processes that every journey plays against: the server with its work and sockets, and the sandbox."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2

ROOT = Path(__file__).parents[3]
START_SECONDS = 150.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.05
LOG_CHARACTERS_SHOWN = 4_000


@dataclass(frozen=True)
class Running:
    """A child process that answers at an address and writes to a log file."""

    name: str
    address: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when it does not end in time."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-LOG_CHARACTERS_SHOWN:]


async def start(
    name: str, arguments: tuple[str, ...], environment: Mapping[str, str], port: int, ready: str, folder: Path
) -> Running:
    """Starts `python <arguments>` and waits until `ready` (a path) answers 200."""
    log = folder / f"{name}.log"
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HUITOUKE_", "DATABASE_"))}
    process = _launch(arguments, {**kept, "PYTHONPATH": str(ROOT / "src"), **environment}, log)
    running = Running(name, f"http://127.0.0.1:{port}", process, log)
    try:
        await _until_ready(running, ready)
    except BaseException:
        running.stop()
        raise
    return running


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _launch(arguments: tuple[str, ...], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
        )


async def _until_ready(running: Running, path: str) -> None:
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    async with httpx2.AsyncClient(base_url=running.address, timeout=2, trust_env=False) as http:
        while True:
            assert running.process.poll() is None, f"{running.name} ended at once:\n{running.end_of_log()}"
            try:
                if (await http.get(path)).status_code == 200:
                    return
            except httpx2.HTTPError:
                pass  # not listening yet
            late = asyncio.get_running_loop().time() > deadline
            assert not late, f"{running.name} was not ready in {START_SECONDS:.0f} s:\n{running.end_of_log()}"
            await asyncio.sleep(POLL_SECONDS)
