"""What runs in a process besides answering requests, and in which order it starts and stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import asyncpg
import structlog
from starlette.types import ASGIApp

from huitouke.kernel.callbacks.app import CallbackApp
from huitouke.kernel.database import Database, DatabaseUrls, configure, current
from huitouke.kernel.database.checks import UnsafeRoleError, assert_application_role
from huitouke.kernel.database.engine import POOL_SIZE
from huitouke.kernel.database.migrate import SchemaAheadError, missing_revisions
from huitouke.kernel.ending import vital
from huitouke.kernel.http.testing import follow_clock
from huitouke.kernel.keys import KeysError, get_key_ring
from huitouke.kernel.modules import PROCESS_END, Modules
from huitouke.kernel.notify import Notifier, NotifierError
from huitouke.kernel.observability import watchdog
from huitouke.kernel.observability.health import Check, NotWell
from huitouke.kernel.realtime.app import RealtimeApp
from huitouke.kernel.settings import Settings
from huitouke.kernel.work.worker import Worker

REQUEST_GRACE_SECONDS: Final = 4
WORK_GRACE_SECONDS: Final = 5
"""Together less than the ten seconds after which supervisors kill: first requests end, then work, else it goes back."""

RECOVERY_SECONDS: Final = 60.0
RECOVERY_POLL_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


class Role(StrEnum):
    """What a process does besides answering requests."""

    WORK = "work"
    REALTIME = "realtime"


class SchemaBehindError(RuntimeError):
    """The schema is older than the code."""


REFUSALS: Final = (
    KeysError,
    UnsafeRoleError,
    NotifierError,
    SchemaBehindError,
    SchemaAheadError,
    asyncpg.PostgresError,
    OSError,
)
"""Why a process may refuse to start; each says in its message what to do."""


@dataclass(frozen=True, slots=True)
class Running:
    """What runs: the readiness checks that it adds, and the applications beside FastAPI."""

    checks: Mapping[str, Check]
    callbacks: ASGIApp
    realtime: RealtimeApp | None
    """None where the process doesn't hold sockets."""


@asynccontextmanager
async def running(
    settings: Settings,
    modules: Modules,
    roles: frozenset[Role],
    urls: DatabaseUrls | None,
    build: str,
    pool_size: int = POOL_SIZE,
) -> AsyncIterator[Running]:
    """Runs the services of this process. `build` names the console's build for the sockets.

    Raises:
        UnsafeRoleError: the application's role could get past the fence between tenants.
        NotifierError: NOTIFY does not arrive.
        KeysError: there is no key ring.
        SchemaBehindError: migrations are missing.
        SchemaAheadError: the schema is more than one release ahead.
    """
    get_key_ring()
    checks: dict[str, Check] = {}
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(_database(settings, urls, pool_size))
        await _recovered(database)
        await assert_application_role(database)
        missing = await missing_revisions(database, modules)
        if missing:
            raise SchemaBehindError(f"the schema lacks {', '.join(missing)}; run: huitouke migrate")
        for close in modules.extensions(PROCESS_END):
            stack.push_async_callback(close)
        await stack.enter_async_context(watchdog.watching())
        if settings.testing:
            await stack.enter_async_context(_task("testing.clock", follow_clock()))
        notifier = Notifier(database)
        await notifier.start()
        stack.push_async_callback(notifier.stop)
        if Role.WORK in roles:
            checks["work"] = await stack.enter_async_context(_working(modules, database))
        callbacks = CallbackApp([kind for module in modules for kind in module.callback_kinds], database)
        await callbacks.start()
        stack.push_async_callback(callbacks.stop)
        realtime: RealtimeApp | None = None
        if Role.REALTIME in roles:
            streams = [stream for module in modules for stream in module.streams]
            realtime = RealtimeApp(streams, public_url=settings.public_url, build=build)
            await realtime.start()
            stack.push_async_callback(realtime.stop)
        yield Running(checks, callbacks, realtime)


@asynccontextmanager
async def _working(modules: Modules, database: Database) -> AsyncIterator[Check]:
    """Runs this process's worker; gives the check that it is alive."""
    worker = Worker(modules, database=database)
    task = vital(worker.run(), "worker")

    async def alive() -> None:
        if task.done():
            raise NotWell("the worker of this process has ended")

    try:
        yield alive
    finally:
        if not task.done():  # of one that died the log says why, and the process's status that it did
            await worker.stop(WORK_GRACE_SECONDS)
            await task


@asynccontextmanager
async def _database(settings: Settings, urls: DatabaseUrls | None, pool_size: int) -> AsyncIterator[Database]:
    if urls is None:
        yield current()
        return
    database = Database(urls, pool_size=pool_size, statement_cache=settings.database_statement_cache)
    configure(database)
    try:
        yield database
    finally:
        configure(None)
        await database.close()


async def _recovered(database: Database) -> None:
    """Waits while PostgreSQL is starting up: after a crash or a reboot it may need as long as we do, or longer.

    Raises:
        asyncpg.CannotConnectNowError: it was still not ready after RECOVERY_SECONDS.
    """
    for _ in range(round(RECOVERY_SECONDS / RECOVERY_POLL_SECONDS)):
        try:
            connection = await database.connect_direct()
        except asyncpg.CannotConnectNowError as error:
            log.info("app.waiting_for_database", reason=str(error))
            await asyncio.sleep(RECOVERY_POLL_SECONDS)
        else:
            await connection.close()
            return
    await (await database.connect_direct()).close()


@asynccontextmanager
async def _task(name: str, work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs `work` beside the block and ends it with the block."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
