"""A new release takes over under load: no request fails, no socket loses more than its line, nobody waits in vain.

The "release" is a plug-in, installed in both: the new one brings a migration that makes a table and widens a busy one.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from huitouke.kernel.database import Database, DatabaseUrls, configure, engine
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret, make_ring_file
from huitouke.modules.organization import service as organization
from tests.chaos.town import HEADERS, PASSWORD, Town, merchant
from tests.conftest import SERVER_ADDRESS
from tests.support.database import clone, make_template

SOURCES: Final = Path(__file__).parents[2] / "src"
DRAIN_SECONDS: Final = 1.5
PROBE_SECONDS: Final = 0.3
READY_SECONDS: Final = 240.0
"""A new process competes with the load; only that it comes up counts here."""

REQUEST_PAUSE_SECONDS: Final = 0.4
QUESTION, ANSWER = "多久发货", "当天下午四点前拍下，当天发出。"

PLUG_IN: Final = """
from pathlib import Path
from huitouke.kernel.modules import Module

def module():
    return Module("later", version="{version}", requires=("conversations",), migrations=Path(__file__).parent / "steps")
"""
FIRST: Final = """
import sqlalchemy as sa
from huitouke.kernel.database.ddl import tenant_table
revision, down_revision, branch_labels, depends_on = "later_0001", None, ("later",), "conversations_0001"

def upgrade():
    tenant_table("later_notes", sa.Column("id", sa.Uuid(), nullable=False))
"""
SECOND: Final = """
import sqlalchemy as sa
from alembic import op
from huitouke.kernel.database.ddl import tenant_table
revision, down_revision, branch_labels, depends_on = "later_0002", "later_0001", None, None

def upgrade():
    tenant_table("later_words", sa.Column("id", sa.Uuid(), nullable=False))
    op.add_column("messages", sa.Column("later_mark", sa.Text(), nullable=False, server_default=""))
    op.execute("ALTER TABLE conversations ADD CONSTRAINT later_ck CHECK (seq >= 0) NOT VALID")
"""


def release(folder: Path, version: str, *steps: str) -> Path:
    """A folder for PYTHONPATH in which the plug-in is installed at that version."""
    package = folder / "later"
    (package / "steps").mkdir(parents=True)
    (package / "__init__.py").write_text(PLUG_IN.replace("{version}", version))
    for number, step in enumerate(steps, start=1):
        (package / "steps" / f"000{number}_step.py").write_text(step)
    info = folder / f"later-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: later\nVersion: {version}\n")
    (info / "entry_points.txt").write_text("[huitouke.modules]\nlater = later:module\n")
    return folder


class Balancer:
    """Hands each connection to a server that says it is ready, and to the next one when it doesn't pick up."""

    def __init__(self) -> None:
        self.backends: dict[int, bool] = {}
        self.address = ""
        self._turn = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for port in self._in_turn():
            with suppress(OSError):
                there, back = await asyncio.open_connection("127.0.0.1", port)
                with suppress(asyncio.CancelledError):  # the end of the test
                    await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
                return
        writer.close()

    def _in_turn(self) -> list[int]:
        ready = [port for port, well in self.backends.items() if well] or list(self.backends)
        self._turn += 1
        return ready[self._turn % len(ready) :] + ready[: self._turn % len(ready)] if ready else []

    async def probe(self) -> None:
        """Asks every server again and again, as a proxy's health check does."""
        async with httpx2.AsyncClient(trust_env=False, timeout=5) as http:
            while True:
                for port in list(self.backends):
                    well = False
                    with suppress(httpx2.HTTPError):
                        well = (await http.get(f"http://127.0.0.1:{port}/health/ready")).status_code == 200
                    if port in self.backends:
                        self.backends[port] = well
                await asyncio.sleep(PROBE_SECONDS)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()


@asynccontextmanager
async def balancing() -> AsyncIterator[Balancer]:
    balancer = Balancer()
    server = await asyncio.start_server(balancer.handle, "127.0.0.1", 0)
    balancer.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    probing = asyncio.create_task(balancer.probe())
    try:
        yield balancer
    finally:
        probing.cancel()
        server.close()


