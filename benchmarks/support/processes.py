"""Processes of the product and of others, as an installation would run them: started, waited for, surely stopped.

    with Installation(CACHE / "ingest" / "run", urls) as shop:
        first = await shop.serve()
        worker = await shop.work()
        sandbox = await shop.sandbox()

All of them end with the benchmark, however it dies.
"""

import asyncio
import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx2

from huitouke.demo.children import Child
from huitouke.kernel.database import DatabaseUrls
from huitouke.kernel.keys import make_ring_file

LOOPBACK: Final = "127.0.0.1"
READY_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.05


class NotStartedError(RuntimeError):
    """A process ended, or was not ready in time; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Running:
    """A process and the address where it answers; empty for one that doesn't."""

    child: Child
    url: str

    @property
    def pid(self) -> int:
        """Of the watchdog above it; `memory.tree` gives the process itself."""
        return self.child.pid

    def stop(self) -> None:
        """Asks it to end and waits until it has."""
        self.child.stop()


class Installation:
    """One installation over a database: its folder (emptied at the start), its environment and its processes."""

    def __init__(self, folder: Path, urls: DatabaseUrls, **variables: str) -> None:
        """`variables` are further settings of all its processes."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make_ring_file(folder / "keys")
        self.folder = folder
        self.running: list[Running] = []
        self.environment = _environment(folder, urls) | variables

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pids(self) -> list[int]:
        """Of all processes that were started; for `memory.Sampler`."""
        return [running.pid for running in self.running]

    async def serve(self, roles: str = "", **variables: str) -> Running:
        """`huitouke serve` on a free port, ready. `roles`: `work,realtime`, or one of them."""
        port = free_port()
        url = f"http://{LOOPBACK}:{port}"
        own = {"HUITOUKE_HOST": LOOPBACK, "HUITOUKE_PORT": str(port), "HUITOUKE_PUBLIC_URL": url, **variables}
        arguments = ["-m", "huitouke", "serve", *(["--with", roles] if roles else [])]
        return await self.start("serve", arguments, url, "/health/ready", own)

    async def work(self, **variables: str) -> Running:
        """`huitouke work`, connected and at work."""
        return await self.start("work", ["-m", "huitouke", "work"], "", "Ctrl-C stops", variables)

    async def sandbox(self) -> Running:
        """`wechat-sandbox` on a free port, ready; processes that start later take it for WeCom."""
        port = free_port()
        url = f"http://{LOOPBACK}:{port}"
        arguments = ["-m", "wechat_sandbox", "--port", str(port), "--quiet"]
        started = await self.start("sandbox", arguments, url, "/sandbox/openapi.json", {})
        self.environment["HUITOUKE_WECOM_BASE_URL"] = url
        return started

    async def run(self, *arguments: str) -> str:
        """`huitouke <arguments>` to its end; gives what it printed.

        Raises:
            NotStartedError: it failed.
        """
        command = Child("command", ["-m", "huitouke", *arguments], self.environment, self.folder / "command.log")
        if await asyncio.to_thread(command.wait) != 0:
            raise NotStartedError(command.end_of_log())
        return command.log.read_text(errors="replace")

    def stop(self) -> None:
        """Stops all that runs, the last started first."""
        while self.running:
            self.running.pop().stop()

    async def start(
        self, name: str, arguments: list[str], url: str, sign: str, variables: Mapping[str, str], *,
        program: Path | None = None,
    ) -> Running:  # fmt: skip
        """Starts any other process; `sign` of readiness is a path that answers 200, or (without an address) a word in
        the log. `program`: another Python than ours."""
        log = self.folder / f"{name}-{len(self.running)}.log"
        child = Child(name, arguments, {**self.environment, **variables}, log, program=program)
        started = Running(child, url)
        self.running.append(started)
        await until_ready(started, sign)
        return started


async def until_ready(started: Running, sign: str) -> None:
    """Waits until a process shows the sign: a path that answers 200, or (without an address) a word in its log.

    Raises:
        NotStartedError: it ended, or took longer than READY_SECONDS.
    """
    try:
        async with httpx2.AsyncClient(base_url=started.url, trust_env=False) as http, asyncio.timeout(READY_SECONDS):
            while not await _shows(http, started, sign):
                if started.child.status is not None:
                    raise NotStartedError(started.child.end_of_log())
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise NotStartedError(f"Not ready within {READY_SECONDS:.0f} s. {started.child.end_of_log()}") from None


async def _shows(http: httpx2.AsyncClient, started: Running, sign: str) -> bool:
    if not started.url:
        return sign in started.child.log.read_text(errors="replace")
    try:
        return (await http.get(sign)).status_code == 200
    except httpx2.HTTPError:
        return False


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _environment(folder: Path, urls: DatabaseUrls) -> dict[str, str]:
    """For all processes. What the caller's environment says about an installation of ours must not count here."""
    foreign = {name: "" for name in os.environ if name.startswith(("HUITOUKE_", "DATABASE_", "FILES_"))}
    return foreign | {
        "DATABASE_URL": urls.application,
        "DATABASE_DIRECT_URL": urls.direct,
        "DATABASE_OWNER_URL": urls.owner or "",
        "HUITOUKE_DATA_DIR": str(folder),
        "HUITOUKE_LOG_LEVEL": "warning",
        "PYTHONUNBUFFERED": "1",
    }
