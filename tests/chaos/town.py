"""A whole installation as processes: PostgreSQL that syncs, the sandbox, server and worker; and hands that kill them.

All lines between them (to the database, to WeCom, from WeCom) run through proxies that can be cut.
"""

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final

import asyncpg
import httpx2

from huitouke.installation import PASSWORDS_FILE, POSTGRES_FOLDER
from huitouke.kernel.database import DatabaseUrls, launcher
from huitouke.kernel.database.embedded import prepare
from huitouke.kernel.dedicated import CONNECTION_ERRORS
from huitouke.kernel.keys import make_ring_file
from tests.chaos import merchant as merchants
from tests.chaos import nursery
from tests.chaos.merchant import HEADERS, OWNER, PASSWORD, Merchant
from tests.chaos.nursery import Nursery
from tests.chaos.proxy import Proxy, tcp_proxy, unix_proxy

__all__ = ["HEADERS", "PASSWORD", "Merchant", "Service", "Town", "merchant", "town"]

SOURCES: Final = Path(__file__).parents[2] / "src"
READY_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.1
RESTART_PAUSE_SECONDS: Final = 0.3
"""A supervisor's pause before it starts again what ended by itself."""

ONE_PROCESS: Final = {"server": ("serve", "--with", "work,realtime")}
THREE_ROLES: Final = {"server": ("serve", "--with", "realtime"), "worker": ("work",)}
MORE_WORKERS: Final = {**THREE_ROLES, "second worker": ("work",), "third worker": ("work",)}


class Service:
    """One process of ours, started again at once when it is killed, and soon when it ends by itself."""

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, born_in: Nursery
    ) -> None:
        self.name = name
        self.log = folder / f"{name.replace(' ', '-')}.log"
        self._arguments = arguments
        self._environment = environment
        self._born_in = born_in
        self._hand = asyncio.Lock()
        self.pid = 0
        self._started_at = 0.0
        self._works_since: float | None = None
        self.recoveries: list[float] = []
        """Seconds from each start (the first, and those after a kill) until it worked."""
        self.endings: list[str] = []
        """What it said when it ended by itself."""

    def start(self) -> None:
        """Its log goes on in the same file."""
        self._started_at, self._works_since = monotonic(), None
        self.pid = self._born_in.start(self._arguments, self._environment, self.log)

    def note_that_it_works(self) -> None:
        """From now on, where it was not known before."""
        if self._works_since is None:
            self._works_since = monotonic()
            self.recoveries.append(self._works_since - self._started_at)

    @property
    def had_its_time(self) -> bool:
        """Whether it has worked for as long as it took to start: a slow machine would else do nothing but start."""
        works_since = self._works_since
        return works_since is not None and monotonic() - works_since >= works_since - self._started_at

    async def kill(self) -> None:
        """kill -9, and at once a new one."""
        async with self._hand:
            await asyncio.to_thread(nursery.kill, self.pid)
            self.start()

    async def look_after(self) -> None:
        """Starts it again where it has ended by itself."""
        async with self._hand:
            if not nursery.is_alive(self.pid):
                self.endings.append(f"{self.name} ended: {self.end_of_log(300)}")
                await asyncio.sleep(RESTART_PAUSE_SECONDS)
                self.start()

    def end(self) -> None:
        if self.pid:
            nursery.kill(self.pid)

    def end_of_log(self, characters: int = 4_000) -> str:
        return self.log.read_text(errors="replace")[-characters:]