@dataclass
class Process:
    """One of ours, with the port that it listens on once it does."""

    popen: "subprocess.Popen[bytes]"
    log: Path
    balancer: Balancer | None
    port: int = 0

    async def ready(self) -> None:
        async with asyncio.timeout(READY_SECONDS), httpx2.AsyncClient(trust_env=False) as http:
            while True:
                assert self.popen.poll() is None, self.log.read_text()
                found = re.search(r"http://127\.0\.0\.1:([1-9]\d*)", self.log.read_text())
                if found:
                    self.port = int(found[1])
                    with suppress(httpx2.HTTPError):
                        if (await http.get(f"{found[0]}/health/ready")).status_code == 200:
                            break
                await asyncio.sleep(0.1)
        if self.balancer is not None:
            self.balancer.backends[self.port] = True

    async def end(self) -> None:
        self.popen.send_signal(signal.SIGTERM)
        status = await asyncio.to_thread(self.popen.wait, 60)
        if self.balancer is not None:
            self.balancer.backends.pop(self.port)
        assert status == 0, self.log.read_text()[-4_000:]


@dataclass
class Fleet:
    """All processes of ours, by name, and how one is started."""

    folder: Path
    environment: Mapping[str, str]
    pages: Balancer
    sockets: Balancer
    running: dict[str, Process] = field(default_factory=dict)

    async def start(self, name: str, release_folder: Path) -> Process:
        kind = name.split()[0]
        log = self.folder / f"{name} {release_folder.name}.log"
        environment = {**self.environment, "PYTHONPATH": f"{SOURCES}{os.pathsep}{release_folder}"}
        with log.open("wb") as output:
            command = [sys.executable, "-m", "huitouke", kind, "--port", "0"]
            popen = subprocess.Popen(command, env=environment, stdout=output, stderr=output)  # noqa: ASYNC220 - milliseconds
        balancer = {"serve": self.pages, "realtime": self.sockets}.get(kind)
        process = Process(popen, log, balancer)
        try:
            await process.ready()
        except BaseException:
            popen.kill()
            raise
        return process

    async def replace(self, name: str, release_folder: Path) -> None:
        new = await self.start(name, release_folder)
        await self.running[name].end()
        self.running[name] = new

    def kill(self) -> None:
        for process in self.running.values():
            process.popen.kill()
            process.popen.wait()


