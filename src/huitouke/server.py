"""uvicorn as we run it: uvloop, sockets without deflate (it costs more than it saves on small frames), our own logs."""

from __future__ import annotations

import gc
import signal
import sys
from time import monotonic
from types import FrameType
from typing import Any

import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huitouke.kernel import ending
from huitouke.services import REQUEST_GRACE_SECONDS


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, drain_seconds: float) -> None:
        super().__init__(config)
        self.died = False
        """A part of the process that it can't do without has died."""
        self._drain_seconds = drain_seconds
        self._ends_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ends in order, and the process with status 0: uvicorn's own would raise the signal again afterwards, and
        what encloses the server (an embedded PostgreSQL) would be left standing. A second Ctrl-C doesn't wait."""
        asked_before = self.should_exit or ending.begun()
        ending.begin()
        if asked_before and sig == signal.SIGINT:
            self.should_exit = self.force_exit = True
        elif sig == signal.SIGTERM and self._drain_seconds and not asked_before:
            self._ends_at = monotonic() + self._drain_seconds
        elif not asked_before:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second. Goes on for a while after it was told to end, so that the proxy hears of it first."""
        if self._ends_at is not None and monotonic() >= self._ends_at:
            self.should_exit = True
        return await super().on_tick(counter)

    def end_after_death(self, _part: str) -> None:
        self.died = True
        ending.begin()
        self.should_exit = True


class _Farewell:
    """While the process is about to end, each answer closes its connection: a proxy that keeps it for the next request
    would else send that one just when we hang up."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_close(message: Message) -> None:
            if message["type"] == "http.response.start" and ending.begun():
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, send_and_close if scope["type"] == "http" else send)


def serve(app: ASGIApp, host: str, port: int, drain_seconds: float = 0) -> bool:
    """Serves until the process is told to stop; False when the application refused to start or a part of it died,
    which is logged. `drain_seconds`: how long it goes on after SIGTERM, saying at `/health/ready` that it ends."""
    server = _Server(uvicorn.Config(_Farewell(app), host=host, port=port, **_options()), drain_seconds)
    # The application is made and stays: without this each full collection walks all of it, 0.1 s in which nobody is
    # answered.
    gc.collect()
    gc.freeze()
    try:
        with ending.process(), ending.deaths(server.end_after_death):
            server.run()
    except SystemExit:
        return False
    return server.started and not server.died


def serve_and_reload(application: str, host: str, port: int) -> None:
    """Serves the factory `module:function` in a child that starts again with each change of the sources."""
    uvicorn.run(application, factory=True, reload=True, host=host, port=port, **_options())


def _options() -> dict[str, Any]:
    return {
        "loop": "uvloop" if sys.platform != "win32" else "asyncio",
        "ws": "websockets-sansio",
        "ws_per_message_deflate": False,
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "timeout_graceful_shutdown": REQUEST_GRACE_SECONDS,
    }