@dataclass
class Town:
    """The processes, their addresses, and what was done to them."""

    folder: Path
    postgres: launcher.Server
    urls: DatabaseUrls
    environment: dict[str, str]
    sandbox_url: str
    server_url: str
    wecom_url: str
    """The sandbox as ours see it: through a line that can be cut."""
    lines: dict[str, Proxy]
    services: dict[str, Service]
    done: Counter[str] = field(default_factory=Counter)
    """What was done, and how often; -9 ones begin with "kill"."""

    @property
    def kills(self) -> int:
        return sum(count for what, count in self.done.items() if what.startswith("kill"))

    @property
    def recoveries(self) -> list[float]:
        """Seconds from a start until the process worked, of all of ours."""
        return [seconds for service in self.services.values() for seconds in service.recoveries]

    async def kill(self, name: str) -> None:
        """kill -9 of one of our processes, which starts again."""
        await self.services[name].kill()
        self.done[f"kill {name}"] += 1

    def kill_postgres(self) -> None:
        """kill -9 of PostgreSQL's first process; the launcher starts it again on the same files."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it is on its way up from the last time
            lines = (self.folder / POSTGRES_FOLDER / "cluster" / "postmaster.pid").read_text().splitlines()
            os.kill(int(lines[0]), signal.SIGKILL)
            self.done["kill postgres"] += 1

    async def cut(self, line: str, dice: random.Random, share: float) -> None:
        """Resets some of the connections of a line."""
        if await self.lines[line].cut(dice, share):
            self.done[f"cut {line}"] += 1

    async def end_sessions(self, share: float) -> None:
        """Ends some of the sessions of our processes in PostgreSQL, as an administrator would."""
        with contextlib.suppress(asyncpg.PostgresError, *CONNECTION_ERRORS):  # it is away
            connection = await asyncpg.connect(self.postgres.url(), timeout=5)
            try:
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = 'huitouke_app' AND random() < $1",
                    share,
                )
            finally:
                await connection.close(timeout=5)
            self.done["end sessions"] += 1

    async def look_after(self) -> None:
        """Starts again what ended by itself, until cancelled: what a supervisor does."""
        while True:
            for service in self.services.values():
                await service.look_after()
            await asyncio.sleep(POLL_SECONDS)

    async def at_work(self) -> set[str]:
        """Which of ours do their work: the server says so, a worker has lately said that it lives. Notes since when."""
        rows = await self.owner_rows("SELECT pid FROM workers WHERE seen_at > clock_timestamp() - interval '3 seconds'")
        alive = {row["pid"] for row in rows}
        found = {name for name, service in self.services.items() if service.pid in alive}
        async with httpx2.AsyncClient(base_url=self.server_url, trust_env=False, timeout=3) as http:
            if await _answers(http, "/health/ready"):
                found.add("server")
        for name in found:
            self.services[name].note_that_it_works()
        return found

    async def ready(self) -> None:
        """Waits until all of them are."""
        deadline = monotonic() + READY_SECONDS
        while missing := set(self.services) - await self.at_work():
            assert monotonic() < deadline, self.services[missing.pop()].end_of_log()
            await asyncio.sleep(POLL_SECONDS)

    async def rows(self, statement: str) -> list[asyncpg.Record]:
        """Rows of the one tenant, with the application's role, as the server itself would see them."""
        connection = await asyncpg.connect(self.urls.application)
        try:
            async with connection.transaction():
                tenant = await connection.fetchval("SELECT id FROM tenants")
                await connection.execute("SELECT set_config('huitouke.tenant_id', $1, true)", str(tenant))
                return list(await connection.fetch(statement))
        finally:
            await connection.close()

    async def owner_rows(self, statement: str) -> list[asyncpg.Record]:
        """Rows as the superuser sees them; none while the database is away."""
        try:
            connection = await asyncpg.connect(self.postgres.url("huitouke"), timeout=3)
            try:
                return list(await connection.fetch(statement, timeout=3))
            finally:
                await connection.close(timeout=3)
        except (asyncpg.PostgresError, *CONNECTION_ERRORS):
            return []


def merchant(running: Town, customers: int, app_secret: str | None = None) -> AbstractAsyncContextManager[Merchant]:
    """The owner signed in, WeCom connected both ways, some knowledge, and customers with a phone each."""
    return merchants.merchant(running.server_url, running.sandbox_url, customers, app_secret)