async def migrate(fleet: Fleet, urls: DatabaseUrls, release_folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "huitouke", "migrate",
        env={
            **fleet.environment,
            "DATABASE_OWNER_URL": urls.owner or "",
            "PYTHONPATH": f"{SOURCES}{os.pathsep}{release_folder}",
        },
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


@dataclass
class Seen:
    """What the people outside noticed."""

    answers: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    hellos: int = 0


async def ask_all_the_time(address: str, cookies: Mapping[str, str], seen: Seen) -> None:
    """Requests that are never repeated, each on a line of its own, some of which change something."""
    limits = httpx2.Limits(max_keepalive_connections=0)
    headers = {**HEADERS, "Connection": "close"}
    async with httpx2.AsyncClient(
        base_url=address, headers=headers, cookies=dict(cookies), trust_env=False, timeout=60, limits=limits
    ) as http:
        number = 0
        while True:
            number += 1
            try:
                if number % 5:
                    answer = await http.get("/api/conversations?view=all&limit=20")
                else:
                    entry = {"question": f"第 {number} 个问题 {new_id().hex}", "answer": "一个回答"}
                    answer = await http.post("/api/knowledge/entries", json=entry)
                seen.answers[answer.status_code] += 1
            except httpx2.HTTPError as error:
                seen.failures.append(f"{type(error).__name__}: {error}")
            await asyncio.sleep(REQUEST_PAUSE_SECONDS)


async def watch(address: str, origin: str, cookies: Mapping[str, str], seen: Seen) -> None:
    """A page's live socket, which comes back when it is sent away."""
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    while True:
        socket_address = address.replace("http", "ws") + "/realtime"
        async with connect(
            socket_address, origin=Origin(origin), additional_headers=headers, proxy=None, ping_interval=None
        ) as socket:
            try:
                async for text in socket:
                    seen.hellos += '"hello"' in str(text)
                    if '"heartbeat"' in str(text):
                        await socket.send('{"type":"pong"}')
            except ConnectionClosed:
                pass
            seen.closed.append(socket.close_code or 0)


@pytest.mark.long
@pytest.mark.timeout(1_800)
async def test_a_new_release_takes_over_under_load(
    tmp_path: Path, worker_id: str, record_property: Callable[[str, object], None]
) -> None:
    old = release(tmp_path / "old", "1.0", FIRST)
    new = release(tmp_path / "new", "1.1", FIRST, SECOND)
    template = await make_template(os.environ[SERVER_ADDRESS].replace("%7Bdatabase%7D", "{database}"))
    urls = await clone(template, f"upgrade_{worker_id}")
    await found_shop(urls)
    make_ring_file(tmp_path / "keys")
    async with balancing() as pages, balancing() as sockets, sandbox() as sandbox_url:
        fleet = Fleet(tmp_path, environment(tmp_path, urls, sandbox_url, pages.address), pages, sockets)
        await migrate(fleet, urls, old)
        try:
            for name in ("serve 1", "serve 2", "work", "realtime"):
                fleet.running[name] = await fleet.start(name, old)
            place = cast("Town", SimpleNamespace(server_url=pages.address, sandbox_url=sandbox_url))
            async with merchant(place, 20) as shop:
                cookies = dict(shop.console.cookies)
                seen = Seen()
                talking = asyncio.create_task(customers_write(shop))
                others = [
                    asyncio.create_task(ask_all_the_time(pages.address, cookies, seen)),
                    asyncio.create_task(watch(sockets.address, pages.address, cookies, seen)),
                ]
                await asyncio.sleep(2)
                assert "later_0002" in await migrate(fleet, urls, new)
                for name in list(fleet.running):
                    await fleet.replace(name, new)
                await talking
                answers = await all_answers(shop)
                for task in others:
                    assert not task.done(), task.exception()
                    task.cancel()
        finally:
            fleet.kill()
    record_property("figure", f"upgrade: {sum(seen.answers.values())} requests, sockets closed with {seen.closed}")
    print(seen)
    assert seen.failures == []
    assert set(seen.answers) <= {200, 201}, seen.answers
    assert set(seen.closed) == {1012}
    assert seen.hellos == len(seen.closed) + 1
    assert answers == dict.fromkeys(shop.customers, 1)


async def customers_write(shop: Any) -> None:
    """Each of them one question, spread over the whole time."""
    for customer in shop.customers:
        path = f"customers/{customer}/chats/{shop.open_kfid}/messages"
        await shop.control("POST", path, {"msgtype": "text", "text": {"content": QUESTION}})
        await asyncio.sleep(4)


async def all_answers(shop: Any) -> dict[str, int]:
    """How often the answer stands on each phone, once it stands on all of them and nothing follows any more."""
    async with asyncio.timeout(180):
        while True:
            found = {customer: await answers_on(shop, customer) for customer in shop.customers}
            if all(found.values()):
                break
            await asyncio.sleep(0.5)
    await asyncio.sleep(2)
    return {customer: await answers_on(shop, customer) for customer in shop.customers}


async def answers_on(shop: Any, customer: str) -> int:
    items = (await shop.control("GET", f"customers/{customer}/chats/{shop.open_kfid}/messages", after=0))["items"]
    return sum(ANSWER in (item["text"] or "") for item in items if item["sender"] != "customer")


async def found_shop(urls: DatabaseUrls) -> None:
    before = engine.configured()
    database = Database(urls)
    configure(database)
    try:
        await organization.found_tenant("小店", "owner", Secret(PASSWORD))
    finally:
        configure(before)
        await database.close()


@asynccontextmanager
async def sandbox() -> AsyncIterator[str]:
    process = subprocess.Popen(  # noqa: ASYNC220 - milliseconds
        [sys.executable, "-m", "wechat_sandbox", "--port", "0", "--quiet"],
        env={**os.environ, "PYTHONPATH": str(SOURCES)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = await asyncio.to_thread(process.stdout.readline)
        assert line.startswith("wechat-sandbox ready "), line
        yield line.split()[-1]
    finally:
        process.kill()
        process.wait()


def environment(folder: Path, urls: DatabaseUrls, sandbox_url: str, public_url: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HUITOUKE_", "DATABASE_"))}
    return inherited | {
        "DATABASE_URL": urls.application,
        "DATABASE_DIRECT_URL": urls.direct,
        "HUITOUKE_DATA_DIR": str(folder),
        "HUITOUKE_HOST": "127.0.0.1",
        "HUITOUKE_PUBLIC_URL": public_url,
        "HUITOUKE_WECOM_BASE_URL": sandbox_url,
        "HUITOUKE_DRAIN_SECONDS": str(DRAIN_SECONDS),
        "HUITOUKE_LOG_FORMAT": "text",
    }
