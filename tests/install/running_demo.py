"""The demo as a person starts it: the command, its three addresses, Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[2]
START_TIMEOUT_SECONDS = 240
STOP_TIMEOUT_SECONDS = 90
LAST_LINE = "Ctrl-C"


@dataclass(frozen=True)
class Addresses:
    """What the demo prints last."""

    console: str
    sign_up: str
    phone: str
    docs: str


class RunningDemo:
    """`huitouke demo` on free ports and a folder of its own, as a context manager; raises when it does not start."""

    def __init__(self, data: Path, command: Sequence[str] = (sys.executable, "-m", "huitouke")) -> None:
        self._data = data
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self.printed: list[str] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.stop()

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None, "the demo is not running"
        return self._process

    @property
    def addresses(self) -> Addresses:
        found = [word for line in self.printed for word in line.split() if word.startswith("http://")]
        return Addresses(*(address.rstrip("/") for address in found))

    def start(self, *ports: str) -> None:
        """Starts it and waits for its last line; on the ports of the last start where there was one."""
        free = () if (self._data / "demo.json").exists() else ("--port", "0", "--sandbox-port", "0")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HUITOUKE_", "DATABASE_"))}
        self._process = subprocess.Popen(
            [*self._command, "demo", "--data", str(self._data), *(ports or free)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**kept, "PYTHONPATH": str(ROOT / "src")} if self._command[0] == sys.executable else kept,
        )
        self.printed = []
        alarm = threading.Timer(START_TIMEOUT_SECONDS, self._process.kill)
        alarm.start()
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.printed.append(line)
            if LAST_LINE in line:
                break
        alarm.cancel()
        if not self.printed or LAST_LINE not in self.printed[-1]:
            self.process.kill()
            self.process.wait()
            self._process = None
            raise AssertionError("the demo did not start:\n" + "".join(self.printed))

    def stop(self) -> str:
        """Ctrl-C; waits for the end and gives what was printed meanwhile."""
        process = self.process
        self._process = None
        process.send_signal(signal.SIGINT)
        try:
            rest, _ = process.communicate(timeout=STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            rest, _ = process.communicate()
            raise AssertionError(f"the demo did not end within {STOP_TIMEOUT_SECONDS} s:\n{rest}") from None
        assert process.returncode == 0, rest
        return rest

    def kill(self) -> None:
        """kill -9 of the parent."""
        self.process.kill()
        self.process.communicate()
        self._process = None
