"""Processes that answer no requests: `huitouke work` and `huitouke realtime`."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Final

import structlog
from fastapi import FastAPI
from starlette.types import ASGIApp

from huitouke.app import WEB_FOLDER
from huitouke.kernel import ending
from huitouke.kernel.database import DatabaseUrls
from huitouke.kernel.database.engine import POOL_SIZE
from huitouke.kernel.http import frame, problems
from huitouke.kernel.http.console_app import ConsoleApp
from huitouke.kernel.modules import CommandError, Modules
from huitouke.kernel.observability import health
from huitouke.kernel.realtime.standalone import port
from huitouke.kernel.release import release
from huitouke.kernel.settings import Settings
from huitouke.services import Role, running

REALTIME_POOL_SIZE: Final = 4
"""It reads a few tenants at a time (`READS_AT_ONCE`) and writes nothing."""

POOL_SIZES: Final = {Role.WORK: POOL_SIZE, Role.REALTIME: REALTIME_POOL_SIZE}

log = structlog.get_logger(__name__)


def run(
    settings: Settings, modules: Modules, role: Role, urls: DatabaseUrls, host: str, port_number: int | None
) -> bool:
    """Does the role until the process is told to stop; False when a part of it died, which is logged.

    Raises:
        CommandError: the port is taken.
        one of services.REFUSALS: it may not start.
    """
    new_loop = None
    if sys.platform != "win32":
        import uvloop  # not there on Windows

        new_loop = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(_run(settings, modules, role, urls, host, port_number))


async def _run(
    settings: Settings, modules: Modules, role: Role, urls: DatabaseUrls, host: str, port_number: int | None
) -> bool:
    end = _End(settings.drain_seconds if role is Role.REALTIME else 0)
    build = ConsoleApp(WEB_FOLDER / "console").build or release()
    async with AsyncExitStack() as stack:
        stack.enter_context(end.listening())
        checks = health.standard_checks(modules)
        started = await stack.enter_async_context(
            running(settings, modules, frozenset({role}), urls, build, POOL_SIZES[role])
        )
        checks.update(started.checks)
        if port_number is not None:
            listening = port(host, port_number, _health_app(settings, checks), started.realtime)
            try:
                opened = await stack.enter_async_context(listening)
            except OSError as error:
                raise CommandError(f"can't listen on {host}:{port_number}: {error.strerror or error}") from error
            log.info("app.listening", address=f"http://{host}:{opened.number}", role=role.value)
        log.info("app.started", version=release(), role=role.value)
        print(f"{role.value}: running; Ctrl-C stops", flush=True)
        await end.asked.wait()
    log.info("app.stopped", role=role.value)
    return not end.died


def _health_app(settings: Settings, checks: dict[str, health.Check]) -> ASGIApp:
    api = FastAPI(openapi_url=None, redirect_slashes=False)
    problems.install(api)
    api.include_router(health.router(settings, checks))
    return frame.RequestFrame(api)


class _End:
    """Waits for what ends the process: a signal, or the death of a part."""

    def __init__(self, drain_seconds: float) -> None:
        self.asked = asyncio.Event()
        self.died = False
        self._drain_seconds = drain_seconds

    @contextmanager
    def listening(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._on_term)
        loop.add_signal_handler(signal.SIGINT, self._now)
        with ending.process(), ending.deaths(self._on_death):
            try:
                yield
            finally:
                loop.remove_signal_handler(signal.SIGTERM)
                loop.remove_signal_handler(signal.SIGINT)

    def _on_term(self) -> None:
        """Goes on for a while, not ready for anything new, so that the proxy hears of it first."""
        if not ending.begun():
            ending.begin()
            asyncio.get_running_loop().call_later(self._drain_seconds, self.asked.set)

    def _now(self) -> None:
        ending.begin()
        self.asked.set()

    def _on_death(self, _part: str) -> None:
        self.died = True
        self._now()
