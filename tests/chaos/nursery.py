"""Where our processes are born: a process that has imported everything, and forks one that runs a command of ours.

Starting Python with all its imports takes more of the machine than everything else in a storm; a thousand kills would
mostly measure that. A child is a process like any other: its own interpreter, memory, connections and end.

    python -m tests.chaos.nursery     reads {"arguments", "environment", "log"} per line, answers with the pid
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

GONE_POLL_SECONDS: Final = 0.005
GONE_SECONDS: Final = 10.0


class Nursery:
    """The hand of the test on it. Its children live on when it ends: whoever started one ends it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.nursery"], env=dict(environment), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2],
        )  # fmt: skip

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
        """Runs `huitouke <arguments>`; gives its pid."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        wish = {"arguments": list(arguments), "environment": dict(environment), "log": str(log)}
        print(json.dumps(wish), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


def is_alive(pid: int) -> bool:
    """Whether a child of the nursery, which leaves no zombies, runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def kill(pid: int) -> None:
    """kill -9, and waits until it is gone."""
    deadline = time.monotonic() + GONE_SECONDS
    while is_alive(pid):
        with contextlib.suppress(ProcessLookupError):  # gone between the look and the blow
            os.kill(pid, signal.SIGKILL)
        assert time.monotonic() < deadline, f"{pid} outlives kill -9"
        time.sleep(GONE_POLL_SECONDS)


def main() -> None:
    """Imports what our processes import, then forks them as told."""
    import uvicorn.protocols.http.httptools_impl  # noqa: F401 - loaded before the fork
    import uvloop  # noqa: F401 - loaded before the fork

    from huitouke import cli, server, services  # noqa: F401 - loaded before the fork
    from huitouke.kernel.modules import load_modules

    load_modules()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _live(json.loads(line), cli)
        print(pid, flush=True)


def _live(wish: dict[str, Any], cli: Any) -> None:
    """The child: a process that was started with these arguments, this environment and this log."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(wish["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, place in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, place)
    os.environ.clear()
    os.environ.update(wish["environment"])
    sys.argv = ["huitouke", *wish["arguments"]]
    status: object = 1
    try:
        status = cli.main()
    except SystemExit as end:
        status = end.code
    finally:
        sys.stdout.flush()
        os._exit(status if isinstance(status, int) else 0 if status is None else 1)


if __name__ == "__main__":
    main()
