"""A whole installation as processes: PostgreSQL that syncs, the sandbox, one server; and the hands that kill them."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx2

from huitouke.installation import PASSWORDS_FILE, POSTGRES_FOLDER
from huitouke.kernel.database import DatabaseUrls, launcher
from huitouke.kernel.database.embedded import prepare
from huitouke.kernel.keys import make_ring_file

SOURCES = Path(__file__).parents[2] / "src"
READY_SECONDS = 60.0
POLL_SECONDS = 0.1
OWNER, PASSWORD = "owner", "a long enough pass phrase"
HEADERS = {"X-Requested-With": "huitouke"}


@dataclass
class Town:
    """The processes, their addresses, and what was done to them."""

    folder: Path
    postgres: launcher.Server
    urls: DatabaseUrls
    environment: dict[str, str]
    sandbox_url: str
    server_url: str
    server: "subprocess.Popen[bytes] | None" = None
    done: list[str] = field(default_factory=list)

    def start_server(self) -> None:
        """Starts the server at its address; its log goes on in the same file."""
        with (self.folder / "server.log").open("ab") as log:
            command = [sys.executable, "-m", "huitouke", "serve", "--with", "work,realtime"]
            self.server = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    def kill_server(self) -> None:
        """kill -9, and at once a new one."""
        assert self.server is not None
        assert self.server.poll() is None, f"it had ended by itself:\n{self.end_of_log()}"
        self.server.kill()
        self.server.wait()
        self.done.append("server killed")
        self.start_server()

    def kill_postgres(self) -> None:
        """kill -9 of PostgreSQL's first process; the launcher starts it again on the same files."""
        lines = (self.folder / POSTGRES_FOLDER / "cluster" / "postmaster.pid").read_text().splitlines()
        os.kill(int(lines[0]), signal.SIGKILL)
        self.done.append("PostgreSQL killed")

    async def ready(self) -> None:
        """Waits until the server says that it is."""
        async with (
            httpx2.AsyncClient(base_url=self.server_url, trust_env=False) as http,
            asyncio.timeout(READY_SECONDS),
        ):
            while not await _answers(http, "/health/ready"):
                assert self.server is not None
                assert self.server.poll() is None, self.end_of_log()
                await asyncio.sleep(POLL_SECONDS)

    def end_of_log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")[-4_000:]

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


@asynccontextmanager
async def town(folder: Path, **variables: str) -> AsyncIterator[Town]:
    """Everything started, with a merchant "owner" in it; all of it gone at the end. `variables`: the server's."""
    postgres = await asyncio.to_thread(launcher.start, folder / POSTGRES_FOLDER)
    sandbox: subprocess.Popen[str] | None = None
    running: Town | None = None
    try:
        urls = await prepare(postgres, folder / PASSWORDS_FILE)
        make_ring_file(folder / "keys")
        sandbox, sandbox_url = await asyncio.to_thread(_start_sandbox)
        server_url = f"http://127.0.0.1:{_free_port()}"
        environment = _environment(folder, urls, sandbox_url, server_url) | variables
        owners = {**environment, "DATABASE_OWNER_URL": urls.owner or ""}
        await _run(owners, "migrate")
        await _run(owners, "tenant", "create", "--name", "小店", "--owner", OWNER, "--password", PASSWORD)
        running = Town(folder, postgres, urls, environment, sandbox_url, server_url)
        running.start_server()
        await running.ready()
        yield running
    finally:
        for process in (running.server if running else None, sandbox):
            if process is not None:
                process.kill()
                process.wait()
        await asyncio.to_thread(postgres.stop)


async def _answers(http: httpx2.AsyncClient, path: str) -> bool:
    try:
        return (await http.get(path)).status_code == 200
    except httpx2.HTTPError:
        return False


