"""What a worker starts once for all its journeys: a database of its own, the sandbox, the server."""

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2

from huitouke.kernel.database import Database, DatabaseUrls, configure
from huitouke.kernel.database.engine import current
from huitouke.kernel.keys import make_ring_file
from tests.e2e.composers.processes import ROOT, Running, free_port, start
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.connections import KEPT
from tests.support.database import clone, make_template

PAGES = (
    ROOT / "src/huitouke/web/console/index.html",
    ROOT / "src/huitouke/web/page/index.html",
    ROOT / "src/wechat_sandbox/web/phone/index.html",
)


@dataclass(frozen=True)
class Stage:
    """Everything that runs, and the database in which tenants are founded."""

    server: Running
    sandbox: Sandbox
    phone: Running
    database: Database

    @property
    def console(self) -> str:
        """The console's address."""
        return self.server.address

    @contextlib.contextmanager
    def in_database(self) -> Iterator[None]:
        """Services called in here work in the server's database, not in the one of the module tests."""
        before = _configured()
        configure(self.database)
        try:
            yield
        finally:
            configure(before)


@contextlib.asynccontextmanager
async def running_stage(postgres: str, worker: str) -> AsyncIterator[Stage]:
    """Starts everything; `postgres` is the run's server as an address with {database} in it."""
    missing = [str(page) for page in PAGES if not page.exists()]
    assert not missing, f"not built: {', '.join(missing)}; run `npm run build` in web/"
    template = await make_template(postgres)
    urls = await clone(template, f"e2e_{worker}")
    database = Database(urls, pool_size=2)
    with tempfile.TemporaryDirectory(prefix="huitouke-e2e-") as name:
        folder = Path(name)
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            phone = await _start_sandbox(folder)
            stack.callback(phone.stop)
            http = await stack.enter_async_context(
                httpx2.AsyncClient(base_url=phone.address, timeout=60, limits=KEPT, trust_env=False)
            )
            mail = (await http.get("/sandbox/mail")).json()["smtp_url"]
            server = await _start_server(folder, urls, phone.address, mail)
            stack.callback(server.stop)
            yield Stage(server, Sandbox(phone.address, http), phone, database)


async def _start_sandbox(folder: Path) -> Running:
    port = free_port()
    return await start("sandbox", ("-m", "wechat_sandbox", "--port", str(port)), {}, port, "/sandbox/state", folder)


async def _start_server(folder: Path, urls: DatabaseUrls, sandbox: str, mail: str) -> Running:
    port = free_port()
    make_ring_file(folder / "keys")
    environment = {
        "DATABASE_URL": urls.application,
        "DATABASE_DIRECT_URL": urls.direct,
        "HUITOUKE_DATA_DIR": str(folder),
        "HUITOUKE_PORT": str(port),
        "HUITOUKE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "HUITOUKE_WECOM_BASE_URL": sandbox,
        "HUITOUKE_WECOM_OAUTH_URL": sandbox,
        "HUITOUKE_WECOM_SSO_URL": sandbox,
        "HUITOUKE_SMTP_URL": mail,
        "HUITOUKE_MAIL_FROM": "回头客 <no-reply@example.cn>",
        "HUITOUKE_LOG_FORMAT": "text",
        "HUITOUKE_LOG_LEVEL": os.environ.get("HUITOUKE_LOG_LEVEL", "warning"),
        "HUITOUKE_TESTING": "1",
    }
    arguments = ("-m", "huitouke", "serve", "--with", "work,realtime")
    return await start("server", arguments, environment, port, "/health/ready", folder)


def _configured() -> Database | None:
    try:
        return current()
    except RuntimeError:
        return None  # no module test ran in this worker before