@asynccontextmanager
async def town(
    folder: Path, processes: Mapping[str, Sequence[str]] = ONE_PROCESS, **variables: str
) -> AsyncIterator[Town]:
    """Everything started, with a merchant "owner" in it; all of it gone at the end. `variables`: our processes'."""
    async with AsyncExitStack() as stack:
        postgres = await asyncio.to_thread(launcher.start, folder / POSTGRES_FOLDER)
        stack.push_async_callback(asyncio.to_thread, postgres.stop)
        urls = await prepare(postgres, folder / PASSWORDS_FILE)
        make_ring_file(folder / "keys")
        sandbox, sandbox_url = await asyncio.to_thread(_start_sandbox, folder / "sandbox.log")
        stack.callback(sandbox.wait)
        stack.callback(sandbox.kill)
        server_url = f"http://127.0.0.1:{_free_port()}"
        to_wecom, wecom_url = await stack.enter_async_context(tcp_proxy(sandbox_url))
        from_wecom, public_url = await stack.enter_async_context(tcp_proxy(server_url))
        # Short, for a socket's path may have some hundred characters.
        socket_folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="line-")))
        to_database = await stack.enter_async_context(
            unix_proxy(postgres.socket_dir / launcher.SOCKET_NAME, socket_folder / launcher.SOCKET_NAME)
        )
        environment = _environment(folder, urls, wecom_url, server_url, public_url) | variables
        owners = {**environment, "DATABASE_OWNER_URL": urls.owner or ""}
        born_in = Nursery(_plain_environment())
        stack.callback(born_in.end)
        await _run(born_in, owners, folder / "migrate.log", "migrate")
        await _run(
            born_in,
            owners,
            folder / "tenant.log",
            "tenant",
            "create",
            "--name",
            "小店",
            "--owner",
            OWNER,
            "--password",
            PASSWORD,
        )
        through = _through(urls.application, postgres.socket_dir, socket_folder)
        environment |= {"DATABASE_URL": through, "DATABASE_DIRECT_URL": through}
        services = {name: Service(name, command, environment, folder, born_in) for name, command in processes.items()}
        lines = {"database": to_database, "to WeCom": to_wecom, "from WeCom": from_wecom}
        running = Town(folder, postgres, urls, environment, sandbox_url, server_url, wecom_url, lines, services)
        for service in services.values():
            stack.callback(service.end)
            service.start()
        await running.ready()
        looking_after = asyncio.create_task(running.look_after(), name="supervisor")
        try:
            yield running
        finally:
            looking_after.cancel()
            await asyncio.gather(looking_after, return_exceptions=True)


def _through(url: str, socket_dir: Path, line: Path) -> str:
    """The address by way of the proxy's socket."""
    head, _, _ = url.partition("?")
    assert str(socket_dir) not in head
    return f"{head}?host={line}"


async def _answers(http: httpx2.AsyncClient, path: str) -> bool:
    try:
        return (await http.get(path)).status_code == 200
    except httpx2.HTTPError:
        return False


def _environment(folder: Path, urls: DatabaseUrls, wecom_url: str, server_url: str, public_url: str) -> dict[str, str]:
    return _plain_environment() | {
        "DATABASE_URL": urls.application,
        "DATABASE_DIRECT_URL": urls.direct,
        "HUITOUKE_DATA_DIR": str(folder),
        "HUITOUKE_HOST": "127.0.0.1",
        "HUITOUKE_PORT": server_url.rpartition(":")[2],
        "HUITOUKE_PUBLIC_URL": public_url,
        "HUITOUKE_WECOM_BASE_URL": wecom_url,
        "HUITOUKE_LOG_FORMAT": "json",
    }


def _plain_environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HUITOUKE_", "DATABASE_"))}
    return inherited | {"PYTHONPATH": str(SOURCES)}


async def _run(born_in: Nursery, environment: Mapping[str, str], log: Path, *arguments: str) -> None:
    pid = born_in.start(arguments, environment, log)
    while nursery.is_alive(pid):  # noqa: ASYNC110 - another process
        await asyncio.sleep(POLL_SECONDS)
    printed = await asyncio.to_thread(log.read_text, errors="replace")
    assert "✗" not in printed, printed
    assert "Traceback" not in printed, printed


def _start_sandbox(log: Path) -> tuple["subprocess.Popen[str]", str]:
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "wechat_sandbox", "--port", "0", "--quiet"],
            env={**os.environ, "PYTHONPATH": str(SOURCES)}, stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("wechat-sandbox ready "), line
    return process, line.split()[-1]


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