def _environment(folder: Path, urls: DatabaseUrls, sandbox_url: str, server_url: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HUITOUKE_", "DATABASE_"))}
    return inherited | {
        "PYTHONPATH": str(SOURCES),
        "DATABASE_URL": urls.application,
        "DATABASE_DIRECT_URL": urls.direct,
        "HUITOUKE_DATA_DIR": str(folder),
        "HUITOUKE_HOST": "127.0.0.1",
        "HUITOUKE_PORT": server_url.rpartition(":")[2],
        "HUITOUKE_PUBLIC_URL": server_url,
        "HUITOUKE_WECOM_BASE_URL": sandbox_url,
        "HUITOUKE_LOG_FORMAT": "json",
    }


async def _run(environment: Mapping[str, str], *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "huitouke", *arguments, env=dict(environment),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode(errors="replace")


def _start_sandbox() -> tuple["subprocess.Popen[str]", str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "wechat_sandbox", "--port", "0", "--quiet"],
        env={**os.environ, "PYTHONPATH": str(SOURCES)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("wechat-sandbox ready "), line
    return process, line.split()[-1]


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Merchant:
    """The merchant's console and WeCom, over HTTP; patient while the server is away."""

    def __init__(self, console: httpx2.AsyncClient, sandbox: httpx2.AsyncClient) -> None:
        self.console = console
        self.sandbox = sandbox
        self.corp_id = ""
        self.open_kfid = ""
        self.customers: list[str] = []

    async def ask(self, method: str, path: str, *, json: Any = None, key: str | None = None) -> httpx2.Response:
        """Until there is an answer below 500. Only what may be repeated is asked with this."""
        headers = {"Idempotency-Key": key} if key else {}
        while True:
            try:
                answer = await self.console.request(method, path, json=json, headers=headers)
                if answer.status_code < 500:
                    return answer
            except httpx2.HTTPError:
                pass
            await asyncio.sleep(POLL_SECONDS)

    async def control(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """A call of the sandbox's control API. A message that was written twice by it stands in its book twice."""
        try:
            answer = await self.sandbox.request(method, f"/sandbox/{path}", json=body, params=query)
        except httpx2.TransportError:  # a kept connection that it closed while we were about to use it
            answer = await self.sandbox.request(method, f"/sandbox/{path}", json=body, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def book(self, source: str) -> list[dict[str, Any]]:
        """The sandbox's own record, oldest first."""
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = await self.control("GET", "records", source=source, after=after)
            found += page["items"]
            after = page["next_after"]
        return found


@asynccontextmanager
async def merchant(running: Town, customers: int, app_secret: str | None = None) -> AsyncIterator[Merchant]:
    """The owner signed in, WeCom connected both ways, some knowledge, and customers with a phone each."""
    async with (
        httpx2.AsyncClient(base_url=running.server_url, headers=HEADERS, trust_env=False, timeout=10) as console,
        httpx2.AsyncClient(base_url=running.sandbox_url, trust_env=False, timeout=10) as sandbox,
    ):
        one = Merchant(console, sandbox)
        await _set_up(one, customers, app_secret)
        yield one


async def _set_up(one: Merchant, customers: int, app_secret: str | None) -> None:
    seeded = await one.control(
        "POST",
        "setup",
        {
            "corp_name": "小店",
            "apps": [{"name": "客服", "secret": app_secret}],
            "employees": [{"userid": "lin", "name": "林"}],
            "kf_accounts": [{"name": "小店客服"}],
            "customers": [{"nickname": f"顾客{n}"} for n in range(customers)],
        },
    )
    corp, app = seeded["corp"], seeded["corp"]["apps"][0]
    one.corp_id, one.open_kfid = corp["corp_id"], corp["kf_accounts"][0]["open_kfid"]
    one.customers = [customer["external_userid"] for customer in seeded["customers"]]
    signed_in = await one.ask("POST", "/api/session", json={"sign_in_name": OWNER, "password": PASSWORD})
    assert signed_in.status_code == 200, signed_in.text
    wish = {"name": "客服", "corp_id": one.corp_id, "agent_id": str(app["agentid"]), "secret": app["secret"]}
    made = (await one.ask("POST", "/api/wecom-apps", json=wish)).json()
    config = {
        "url": made["callback_url"],
        "token": made["callback_token"],
        "encoding_aes_key": made["callback_aes_key"],
    }
    for _ in range(5):  # WeCom waits a second for the address, which a busy machine may need for itself
        saved = await one.control("PUT", f"apps/{app['agentid']}/callback", config, corp_id=one.corp_id)
        if saved["ok"]:
            break
    assert saved["ok"], saved
    adopted = await one.ask(
        "POST", "/api/channel-accounts/adopt", json={"wecom_app_id": made["id"], "open_kfid": one.open_kfid}
    )
    assert adopted.status_code == 201, adopted.text
    for question, answer in KNOWLEDGE.items():
        entry = await one.ask("POST", "/api/knowledge/entries", json={"question": question, "answer": answer})
        assert entry.status_code == 201, entry.text


KNOWLEDGE = {
    "有大一点的尺码吗": "有的，最大到 3XL。",
    "多久发货": "当天下午四点前拍下，当天发出。",
    "可以退货吗": "七天内不影响二次销售都可以退。",
}
