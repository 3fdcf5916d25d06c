"""Which processes work in a cluster, told by their working folder, and how leftovers of an earlier server are ended.

A pid in a file proves nothing: it may belong to any other program by now. PostgreSQL's processes all have the data
folder as their working folder, and nothing else does.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from huitouke.kernel.database.postgres_binaries import LauncherError

LEFTOVERS_TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.005


def end_leftovers(cluster: Path) -> None:
    """Ends what is left of an earlier server: its owner died, and it is shutting down, or was forgotten.

    Waits a second for those that end by themselves, then asks (SIGINT), at last insists (SIGQUIT).
    """
    started = time.monotonic()
    sent: signal.Signals | None = None
    while processes := processes_in(cluster):
        waited = time.monotonic() - started
        due = signal.SIGQUIT if waited > LEFTOVERS_TIMEOUT_SECONDS / 2 else signal.SIGINT if waited > 1 else None
        if due is not None and due is not sent:
            for process in processes:
                signal_process(process, due)
            sent = due
        if waited > LEFTOVERS_TIMEOUT_SECONDS:
            listed = ", ".join(map(str, processes))
            raise LauncherError(f"Processes {listed} still use {cluster} and do not end. End them and start again.")
        time.sleep(POLL_SECONDS)


def processes_in(cluster: Path) -> list[int]:
    """The processes whose working folder is the cluster: its postmaster and backends, and nothing else, ever."""
    if not cluster.exists():
        return []
    if sys.platform != "linux":
        return _processes_by_lsof(cluster)
    wanted = cluster.stat()
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            folder = os.stat(f"/proc/{entry.name}/cwd")
        except OSError:
            continue  # gone, a zombie, or another user's
        if (folder.st_dev, folder.st_ino) == (wanted.st_dev, wanted.st_ino):
            found.append(int(entry.name))
    return found


def _processes_by_lsof(cluster: Path) -> list[int]:
    listed = subprocess.run(
        ["/usr/sbin/lsof", "-a", "-d", "cwd", "-c", "postgres", "-F", "pn"],
        capture_output=True,
        text=True,
        check=False,
    )
    found, process = [], 0
    for line in listed.stdout.splitlines():
        if line.startswith("p"):
            process = int(line[1:])
        elif line.startswith("n") and Path(line[1:]) == cluster.resolve():
            found.append(process)
    return found


def signal_process(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)
