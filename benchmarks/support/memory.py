"""Memory as the system counts it: PSS, in which a page that N processes share counts 1/N for each (Linux only)."""

import asyncio
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from huitouke.kernel.database.launcher import Server
from huitouke.kernel.database.postgres_processes import processes_in

SAMPLE_SECONDS: Final = 1.0

_PSS: Final = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def tree(pids: Iterable[int]) -> list[int]:
    """These processes and all below them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # gone meanwhile
            children.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    waiting = list(pids)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def postgres(server: Server) -> list[int]:
    """The processes of that server."""
    return processes_in(server.data_root / "cluster")


def pss_kib(pids: Iterable[int]) -> int:
    """The sum of PSS of exactly these processes, in KiB; those that are gone count nothing."""
    total = 0
    for pid in set(pids):
        try:
            match = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
        except OSError:
            continue
        total += int(match[1]) if match else 0
    return total


class Sampler:
    """Samples the PSS of processes each second while it is entered.

        async with Sampler(lambda: [*tree(shop.pids), *postgres(server)]) as memory: …
        report.figure("peak_mib", memory.peak_mib)

    `which` is asked each time, since processes come and go. `samples_kib` holds the curve.
    """

    def __init__(self, which: Callable[[], Iterable[int]]) -> None:
        self._which = which
        self._task: asyncio.Task[None] | None = None
        self.samples_kib: list[int] = []

    @property
    def peak_mib(self) -> float:
        """The highest sum, in MiB."""
        return max(self.samples_kib, default=0) / 1024

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="memory")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            # smaps_rollup of a large process takes tens of milliseconds: not on the loop that measures.
            self.samples_kib.append(await asyncio.to_thread(lambda: pss_kib(self._which())))
            await asyncio.sleep(SAMPLE_SECONDS)
